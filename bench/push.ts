/**
 * Small pushes over HTTP, side by side with `git http-backend`: one commit, three objects, one after the other.
 *
 *   npm run bench:push -- <repository> [--pushes=300] [--fsync=committed,loose-object] [--all]
 *
 * Each push is what git's client sends: `GET info/refs`, then `POST git-receive-pack` with a thin pack that git made.
 * The same recorded requests go to packwire and to a small Node server that spawns `git http-backend`, turn by turn,
 * each to its own copy of the repository on the same disk, with the same core.fsync in its config. Time is measured at
 * the requests; CPU is that of the server and of all it spawned.
 *
 * With `--all`, instead: one push of everything into an empty repository, with the server's peak memory.
 * Prints a table; writes bench/results/push-<name>.json. Needs a built dist/.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type PreparedPush, pushEverything, recordPushes } from './push/recorded-pushes.ts';
import { replay, type Timing } from './push/replay.ts';
import { type PushServer, startHttpBackend, startPackwire } from './push/servers.ts';

const MIB = 1024 * 1024;
const NAME = 'pushed.git';
/** Pushes that are not counted: code is compiled, files come into the page cache. */
const WARM_UP = 20;

interface Row {
  readonly server: string;
  readonly pushes: number;
  /** Milliseconds at the requests, info/refs and receive-pack together. */
  readonly p50: number;
  readonly p99: number;
  readonly infoRefsP50: number;
  readonly receivePackP50: number;
  readonly cpuMsEach: number;
  readonly peakBytes: number;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    pushes: { type: 'string', default: '300' },
    fsync: { type: 'string', default: 'committed,loose-object' }, // what packwire does unless told otherwise
    all: { type: 'boolean', default: false },
    only: { type: 'string' },
    dist: { type: 'string', default: resolve(import.meta.dirname, '../dist') },
  },
});
const [path] = positionals;
const cli = join(values.dist, 'cli.js');
if (path === undefined || !existsSync(cli)) {
  process.stderr.write(
    'usage: npm run bench:push -- <repository> [--pushes=300] [--fsync=<core.fsync>] [--all] [--only=packwire|git]\n',
  );
  process.exit(2);
}
const repository = resolve(path);
const scratch = mkdtempSync(join(process.env.PACKWIRE_SCRATCH ?? tmpdir(), 'packwire-bench-push-'));
try {
  await main();
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

async function main(): Promise<void> {
  const prepared = values.all
    ? [pushEverything(repository, scratch)]
    : recordPushes(repository, scratch, Number(values.pushes) + WARM_UP);
  const servers: PushServer[] = [];
  for (const [name, start] of [
    ['packwire', startPackwire],
    ['git', startHttpBackend],
  ] as const) {
    if (values.only !== undefined && values.only !== name) continue;
    const root = join(scratch, name);
    mkdirSync(root);
    prepareRepository(join(root, NAME));
    servers.push(await start(root, cli, values.all));
  }
  const timings = new Map<PushServer, Timing[]>(servers.map((server) => [server, []]));
  const cpuBefore = new Map<PushServer, number>();
  try {
    for (const [number, push] of prepared.entries()) {
      for (const server of servers) {
        if (number === WARM_UP || values.all) cpuBefore.set(server, server.cpuMs());
        timings.get(server)?.push(await replay(server.port, NAME, push));
      }
    }
    const rows = servers.map((server) =>
      rowOf(server, timings.get(server) ?? [], server.cpuMs() - (cpuBefore.get(server) ?? 0)),
    );
    checkResult(servers, prepared);
    report(rows);
  } finally {
    for (const server of servers) await server.stop();
  }
}

function prepareRepository(target: string): void {
  if (values.all) run('git', ['init', '-q', '--bare', target]);
  else run('cp', ['-r', repository, target]);
  run('git', ['-C', target, 'config', 'http.receivepack', 'true']);
  run('git', ['-C', target, 'config', 'core.fsync', values.fsync]);
  run('git', ['-C', target, 'config', 'receive.autogc', 'false']); // another subject
}

/** Both repositories must hold what was pushed last. */
function checkResult(servers: readonly PushServer[], prepared: readonly PreparedPush[]): void {
  const { ref, newId } = prepared.at(-1) as PreparedPush;
  for (const { name, root } of servers) {
    const found = run('git', ['-C', join(root, NAME), 'rev-parse', ref]).trim();
    if (found !== newId) throw new Error(`${name}: ${ref} is ${found}, expected ${newId}`);
    run('git', ['-C', join(root, NAME), 'fsck', '--connectivity-only', '--no-dangling']);
  }
}

function rowOf({ name, peakBytes }: PushServer, all: readonly Timing[], cpuMs: number): Row {
  const counted = values.all ? all : all.slice(WARM_UP);
  const totals = counted.map((timing) => timing.infoRefsMs + timing.receivePackMs);
  return {
    server: name,
    pushes: counted.length,
    p50: percentile(totals, 0.5),
    p99: percentile(totals, 0.99),
    infoRefsP50: percentile(
      counted.map((timing) => timing.infoRefsMs),
      0.5,
    ),
    receivePackP50: percentile(
      counted.map((timing) => timing.receivePackMs),
      0.5,
    ),
    cpuMsEach: cpuMs / counted.length,
    peakBytes: peakBytes(),
  };
}

function percentile(numbers: readonly number[], part: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

function report(rows: readonly Row[]): void {
  for (const row of rows) {
    process.stdout.write(
      `${row.server.padEnd(9)} p50 ${ms(row.p50)}  p99 ${ms(row.p99)}  (info/refs ${ms(row.infoRefsP50)}  ` +
        `receive-pack ${ms(row.receivePackP50)})  cpu ${ms(row.cpuMsEach)} a push  peak ${(row.peakBytes / MIB).toFixed(0)} MiB\n`,
    );
  }
  const [packwire, git] = rows;
  if (packwire === undefined || git === undefined) return;
  process.stdout.write(
    `ratio     p50 ${(packwire.p50 / git.p50).toFixed(3)}  p99 ${(packwire.p99 / git.p99).toFixed(3)}  ` +
      `cpu ${(packwire.cpuMsEach / git.cpuMsEach).toFixed(3)}\n`,
  );
  const name = `push-${values.all ? 'all-' : ''}${basename(repository).replace(/\.git$/, '')}`;
  const results = resolve(import.meta.dirname, 'results');
  mkdirSync(results, { recursive: true });
  writeFileSync(
    join(results, `${name}.json`),
    `${JSON.stringify({ machine: machine(), versions: versions(), fsync: values.fsync, rows }, undefined, 2)}\n`,
  );
}

function ms(value: number): string {
  return `${value.toFixed(2)} ms`;
}

function machine(): string {
  return `${cpus().length} cores, ${cpus()[0]?.model ?? 'unknown'}, ${process.platform} ${release()}`;
}

function versions(): Record<string, string> {
  const manifest = readFileSync(resolve(import.meta.dirname, '../package.json'), 'utf8');
  return {
    node: process.version,
    git: run('git', ['--version']).trim(),
    packwire: (JSON.parse(manifest) as { version: string }).version,
  };
}

function run(command: string, args: readonly string[]): string {
  const result = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ')}: ${result.stderr}`);
  return result.stdout;
}
