/**
 * Requests about refs, side by side with `git http-backend` spawned for each: requests a second, latency, the
 * server's CPU a request.
 *
 *   npm run bench:refs -- [--refs=1000,50000] [--seconds=3] [--connections=4] [--only=<case>,…] [--cli=dist/cli.js]
 *
 * Prints a table; writes bench/results/refs.json. Needs a built dist/.
 *
 * @module
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import type { LoadOrder, LoadResult } from './refs/load.ts';
import { makeRefsRepository } from './refs/repositories.ts';
import { CLONE_PREFIXES, infoRefs, lsRefs } from './refs/requests.ts';
import { ServerProcess } from './refs/server-process.ts';

interface Figures extends LoadResult {
  /** User and system time of the server, children included. */
  readonly cpuMsPerRequest: number;
}

interface Row {
  readonly refs: number;
  readonly case: string;
  readonly git: Figures;
  readonly packwire: Figures;
}

const LOOSE_PART = 50; // one ref in so many is loose, as between two runs of git gc

const { values } = parseArgs({
  options: {
    refs: { type: 'string', default: '1000,50000' },
    seconds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '4' },
    only: { type: 'string' },
    cli: { type: 'string', default: resolve(import.meta.dirname, '../dist/cli.js') },
  },
});
if (!existsSync(values.cli)) {
  process.stderr.write(`bench:refs needs ${values.cli}: npm run build\n`);
  process.exit(2);
}
const seconds = Number(values.seconds);
const connections = Number(values.connections);
const only = values.only?.split(',');

const root = mkdtempSync(join(tmpdir(), 'packwire-refs-'));
try {
  await main();
} finally {
  rmSync(root, { recursive: true, force: true });
}

async function main(): Promise<void> {
  const rows: Row[] = [];
  for (const refs of values.refs.split(',').map(Number)) {
    const name = `refs-${refs}.git`;
    makeRefsRepository(join(root, name), refs, Math.floor(refs / LOOSE_PART));
    for (const [title, request] of casesOf(name)) {
      if (only !== undefined && !only.includes(title)) continue;
      const row = {
        refs,
        case: title,
        git: await ask('git', request),
        packwire: await ask('packwire', request),
      };
      if (row.git.answerBytes === 0 || row.packwire.answerBytes === 0) throw new Error('an answer was empty');
      rows.push(row);
      process.stdout.write(`${tableRow(row)}\n`);
    }
  }
  const results = resolve(import.meta.dirname, 'results');
  mkdirSync(results, { recursive: true });
  const machine = `${cpus().length} cores, ${cpus()[0]?.model ?? 'unknown'}, ${process.platform} ${release()}`;
  const git = spawnSync('git', ['--version'], { encoding: 'utf8' }).stdout.trim();
  const report = { machine, versions: { node: process.version, git }, connections, seconds, rows };
  writeFileSync(join(results, 'refs.json'), `${JSON.stringify(report, undefined, 2)}\n`);
}

function casesOf(repository: string): readonly (readonly [string, Buffer])[] {
  return [
    ['info-refs-v0', infoRefs(repository, 0)],
    ['info-refs-v2', infoRefs(repository, 2)],
    ['ls-refs-all', lsRefs(repository, [])],
    ['ls-refs-clone', lsRefs(repository, CLONE_PREFIXES)],
    ['ls-refs-main', lsRefs(repository, ['refs/heads/main'])],
  ];
}

/** A server of its own for each case: what one case leaves warm does not help the next. */
async function ask(which: 'git' | 'packwire', request: Buffer): Promise<Figures> {
  await using server = await (which === 'git'
    ? ServerProcess.git(root)
    : ServerProcess.packwire(values.cli, root));
  const order: LoadOrder = { port: server.port, request: request.toString('base64'), connections, seconds };
  const before = server.cpuSeconds;
  const result = await load(order);
  const cpuMs = (server.cpuSeconds - before) * 1000;
  return { ...result, cpuMsPerRequest: cpuMs / (result.requests + result.warmingRequests) };
}

async function load(order: LoadOrder): Promise<LoadResult> {
  const child = spawn(process.execPath, ['--import', 'tsx', resolve(import.meta.dirname, 'refs/load.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(JSON.stringify(order));
  const output = await text(child.stdout);
  if (output === '') throw new Error('the load ended without a result');
  return JSON.parse(output) as LoadResult;
}

function tableRow({ refs, case: title, git, packwire }: Row): string {
  const figures = (one: Figures): string =>
    `${one.requestsPerSecond.toFixed(0).padStart(6)}/s  p50 ${one.p50Ms.toFixed(2).padStart(7)} ms  ` +
    `p99 ${one.p99Ms.toFixed(2).padStart(7)} ms  cpu ${one.cpuMsPerRequest.toFixed(3).padStart(8)} ms  ` +
    `${(one.answerBytes / 1000).toFixed(1).padStart(7)} kB`;
  const times = packwire.requestsPerSecond / git.requestsPerSecond;
  const label = `${refs} refs, ${title}`.padEnd(26);
  return `${label} git ${figures(git)}\n${''.padEnd(26)} us  ${figures(packwire)}  ${times.toFixed(1)} times`;
}
