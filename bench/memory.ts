/**
 * Peak resident memory while a pack comes in, and while a pack of the same objects and many times the bytes does:
 * by `index-pack --stdin`, git's beside it, and by a push to a server that has done nothing before.
 *
 *   npm run bench:memory -- <repository> [--bytes=5e9]
 *
 * Writes the larger pack to the temporary directory: there must be room for three of it. Needs a built dist/.
 *
 * @module
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { swellPack } from './memory/swollen-pack.ts';
import { type Measurement, measure, readPeak } from './pack/measure.ts';

const MIB = 1024 * 1024;
const PACKWIRE = resolve(import.meta.dirname, '../dist/cli.js');
const NO_ID = '0'.repeat(40);

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { bytes: { type: 'string', default: '5e9' } },
});
const [given] = positionals;
if (given === undefined) {
  process.stderr.write('usage: npm run bench:memory -- <repository> [--bytes=5e9]\n');
  process.exit(2);
}
const repository = resolve(given);
const scratch = mkdtempSync(join(tmpdir(), 'packwire-memory-'));
try {
  const plain = packOfEverything();
  await compare('as git packs it', plain);
  const swollen = join(scratch, 'swollen.pack');
  swellPack(plain, swollen, Number(values.bytes));
  await compare('swollen', swollen);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

async function compare(name: string, pack: string): Promise<void> {
  process.stdout.write(`${name}: ${(statSync(pack).size / 1e6).toFixed(0)} MB\n`);
  print(
    'git index-pack --stdin',
    await measure(indexPack('git', ['index-pack', '--stdin', '--fix-thin'], pack)),
  );
  print(
    'packwire index-pack --stdin',
    await measure(indexPack(process.execPath, [PACKWIRE, 'index-pack', '--stdin', '--fix-thin'], pack)),
  );
  print('push to packwire serve', await push(pack));
}

function indexPack(command: string, args: readonly string[], inputFile: string) {
  const into = join(scratch, 'into.git');
  rmSync(into, { recursive: true, force: true });
  git('init', '-q', '--bare', into);
  return { command, args, inputFile, cwd: into };
}

function print(
  what: string,
  { wallSeconds, peakBytes }: Pick<Measurement, 'wallSeconds' | 'peakBytes'>,
): void {
  const peak = (peakBytes / MIB).toFixed(1).padStart(6);
  process.stdout.write(`  ${what.padEnd(28)} ${peak} MiB peak ${wallSeconds.toFixed(1).padStart(6)} s\n`);
}

async function push(pack: string): Promise<Pick<Measurement, 'wallSeconds' | 'peakBytes'>> {
  const root = join(scratch, 'repos');
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root);
  const { child, port } = await startServer(root);
  try {
    const began = performance.now();
    const answer = await post(port, '/pushed.git/git-receive-pack', commands(), pack);
    if (!answer.includes('unpack ok')) throw new Error(`the push failed: ${answer.slice(0, 2000)}`);
    return {
      wallSeconds: (performance.now() - began) / 1000,
      peakBytes: readPeak(child.pid as number) ?? 0,
    };
  } finally {
    child.kill('SIGTERM');
    await once(child, 'close');
  }
}

/** Every ref of the repository, made. */
function commands(): Buffer {
  const refs = git('-C', repository, 'for-each-ref', '--format=%(objectname) %(refname)').split('\n');
  const lines = refs.filter((line) => line !== '').map((line) => `${NO_ID} ${line}`);
  const packets = lines.map((line, i) => packet(i === 0 ? `${line}\0report-status ofs-delta` : line));
  return Buffer.from(`${packets.join('')}0000`);
}

function packet(line: string): string {
  return (line.length + 4).toString(16).padStart(4, '0') + line;
}

async function post(port: number, path: string, head: Buffer, pack: string): Promise<string> {
  const sent = request({
    port,
    path,
    host: '127.0.0.1',
    method: 'POST',
    headers: { 'content-type': 'application/x-git-receive-pack-request' },
  });
  const answered = once(sent, 'response') as Promise<[NodeJS.ReadableStream]>;
  await pipeline(
    Readable.from(
      (async function* () {
        yield head;
        yield* createReadStream(pack, { highWaterMark: MIB }) as AsyncIterable<Buffer>;
      })(),
    ),
    sent,
  );
  const [response] = await answered;
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return text;
}

async function startServer(root: string): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(
    process.execPath,
    [PACKWIRE, 'serve', root, '--http', '127.0.0.1:0', '--create', '-q'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    const match = /127\.0\.0\.1:(\d+)/.exec(line);
    if (match !== null) {
      child.stdout?.resume();
      return { child, port: Number(match[1]) };
    }
  }
  throw new Error('the server ended before it said where it listens');
}

/** @returns path of a pack of all that the refs reach, its index beside it */
function packOfEverything(): string {
  git('-C', repository, 'pack-objects', '-q', '--all', '--delta-base-offset', join(scratch, 'plain'));
  const name = readdirSync(scratch).find((file) => file.endsWith('.pack'));
  if (name === undefined) throw new Error('git pack-objects wrote no pack');
  return join(scratch, name);
}

function git(...args: readonly string[]): string {
  const result = spawnSync('git', args, { encoding: 'utf8', input: '', maxBuffer: 1 << 30 });
  if (result.status !== 0) throw new Error(`git ${args.join(' ')}: ${result.stderr}`);
  return result.stdout;
}
