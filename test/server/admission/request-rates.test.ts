import assert from 'node:assert/strict';
import test from 'node:test';
import { isGitError } from '../../../src/core/errors.ts';
import { RequestRates } from '../../../src/server/admission/request-rates.ts';

const RATES = { identity: { perSecond: 1, burst: 2 }, address: { perSecond: 1, burst: 3 } };

test('users have their rate wherever they are, and so have addresses', () => {
  const rates = new RequestRates(RATES, () => 0);
  rates.take({ identity: 'alice', address: '192.0.2.1' });
  rates.take({ identity: 'alice', address: '192.0.2.2' });
  assert.throws(
    () => rates.take({ identity: 'alice', address: '192.0.2.3' }),
    (error) => {
      assert.ok(isGitError(error, 'RATE_LIMITED'));
      assert.equal(error.message, 'Too many requests of yours: try again in 1 s');
      assert.equal(error.detail.retryAfterSeconds, 1);
      return true;
    },
  );
  rates.take({ identity: 'bob', address: '192.0.2.1' });
  rates.take({ address: '192.0.2.1' });
  assert.throws(() => rates.take({ identity: 'carol', address: '::ffff:192.0.2.1' }), {
    message: 'Too many requests from your network address: try again in 1 s',
  });
});

test('a request that is refused counts for nobody', () => {
  let now = 0;
  const rates = new RequestRates(RATES, () => now);
  for (let i = 0; i < 2; i++) rates.take({ identity: 'alice', address: '192.0.2.1' });
  for (let i = 0; i < 9; i++) assert.throws(() => rates.take({ identity: 'alice', address: '192.0.2.1' }));
  rates.take({ identity: 'bob', address: '192.0.2.1' });
  now = 1000;
  rates.take({ identity: 'alice', address: '192.0.2.1' });
});

test('a network of IPv6 is one address', () => {
  const rates = new RequestRates(RATES, () => 0);
  for (let host = 1; host <= 3; host++) rates.take({ address: `2001:db8::${host}` });
  assert.throws(() => rates.take({ address: '2001:db8::4' }), { code: 'RATE_LIMITED' });
  rates.take({ address: '2001:db8:0:1::4' });
});

test('whoever comes from nowhere has no rate', () => {
  const rates = new RequestRates(RATES, () => 0);
  for (let i = 0; i < 100; i++) rates.take({});
});

test('rates are replaced, and those that stay the same remember', () => {
  const rates = new RequestRates(RATES, () => 0);
  for (let i = 0; i < 2; i++) rates.take({ identity: 'alice' });
  rates.setSettings({ ...RATES, address: { perSecond: 5, burst: 5 } });
  assert.throws(() => rates.take({ identity: 'alice' }), { code: 'RATE_LIMITED' });
  rates.setSettings({ ...RATES, identity: { perSecond: 0, burst: 1 } });
  for (let i = 0; i < 100; i++) rates.take({ identity: 'alice' });
});
