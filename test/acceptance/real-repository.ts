/**
 * The main job, on a repository of your own: everything in it goes through a running server with the real
 * git, in every protocol version, and must come back the same.
 *
 *   npm run test:repository -- <repository> [--protocols=0,1,2] [--keep]
 *
 * Needs a built dist/. Prints one line a step with wall time and the server's peak memory so far.
 *
 * @module
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { readPeak } from '../../bench/pack/measure.ts';
import { GIT_ENVIRONMENT } from '../support/git.ts';

const PACKWIRE = resolve(import.meta.dirname, '../../dist/cli.js');
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { protocols: { type: 'string', default: '2,0,1' }, keep: { type: 'boolean', default: false } },
});
const [given] = positionals;
if (given === undefined || !existsSync(PACKWIRE)) {
  process.stderr.write('usage: npm run test:repository -- <repository> [--protocols=0,1,2] [--keep]\n');
  process.exit(2);
}
const source = resolve(given);
const scratch = mkdtempSync(join(tmpdir(), 'packwire-acceptance-'));
const root = join(scratch, 'repos');

interface Server {
  readonly url: string;
  readonly process: ChildProcess;
}

async function startServer(): Promise<Server> {
  const child = spawn(process.execPath, [PACKWIRE, 'serve', root, '--http', '127.0.0.1:0', '--create'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log = join(scratch, 'server.log');
  child.stderr?.on('data', (chunk: Buffer) => appendFileSync(log, chunk));
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    const match = /http:\/\/127\.0\.0\.1:\d+/.exec(line);
    if (match !== null) {
      child.stdout?.resume();
      return { url: match[0], process: child };
    }
  }
  throw new Error('the server ended before it said where it listens');
}

function git(cwd: string, ...args: readonly string[]): string {
  const result = spawnSync('git', args, { cwd, env: GIT_ENVIRONMENT, encoding: 'utf8', maxBuffer: 1 << 30 });
  if (result.status !== 0) throw new Error(`git ${args.join(' ')}: exit ${result.status}\n${result.stderr}`);
  return result.stdout;
}

/** For git talking to the server: output is inherited by nobody, but an error shows it. */
function start(cwd: string, ...args: readonly string[]): Promise<string> {
  return new Promise((done, fail) => {
    const child = spawn('git', args, { cwd, env: GIT_ENVIRONMENT, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output = (output + chunk.toString('utf8')).slice(-20_000);
      });
    }
    child.on('error', fail);
    child.on('close', (status) => {
      if (status === 0) done(output);
      else fail(new Error(`git ${args.join(' ')}: exit ${status}\n${output}`));
    });
  });
}

let peakOf = (): number => 0;

async function step<T>(what: string, work: () => Promise<T> | T): Promise<T> {
  const began = Date.now();
  const result = await work();
  const seconds = ((Date.now() - began) / 1000).toFixed(1).padStart(7);
  process.stdout.write(
    `${seconds} s  server peak ${(peakOf() / 2 ** 20).toFixed(0).padStart(4)} MiB  ${what}\n`,
  );
  return result;
}

function refsOf(repository: string): string {
  return git(repository, 'for-each-ref', '--format=%(objectname) %(refname)');
}

/** Ids of everything reachable, sorted. */
function objectsOf(repository: string): string {
  const lines = git(repository, 'rev-list', '--objects', '--no-object-names', '--all').split('\n');
  return lines.sort().join('\n');
}

function assertHealthy(repository: string): void {
  const result = spawnSync('git', ['fsck', '--strict', '--no-dangling', '--no-progress'], {
    cwd: repository,
    env: GIT_ENVIRONMENT,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  // Real histories carry old sins that --strict reports for git's own copy as well: those are compared away.
  assert.equal(errorsOf(result.stderr + result.stdout), sins, `fsck of ${repository}`);
}

function errorsOf(output: string): string {
  return output
    .split('\n')
    .filter((line) => /error|warning|missing|broken/.test(line))
    .sort()
    .join('\n');
}

let sins = '';

async function roundTrip(server: Server, protocol: string, expectedObjects: string): Promise<void> {
  const name = `v${protocol}.git`;
  const version = ['-c', `protocol.version=${protocol}`];
  await step(`push everything, v${protocol}`, () =>
    start(source, ...version, 'push', '-q', '--mirror', `${server.url}/${name}`),
  );
  assert.deepEqual(leftOvers(join(root, name)), []);
  const clone = join(scratch, `clone-v${protocol}.git`);
  await step(`clone everything, v${protocol}`, () =>
    start(scratch, ...version, 'clone', '-q', '--mirror', `${server.url}/${name}`, clone),
  );
  await step('compare refs and objects', () => {
    assert.equal(refsOf(join(root, name)), refsOf(source));
    assert.equal(refsOf(clone), refsOf(source));
    assert.equal(objectsOf(clone), expectedObjects);
  });
  await step('git fsck --strict on both sides', () => {
    assertHealthy(join(root, name));
    assertHealthy(clone);
  });
  rmSync(clone, { recursive: true });
}

function leftOvers(repository: string): string[] {
  return readdirSync(join(repository, 'objects')).filter((entry) => entry.includes('incoming'));
}

/** A working day: commits, force pushes, deletes, tags, shallow and partial clones. */
async function dailyWork(server: Server): Promise<void> {
  const url = `${server.url}/v2.git`;
  const work = join(scratch, 'work');
  const other = join(scratch, 'other.git');
  await step('clone with a work tree', () => start(scratch, 'clone', '-q', url, work));
  await step('clone a second time', () => start(scratch, 'clone', '-q', '--mirror', url, other));
  const branch = git(work, 'symbolic-ref', '--short', 'HEAD').trim();

  await step('push new commits, fetch them elsewhere', async () => {
    for (let i = 0; i < 5; i++) {
      writeFileSync(join(work, `packwire-${i}.txt`), `file ${i}\n`.repeat(100));
      git(work, 'add', '.');
      git(work, 'commit', '-q', '-m', `packwire ${i}`);
    }
    await start(work, 'push', '-q', 'origin', 'HEAD');
    await start(other, 'fetch', '-q');
    assert.equal(git(other, 'rev-parse', branch), git(work, 'rev-parse', 'HEAD'));
  });
  await step('force push a branch, delete it, push tags', async () => {
    await start(work, 'push', '-q', 'origin', 'HEAD:refs/heads/packwire-topic');
    git(work, 'commit', '-q', '--amend', '-m', 'amended');
    await assert.rejects(start(work, 'push', '-q', 'origin', 'HEAD:refs/heads/packwire-topic'), /rejected/);
    await start(work, 'push', '-q', '--force', 'origin', 'HEAD:refs/heads/packwire-topic');
    await start(work, 'push', '-q', 'origin', ':refs/heads/packwire-topic');
    git(work, 'tag', '-a', '-m', 'annotated', 'packwire-tag');
    await start(work, 'push', '-q', 'origin', 'packwire-tag');
    await start(other, 'fetch', '-q', '--prune');
    assert.equal(git(other, 'rev-parse', 'packwire-tag'), git(work, 'rev-parse', 'packwire-tag'));
  });

  const shallow = join(scratch, 'shallow');
  await step('shallow clone, deepened step by step to full', async () => {
    await start(scratch, 'clone', '-q', '--depth=1', '--no-checkout', url, shallow);
    assert.equal(git(shallow, 'rev-list', '--count', 'HEAD').trim(), '1');
    for (const depth of ['2', '5', '20', '100']) await start(shallow, 'fetch', '-q', `--depth=${depth}`);
    await start(shallow, 'fetch', '-q', '--deepen=50');
    await start(shallow, 'fetch', '-q', '--unshallow');
    const ours = git(shallow, 'rev-list', '--count', 'HEAD');
    assert.equal(ours, git(join(root, 'v2.git'), 'rev-list', '--count', branch));
    git(shallow, 'fsck', '--connectivity-only', '--no-dangling');
  });
  await step('blobless clone that fills in on checkout', async () => {
    const blobless = join(scratch, 'blobless');
    await start(scratch, 'clone', '-q', '--filter=blob:none', url, blobless);
    assert.equal(git(blobless, 'status', '--porcelain'), '');
    rmSync(blobless, { recursive: true });
  });
  await step('two clones during a push', async () => {
    const clones = [1, 2].map((n) =>
      start(scratch, 'clone', '-q', '--bare', url, join(scratch, `during-${n}.git`)),
    );
    const push = start(source, 'push', '-q', '--mirror', `${server.url}/during.git`);
    await Promise.all([...clones, push]);
    assert.equal(refsOf(join(root, 'during.git')), refsOf(source));
    for (const n of [1, 2]) {
      git(join(scratch, `during-${n}.git`), 'fsck', '--connectivity-only', '--no-dangling');
      rmSync(join(scratch, `during-${n}.git`), { recursive: true });
    }
    rmSync(join(root, 'during.git'), { recursive: true });
  });
  await step("git repacks the server's repository", () => {
    git(join(root, 'v2.git'), 'gc', '-q', '--prune=now');
  });
  await step('clone and push after it', async () => {
    const after = join(scratch, 'after.git');
    await start(scratch, 'clone', '-q', '--mirror', url, after);
    assert.equal(refsOf(after), refsOf(join(root, 'v2.git')));
    git(after, 'fsck', '--connectivity-only', '--no-dangling');
    git(work, 'commit', '-q', '--allow-empty', '-m', 'after gc');
    await start(work, 'push', '-q', '--force', 'origin', 'HEAD');
    assertHealthy(join(root, 'v2.git'));
  });
}

async function main(): Promise<void> {
  const server = await startServer();
  peakOf = () => readPeak(server.process.pid ?? 0) ?? 0;
  try {
    const expected = await step("the source's own objects and fsck", () => {
      const result = spawnSync('git', ['fsck', '--strict', '--no-dangling', '--no-progress'], {
        cwd: source,
        env: GIT_ENVIRONMENT,
        encoding: 'utf8',
        maxBuffer: 1 << 28,
      });
      sins = errorsOf(result.stderr + result.stdout);
      return objectsOf(source);
    });
    process.stdout.write(
      `${expected.split('\n').length - 1} objects, ${refsOf(source).split('\n').length - 1} refs\n`,
    );
    for (const protocol of values.protocols.split(',')) await roundTrip(server, protocol, expected);
    if (values.protocols.split(',').includes('2')) await dailyWork(server);
    process.stdout.write('all of it held\n');
  } finally {
    const ended = once(server.process, 'close');
    server.process.kill('SIGTERM');
    await ended;
    if (values.keep) process.stdout.write(`kept ${scratch}\n`);
    else rmSync(scratch, { recursive: true, force: true });
  }
}

await main();
