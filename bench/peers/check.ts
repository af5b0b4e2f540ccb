/**
 * Is what a peer did right? Asked of git, outside what is measured.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Asked } from '../pack/requests.ts';
import { git, packObjectCount } from './input.ts';

export interface Served {
  readonly objectsSent: number;
  readonly responseBytes: number;
}

/** What the peer left in `objects/pack` is one pack that git finds whole, with that many objects. */
export function checkIngested(target: string, objects: number, alreadyRight: Set<string>): void {
  const folder = join(target, 'objects/pack');
  const indexes = readdirSync(folder).filter((name) => name.endsWith('.idx'));
  if (indexes.length !== 1) throw new Error(`wrote ${indexes.length} indexes`);
  const index = join(folder, indexes[0] as string);
  const pack = index.replace(/\.idx$/, '.pack');
  if (packObjectCount(pack) !== objects)
    throw new Error(`kept ${packObjectCount(pack)} of ${objects} objects`);

  // Verifying takes longer than ingesting; the same bytes again need no second look.
  const digest = `${digestOf(index)} ${digestOf(pack)}`;
  if (alreadyRight.has(digest)) return;
  const { status, stderr } = spawnSync('git', ['verify-pack', index], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`git verify-pack: ${stderr.trim()}`);
  alreadyRight.add(digest);
}

/** Ids of the objects that a right answer brings to the client. */
export function objectsOwed(repository: string, { wants, haves = [] }: Asked): ReadonlySet<string> {
  const owed = reachable(repository, wants);
  if (haves.length > 0) for (const id of reachable(repository, haves)) owed.delete(id);
  return owed;
}

/**
 * The answer holds a pack that git can index, with every object owed.
 *
 * @param response file with all that the peer wrote
 * @param scratch a folder of its own that exists
 */
export function checkServed(
  response: string,
  repository: string,
  asked: Asked,
  owed: ReadonlySet<string>,
  scratch: string,
): Served {
  const bytes = readFileSync(response);
  const packFile = join(scratch, 'served.pack');
  writeFileSync(packFile, packOf(bytes));
  const target = join(scratch, 'served.git');
  rmSync(target, { recursive: true, force: true });
  git(scratch, 'init', '-q', '--bare', target);
  if (asked.haves !== undefined) {
    // The client has these; a thin pack leans on them.
    writeFileSync(join(target, 'objects/info/alternates'), `${join(repository, 'objects')}\n`);
  }
  gitOnFile(packFile, ['-C', target, 'index-pack', '--stdin', '--fix-thin']);

  const folder = join(target, 'objects/pack');
  const index = readdirSync(folder).find((name) => name.endsWith('.idx')) as string;
  const listing = gitOnFile(join(folder, index), ['show-index']);
  const missing = new Set(owed);
  for (const line of listing.split('\n')) missing.delete(line.split(' ')[1] ?? '');
  const objectsSent = packObjectCount(packFile);
  rmSync(target, { recursive: true, force: true });
  if (missing.size > 0)
    throw new Error(`${missing.size} of ${owed.size} objects are missing from the answer`);
  return { objectsSent, responseBytes: bytes.length };
}

/** The pack inside an answer of any dialect: in side-band packets, or bare after some packets, or all there is. */
function packOf(response: Buffer): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at < response.length; ) {
    if (response.toString('latin1', at, at + 4) === 'PACK') return response.subarray(at);
    const length = Number.parseInt(response.toString('latin1', at, at + 4), 16);
    if (Number.isNaN(length)) throw new Error(`neither a packet nor a pack at byte ${at} of the answer`);
    const payload = response.subarray(at + 4, at + length);
    if (payload[0] === 1) pieces.push(payload.subarray(1));
    if (payload[0] === 3) throw new Error(`the server said: ${payload.toString('utf8', 1).trim()}`);
    at += Math.max(length, 4);
  }
  return Buffer.concat(pieces);
}

function gitOnFile(inputFile: string, args: readonly string[]): string {
  const input = openSync(inputFile, 'r');
  const { status, stdout, stderr } = spawnSync('git', args, {
    stdio: [input, 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  });
  closeSync(input);
  if (status !== 0) throw new Error(`git: ${stderr.trim()}`);
  return stdout;
}

function reachable(repository: string, tips: readonly string[]): Set<string> {
  const { status, stdout, stderr } = spawnSync(
    'git',
    ['-C', repository, 'rev-list', '--objects', '--no-object-names', '--stdin'],
    { input: `${tips.join('\n')}\n`, encoding: 'utf8', maxBuffer: 1 << 30 },
  );
  if (status !== 0) throw new Error(`git rev-list: ${stderr}`);
  return new Set(stdout.trim().split('\n'));
}

function digestOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
