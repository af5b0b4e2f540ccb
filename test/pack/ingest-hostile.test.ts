import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import zlib from 'node:zlib';
import fc from 'fast-check';
import { concatBytes, encodeText } from '../../src/core/bytes.ts';
import { isGitError } from '../../src/core/errors.ts';
import type { Limits } from '../../src/core/limits.ts';
import { nodeRuntime } from '../../src/core/node/runtime.ts';
import { bytesToHex } from '../../src/core/object-id.ts';
import { BLOB, OFS_DELTA } from '../../src/core/object-kind.ts';
import { portableRuntime } from '../../src/core/portable/runtime.ts';
import { formatPackHeader } from '../../src/pack/pack-header.ts';
import { ingest } from '../support/ingest.ts';
import {
  appendingDelta,
  blobEntry,
  blobId,
  ofsDeltaEntry,
  packOf,
  refDeltaEntry,
  wholeEntry,
  withTrailer,
} from '../support/pack-builder.ts';
import { chunked } from '../support/streams.ts';

const hello = blobEntry('hello');
const bye = blobEntry('bye');
const toWorld = appendingDelta(5, ' world');
const afterHello = 12 + hello.length;

function delta(distance: number, bytes: readonly number[]): Uint8Array {
  return ofsDeltaEntry(distance, new Uint8Array(bytes));
}

/** What is wrong, the pack, the code, and where. */
const BROKEN: readonly (readonly [string, Uint8Array, string, number])[] = [
  ['nothing at all', new Uint8Array(0), 'PACK_CORRUPT', 0],
  ['half a header', packOf([]).slice(0, 7), 'PACK_CORRUPT', 7],
  ['another signature', withTrailer(encodeText('KCAP\0\0\0\x02\0\0\0\0')), 'PACK_CORRUPT', 0],
  ['version 4', withTrailer(encodeText('PACK\0\0\0\x04\0\0\0\0')), 'UNSUPPORTED', 0],
  ['an end inside an entry', packOf([hello, bye]).slice(0, afterHello + 3), 'PACK_CORRUPT', afterHello + 3],
  ['an end between entries', packOf([hello, bye]).slice(0, afterHello), 'PACK_CORRUPT', afterHello],
  ['an end inside the trailer', packOf([hello]).slice(0, -1), 'PACK_CORRUPT', afterHello + 19],
  ['a wrong trailer', packOf([hello]).fill(7, afterHello), 'PACK_CORRUPT', afterHello],
  ['fewer objects than declared', packOf([hello], { count: 2 }), 'PACK_CORRUPT', afterHello],
  ['more objects than declared', packOf([hello, bye], { count: 1 }), 'PACK_CORRUPT', afterHello],
  ['type 0', packOf([hello, new Uint8Array([0x05, 1, 2])]), 'PACK_CORRUPT', afterHello],
  ['type 5', packOf([hello, new Uint8Array([0x55, 1, 2])]), 'PACK_CORRUPT', afterHello],
  ['a size beyond 2^53', packOf([new Uint8Array([0xbf, ...Array(9).fill(0xff), 0x7f])]), 'PACK_CORRUPT', 12],
  ['a size that never ends', packOf([new Uint8Array(60).fill(0xbf)]), 'PACK_CORRUPT', 12],
  [
    'data that is no zlib stream',
    packOf([hello, new Uint8Array([0x33, 9, 9, 9])]),
    'PACK_CORRUPT',
    afterHello,
  ],
  [
    'a zlib checksum that is wrong',
    packOf([
      hello,
      bye.map((byte, i) => (i === bye.length - 1 ? byte ^ 1 : byte)),
      hello, // so that the checksum is complete whatever follows
    ]),
    'PACK_CORRUPT',
    afterHello,
  ],
  ['a size too small', packOf([hello, blobEntry('bye', { declaredBytes: 2 })]), 'PACK_CORRUPT', afterHello],
  ['a size too large', packOf([hello, blobEntry('bye', { declaredBytes: 4 })]), 'PACK_CORRUPT', afterHello],
  [
    'a size far too large',
    packOf([hello, blobEntry('', { declaredBytes: 2 ** 34 })]),
    'PACK_CORRUPT',
    afterHello,
  ],
  ['base distance 0', packOf([hello, ofsDeltaEntry(0, toWorld)]), 'PACK_CORRUPT', afterHello],
  [
    'a base before the pack',
    packOf([hello, ofsDeltaEntry(afterHello + 1, toWorld)]),
    'PACK_CORRUPT',
    afterHello,
  ],
  ['the header as base', packOf([hello, ofsDeltaEntry(afterHello, toWorld)]), 'PACK_CORRUPT', afterHello],
  [
    'a base inside an entry',
    packOf([hello, ofsDeltaEntry(hello.length - 1, toWorld)]),
    'PACK_CORRUPT',
    afterHello,
  ],
  [
    'a distance that never ends',
    packOf([hello, new Uint8Array([(OFS_DELTA << 4) | 3, ...Array(30).fill(0xff)])]),
    'PACK_CORRUPT',
    afterHello,
  ],
  ['a missing base', packOf([refDeltaEntry(blobId('nowhere'), toWorld)]), 'OBJECT_MISSING', 12],
  ['a delta on itself', packOf([refDeltaEntry(blobId('hello world'), toWorld)]), 'OBJECT_MISSING', 12],
  [
    'deltas on each other',
    packOf([
      refDeltaEntry(blobId('hello world'), new Uint8Array([11, 5, 0x90, 5])),
      refDeltaEntry(blobId('hello'), toWorld),
    ]),
    'OBJECT_MISSING',
    12,
  ],
  ['a delta without sizes', packOf([hello, delta(hello.length, [])]), 'PACK_CORRUPT', afterHello],
  ['a delta cut in its sizes', packOf([hello, delta(hello.length, [5, 0x85])]), 'PACK_CORRUPT', afterHello],
  [
    'a delta for another base size',
    packOf([hello, delta(hello.length, [6, 1, 1, 65])]),
    'PACK_CORRUPT',
    afterHello,
  ],
  [
    'a delta that makes too little',
    packOf([hello, delta(hello.length, [5, 2, 1, 65])]),
    'PACK_CORRUPT',
    afterHello,
  ],
  [
    'a delta that makes too much',
    packOf([hello, delta(hello.length, [5, 1, 2, 65, 65])]),
    'PACK_CORRUPT',
    afterHello,
  ],
  [
    'a copy from past the base',
    packOf([hello, delta(hello.length, [5, 3, 0x91, 3, 3])]),
    'PACK_CORRUPT',
    afterHello,
  ],
  ['the reserved instruction', packOf([hello, delta(hello.length, [5, 1, 0])]), 'PACK_CORRUPT', afterHello],
  ['an instruction cut off', packOf([hello, delta(hello.length, [5, 9, 9, 65])]), 'PACK_CORRUPT', afterHello],
];

describe('indexPack() refuses', () => {
  for (const [what, pack, code, offset] of BROKEN) {
    test(`${what}: ${code} at ${offset}`, async () => {
      for (const sizes of [[], [1], [5, 64]]) {
        for (const runtime of [nodeRuntime, portableRuntime]) {
          await assert.rejects(ingest(chunked(pack, sizes), { runtime }), (error: unknown) => {
            assert.ok(isGitError(error), String(error));
            assert.deepEqual({ code: error.code, offset: error.detail.offset }, { code, offset });
            return true;
          });
        }
      }
    });
  }
});

const chain = (length: number): Uint8Array => {
  const entries = [hello];
  for (let size = 5; entries.length <= length; size++) {
    entries.push(ofsDeltaEntry((entries.at(-1) as Uint8Array).length, appendingDelta(size, '.')));
  }
  return packOf(entries);
};

/** What is too much, the pack, the limit that just allows it, and the one that does not. */
const EXCESSES: readonly (readonly [string, Uint8Array, Partial<Limits>, Partial<Limits>])[] = [
  ['bytes', packOf([hello]), { maxPackBytes: afterHello + 20 }, { maxPackBytes: afterHello + 19 }],
  ['objects', packOf([hello, bye]), { maxPackObjects: 2 }, { maxPackObjects: 1 }],
  ['bytes of an object', packOf([hello]), { maxObjectBytes: 5 }, { maxObjectBytes: 4 }],
  [
    'bytes of an object made by a delta',
    packOf([hello, ofsDeltaEntry(hello.length, toWorld)]),
    { maxObjectBytes: 11 },
    { maxObjectBytes: 10 },
  ],
  [
    'bytes of a base',
    packOf([hello, ofsDeltaEntry(hello.length, new Uint8Array([5, 1, 0x90, 1]))]),
    { maxDeltaObjectBytes: 5 },
    { maxDeltaObjectBytes: 4 },
  ],
  ['inflated bytes', packOf([hello, bye]), { maxInflatedBytes: 8 }, { maxInflatedBytes: 7 }],
  [
    'resolved bytes',
    packOf([hello, ofsDeltaEntry(hello.length, toWorld)]),
    { maxResolvedBytes: 11 },
    { maxResolvedBytes: 10 },
  ],
  ['deltas of deltas', chain(7), { maxDeltaDepth: 7 }, { maxDeltaDepth: 6 }],
];

describe('indexPack() allows up to a limit, and no more', () => {
  for (const [what, pack, enough, tooLittle] of EXCESSES) {
    test(what, async () => {
      await ingest(chunked(pack, [3]), { limits: enough });
      await assert.rejects(ingest(chunked(pack, [3]), { limits: tooLittle }), { code: 'LIMIT_EXCEEDED' });
    });
  }

  test('git makes chains of 4095; so many are resolved', async () => {
    assert.equal((await ingest(chunked(chain(4095)))).deltaCount, 4095);
    await assert.rejects(ingest(chunked(chain(4096))), { code: 'LIMIT_EXCEEDED' });
  });
});

test('a count of millions reserves nothing: memory grows with what arrives', async () => {
  const pack = concatBytes(formatPackHeader(40_000_000), hello);
  const before = process.memoryUsage().arrayBuffers;
  await assert.rejects(ingest(chunked(pack)), { code: 'PACK_CORRUPT' });
  assert.ok(process.memoryUsage().arrayBuffers - before < 1 << 26);
});

test('a zip bomb is stopped at its declared size, before it is inflated', async () => {
  const bomb = zlib.deflateSync(new Uint8Array(64 << 20));
  const header = wholeEntry(BLOB, new Uint8Array(0), { declaredBytes: 64 << 20 }).subarray(0, 5);
  const pack = packOf([concatBytes(header.slice(0, 4), bomb)]);
  await assert.rejects(ingest(chunked(pack), { limits: { maxObjectBytes: 1 << 20 } }), {
    code: 'LIMIT_EXCEEDED',
  });
  await assert.rejects(ingest(chunked(packOf([concatBytes(new Uint8Array([0x35]), bomb)]))), {
    code: 'PACK_CORRUPT',
  });
});

test('a delta bomb is stopped by the sizes it declares, before anything is made', async () => {
  // 64 KiB copied 16 times a delta, each on the one before: 16^n bytes.
  const entries = [blobEntry('b'.repeat(65_536))];
  let size = 65_536;
  for (let level = 0; level < 5; level++) {
    const copies = Array.from({ length: 16 }, () => [
      0xf0,
      size & 255,
      (size >> 8) & 255,
      (size >> 16) & 255,
    ]);
    const sizes = [...leb(size), ...leb(size * 16)];
    entries.push(
      ofsDeltaEntry((entries.at(-1) as Uint8Array).length, new Uint8Array([...sizes, ...copies.flat()])),
    );
    size *= 16;
  }
  await assert.rejects(ingest(chunked(packOf(entries))), { code: 'LIMIT_EXCEEDED' });
  await assert.rejects(
    ingest(chunked(packOf(entries.slice(0, 3))), { limits: { maxResolvedBytes: 17_000_000 } }),
    { code: 'LIMIT_EXCEEDED' },
  );
});

function leb(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 0x80, ...leb(Math.floor(value / 128))];
}

test('one flipped bit anywhere in a pack never goes unnoticed', async () => {
  const pack = packOf([
    hello,
    ofsDeltaEntry(hello.length, toWorld),
    refDeltaEntry(blobId('bye'), appendingDelta(3, '!')),
    bye,
  ]);
  for (let at = 0; at < pack.length; at++) {
    for (const bit of [1, 16, 128]) {
      const flipped = pack.map((byte, i) => (i === at ? byte ^ bit : byte));
      await assert.rejects(ingest(chunked(flipped)), (error) => isGitError(error), `byte ${at}, bit ${bit}`);
    }
  }
});

test('arbitrary entries give a pack or a GitError, never anything else', async () => {
  const anyEntry = fc.oneof(
    fc.string({ maxLength: 20 }).map((text) => blobEntry(text)),
    fc.uint8Array({ maxLength: 40 }),
    fc
      .tuple(fc.nat(80), fc.uint8Array({ maxLength: 20 }))
      .map(([distance, bytes]) => ofsDeltaEntry(distance, bytes)),
    fc
      .tuple(fc.string({ maxLength: 1 }), fc.uint8Array({ maxLength: 20 }))
      .map(([text, bytes]) => refDeltaEntry(blobId(text), bytes)),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyEntry, { maxLength: 6 }),
      fc.nat(7),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 4 }),
      async (entries, count, sizes) => {
        try {
          await ingest(chunked(packOf(entries, { count }), sizes));
        } catch (error) {
          assert.ok(isGitError(error), String(error));
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('duplicates without end are sorted without trouble', async () => {
  const indexed = await ingest(chunked(packOf(Array.from({ length: 20_000 }, () => hello))));
  const index = concatBytes(...indexed.encodeIndex());
  assert.equal(bytesToHex(index, 8 + 1024, 20), bytesToHex(blobId('hello')));
});
