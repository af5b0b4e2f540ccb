/**
 * How long a small fetch takes while large clones run on the same server: info/refs, ls-refs and the pack of one
 * commit, over one connection.
 *
 *   npm run bench:latency -- <large repository> [<small repository>] [--seconds=40] [--clones=2] [--cli=dist/cli.js]
 *
 * Both are served where they are, read only; without a small one the large one is fetched from. Prints a table; writes
 * bench/results/latency.json. Needs a built dist/.
 *
 * @module
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { KeepAliveClient } from './refs/keep-alive-client.ts';
import { CLONE_PREFIXES, fetchOne, infoRefs, lsRefs } from './refs/requests.ts';
import { ServerProcess } from './refs/server-process.ts';

const PAUSE_MS = 20;
const QUIET_SECONDS = 3;
const LARGE = 'large.git';
const SMALL = 'small.git';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '40' },
    clones: { type: 'string', default: '2' },
    cli: { type: 'string', default: resolve(import.meta.dirname, '../dist/cli.js') },
    'node-options': { type: 'string', default: '' },
  },
});
const [large, small = large] = positionals.map((path) => resolve(path));
if (large === undefined || small === undefined || !existsSync(values.cli)) {
  process.stderr.write(
    'usage: npm run bench:latency -- <large repository> [<small repository>] [--seconds=40]\n',
  );
  process.exit(2);
}

interface Latency {
  readonly fetches: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

const root = mkdtempSync(join(tmpdir(), 'packwire-latency-'));
// Links within one root: the server follows none that lead out of it, so the directories are what is linked in.
for (const [name, path] of [
  [LARGE, large],
  [SMALL, small],
] as const) {
  linkRepository(path, join(root, name));
}
try {
  await main(small);
} finally {
  rmSync(root, { recursive: true, force: true });
}

async function main(smallPath: string): Promise<void> {
  const options = values['node-options'].split(' ').filter((option) => option !== '');
  await using server = await ServerProcess.packwire(values.cli, root, options);
  const alone = await measure(server.port, smallPath, QUIET_SECONDS);
  process.stdout.write(`alone         ${describe(alone)}\n`);

  const clones = startClones(server.port);
  await sleep(500);
  const beside = await measure(server.port, smallPath, Number(values.seconds));
  const done = clones.stop();
  process.stdout.write(`beside clones ${describe(beside)}\n${done.join('; ')}\n`);
  process.stdout.write(`peak memory of the server ${(server.peakBytes / 1024 / 1024).toFixed(0)} MiB\n`);

  const results = resolve(import.meta.dirname, 'results');
  mkdirSync(results, { recursive: true });
  const machine = `${cpus().length} cores, ${cpus()[0]?.model ?? 'unknown'}, ${process.platform} ${release()}`;
  const report = { machine, node: process.version, clones: Number(values.clones), alone, beside };
  writeFileSync(join(results, 'latency.json'), `${JSON.stringify(report, undefined, 2)}\n`);
}

async function measure(port: number, path: string, seconds: number): Promise<Latency> {
  const want = text(path, 'rev-parse', 'HEAD');
  const have = text(path, 'rev-parse', 'HEAD^');
  const requests = [infoRefs(SMALL, 2), lsRefs(SMALL, CLONE_PREFIXES), fetchOne(SMALL, want, have)];
  const client = new KeepAliveClient(port);
  const latencies: number[] = [];
  for (const end = performance.now() + seconds * 1000; performance.now() < end; await sleep(PAUSE_MS)) {
    const started = performance.now();
    for (const request of requests) {
      const { status, bodyBytes } = await client.ask(request);
      if (status !== 200 || bodyBytes === 0) throw new Error(`the server answered ${status}`);
    }
    latencies.push(performance.now() - started);
  }
  client.close();
  latencies.sort((a, b) => a - b);
  const quantile = (part: number): number => latencies[Math.floor(part * (latencies.length - 1))] as number;
  return {
    fetches: latencies.length,
    p50Ms: quantile(0.5),
    p90Ms: quantile(0.9),
    p99Ms: quantile(0.99),
    maxMs: quantile(1),
  };
}

/** @returns what ends them and says of each clone that was completed how long it took */
function startClones(port: number): { stop(): string[] } {
  const script = resolve(import.meta.dirname, 'latency/clones.ts');
  const args = ['--import', 'tsx', script, String(port), LARGE, large as string, values.clones];
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const done: string[] = [];
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [status, bytes, seconds] = line.split(' ');
      done.push(`clone ${status}: ${(Number(bytes) / 1e6).toFixed(0)} MB in ${seconds} s`);
    });
  }
  return {
    stop() {
      child.kill();
      return done.length === 0 ? ['no clone was completed'] : done;
    },
  };
}

/** A repository in `root` that borrows every object of `path` and has its refs. */
function linkRepository(path: string, target: string): void {
  text('/', 'init', '-q', '--bare', target);
  rmSync(join(target, 'objects'), { recursive: true });
  symlinkSync(
    text(path, 'rev-parse', '--path-format=absolute', '--git-path', 'objects'),
    join(target, 'objects'),
  );
  const refs = text(path, 'for-each-ref', '--format=%(objectname) %(refname)');
  writeFileSync(join(target, 'packed-refs'), `${refs}\n`);
  writeFileSync(join(target, 'HEAD'), `ref: ${text(path, 'symbolic-ref', 'HEAD')}\n`);
}

function text(cwd: string, ...args: readonly string[]): string {
  const result = spawnSync('git', args, { cwd, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (result.status !== 0) throw new Error(`git ${args.join(' ')}: ${result.stderr}`);
  return result.stdout.trim();
}

function describe({ fetches, p50Ms, p90Ms, p99Ms, maxMs }: Latency): string {
  const [p50, p90, p99, max] = [p50Ms, p90Ms, p99Ms, maxMs].map((ms) => `${ms.toFixed(1)} ms`);
  return `${fetches} fetches: p50 ${p50}  p90 ${p90}  p99 ${p99}  max ${max}`;
}
