import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { concatBytes, writeUint32 } from '../../src/core/bytes.ts';
import { isGitError } from '../../src/core/errors.ts';
import { bytesToHex, type ObjectFormat, SHA1, SHA256 } from '../../src/core/object-id.ts';
import { parsePackIndex } from '../../src/pack/idx-reader.ts';

interface Row {
  readonly id: Uint8Array;
  readonly offset: number;
  readonly crc: number;
}

const uint32 = (value: number) => {
  const bytes = new Uint8Array(4);
  writeUint32(bytes, 0, value);
  return bytes;
};

function fanout(rows: readonly Row[]): Uint8Array {
  return concatBytes(
    ...Array.from({ length: 256 }, (_, byte) =>
      uint32(rows.filter(({ id }) => (id[0] as number) <= byte).length),
    ),
  );
}

/** As gitformat-pack(5) lays it out; offsets from `largeFrom` on go to the 64-bit table. */
function idxV2(rows: readonly Row[], format: ObjectFormat, largeFrom = 0x80000000): Uint8Array {
  const large = rows.filter(({ offset }) => offset >= largeFrom);
  return concatBytes(
    uint32(0xff744f63),
    uint32(2),
    fanout(rows),
    ...rows.map(({ id }) => id),
    ...rows.map(({ crc }) => uint32(crc)),
    ...rows.map((row) => uint32(row.offset < largeFrom ? row.offset : 0x80000000 + large.indexOf(row))),
    ...large.flatMap(({ offset }) => [uint32(Math.floor(offset / 2 ** 32)), uint32(offset % 2 ** 32)]),
    new Uint8Array(format.idBytes).fill(0xaa),
    new Uint8Array(format.idBytes),
  );
}

function idxV1(rows: readonly Row[], format: ObjectFormat): Uint8Array {
  return concatBytes(
    fanout(rows),
    ...rows.flatMap(({ id, offset }) => [uint32(offset), id]),
    new Uint8Array(format.idBytes).fill(0xaa),
    new Uint8Array(format.idBytes),
  );
}

const rowsOf = (format: ObjectFormat, maxOffset: number) =>
  fc
    .uniqueArray(
      fc.tuple(
        fc.uint8Array({ minLength: format.idBytes, maxLength: format.idBytes }),
        fc.integer({ min: 12, max: maxOffset }),
        fc.nat(0xffffffff),
      ),
      { maxLength: 60, selector: ([id]) => bytesToHex(id) },
    )
    .map((rows) => {
      const offsets = new Set<number>();
      return rows
        .filter(([, offset]) => !offsets.has(offset) && offsets.add(offset))
        .map(([id, offset, crc]): Row => ({ id, offset, crc }))
        .sort((a, b) => (bytesToHex(a.id) < bytesToHex(b.id) ? -1 : 1));
    });

for (const format of [SHA1, SHA256]) {
  for (const [version, maxOffset] of [
    [1, 2 ** 32 - 1000],
    [2, 2 ** 31 - 1],
    [2, 2 ** 40],
  ] as const) {
    test(`an index of version ${version}, ${format.name}, offsets to ${maxOffset}, answers as its table`, () => {
      fc.assert(
        fc.property(
          rowsOf(format, maxOffset),
          fc.uint8Array({ minLength: 32, maxLength: 32 }),
          (rows, other) => {
            const packBytes = maxOffset + 1 + format.idBytes;
            const bytes = version === 1 ? idxV1(rows, format) : idxV2(rows, format);
            const index = parsePackIndex(bytes, { format, packBytes });
            assert.equal(index.objectCount, rows.length);
            assert.deepEqual(index.packChecksum, new Uint8Array(format.idBytes).fill(0xaa));

            const inOrder = rows.map(({ offset }) => offset).sort((a, b) => a - b);
            for (const [rank, { id, offset, crc }] of rows.entries()) {
              const padded = concatBytes(Uint8Array.of(1, 2, 3), id);
              assert.equal(index.rankOf(padded, 3), rank);
              const copy = new Uint8Array(format.idBytes + 2);
              index.copyId(rank, copy, 2);
              assert.deepEqual(copy.subarray(2), id);
              assert.equal(index.offsetOf(rank), offset);
              assert.equal(index.crcOf(rank), version === 1 ? undefined : crc);
              assert.equal(index.rankAtOffset(offset), rank);
              const entry = inOrder.indexOf(offset);
              assert.equal(index.entryAt(offset), entry);
              assert.equal(index.entryStart(entry), offset);
              assert.equal(index.entryEnd(offset), inOrder[entry + 1] ?? maxOffset + 1);
            }
            assert.equal(index.entryStart(rows.length), maxOffset + 1);
            for (const length of [0, 1, 2, 20, 32]) {
              const prefix = other.subarray(0, length);
              const below = rows.filter(({ id }) => bytesToHex(id).slice(0, 2 * length) < bytesToHex(prefix));
              if (length <= format.idBytes) assert.equal(index.lowerBound(prefix), below.length);
            }
            const known = rows.findIndex(({ id }) => bytesToHex(id) === bytesToHex(other, 0, format.idBytes));
            assert.equal(index.rankOf(other, 0), known);
            if (!inOrder.includes(13)) {
              assert.equal(index.rankAtOffset(13), -1);
              assert.equal(index.entryAt(13), -1);
              assert.throws(() => index.entryEnd(13), { code: 'PACK_CORRUPT' });
            }
          },
        ),
        { numRuns: 30 },
      );
    });
  }
}

const rows: Row[] = [
  { id: new Uint8Array(20).fill(1), offset: 12, crc: 7 },
  { id: new Uint8Array(20).fill(2), offset: 40, crc: 8 },
];
const good = idxV2(rows, SHA1);

/** `good` with the 32-bit number at `at` replaced. */
function patched(at: number, value: number, bytes: Uint8Array = good): Uint8Array {
  const copy = bytes.slice();
  writeUint32(copy, at, value);
  return copy;
}

for (const [name, bytes] of [
  ['is empty', new Uint8Array(0)],
  ['is cut off', good.subarray(0, good.length - 1)],
  ['has bytes too many', concatBytes(good, new Uint8Array(1))],
  ['has a 64-bit table larger than its objects', concatBytes(good, new Uint8Array(24))],
  ['has another version', patched(4, 3)],
  ['has a fan-out table that descends', patched(8 + 4 * 5, 0)],
  ['declares more objects than it holds', patched(8 + 4 * 255, 3)],
] as const) {
  test(`an index that ${name} is PACK_CORRUPT`, () => {
    const options = { format: SHA1, packBytes: 100 };
    assert.throws(() => parsePackIndex(bytes, options), { code: 'PACK_CORRUPT' });
  });
}

test('offsets outside the pack, or outside the 64-bit table, are PACK_CORRUPT', () => {
  const offsetsAt = 8 + 1024 + 2 * 24;
  for (const offset of [0, 11, 80, 5000]) {
    const index = parsePackIndex(patched(offsetsAt, offset), { format: SHA1, packBytes: 100 });
    assert.throws(() => index.entryEnd(40), { code: 'PACK_CORRUPT' });
  }
  const index = parsePackIndex(patched(offsetsAt, 0x80000000), { format: SHA1, packBytes: 100 });
  assert.throws(() => index.offsetOf(0), { code: 'PACK_CORRUPT' });
});

test('any bytes are an index or PACK_CORRUPT', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 8 }),
      fc.nat(good.length),
      (edits, length) => {
        const bytes = good.slice(0, length % 3 === 0 ? length : good.length);
        for (const [at, value] of edits) bytes[at] = value;
        try {
          const index = parsePackIndex(bytes, { format: SHA1, packBytes: 100 });
          for (const { id, offset } of rows) {
            index.rankOf(id, 0);
            index.offsetOf(0);
            index.rankAtOffset(offset);
            index.entryEnd(offset);
          }
        } catch (error) {
          assert.ok(isGitError(error, 'PACK_CORRUPT'), String(error));
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('a .rev file is used when it fits, and passed over when it does not', () => {
  const rev = (ranks: readonly number[], checksum = 0xaa) =>
    concatBytes(
      uint32(0x52494458),
      uint32(1),
      uint32(1),
      ...ranks.map(uint32),
      new Uint8Array(20).fill(checksum),
      new Uint8Array(20),
    );
  for (const stored of [
    rev([0, 1]),
    rev([1, 0]),
    rev([0, 0]),
    rev([0, 2]),
    rev([0, 1], 0xbb),
    rev([0]),
    new Uint8Array(3),
    undefined,
  ]) {
    let loads = 0;
    const index = parsePackIndex(good, {
      format: SHA1,
      packBytes: 100,
      loadReverseIndex() {
        loads++;
        return stored;
      },
    });
    assert.equal(loads, 0);
    assert.equal(index.rankAtOffset(40), 1);
    assert.equal(index.entryEnd(12), 40);
    assert.equal(index.entryEnd(40), 80);
    assert.equal(loads, 1);
  }
});
