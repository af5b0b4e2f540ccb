import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { addressKey } from '../../../src/server/limits/address-key.ts';

for (const [address, key] of [
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['::FFFF:c000:207', '192.0.2.7'],
  ['0:0:0:0:0:ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:0DB8:0001:0002::', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['64:ff9b::192.0.2.7', '64:ff9b:0:0::/64'],
  ['unix', 'unix'],
  ['', ''],
] as const) {
  test(`${JSON.stringify(address)} counts as ${JSON.stringify(key)}`, () => {
    assert.equal(addressKey(address), key);
  });
}

test('what is no address is not kept whole', () => {
  assert.equal(addressKey('x'.repeat(10_000)).length, 64);
});

test('every address of a /64 is one client, and its neighbour another', () => {
  const group = fc.integer({ min: 0, max: 0xffff });
  const network = fc.tuple(group, group, group, group).filter(([a, b, c, d]) => a + b + c + d > 0);
  fc.assert(
    fc.property(network, fc.array(group, { minLength: 8, maxLength: 8 }), (groups, hosts) => {
      const write = (parts: readonly number[]): string => parts.map((part) => part.toString(16)).join(':');
      const [one, other] = [hosts.slice(0, 4), hosts.slice(4)];
      const neighbour = [...groups.slice(0, 3), groups[3] ^ 1];
      const key = addressKey(write([...groups, ...one]));
      assert.equal(addressKey(write([...groups, ...other])), key);
      assert.notEqual(addressKey(write([...neighbour, ...one])), key);
    }),
  );
});
