import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { TokenBuckets } from '../../../src/server/limits/token-bucket.ts';

test('a burst at once, then so many a second', () => {
  const buckets = new TokenBuckets({ perSecond: 2, burst: 3 });
  assert.deepEqual(
    [0, 0, 0, 0].map((now) => buckets.take('a', now)),
    [0, 0, 0, 500],
  );
  assert.equal(buckets.take('a', 499), 1);
  assert.equal(buckets.take('a', 500), 0);
  assert.equal(buckets.take('a', 500), 500);
});

test('keys do not take from each other', () => {
  const buckets = new TokenBuckets({ perSecond: 1, burst: 1 });
  assert.equal(buckets.take('a', 0), 0);
  assert.equal(buckets.take('b', 0), 0);
  assert.equal(buckets.take('a', 0), 1000);
});

test('to ask how long to wait takes nothing, and a rate of 0 is none', () => {
  const buckets = new TokenBuckets({ perSecond: 1, burst: 1 });
  assert.deepEqual([buckets.wait('a', 0), buckets.wait('a', 0), buckets.take('a', 0)], [0, 0, 0]);
  assert.equal(buckets.wait('a', 0), 1000);
  const endless = new TokenBuckets({ perSecond: 0, burst: 1 });
  for (let i = 0; i < 100; i++) assert.equal(endless.take('a', 0), 0);
  assert.equal(endless.size, 0);
});

test('a million strangers leave nothing behind', () => {
  const buckets = new TokenBuckets({ perSecond: 10, burst: 1 }, 1000);
  let most = 0;
  for (let i = 0; i < 1_000_000; i++) {
    buckets.take(`stranger ${i}`, i / 100);
    most = Math.max(most, buckets.size);
  }
  assert.ok(most <= 1001, `${most} keys kept`);
});

test('whatever the moments, never more than the rate and the burst allow, and a wait that is kept is enough', () => {
  const rates = fc.record({
    perSecond: fc.integer({ min: 1, max: 50 }),
    burst: fc.integer({ min: 1, max: 9 }),
  });
  const gaps = fc.array(fc.nat(400), { maxLength: 60 });
  fc.assert(
    fc.property(rates, gaps, (rate, waits) => {
      const buckets = new TokenBuckets(rate);
      let [now, taken] = [0, 0];
      for (const gap of waits) {
        now += gap;
        const wait = buckets.take('key', now);
        if (wait === 0) taken++;
        else {
          now += wait;
          assert.equal(buckets.take('key', now), 0);
          taken++;
        }
      }
      assert.ok(taken <= rate.burst + Math.ceil((now / 1000) * rate.perSecond) + 1);
    }),
  );
});
