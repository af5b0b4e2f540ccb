import assert from 'node:assert/strict';
import test from 'node:test';
import { trustedNetworks } from '../../../src/server/doors/trusted-networks.ts';

test('networks and addresses, of both families', () => {
  const isTrusted = trustedNetworks(['10.0.0.0/8', '192.0.2.1', '2001:db8::/32', '::1']);
  for (const address of [
    '10.0.0.1',
    '10.255.255.255',
    '192.0.2.1',
    '2001:db8:1::1',
    '::1',
    '::ffff:10.1.2.3',
  ]) {
    assert.ok(isTrusted(address), address);
  }
  for (const address of ['11.0.0.1', '192.0.2.2', '2001:db9::1', '::2', '::ffff:11.0.0.1', 'localhost', '']) {
    assert.ok(!isTrusted(address), address);
  }
});

test('without networks nobody is trusted', () => {
  assert.equal(trustedNetworks([])('127.0.0.1'), false);
});

test('a whole family is a network', () => {
  assert.equal(trustedNetworks(['0.0.0.0/0'])('203.0.113.7'), true);
  assert.equal(trustedNetworks(['0.0.0.0/0'])('::1'), false);
});

for (const network of [
  '',
  '10.0.0.0/33',
  '::1/129',
  '10.0.0/8',
  'localhost',
  '10.0.0.0/8/8',
  '10.0.0.0/',
  '::ffff:10.0.0.0/104',
]) {
  test(`'${network}' is no network`, () => {
    assert.throws(() => trustedNetworks([network]), { code: 'INVALID_ARGUMENT' });
  });
}
