import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { isGitError } from '../../../src/core/errors.ts';
import { type LoginAttempt, LoginThrottle } from '../../../src/server/admission/login-throttle.ts';

const LOGINS = { address: { perSecond: 0.1, burst: 3 }, user: { perSecond: 0.1, burst: 5 } };

const right = async () => 'somebody';
const wrong = async () => undefined;

async function fail(throttle: LoginThrottle, attempt: LoginAttempt, times: number): Promise<void> {
  for (let i = 0; i < times; i++) assert.equal(await throttle.guard(attempt, wrong), undefined);
}

test('guessing is slowed, also the right guess, until the bucket fills again', async () => {
  let now = 0;
  const throttle = new LoginThrottle(LOGINS, () => now);
  const guess = { address: '192.0.2.1', user: 'alice' };
  await fail(throttle, guess, 3);
  await assert.rejects(throttle.guard(guess, right), (error) => {
    assert.ok(isGitError(error, 'RATE_LIMITED'));
    assert.equal(error.message, 'Too many failed logins: try again in 10 s');
    assert.equal(error.detail.retryAfterSeconds, 10);
    return true;
  });
  now = 10_000;
  assert.equal(await throttle.guard(guess, right), 'somebody');
});

test('what succeeds does not count, nor what could not be verified', async () => {
  const throttle = new LoginThrottle(LOGINS, () => 0);
  const attempt = { address: '192.0.2.1', user: 'alice' };
  for (let i = 0; i < 50; i++) await throttle.guard(attempt, right);
  const broken = () => Promise.reject(new Error('the application is down'));
  for (let i = 0; i < 50; i++)
    await assert.rejects(throttle.guard({ address: '192.0.2.2' }, broken), /is down/);
  await fail(throttle, { address: '192.0.2.2' }, 3);
});

test('one user name is slowed from everywhere, a network of IPv6 as one', async () => {
  const throttle = new LoginThrottle(LOGINS, () => 0);
  for (let host = 1; host <= 5; host++)
    await fail(throttle, { address: `192.0.2.${host}`, user: 'alice' }, 1);
  await assert.rejects(throttle.guard({ address: '192.0.2.6', user: 'alice' }, wrong), {
    code: 'RATE_LIMITED',
  });
  for (let host = 1; host <= 3; host++) await fail(throttle, { address: `2001:db8::${host}` }, 1);
  await assert.rejects(throttle.guard({ address: '2001:db8::4' }, wrong), { code: 'RATE_LIMITED' });
});

test('who has logged in from here lately is not locked out by others, and is slowed alone', async () => {
  const throttle = new LoginThrottle(LOGINS, () => 0);
  const alice = { address: '192.0.2.1', user: 'alice' };
  await throttle.guard(alice, right);
  await fail(throttle, { address: '192.0.2.1', user: 'broken robot' }, 3);
  await fail(throttle, { address: '192.0.2.2', user: 'alice' }, 3);
  await fail(throttle, { address: '192.0.2.3', user: 'alice' }, 2);
  assert.equal(await throttle.guard(alice, right), 'somebody');
  await fail(throttle, alice, 3);
  await assert.rejects(throttle.guard(alice, right), { code: 'RATE_LIMITED' });
});

test('a thousand guesses at once tell no more than as many one after the other', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 99 }), async (rightOne) => {
      const throttle = new LoginThrottle(LOGINS, () => 0);
      const guesses = Array.from({ length: 100 }, async (_, i) =>
        throttle.guard({ address: '192.0.2.1' }, async () => {
          await new Promise((resolve) => setImmediate(resolve));
          return i === rightOne ? 'somebody' : undefined;
        }),
      );
      const told = (await Promise.allSettled(guesses)).filter(({ status }) => status === 'fulfilled');
      assert.ok(told.length <= 4, `${told.length} guesses were answered`);
    }),
    { numRuns: 20 },
  );
});
