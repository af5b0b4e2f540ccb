import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Bitset } from '../../src/pack/bitset.ts';
import { endOfEwah, toggleEwah } from '../../src/pack/ewah.ts';

const RUN_OF_ONES = 1n;

/** A run-length word: so many words of the bit, then so many as they are. */
function run(bit: bigint, words: number, literals: number): bigint {
  return bit | (BigInt(words) << 1n) | (BigInt(literals) << 33n);
}

function ewah(bitCount: number, ...words: readonly bigint[]): DataView {
  const view = new DataView(new ArrayBuffer(12 + 8 * words.length));
  view.setUint32(0, bitCount);
  view.setUint32(4, words.length);
  for (const [i, word] of words.entries()) view.setBigUint64(8 + 8 * i, word);
  return view;
}

function decode(view: DataView, size: number): number[] | undefined {
  const set = new Bitset(size);
  if (!toggleEwah(view, 0, set)) return undefined;
  const bits: number[] = [];
  for (let bit = set.next(0); bit >= 0; bit = set.next(bit + 1)) bits.push(bit);
  return bits;
}

const upTo = (end: number, start = 0): number[] => Array.from({ length: end - start }, (_, i) => start + i);

for (const [what, size, words, expected] of [
  ['nothing', 100, [], []],
  ['a run of nothing', 100, [run(0n, 2, 0)], []],
  ['a run of ones', 128, [run(RUN_OF_ONES, 2, 0)], upTo(128)],
  ['a run of ones that ends inside the last word', 100, [run(RUN_OF_ONES, 2, 0)], upTo(100)],
  ['a run of ones into half a word', 70, [run(RUN_OF_ONES, 2, 0)], upTo(70)],
  ['words as they are', 128, [run(0n, 0, 2), 1n, 1n << 63n], [0, 127]],
  ['a run, then a word', 192, [run(RUN_OF_ONES, 1, 1), 0b101n], [...upTo(64), 64, 66]],
  ['zeros, a word, ones', 192, [run(0n, 1, 1), 1n << 32n, run(1n, 1, 0)], [96, ...upTo(192, 128)]],
  ['zeros beyond the end', 64, [run(0n, 0, 1), 2n, run(0n, 0xffffffff, 0)], [1]],
] as const) {
  test(`toggleEwah() reads ${what}`, () => {
    const view = ewah(size, ...words);
    assert.equal(endOfEwah(view, 0, view.byteLength), view.byteLength);
    assert.deepEqual(decode(view, size), expected);
  });
}

for (const [what, size, words] of [
  ['ones beyond the end', 64, [run(RUN_OF_ONES, 2, 0)]],
  ['a word beyond the end', 64, [run(0n, 1, 1), 1n]],
  ['a run of 2^32 - 1 words', 64, [run(RUN_OF_ONES, 0xffffffff, 0)]],
  ['more words than there are', 640, [run(0n, 0, 3), 1n, 1n]],
] as const) {
  test(`toggleEwah() refuses ${what}`, () => assert.equal(decode(ewah(size, ...words), size), undefined));
}

test('toggling twice is as before', () => {
  const view = ewah(192, run(RUN_OF_ONES, 1, 2), 0x123456789abcdefn, 0xfedcba9876543210n);
  const set = new Bitset(192);
  set.fill(10, 100);
  const before = set.clone();
  assert.ok(toggleEwah(view, 0, set));
  assert.notDeepEqual(set.words, before.words);
  assert.ok(toggleEwah(view, 0, set));
  assert.deepEqual(set.words, before.words);
});

test('endOfEwah() says where the next thing begins, or that it is cut off', () => {
  const view = ewah(128, run(0n, 0, 1), 7n);
  assert.equal(endOfEwah(view, 0, view.byteLength), 28);
  for (let end = 0; end < view.byteLength; end++) assert.equal(endOfEwah(view, 0, end), -1);
});

test('toggleEwah() reads what an encoder wrote, whatever the bits', () => {
  const anyWord = fc.oneof(
    fc.constant(0n),
    fc.constant(2n ** 64n - 1n),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  );
  fc.assert(
    fc.property(fc.array(anyWord, { maxLength: 40 }), (words) => {
      const bits = words.flatMap((word, i) =>
        upTo(64)
          .filter((bit) => (word >> BigInt(bit)) & 1n)
          .map((b) => 64 * i + b),
      );
      assert.deepEqual(decode(ewah(64 * words.length, ...encode(words)), 64 * words.length), bits);
    }),
  );
});

test('toggleEwah() answers for any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 12, maxLength: 200 }), fc.nat(500), (bytes, size) => {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      view.setUint32(4, Math.floor((bytes.length - 12) / 8));
      const set = new Bitset(size);
      if (toggleEwah(view, 0, set)) assert.ok(set.next(size) === -1);
    }),
  );
});

/** Plain and obvious: a run where words are equal, else one literal at a time. */
function encode(words: readonly bigint[]): bigint[] {
  const encoded: bigint[] = [];
  for (let at = 0; at < words.length; ) {
    const first = words[at] as bigint;
    if (first !== 0n && first !== 2n ** 64n - 1n) {
      encoded.push(run(0n, 0, 1), first);
      at++;
      continue;
    }
    let end = at;
    while (end < words.length && words[end] === first) end++;
    encoded.push(run(first === 0n ? 0n : RUN_OF_ONES, end - at, 0));
    at = end;
  }
  return encoded;
}
