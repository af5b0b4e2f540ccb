/**
 * The cost of access control and limits: the bare engine beside the reference server with users, tokens, rules, rates,
 * gates and quotas, in turns, in one run.
 *
 *   npm run bench:access -- <repository> [--runs=15] [--rounds=5] [--seconds=2] [--only=clone,small] [--cli=dist/cli.js]
 *
 * A clone may cost 5 % more, a small request 2 ms: exits with 1 when one costs more than that. Writes
 * bench/results/access.json. Needs a built dist/.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { writeGuardedConfig } from './access/guarded-config.ts';
import { KeepAliveClient } from './refs/keep-alive-client.ts';
import type { LoadOrder, LoadResult } from './refs/load.ts';
import { CLONE_PREFIXES, lsRefs } from './refs/requests.ts';
import { ServerProcess } from './refs/server-process.ts';
import { clonePost } from './storm/served.ts';

/** Longer than an answer is kept that nobody takes (PackSharing's KEPT_MS). */
const FORGETTING_MS = 11_500;
const CONNECTIONS = 4;
/** What may be lost. */
const CLONE_PART = 0.05;
const SMALL_MS = 2;
const NAMES = ['bare', 'guarded'] as const;

type Name = (typeof NAMES)[number];

interface CloneFigures {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
}

interface SmallFigures {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuMs: number;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '15' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    only: { type: 'string', default: 'clone,small' },
    cli: { type: 'string', default: resolve(import.meta.dirname, '../dist/cli.js') },
  },
});
const [given] = positionals;
if (given === undefined || !existsSync(values.cli)) {
  process.stderr.write(
    'usage: npm run bench:access -- <repository> [--runs=15] [--rounds=5] [--only=clone,small]\n',
  );
  process.exit(2);
}
const repository = resolve(given);
const scratch = mkdtempSync(join(tmpdir(), 'packwire-access-'));
try {
  process.exitCode = await main();
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

async function main(): Promise<number> {
  // Served where it is, read only: nobody pushes.
  const root = dirname(repository);
  const { file, authorization } = writeGuardedConfig(scratch, root);
  const dist = dirname(resolve(values.cli));
  const bareScript = resolve(import.meta.dirname, 'access/bare-server.ts');
  await using bare = await ServerProcess.start(['--import', 'tsx', bareScript, dist, root]);
  await using guarded = await ServerProcess.start([values.cli, 'serve', '--config', file]);
  const servers = { bare, guarded };

  const only = values.only.split(',');
  const clone = only.includes('clone') ? await compareClones(servers, authorization) : undefined;
  const small = only.includes('small') ? await compareSmall(servers, authorization) : undefined;
  const results = resolve(import.meta.dirname, 'results');
  mkdirSync(results, { recursive: true });
  const machine = `${cpus().length} cores, ${cpus()[0]?.model ?? 'unknown'}, ${process.platform} ${release()}`;
  const report = { machine, node: process.version, repository: basename(repository), clone, small };
  writeFileSync(join(results, 'access.json'), `${JSON.stringify(report, undefined, 2)}\n`);
  return isWithin(clone, small) ? 0 : 1;
}

type Compared<Figures> = Readonly<Record<Name, Figures>>;

async function compareClones(
  servers: Readonly<Record<Name, ServerProcess>>,
  authorization: string,
): Promise<Compared<CloneFigures>> {
  const request = withHeaders(clonePost(repository), authorization);
  const runs: Record<Name, CloneFigures[]> = { bare: [], guarded: [] };
  // The first ones open files and warm the compiler.
  for (let n = -2; n < Number(values.runs); n++) {
    for (const name of inTurn(n)) {
      const figures = await cloneFrom(servers[name], request);
      if (n >= 0) runs[name].push(figures);
    }
    await sleep(FORGETTING_MS);
  }
  const figuresOf = (name: Name): CloneFigures => ({
    wallSeconds: median(runs[name].map(({ wallSeconds }) => wallSeconds)),
    cpuSeconds: median(runs[name].map(({ cpuSeconds }) => cpuSeconds)),
  });
  const compared = { bare: figuresOf('bare'), guarded: figuresOf('guarded') };
  for (const name of NAMES) {
    const { wallSeconds, cpuSeconds } = compared[name];
    process.stdout.write(
      `clone, ${name.padEnd(8)} ${wallSeconds.toFixed(3)} s, ${cpuSeconds.toFixed(2)} s cpu\n`,
    );
  }
  process.stdout.write(
    `clone: wall ${percent(compared.guarded.wallSeconds, compared.bare.wallSeconds)}, ` +
      `cpu ${percent(compared.guarded.cpuSeconds, compared.bare.cpuSeconds)}; allowed +5.0 %\n`,
  );
  return compared;
}

async function cloneFrom(server: ServerProcess, request: Buffer): Promise<CloneFigures> {
  const client = new KeepAliveClient(server.port);
  const cpuBefore = server.cpuSeconds;
  const began = performance.now();
  const { status } = await client.ask(request);
  const wallSeconds = (performance.now() - began) / 1000;
  const cpuSeconds = server.cpuSeconds - cpuBefore;
  client.close();
  if (status !== 200) throw new Error(`a clone was answered with ${status}`);
  return { wallSeconds, cpuSeconds };
}

async function compareSmall(
  servers: Readonly<Record<Name, ServerProcess>>,
  authorization: string,
): Promise<Compared<SmallFigures>> {
  const request = withHeaders(lsRefs(basename(repository), CLONE_PREFIXES), authorization);
  const rounds: Record<Name, SmallFigures[]> = { bare: [], guarded: [] };
  for (let n = -1; n < Number(values.rounds); n++) {
    for (const name of inTurn(n)) {
      const figures = await ask(servers[name], request);
      if (n >= 0) rounds[name].push(figures);
    }
  }
  const figuresOf = (name: Name): SmallFigures => ({
    requestsPerSecond: median(rounds[name].map((one) => one.requestsPerSecond)),
    p50Ms: median(rounds[name].map((one) => one.p50Ms)),
    p99Ms: median(rounds[name].map((one) => one.p99Ms)),
    cpuMs: median(rounds[name].map((one) => one.cpuMs)),
  });
  const compared = { bare: figuresOf('bare'), guarded: figuresOf('guarded') };
  for (const name of NAMES) {
    const { requestsPerSecond, p50Ms, p99Ms, cpuMs } = compared[name];
    process.stdout.write(
      `ls-refs, ${name.padEnd(8)} ${requestsPerSecond.toFixed(0)}/s, p50 ${p50Ms.toFixed(2)} ms, ` +
        `p99 ${p99Ms.toFixed(2)} ms, ${cpuMs.toFixed(3)} ms cpu each\n`,
    );
  }
  const { bare, guarded } = compared;
  process.stdout.write(
    `ls-refs: p50 +${(guarded.p50Ms - bare.p50Ms).toFixed(2)} ms, cpu +${(guarded.cpuMs - bare.cpuMs).toFixed(3)} ms; ` +
      `allowed +${SMALL_MS} ms\n`,
  );
  return compared;
}

async function ask(server: ServerProcess, request: Buffer): Promise<SmallFigures> {
  const order: LoadOrder = {
    port: server.port,
    request: request.toString('base64'),
    connections: CONNECTIONS,
    seconds: Number(values.seconds),
  };
  const cpuBefore = server.cpuSeconds;
  const child = spawn(process.execPath, ['--import', 'tsx', resolve(import.meta.dirname, 'refs/load.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(JSON.stringify(order));
  const output = await text(child.stdout);
  if (output === '') throw new Error('the load ended without a result');
  const { requestsPerSecond, p50Ms, p99Ms, requests, warmingRequests } = JSON.parse(output) as LoadResult;
  const cpuMs = ((server.cpuSeconds - cpuBefore) * 1000) / (requests + warmingRequests);
  return { requestsPerSecond, p50Ms, p99Ms, cpuMs };
}

/** Who begins changes from run to run. */
function inTurn(n: number): readonly Name[] {
  return n % 2 === 0 ? NAMES : [...NAMES].reverse();
}

/** The same request of somebody who says who they are. */
function withHeaders(request: Buffer, authorization: string): Buffer {
  const end = request.indexOf('\r\n') + 2;
  const line = Buffer.from(`authorization: ${authorization}\r\n`);
  return Buffer.concat([request.subarray(0, end), line, request.subarray(end)]);
}

function isWithin(
  clone: Compared<CloneFigures> | undefined,
  small: Compared<SmallFigures> | undefined,
): boolean {
  const cheapClone =
    clone === undefined ||
    (clone.guarded.wallSeconds <= clone.bare.wallSeconds * (1 + CLONE_PART) &&
      clone.guarded.cpuSeconds <= clone.bare.cpuSeconds * (1 + CLONE_PART));
  return cheapClone && (small === undefined || small.guarded.p50Ms - small.bare.p50Ms <= SMALL_MS);
}

function percent(value: number, base: number): string {
  const part = (value / base - 1) * 100;
  return `${part < 0 ? '' : '+'}${part.toFixed(1)} %`;
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
