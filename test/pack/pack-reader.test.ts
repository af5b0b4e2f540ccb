import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { concatBytes, decodeText, encodeText } from '../../src/core/bytes.ts';
import { GitError } from '../../src/core/errors.ts';
import { nodeRuntime } from '../../src/core/node/runtime.ts';
import { compareIds, SHA1 } from '../../src/core/object-id.ts';
import { BLOB, TREE } from '../../src/core/object-kind.ts';
import { portableRuntime } from '../../src/core/portable/runtime.ts';
import { DeltaBaseCache } from '../../src/pack/delta-base-cache.ts';
import { WindowPool } from '../../src/pack/file-windows.ts';
import { createMemoryFile } from '../../src/pack/memory-file.ts';
import { formatPackHeader } from '../../src/pack/pack-header.ts';
import type { PackIndex } from '../../src/pack/pack-index.ts';
import { PackReader } from '../../src/pack/pack-reader.ts';
import type { RandomAccessFile } from '../../src/pack/stored-pack.ts';
import {
  appendingDelta,
  blobEntry,
  ofsDeltaEntry,
  refDeltaEntry,
  wholeEntry,
} from '../support/pack-builder.ts';
import { drain } from '../support/streams.ts';

const TRAILER = new Uint8Array(20);
const id = (first: number) => new Uint8Array(20).fill(first);

/** An index that knows where the n-th id is, and nothing else. */
function indexOf(ids: readonly Uint8Array[], offsets: readonly number[]): PackIndex {
  const unused = () => assert.fail('a pack reader does not ask that');
  return {
    format: SHA1,
    objectCount: ids.length,
    packChecksum: TRAILER,
    rankOf: (raw, at) => ids.findIndex((known) => compareIds(known, 0, raw, at, 20) === 0),
    offsetOf: (rank) => offsets[rank] ?? -1,
    copyId: unused,
    lowerBound: unused,
    crcOf: unused,
    rankAtOffset: unused,
    entryEnd: unused,
    entryAt: unused,
    entryStart: unused,
  };
}

/** The same bytes as a file that has to be read piece by piece. */
function fileOf(bytes: Uint8Array): RandomAccessFile {
  const { sizeBytes, readInto } = createMemoryFile(bytes);
  return { sizeBytes, readInto };
}

function readerOf(
  entries: readonly Uint8Array[],
  ids: readonly Uint8Array[] = [],
  { onDisk = false, runtime = nodeRuntime, cacheBytes = 1 << 20 } = {},
): { reader: PackReader; offsets: number[] } {
  const offsets: number[] = [];
  let end = 12;
  for (const entry of entries) {
    offsets.push(end);
    end += entry.length;
  }
  const bytes = concatBytes(formatPackHeader(entries.length), ...entries, TRAILER);
  const file = onDisk ? fileOf(bytes) : createMemoryFile(bytes);
  const reader = new PackReader(
    { name: 'pack-test', file, index: indexOf(ids, offsets) },
    { runtime, baseCache: new DeltaBaseCache(cacheBytes), windowPool: new WindowPool(1) },
  );
  return { reader, offsets };
}

function codeAndReason(read: () => unknown): [string, string] {
  try {
    read();
  } catch (error) {
    assert.ok(error instanceof GitError);
    return [error.code, error.message];
  }
  return assert.fail('nothing was thrown');
}

const ofsDelta = (base: Uint8Array, delta: Uint8Array) => ofsDeltaEntry(base.length, delta);

for (const [name, entries, code, reason] of [
  [
    'a delta that is its own base',
    [refDeltaEntry(id(1), appendingDelta(3, 'x'))],
    'PACK_CORRUPT',
    /they form a cycle/,
  ],
  [
    'deltas in a ring',
    [refDeltaEntry(id(2), appendingDelta(3, 'x')), refDeltaEntry(id(1), appendingDelta(3, 'x'))],
    'PACK_CORRUPT',
    /they form a cycle/,
  ],
  [
    'a base that is not in the pack',
    [refDeltaEntry(id(9), appendingDelta(3, 'x'))],
    'PACK_CORRUPT',
    /base of a delta is not in the pack/,
  ],
  [
    'a base before the first entry',
    [ofsDeltaEntry(13, appendingDelta(3, 'x'))],
    'PACK_CORRUPT',
    /outside the pack/,
  ],
  ['a base at no distance', [ofsDeltaEntry(0, appendingDelta(3, 'x'))], 'PACK_CORRUPT', /outside the pack/],
  [
    'fewer bytes than declared',
    [blobEntry('abc', { declaredBytes: 4 })],
    'PACK_CORRUPT',
    /has 3 bytes, not 4/,
  ],
  [
    'more bytes than declared',
    [blobEntry('abcd', { declaredBytes: 3 })],
    'PACK_CORRUPT',
    /more than its 3 bytes/,
  ],
  [
    'a size that the rest of the pack cannot inflate to',
    [blobEntry('a', { declaredBytes: 2 ** 28 })],
    'PACK_CORRUPT',
    /more bytes than the rest of the pack can hold/,
  ],
  ['a size beyond what is held', [blobEntry('a', { declaredBytes: 2 ** 40 })], 'LIMIT_EXCEEDED', /at most/],
  [
    'a stream that is none',
    [Uint8Array.of(0x33, 0xff, 0xff, 0xff)],
    'PACK_CORRUPT',
    /Cannot inflate|incorrect/i,
  ],
  ['a stream that is cut off', [blobEntry('abc').subarray(0, -6)], 'PACK_CORRUPT', /./],
  ['an entry type that is none', [Uint8Array.of(0x53, 0, 0)], 'PACK_CORRUPT', /no object type/],
] as const) {
  test(`readAt() refuses ${name}`, () => {
    const { reader } = readerOf(entries, [id(1), id(2)]);
    const [actualCode, message] = codeAndReason(() => reader.readAt(12));
    assert.equal(actualCode, code);
    assert.match(message, reason);
    assert.match(message, /^Cannot read object at 12 of pack-test: /);
  });
}

for (const [name, delta] of [
  ['is for another base size', appendingDelta(4, 'x')],
  ['makes fewer bytes than it declares', appendingDelta(3, 'x', 9)],
  ['makes more bytes than it declares', appendingDelta(3, 'x', 2)],
  ['is empty', new Uint8Array(0)],
] as const) {
  test(`readAt() refuses a delta that ${name}, and does not remember it`, () => {
    const base = blobEntry('abc');
    const bad = ofsDelta(base, delta);
    const onBad = ofsDelta(bad, appendingDelta(4, 'y'));
    const { reader, offsets } = readerOf([base, bad, onBad]);
    for (let again = 0; again < 2; again++) {
      for (const offset of offsets.slice(1)) {
        assert.throws(() => reader.readAt(offset), { code: 'PACK_CORRUPT' });
      }
    }
    assert.equal(decodeText(reader.readAt(12).data), 'abc');
  });
}

test('no entry starts in the header, in the trailer or beyond', () => {
  const { reader, offsets } = readerOf([blobEntry('abc')]);
  const end = (offsets[0] as number) + blobEntry('abc').length;
  for (const offset of [0, 11, end, end + 19, end + 1000]) {
    assert.throws(() => reader.readAt(offset), { code: 'PACK_CORRUPT' });
    assert.throws(() => reader.headerAt(offset), { code: 'PACK_CORRUPT' });
    assert.throws(() => reader.streamAt(offset), { code: 'PACK_CORRUPT' });
  }
});

test('chains of 4,095 deltas are followed, longer ones are not', () => {
  const entries = [blobEntry('')];
  for (let i = 1; i <= 4096; i++) {
    entries.push(ofsDelta(entries[i - 1] as Uint8Array, appendingDelta((i - 1) * 2, `${i % 10}.`)));
  }
  const { reader, offsets } = readerOf(entries, [], { cacheBytes: 16 });
  assert.equal(codeAndReason(() => reader.readAt(offsets[4096] as number))[0], 'LIMIT_EXCEEDED');
  assert.equal(reader.readAt(offsets[4095] as number).data.length, 2 * 4095);
  assert.deepEqual(reader.headerAt(offsets[4095] as number), { kind: 'blob', sizeBytes: 2 * 4095 });
});

test('a large object is streamed, and a lie about its size is noticed at the end', async () => {
  const data = new Uint8Array(300_000).map((_, i) => (i * i) >> 3);
  const entry = wholeEntry(BLOB, data);
  const short = wholeEntry(BLOB, data, { declaredBytes: 299_999 });
  const long = wholeEntry(BLOB, data, { declaredBytes: 300_001 });
  const { reader, offsets } = readerOf([entry, short, long], [], { onDisk: true });
  const { header, content } = reader.streamAt(offsets[0] as number);
  assert.deepEqual(header, { kind: 'blob', sizeBytes: 300_000 });
  assert.deepEqual(await drain(content), data);
  for (const offset of offsets.slice(1)) {
    await assert.rejects(drain(reader.streamAt(offset).content), { code: 'PACK_CORRUPT' });
  }
});

describe('any family of deltas reads the same', () => {
  const shape = fc.record({
    bases: fc.array(fc.tuple(fc.constantFrom(BLOB, TREE), fc.integer({ min: 0, max: 90_000 })), {
      minLength: 1,
      maxLength: 4,
    }),
    deltas: fc.array(
      fc.tuple(fc.nat(), fc.string({ unit: 'grapheme-ascii', maxLength: 100 }), fc.boolean()),
      {
        maxLength: 30,
      },
    ),
    order: fc.array(fc.nat(), { maxLength: 60 }),
  });

  for (const onDisk of [false, true]) {
    for (const cacheBytes of [1, 4096, 150_000, 1 << 22]) {
      for (const runtime of [nodeRuntime, portableRuntime]) {
        const numRuns = runtime === nodeRuntime ? 20 : 4;
        test(`onDisk ${onDisk}, ${cacheBytes} bytes of cache, ${runtime.name} runtime`, async () => {
          await fc.assert(
            fc.asyncProperty(shape, async ({ bases, deltas, order }) => {
              const contents: Uint8Array[] = bases.map(([, length], i) =>
                new Uint8Array(length).map((_, at) => at * (i + 7)),
              );
              const entries = contents.map((data, i) => wholeEntry((bases[i] as [number, number])[0], data));
              const kinds = bases.map(([type]) => (type === BLOB ? 'blob' : 'tree'));
              for (const [from, text, byId] of deltas) {
                const base = from % contents.length;
                const data = contents[base] as Uint8Array;
                const distance = entries.slice(base).reduce((sum, entry) => sum + entry.length, 0);
                const delta = appendingDelta(data.length, text);
                entries.push(byId ? refDeltaEntry(id(base), delta) : ofsDeltaEntry(distance, delta));
                contents.push(concatBytes(data, encodeText(text)));
                kinds.push(kinds[base] as 'blob' | 'tree');
              }
              const { reader, offsets } = readerOf(
                entries,
                contents.map((_, i) => id(i)),
                { onDisk, cacheBytes, runtime },
              );
              const view = { bytes: TRAILER, start: 0, end: 0, kind: 0 };
              const held: [Uint8Array, Uint8Array][] = [];
              for (const [turn, pick] of [...order, ...contents.keys()].entries()) {
                const n = pick % contents.length;
                const offset = offsets[n] as number;
                const expected = contents[n] as Uint8Array;
                if (turn % 4 === 0) {
                  const header = reader.headerAt(offset);
                  assert.deepEqual(header, { kind: kinds[n], sizeBytes: expected.length });
                } else if (turn % 4 === 1) {
                  reader.viewAt(offset, view);
                  assert.deepEqual(view.bytes.slice(view.start, view.end), expected);
                } else if (turn % 4 === 2) {
                  assert.deepEqual(await drain(reader.streamAt(offset).content), expected);
                } else {
                  held.push([reader.readAt(offset).data, expected]);
                }
              }
              // What was read stays as it is, whatever is read after it.
              for (const [data, expected] of held) assert.deepEqual(data, expected);
            }),
            { numRuns },
          );
        });
      }
    }
  }
});
