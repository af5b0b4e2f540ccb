import assert from 'node:assert/strict';
import test from 'node:test';
import { DEFAULT_LIMITS, type Limits } from '../../src/core/limits.ts';
import { USUAL_BATCHED_BYTES } from '../../src/core/object-hasher.ts';
import { PackSums } from '../../src/pack/pack-sums.ts';

function sumsWithin(limits: Partial<Limits> = {}): PackSums {
  return new PackSums({ ...DEFAULT_LIMITS, ...limits });
}

test('what deltas make is summed; the largest object is one of either', () => {
  const sums = sumsWithin();
  sums.addWhole(500);
  sums.addDelta(20);
  sums.addMade(500, 510);
  sums.addDelta(30);
  sums.addMade(510, 40);
  assert.deepEqual([sums.resolvedBytes, sums.largestObjectBytes], [550, 510]);
});

test('much is large when large objects are more than a tenth of what is made', () => {
  const sums = sumsWithin();
  sums.addWhole(100 * USUAL_BATCHED_BYTES); // not made
  assert.equal(sums.isMuchLarge, false);
  sums.addMade(1, USUAL_BATCHED_BYTES + 1);
  assert.equal(sums.isMuchLarge, true);
  for (let i = 0; i < 10; i++) sums.addMade(1, USUAL_BATCHED_BYTES);
  assert.equal(sums.isMuchLarge, false);
});

const LIMIT = 100;

for (const [name, what, add] of [
  ['maxObjectBytes', 'bytes of an object', (sums: PackSums, n: number) => sums.addWhole(n)],
  ['maxDeltaObjectBytes', 'bytes of a delta', (sums: PackSums, n: number) => sums.addDelta(n)],
  [
    'maxDeltaObjectBytes',
    'bytes of an object made by a delta',
    (sums: PackSums, n: number) => sums.addMade(1, n),
  ],
  ['maxObjectBytes', 'bytes of an object made by a delta', (sums: PackSums, n: number) => sums.addMade(1, n)],
  ['maxDeltaObjectBytes', "bytes of a delta's base", (sums: PackSums, n: number) => sums.addMade(n, 1)],
] as const) {
  test(`one object may reach ${name}: ${what}`, () => {
    const sums = sumsWithin({ [name]: LIMIT });
    add(sums, LIMIT);
    add(sums, LIMIT);
    const value = LIMIT + 1;
    assert.throws(() => add(sums, value), {
      code: 'LIMIT_EXCEEDED',
      message: `Cannot read pack: at most ${LIMIT} ${what} are allowed, got ${value}`,
      detail: { limit: LIMIT, value },
    });
  });
}

for (const [name, kind, what, add] of [
  [
    'maxInflatedBytes',
    'whole',
    'inflated bytes of all objects',
    (sums: PackSums, n: number) => sums.addWhole(n),
  ],
  [
    'maxInflatedBytes',
    'deltas',
    'inflated bytes of all objects',
    (sums: PackSums, n: number) => sums.addDelta(n),
  ],
  [
    'maxResolvedBytes',
    'made by deltas',
    'bytes of all objects made by deltas',
    (sums: PackSums, n: number) => sums.addMade(1, n),
  ],
] as const) {
  test(`all objects together may reach ${name}: ${kind}`, () => {
    const sums = sumsWithin({ [name]: LIMIT });
    add(sums, 60);
    add(sums, 40);
    assert.throws(() => add(sums, 1), {
      code: 'LIMIT_EXCEEDED',
      message: `Cannot read pack: at most ${LIMIT} ${what} are allowed, got 101`,
    });
  });
}
