import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pace } from '../../src/core/pace.ts';

test('a turn is over after some milliseconds, and another begins with each rest', async (t) => {
  let now = 1000;
  t.mock.method(performance, 'now', () => now);
  const pace = new Pace(undefined);
  assert.equal(pace.isDue(), false);
  now += 10;
  assert.equal(pace.isDue(), true);
  await pace.rest();
  assert.equal(pace.isDue(), false);
  now += 10;
  assert.equal(pace.isDue(), true);
});

test('others go on while it rests', async () => {
  const done: string[] = [];
  const pace = new Pace(undefined);
  await new Promise(setImmediate); // the round in which it began is over
  setImmediate(() => done.push('other'));
  await pace.rest();
  assert.deepEqual(done, ['other']);
});

test('who rests learns that nobody waits any more', async () => {
  const gone = new AbortController();
  const resting = new Pace(gone.signal).rest();
  gone.abort();
  await assert.rejects(resting, { code: 'ABORTED' });
});
