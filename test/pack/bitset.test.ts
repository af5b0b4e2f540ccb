import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Bitset } from '../../src/pack/bitset.ts';

function bitsetOf(size: number, bits: Iterable<number>): Bitset {
  const set = new Bitset(size);
  for (const bit of bits) set.add(bit);
  return set;
}

function bitsOf(set: Bitset): number[] {
  const bits: number[] = [];
  for (let bit = set.next(0); bit >= 0; bit = set.next(bit + 1)) bits.push(bit);
  return bits;
}

test('a Bitset holds what was added and not deleted', () => {
  const set = bitsetOf(70, [0, 31, 32, 63, 69]);
  set.delete(32);
  assert.equal(set.has(31), true);
  assert.equal(set.has(32), false);
  assert.equal(set.count(), 4);
  assert.deepEqual(bitsOf(set), [0, 31, 63, 69]);
  assert.equal(set.next(64), 69);
  assert.equal(set.next(70), -1);
});

for (const [from, to, expected] of [
  [0, 0, 0],
  [5, 6, 1],
  [0, 32, 32],
  [31, 33, 2],
  [3, 100, 97],
  [64, 96, 32],
] as const) {
  test(`fill(${from}, ${to}) sets ${expected} bits`, () => {
    const set = new Bitset(100);
    set.fill(from, to);
    assert.equal(set.count(), expected);
    assert.deepEqual(
      bitsOf(set),
      [...Array(to - from).keys()].map((i) => from + i),
    );
  });
}

test('a Bitset of nothing has no first bit', () => {
  assert.equal(new Bitset(0).next(0), -1);
  assert.equal(new Bitset(0).count(), 0);
});

test('operations are those of sets', () => {
  const size = 200;
  const anyBits = fc.uniqueArray(fc.nat(size - 1));
  fc.assert(
    fc.property(anyBits, anyBits, (a, b) => {
      const results = {
        or: a.concat(b),
        and: a.filter((bit) => b.includes(bit)),
        andNot: a.filter((bit) => !b.includes(bit)),
        xor: [...a.filter((bit) => !b.includes(bit)), ...b.filter((bit) => !a.includes(bit))],
      };
      for (const [operation, expected] of Object.entries(results)) {
        const set = bitsetOf(size, a);
        const copy = set.clone();
        copy[operation as keyof typeof results](bitsetOf(size, b));
        const distinct = [...new Set(expected)].sort((x, y) => x - y);
        assert.deepEqual(bitsOf(copy), distinct, operation);
        assert.equal(copy.count(), distinct.length);
        assert.deepEqual(
          bitsOf(set),
          a.toSorted((x, y) => x - y),
        );
      }
    }),
  );
});
