import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { encodeLatin1 } from '../../src/core/bytes.ts';
import { isGitError } from '../../src/core/errors.ts';
import { nodeRuntime } from '../../src/core/node/runtime.ts';
import { bytesToHex, hexToBytes, objectFormatByName, SHA1 } from '../../src/core/object-id.ts';
import { multiPackBitmapObjects, packOrderOfRevFile } from '../../src/pack/bitmap-multi-pack.ts';
import { parseMultiPackIndex } from '../../src/pack/multi-pack-index.ts';
import { fileIn, plainRepository, resealed } from '../support/bitmapped-repository.ts';
import { chunkFile, fanout, words } from '../support/chunk-file.ts';
import { git } from '../support/git.ts';

const runtime = nodeRuntime;
const options = { format: SHA1, runtime };
const id = (first: number): Uint8Array => new Uint8Array(20).fill(first);
const ids = (...firsts: readonly number[]): Uint8Array =>
  Uint8Array.from(firsts.flatMap((first) => [...id(first)]));

/** Three objects: two in the second pack, one beyond 4 GiB; one in the first. */
const HEADER = new Uint8Array([...encodeLatin1('MIDX'), 1, 1, 0, 0, 0, 0, 0, 2]);
const CHUNKS = {
  PNAM: encodeLatin1('pack-aa.idx\0pack-bb.idx\0'),
  OIDF: fanout([1, 2, 7]),
  OIDL: ids(1, 2, 7),
  OOFF: words(1, 12, 0, 12, 1, 0x80000000),
  LOFF: words(2, 5),
  RIDX: words(0, 2, 1),
};

test('parseMultiPackIndex() reads packs, objects and where they are', () => {
  const index = parseMultiPackIndex(chunkFile(HEADER, CHUNKS, SHA1), options);
  assert.deepEqual(index.packNames, ['pack-aa', 'pack-bb']);
  assert.equal(index.objectCount, 3);
  assert.equal(index.rankOf(id(7), 0), 2);
  assert.equal(index.rankOf(id(6), 0), -1);
  assert.equal(index.packOf(2), 1);
  assert.equal(index.offsetOf(2), 2 * 2 ** 32 + 5);
  assert.equal(index.offsetOf(1), 12);
  assert.deepEqual(index.packOrder(), words(0, 2, 1));
});

test('the pseudo-pack begins with the preferred pack', () => {
  const index = parseMultiPackIndex(chunkFile(HEADER, CHUNKS, SHA1), options);
  const objects = multiPackBitmapObjects(index, index.packOrder() as Uint8Array);
  assert.deepEqual(objects.packNames, ['pack-bb', 'pack-aa']);
  const at = { pack: 0, offset: 0 };
  for (const [position, first, pack, offset] of [
    [0, 1, 0, 12],
    [1, 7, 0, 2 * 2 ** 32 + 5],
    [2, 2, 1, 12],
  ] as const) {
    assert.equal(objects.positionOf(id(first), 0), position);
    objects.locate(position, at);
    assert.deepEqual(at, { pack, offset });
  }
});

test('without a large table all 32 bits of an offset count', () => {
  const { LOFF: _, ...small } = CHUNKS;
  assert.equal(parseMultiPackIndex(chunkFile(HEADER, small, SHA1), options).offsetOf(2), 0x80000000);
});

for (const [what, changed, code] of [
  ['version 2', { header: [4, 2] }, undefined],
  ['a chunk nobody knows', { chunks: { ZZZZ: words(1, 2, 3) } }, undefined],
  ['version 3', { header: [4, 3] }, 'UNSUPPORTED'],
  ['another hash function', { header: [5, 2] }, 'UNSUPPORTED'],
  ['one that builds on others', { header: [7, 1] }, 'UNSUPPORTED'],
  ['another signature', { header: [0, 0] }, 'PACK_CORRUPT'],
  [
    'a fan-out table that descends',
    { chunks: { OIDF: words(9, ...new Array<number>(255).fill(3)) } },
    'PACK_CORRUPT',
  ],
  ['fewer ids than it counts', { chunks: { OIDL: ids(1, 2) } }, 'PACK_CORRUPT'],
  ['fewer offsets than it counts', { chunks: { OOFF: words(1, 12) } }, 'PACK_CORRUPT'],
  ['an order of another size', { chunks: { RIDX: words(0) } }, 'PACK_CORRUPT'],
  ['fewer packs than it counts', { chunks: { PNAM: encodeLatin1('pack-aa.idx\0') } }, 'PACK_CORRUPT'],
  ['a pack elsewhere', { chunks: { PNAM: encodeLatin1('../pack-aa.idx\0pack-bb.idx\0') } }, 'PACK_CORRUPT'],
] as const) {
  test(`parseMultiPackIndex() ${code === undefined ? 'reads' : 'refuses'} ${what}`, () => {
    const { header, chunks } = { header: undefined, chunks: {}, ...changed };
    const head = HEADER.slice();
    if (header !== undefined) head[header[0]] = header[1];
    const bytes = chunkFile(head, { ...CHUNKS, ...chunks }, SHA1);
    if (code === undefined) assert.equal(parseMultiPackIndex(bytes, options).objectCount, 3);
    else assert.throws(() => parseMultiPackIndex(bytes, options), { code });
  });
}

for (const [what, order] of [
  ['names an object twice', words(0, 2, 2)],
  ['names an object there is not', words(0, 2, 3)],
  ['comes back to a pack', words(0, 1, 2)],
] as const) {
  test(`multiPackBitmapObjects() refuses an order that ${what}`, () => {
    const index = parseMultiPackIndex(chunkFile(HEADER, CHUNKS, SHA1), options);
    assert.throws(() => multiPackBitmapObjects(index, order), { code: 'PACK_CORRUPT' });
  });
}

test('packOrderOfRevFile() reads the order that belongs to the index', () => {
  const index = parseMultiPackIndex(chunkFile(HEADER, CHUNKS, SHA1), options);
  const rev = (...checksum: readonly number[]): Uint8Array =>
    Uint8Array.from([...words(0x52494458, 1, 1, 0, 2, 1), ...checksum, ...id(0)]);
  assert.deepEqual(packOrderOfRevFile(rev(...index.checksum), index, SHA1), words(0, 2, 1));
  assert.throws(() => packOrderOfRevFile(rev(...id(3)), index, SHA1), { code: 'PACK_CORRUPT' });
  assert.throws(() => packOrderOfRevFile(new Uint8Array(5), index, SHA1), { code: 'PACK_CORRUPT' });
});

for (const name of ['sha1', 'sha256'] as const) {
  test(`parseMultiPackIndex() finds every object where git put it (${name})`, async (context) => {
    const repository = await plainRepository(context, { format: name });
    repository.git('repack', '-dq');
    repository.git('multi-pack-index', 'write');
    const path = fileIn(repository.path, 'multi-pack-index');
    const format = objectFormatByName(name);
    const index = parseMultiPackIndex(new Uint8Array(readFileSync(path)), { format, runtime });
    assert.ok(index.packNames.length > 1);
    let found = 0;
    for (const pack of index.packNames) {
      const input = readFileSync(`${repository.path}/objects/pack/${pack}.idx`);
      for (const line of git({ cwd: repository.path, input }, 'show-index', `--object-format=${name}`)
        .trim()
        .split('\n')) {
        const [offset, hex = ''] = line.split(' ');
        const rank = index.rankOf(hexToBytes(hex), 0);
        const copied = new Uint8Array(format.idBytes);
        index.copyId(rank, copied, 0);
        assert.equal(bytesToHex(copied), hex);
        if (index.packNames[index.packOf(rank)] !== pack) continue;
        assert.equal(index.offsetOf(rank), Number(offset));
        found++;
      }
    }
    assert.equal(found, index.objectCount);
  });
}

test('parseMultiPackIndex() refuses a bit flipped anywhere; with the checksum fixed it gives answers or a GitError', () => {
  const good = chunkFile(HEADER, CHUNKS, SHA1);
  fc.assert(
    fc.property(fc.nat(8 * good.length - 1), (bit) => {
      const bytes = good.slice();
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
      const isRefusal = (error: unknown): boolean => isGitError(error, 'PACK_CORRUPT', 'UNSUPPORTED');
      assert.throws(() => parseMultiPackIndex(bytes, options), isRefusal);
      try {
        const index = parseMultiPackIndex(resealed(bytes, SHA1), options);
        const objects = multiPackBitmapObjects(index, index.packOrder() ?? words(0, 2, 1));
        for (const first of [1, 2, 7]) assert.ok(objects.positionOf(id(first), 0) < 3);
      } catch (error) {
        assert.ok(isRefusal(error));
      }
    }),
    { numRuns: 2000 },
  );
});
