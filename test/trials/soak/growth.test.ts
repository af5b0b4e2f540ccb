import assert from 'node:assert/strict';
import { test } from 'node:test';
import { growthOf, laterHalf } from './growth.ts';

const samples = (values: readonly number[]) => values.map((value, n) => ({ atSeconds: n * 10, value }));

for (const [what, values, perHour, gained] of [
  ['what stays does not grow', [5, 5, 5, 5], 0, 0],
  ['what goes up and down does not grow', [4, 6, 6, 4], 0, 0],
  ['one in ten seconds is 360 an hour', [1, 2, 3, 4], 360, 3],
  ['what shrinks grows backwards', [4, 3, 2, 1], -360, -3],
  ['two samples say nothing', [1, 9], 0, 0],
] as const) {
  test(`growthOf(): ${what}`, () => {
    const growth = growthOf(samples(values));
    assert.ok(Math.abs(growth.perHour - perHour) < 1e-9);
    assert.ok(Math.abs(growth.gained - gained) < 1e-9);
  });
}

test('growthOf() knows how sure it is', () => {
  assert.equal(growthOf(samples([1, 2, 3, 4])).errorPerHour, 0);
  assert.ok(growthOf(samples([1, 5, 2, 8, 3])).errorPerHour > 0);
});

test('laterHalf() leaves the beginning out', () => {
  assert.deepEqual(laterHalf(samples([1, 2, 3, 4, 5])), samples([1, 2, 3, 4, 5]).slice(2));
});
