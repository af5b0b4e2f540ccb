/**
 * Requests that are too much of something.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import type { Limits } from '../../../src/core/limits.ts';
import { BLOB } from '../../../src/core/object-kind.ts';
import { encodePacket, FLUSH_PACKET } from '../../../src/protocol/pkt-line.ts';
import { blobEntry, packOf, wholeEntry } from '../../support/pack-builder.ts';
import { type Bytes, post, postHead, postInChunks } from '../support/raw-exchange.ts';
import { TINY, TINY_TIP } from '../support/served-root.ts';
import { NO_ID, pushBody } from '../support/small-pushes.ts';
import {
  gzippedZeros,
  packOfChain,
  packOfCopies,
  packOfDeepTree,
  packOfDoublings,
  packOfLyingDelta,
  packOfZeros,
} from './bombs.ts';

const MIB = 1024 * 1024;

export interface OversizedRequest {
  readonly name: string;
  request(): Bytes;
  /** It may also be done as asked. */
  readonly mayPass?: true;
}

/** What the server is told to take at most, so that more than that need not be much. */
export const TAKEN: Partial<Limits> = {
  maxPackBytes: 16 * MIB,
  maxObjectBytes: 64 * MIB,
  maxDeltaObjectBytes: 64 * MIB,
  maxInflatedBytes: 2048 * MIB,
  maxResolvedBytes: 4096 * MIB,
};

const FETCH = `/${TINY}/git-upload-pack`;
const PUSH = '/oversized.git/git-receive-pack';
const V2 = { 'git-protocol': 'version=2' };

export const OVERSIZED_REQUESTS: readonly OversizedRequest[] = [
  { name: 'a header of 1 MB', request: () => [head('HEAD', [`x-large: ${'a'.repeat(1e6)}`])] },
  { name: 'a path of 100 kB', request: () => [head('a/'.repeat(50_000))] },
  {
    name: 'ten thousand headers',
    request: () => [
      head(
        'HEAD',
        Array.from({ length: 1e4 }, () => 'a: b'),
      ),
    ],
  },
  {
    name: 'ten thousand ranges',
    request: () => [head('HEAD', [`range: bytes=${'0-0,'.repeat(2_500)}1-1`])],
    mayPass: true,
  },
  { name: 'a chunk of 2^60 bytes', request: () => [postHead(FETCH), '1000000000000000\r\n'] },
  { name: 'a fetch of 10^14 bytes', request: () => [postHead(FETCH, 1e14), 'a'] },
  { name: 'a fetch of 10 GB, compressed', request: gzipBomb },
  { name: 'a packet of 65521 bytes', request: () => fetch(`fff1${'a'.repeat(65_517)}`) },
  { name: 'a packet of no hex', request: () => fetch('zzzz') },
  { name: '150,000 times the same want', request: () => fetchLines(repeat(150_000, `want ${TINY_TIP}`)) },
  { name: '100,000 wants of nothing', request: () => fetchLines(randomLines(100_000, 'want')) },
  {
    name: '180,000 haves of nothing',
    request: () => fetchLines([`want ${TINY_TIP}`, ...randomLines(180_000, 'have')]),
    mayPass: true,
  },
  {
    name: '150,000 shallow lines',
    request: () => fetchLines([`want ${TINY_TIP}`, ...randomLines(150_000, 'shallow')]),
  },
  {
    name: '200,000 prefixes of refs',
    request: () => lsRefs(repeat(200_000, 'ref-prefix refs/heads/nothing')),
    mayPass: true,
  },
  {
    name: 'a filter of ten thousand filters',
    request: () => fetchLines([`want ${TINY_TIP}`, `filter combine:${'tree:1+'.repeat(8_000)}tree:1`]),
    mayPass: true,
  },
  {
    name: 'a depth of 10^20',
    request: () => fetchLines([`want ${TINY_TIP}`, `deepen ${'9'.repeat(20)}`]),
    mayPass: true,
  },
  { name: '60,000 commands', request: () => post(PUSH, creations(60_000)) },
  { name: '50,000 refs in one push', request: () => post(PUSH, creations(50_000)), mayPass: true },
  { name: '50,000 refs deleted in one push', request: () => post(PUSH, deletions(50_000)), mayPass: true },
  { name: 'commands without an end', request: endlessCommands },
  {
    name: 'a ref name of 60 kB',
    request: () => post(PUSH, pushOf(`refs/heads/${'a/'.repeat(30_000)}a`, packOf([]))),
  },
  { name: '5,000 push options', request: manyOptions },
  {
    name: 'a pack above the limit',
    request: () => post(PUSH, pushOf('refs/heads/large', packOf([wholeEntry(BLOB, randomBytes(20 * MIB))]))),
  },
  {
    name: 'a pack of 2^32-1 objects',
    request: () => post(PUSH, pushOf('refs/heads/many', packOf([blobEntry('a')], { count: 0xffffffff }))),
  },
  {
    name: 'a pack that says 49 million and holds one',
    request: () => post(PUSH, pushOf('refs/heads/many', packOf([blobEntry('a')], { count: 49_000_000 }))),
  },
  { name: 'a blob of 4 GB of zeros', request: () => postInChunks(PUSH, pushed(packOfZeros(1, 4_096))) },
  {
    name: 'a blob of 4 GB that says 100 bytes',
    request: () => postInChunks(PUSH, pushed(packOfZeros(1, 4_096, 100))),
  },
  { name: '160 blobs of 60 MB of zeros', request: () => postInChunks(PUSH, pushed(packOfZeros(160, 60))) },
  {
    name: 'a delta that doubles its base 20 times',
    request: () => post(PUSH, pushOf('refs/heads/d', packOfDoublings(20))),
  },
  { name: 'a delta that says 1 TB', request: () => post(PUSH, pushOf('refs/heads/d', packOfLyingDelta())) },
  {
    name: '200 deltas of 60 MB each',
    request: () => post(PUSH, pushOf('refs/heads/d', packOfCopies(60, 200))),
  },
  { name: 'a chain of 5,000 deltas', request: () => post(PUSH, pushOf('refs/heads/d', packOfChain(5_000))) },
  { name: 'a tree of 5,000 levels', request: deepTree, mayPass: true },
];

function head(path: string, headers: readonly string[] = []): string {
  return `GET /${TINY}/${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n${headers.map((line) => `${line}\r\n`).join('')}\r\n`;
}

function fetch(body: string): Uint8Array[] {
  return post(FETCH, Buffer.from(body), V2);
}

function fetchLines(lines: readonly string[]): Uint8Array[] {
  return command('fetch', [...lines, 'done']);
}

function lsRefs(lines: readonly string[]): Uint8Array[] {
  return command('ls-refs', lines);
}

function command(name: string, lines: readonly string[]): Uint8Array[] {
  const packets = lines.map((line) => encodePacket(`${line}\n`));
  const head = [encodePacket(`command=${name}\n`), Buffer.from('0001')];
  return post(FETCH, Buffer.concat([...head, ...packets, FLUSH_PACKET]), V2);
}

function repeat(count: number, line: string): string[] {
  return Array.from({ length: count }, () => line);
}

function randomLines(count: number, word: string): string[] {
  return Array.from({ length: count }, () => `${word} ${randomBytes(20).toString('hex')}`);
}

function gzipBomb(): Bytes {
  return postInChunks(FETCH, gzippedZeros(10_240), { ...V2, 'content-encoding': 'gzip' });
}

/** Refs that are made at a commit which the push brings. */
function creations(count: number): Uint8Array {
  const { id, pack } = packOfDeepTree(1);
  const updates = Array.from({ length: count }, (_, n) => ({
    ref: `refs/many/${n}`,
    oldId: NO_ID,
    newId: id,
  }));
  return pushBody(updates, pack);
}

function deletions(count: number): Uint8Array {
  const { id } = packOfDeepTree(1);
  const updates = Array.from({ length: count }, (_, n) => ({
    ref: `refs/many/${n}`,
    oldId: id,
    newId: NO_ID,
  }));
  return pushBody(updates, new Uint8Array(0));
}

async function* endlessCommands(): AsyncGenerator<Uint8Array | string> {
  const line = encodePacket(`${NO_ID} ${TINY_TIP} refs/heads/${'a'.repeat(60_000)}`);
  yield* postInChunks(PUSH, repeated(line, 2_000));
}

function* repeated(bytes: Uint8Array, times: number): Generator<Uint8Array> {
  for (let i = 0; i < times; i++) yield bytes;
}

function manyOptions(): Uint8Array[] {
  const { id, pack } = packOfDeepTree(1);
  const line = `${NO_ID} ${id} refs/heads/options\0report-status push-options`;
  const options = repeat(5_000, 'option').map((option) => encodePacket(option));
  return post(PUSH, Buffer.concat([encodePacket(line), FLUSH_PACKET, ...options, FLUSH_PACKET, pack]));
}

function pushOf(ref: string, pack: Uint8Array): Uint8Array {
  return pushBody([{ ref, oldId: NO_ID, newId: TINY_TIP }], pack);
}

function* pushed(pack: Iterable<Uint8Array>): Generator<Uint8Array> {
  yield pushOf('refs/heads/bomb', new Uint8Array(0));
  yield* pack;
}

function deepTree(): Uint8Array[] {
  const { id, pack } = packOfDeepTree(5_000);
  return post(PUSH, pushBody([{ ref: 'refs/heads/deep', oldId: NO_ID, newId: id }], pack));
}
