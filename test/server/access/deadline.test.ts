import assert from 'node:assert/strict';
import test from 'node:test';
import { answeredInTime } from '../../../src/server/access/deadline.ts';

test('an answer in time is the answer, and so is a failure', async () => {
  assert.equal(await answeredInTime(() => Promise.resolve(3)), 3);
  const failure = new Error('broken');
  await assert.rejects(
    answeredInTime(() => Promise.reject(failure)),
    failure,
  );
  await assert.rejects(
    answeredInTime(() => {
      throw failure;
    }),
    failure,
  );
});

test('one that is too late is OVERLOADED, and whoever was asked is told that nobody waits', async () => {
  let told: AbortSignal | undefined;
  const asking = answeredInTime(
    (signal) => {
      told = signal;
      return new Promise(() => undefined);
    },
    { timeoutMs: 5 },
  );
  await assert.rejects(asking, { code: 'OVERLOADED' });
  assert.equal(told?.aborted, true);
});

test('one who asks and goes away waits no more', async () => {
  const gone = new AbortController();
  const asking = answeredInTime(() => new Promise(() => undefined), { signal: gone.signal });
  gone.abort();
  await assert.rejects(asking, { code: 'ABORTED' });
});
