import assert from 'node:assert/strict';
import test from 'node:test';
import { inOneGo, type Steps, withBreaths } from '../../src/core/steps.ts';

function* counting(to: number, seen: number[]): Steps<string> {
  for (let n = 1; n <= to; n++) {
    seen.push(n);
    yield;
  }
  return 'done';
}

test('the same steps are taken in one go or with a breath after each', async () => {
  const seen: number[] = [];
  assert.equal(inOneGo(counting(3, seen)), 'done');
  assert.deepEqual(seen, [1, 2, 3]);

  const mixed: (number | string)[] = [];
  const result = await withBreaths(counting(2, mixed as number[]), async () => void mixed.push('breath'));
  assert.equal(result, 'done');
  assert.deepEqual(mixed, [1, 'breath', 2, 'breath']);
});
