/**
 * A clone storm: a hundred clients ask for the same clone at the same time. The server's CPU time and memory, against
 * single clones and against git's own upload-pack.
 *
 *   npm run bench:storm -- <repository> [--clients=100] [--singles=3] [--server=dist/cli.js]
 *
 * Single clones run on a warm server, far enough apart to share nothing; the storm then takes place on the same server.
 * CPU time and peak memory are the kernel's (/proc). The repository is served where it is, read only. Needs a built
 * dist/.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { measure } from './pack/measure.ts';
import { cloneRequest } from './pack/requests.ts';
import type { ReaderResult } from './storm/readers.ts';
import { BUILT_SERVER, clonePost, ServedRepository } from './storm/served.ts';

const MIB = 1024 * 1024;
/** Longer than an answer is kept that nobody takes (PackSharing's KEPT_MS). */
const FORGETTING_MS = 11_500;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    clients: { type: 'string', default: '100' },
    singles: { type: 'string', default: '3' },
    server: { type: 'string', default: BUILT_SERVER },
  },
});
const [given] = positionals;
if (given === undefined) {
  process.stderr.write('usage: npm run bench:storm -- <repository> [--clients=100] [--singles=3]\n');
  process.exit(2);
}
const repository = resolve(given);
const scratch = mkdtempSync(join(tmpdir(), 'packwire-storm-'));
const requestFile = join(scratch, 'request');
writeFileSync(requestFile, clonePost(repository));

const server = await ServedRepository.start(repository, resolve(values.server));
try {
  const first = await run('first clone', 1);
  await sleep(FORGETTING_MS);
  const singles: Run[] = [];
  for (let n = 0; n < Number(values.singles); n++) {
    singles.push(await run('single clone, warm', 1));
    await sleep(FORGETTING_MS);
  }
  const count = Number(values.clients);
  const storm = await run(`${count} clones at once`, count);
  await run('one more, at once', 1);
  const single = median(singles.map(({ cpuSeconds }) => cpuSeconds));
  const git = await measure({
    command: 'git',
    args: ['upload-pack', '--stateless-rpc', repository],
    input: cloneRequest(repository),
    env: { GIT_PROTOCOL: 'version=2' },
  });
  process.stdout.write(
    `git upload-pack, one clone: ${git.cpuSeconds.toFixed(2)} s cpu, ${git.wallSeconds.toFixed(2)} s, ${mib(git.peakBytes)}\n` +
      `storm / (${count} × single, warm): ${(storm.cpuSeconds / count / single).toFixed(3)}; ` +
      `/ (${count} × first): ${(storm.cpuSeconds / count / first.cpuSeconds).toFixed(3)}; ` +
      `/ (${count} × git): ${(storm.cpuSeconds / count / git.cpuSeconds).toFixed(3)}\n`,
  );
} finally {
  await server.stop();
  rmSync(scratch, { recursive: true, force: true });
}

interface Run {
  readonly cpuSeconds: number;
}

async function run(what: string, count: number): Promise<Run> {
  const before = server.cpuSeconds;
  server.forgetPeak();
  const { receivedBytes, complete, wallSeconds } = await read(count);
  const cpuSeconds = server.cpuSeconds - before;
  const least = Math.min(...receivedBytes);
  const most = Math.max(...receivedBytes);
  process.stdout.write(
    `${what}: ${cpuSeconds.toFixed(2)} s cpu, ${wallSeconds.toFixed(2)} s, peak ${mib(server.peakBytes)}, ` +
      `${(most / 1e6).toFixed(1)} MB each\n`,
  );
  if (complete < count) throw new Error(`${count - complete} answers were not complete`);
  // Keepalives differ, and so do the sizes of packets.
  if (most - least > least / 1000) throw new Error(`answers of ${least} to ${most} bytes`);
  return { cpuSeconds };
}

async function read(count: number): Promise<ReaderResult> {
  const script = resolve(import.meta.dirname, 'storm/readers.ts');
  const args = ['--import', 'tsx', script, String(server.port), String(count), requestFile];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString('utf8');
  });
  const [status] = (await once(child, 'close')) as [number | null];
  if (status !== 0) throw new Error(`the readers ended with ${status}`);
  return JSON.parse(output) as ReaderResult;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(0)} MiB`;
}
