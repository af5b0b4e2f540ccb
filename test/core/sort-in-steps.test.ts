import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sortedInSteps } from '../../src/core/sort-in-steps.ts';
import { inOneGo } from '../../src/core/steps.ts';

test('sorts as sort does, equals in the order they came', () => {
  const sizes = fc.nat({ max: 5000 });
  fc.assert(
    fc.property(sizes, fc.integer({ min: 1, max: 10_000 }), fc.nat(), (size, range, seed) => {
      const items = Array.from({ length: size }, (_, at) => ({ at, key: (at * 7919 + seed) % range }));
      const before = [...items];
      const compare = (a: { key: number }, b: { key: number }) => a.key - b.key;
      assert.deepEqual(inOneGo(sortedInSteps(items, compare)), [...items].sort(compare));
      assert.deepEqual(items, before);
    }),
  );
});

test('no step looks at more than some thousand items', () => {
  let looks = 0;
  const compare = (a: number, b: number): number => {
    looks++;
    return a - b;
  };
  const items = Array.from({ length: 50_000 }, (_, n) => (n * 7919) % 50_021);
  let steps = 0;
  for (const steps_ = sortedInSteps(items, compare); steps_.next().done !== true; steps++) {
    assert.ok(looks <= 1024 * 10, `${looks} comparisons`);
    looks = 0;
  }
  assert.ok(steps > 200);
});
