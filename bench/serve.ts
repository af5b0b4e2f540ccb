/**
 * What a running server takes for clones and fetches over HTTP, against `git upload-pack` started for each and writing to
 * nowhere: `npm run bench:serve -- <repository> [--runs=5] [--only=clone,fetch,blobless] [--cli=dist/cli.js]`
 *
 * With bitmaps and without; cold (the first request of a server just started) and warm (the median of those after it). A
 * fetch is of the last hundred commits: warm are fetches of a few more or less, none of which was asked for before; `again` is one
 * that was. Time and CPU are the server's own, the start of git's process is git's. Prints a table; writes
 * bench/results/serve-<name>.json. Needs a built dist/.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Measurement, measure, median } from './pack/measure.ts';
import { cloneRequest, fetchRequest } from './pack/requests.ts';
import { startPackwire } from './push/servers.ts';
import { KeepAliveClient } from './refs/keep-alive-client.ts';
import { makeVariant, type Variant } from './serve/variants.ts';

/** A large answer is kept for those who ask the same within ten seconds: that is measured by bench:storm. */
const FORGOTTEN_AFTER_MS = 11_000;
const MIB = 1024 * 1024;
const UPLOAD_PACK = ['-c', 'uploadpack.allowFilter=true', 'upload-pack', '--stateless-rpc'];
const ENVIRONMENT = { GIT_PROTOCOL: 'version=2' };
const RESULTS = resolve(import.meta.dirname, 'results');

interface Row {
  readonly work: string;
  readonly variant: Variant;
  readonly git: Measurement;
  readonly cold: Measurement;
  readonly warm: Measurement;
  /** The same once more; of fetches only. */
  readonly again?: Measurement | undefined;
}

/** What is asked of a server. */
interface Work {
  readonly name: string;
  readonly cold: Buffer;
  /** Asked before anything is counted: the compiler has its share in the first ones. */
  readonly rehearsed: readonly Buffer[];
  /** One a run. */
  readonly warm: readonly Buffer[];
  readonly isLarge: boolean;
}

/** First-parent commits fetched. */
const FETCHED = 100;
const REHEARSALS = 20;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '5' },
    only: { type: 'string' },
    cli: { type: 'string', default: resolve(import.meta.dirname, '../dist/cli.js') },
  },
});
const [path] = positionals;
const cli = resolve(values.cli);
if (path === undefined || !existsSync(cli)) {
  process.stderr.write(
    'usage: npm run bench:serve -- <repository> [--runs=5] [--only=clone,fetch,blobless] [--cli=dist/cli.js]\n',
  );
  process.exit(2);
}
const repository = resolve(path);
const scratch = mkdtempSync(join(tmpdir(), 'packwire-serve-'));
try {
  await main();
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

async function main(): Promise<void> {
  const rows: Row[] = [];
  for (const variant of ['bitmap', 'none'] as const) {
    const directory = makeVariant(repository, scratch, variant);
    for (const work of worksOn(directory)) {
      if (values.only !== undefined && !values.only.split(',').includes(work.name)) continue;
      const row = { work: work.name, variant, ...(await compare(directory, work)) };
      rows.push(row);
      process.stdout.write(`${tableRow(row)}\n`);
    }
  }
  report(rows);
}

function worksOn(directory: string): Work[] {
  const fetches = fetchWork(directory);
  return [
    cloneWork('clone', cloneRequest(directory)),
    ...(fetches === undefined ? [] : [fetches]),
    cloneWork('blobless', cloneRequest(directory, 'blob:none')),
  ];
}

function cloneWork(name: string, request: Buffer): Work {
  const warm = Array.from({ length: Number(values.runs) }, () => request);
  return { name, cold: request, rehearsed: [], warm, isLarge: true };
}

/** @returns `undefined` when the history is too short */
function fetchWork(directory: string): Work | undefined {
  const runs = Number(values.runs);
  const cold = fetchRequest(directory, FETCHED);
  // A commit more, one less, two more: nearest to a hundred are those that count.
  const others = Array.from({ length: runs + REHEARSALS }, (_, n) => {
    const distance = (n + 2) >> 1;
    return fetchRequest(directory, FETCHED + (n % 2 === 0 ? distance : -distance));
  }).filter((request) => request !== undefined);
  if (cold === undefined || others.length < runs + REHEARSALS) return undefined;
  return { name: 'fetch', cold, rehearsed: others.slice(runs), warm: others.slice(0, runs), isLarge: false };
}

async function compare(
  directory: string,
  { cold: first, rehearsed, warm: requests, isLarge }: Work,
): Promise<Omit<Row, 'work' | 'variant'>> {
  const git: Measurement[] = [];
  const warm: Measurement[] = [];
  const again: Measurement[] = [];
  const server = await startPackwire(join(directory, '..'), cli, false);
  const client = new KeepAliveClient(server.port);
  const ask = async (request: Buffer): Promise<Measurement> => {
    const cpuBefore = server.cpuMs();
    const started = performance.now();
    const answer = await client.ask(httpRequest(directory, request));
    const wallSeconds = (performance.now() - started) / 1000;
    if (answer.status !== 200) throw new Error(`status ${answer.status}`);
    const cpuSeconds = (server.cpuMs() - cpuBefore) / 1000;
    return { wallSeconds, cpuSeconds, peakBytes: server.peakBytes(), outputBytes: answer.bodyBytes };
  };
  try {
    const cold = await ask(first);
    for (const request of rehearsed) await ask(request);
    // Alternating, so that a machine that slows down slows both.
    for (const request of requests) {
      git.push({
        ...(await measureGit(directory, request)),
        outputBytes: (isLarge ? git[0]?.outputBytes : undefined) ?? (await gitBytes(directory, request)),
      });
      if (isLarge) await sleep(FORGOTTEN_AFTER_MS);
      warm.push(await ask(request));
    }
    if (isLarge) return { git: median(git), cold, warm: median(warm) };
    await ask(first);
    for (const _ of requests) again.push(await ask(first));
    return { git: median(git), cold, warm: median(warm), again: median(again) };
  } finally {
    client.close();
    await server.stop();
  }
}

function httpRequest(directory: string, body: Buffer): Buffer {
  const head = [
    `POST /${basename(directory)}/git-upload-pack HTTP/1.1`,
    'host: 127.0.0.1',
    'git-protocol: version=2',
    'content-type: application/x-git-upload-pack-request',
    `content-length: ${body.length}`,
  ];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]);
}

function measureGit(directory: string, input: Buffer): Promise<Measurement> {
  return measure(
    { command: 'git', args: [...UPLOAD_PACK, directory], input, env: ENVIRONMENT },
    { outputFile: '/dev/null' },
  );
}

async function gitBytes(directory: string, input: Buffer): Promise<number> {
  const run = { command: 'git', args: [...UPLOAD_PACK, directory], input, env: ENVIRONMENT };
  return (await measure(run)).outputBytes;
}

function tableRow({ work, variant, git, cold, warm, again }: Row): string {
  const line = (name: string, m: Measurement): string => {
    const ratio = (m.wallSeconds / git.wallSeconds).toFixed(2);
    const cpuRatio = (m.cpuSeconds / git.cpuSeconds).toFixed(2);
    const bytesRatio = (m.outputBytes / git.outputBytes).toFixed(3);
    return `${''.padEnd(16)} ${name.padEnd(5)} ${figures(m)}   wall ${ratio}  cpu ${cpuRatio}  bytes ${bytesRatio}`;
  };
  return [
    `${work.padEnd(9)} ${variant.padEnd(6)} git   ${figures(git)}`,
    line('cold', cold),
    line('warm', warm),
    ...(again === undefined ? [] : [line('again', again)]),
  ].join('\n');
}

function figures(m: Measurement): string {
  return (
    `${m.wallSeconds.toFixed(3).padStart(7)} s wall ${m.cpuSeconds.toFixed(2).padStart(6)} s cpu ` +
    `${(m.peakBytes / MIB).toFixed(0).padStart(4)} MiB ${(m.outputBytes / 1e6).toFixed(1).padStart(6)} MB out`
  );
}

function report(rows: readonly Row[]): void {
  const name = basename(repository).replace(/\.git$/, '');
  const machine = `${cpus().length} cores, ${cpus()[0]?.model ?? 'unknown'}, ${process.platform} ${release()}`;
  const versions = {
    node: process.version,
    git: spawnSync('git', ['--version'], { encoding: 'utf8' }).stdout.trim(),
  };
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(
    join(RESULTS, `serve-${name}.json`),
    `${JSON.stringify({ machine, versions, runs: Number(values.runs), rows }, undefined, 2)}\n`,
  );
}
