import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import test from 'node:test';
import fc from 'fast-check';
import { canonicalAddress, networkOf } from '../../src/transport/ip-address.ts';

for (const [text, canonical] of [
  ['192.0.2.1', '192.0.2.1'],
  ['2001:DB8:0::1', '2001:db8::1'],
  ['0:0:0:0:0:0:0:1', '::1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::FFFF:c000:0201', '192.0.2.1'],
  ['::ffff:0.0.0.0', '0.0.0.0'],
  ['fe80::1%eth0', 'fe80::1'],
  ['010.0.0.1', undefined],
  ['192.0.2.256', undefined],
  ['192.0.2', undefined],
  ['192.0.2.1.1', undefined],
  ['0x7f.0.0.1', undefined],
  ['[::1]', undefined],
  ['::1]/[', undefined],
  ['::1::', undefined],
  ['1.2.3.4:80', undefined],
  ['localhost', undefined],
  ['', undefined],
] as const) {
  test(`the canonical spelling of '${text}' is ${canonical}`, () => {
    assert.equal(canonicalAddress(text), canonical);
  });
}

test('canonical addresses are what node:net takes for addresses, and stay as they are', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()), (text) => {
      const canonical = canonicalAddress(text);
      assert.equal(canonical !== undefined, isIP(text) !== 0, text);
      if (canonical !== undefined) assert.equal(canonicalAddress(canonical), canonical);
    }),
  );
});

for (const [address, network] of [
  ['192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['::', '0:0:0:0::/64'],
  ['1::', '1:0:0:0::/64'],
] as const) {
  test(`${address} is counted with ${network}`, () => {
    assert.equal(networkOf(address), network);
  });
}

test('addresses are of one network when their first 64 bits are the same', () => {
  const groups = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 4, maxLength: 4 });
  const spelled = (all: number[]) =>
    canonicalAddress(all.map((group) => group.toString(16)).join(':')) as string;
  fc.assert(
    fc.property(groups, groups, groups, (front, back, other) => {
      fc.pre(front.some((group) => group !== 0)); // else it may be IPv4 in disguise
      assert.equal(networkOf(spelled([...front, ...back])), networkOf(spelled([...front, ...other])));
      const isSame = front.every((group, i) => group === other[i]);
      fc.pre(other.some((group) => group !== 0));
      assert.equal(
        networkOf(spelled([...front, ...back])) === networkOf(spelled([...other, ...back])),
        isSame,
      );
    }),
  );
});
