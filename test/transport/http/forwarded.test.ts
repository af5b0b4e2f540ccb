import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { type ForwardedHeader, forwardedAddress } from '../../../src/transport/http/forwarded.ts';

const isTrusted = (address: string): boolean => address.startsWith('10.') || address === '::1';
const clientOf = (header: ForwardedHeader, value: string | null): string =>
  forwardedAddress(header, value, '10.0.0.1', isTrusted);

for (const [value, client] of [
  [null, '10.0.0.1'],
  ['', '10.0.0.1'],
  ['203.0.113.7', '203.0.113.7'],
  ['198.51.100.1, 203.0.113.7', '203.0.113.7'],
  ['198.51.100.1,203.0.113.7, 10.0.0.2,10.0.0.3', '203.0.113.7'],
  ['10.0.0.9, 10.0.0.2', '10.0.0.9'],
  ['203.0.113.7:4711', '203.0.113.7'],
  ['[2001:DB8::1]:4711', '2001:db8::1'],
  ['2001:db8::1', '2001:db8::1'],
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['203.0.113.7, unknown', '10.0.0.1'],
  ['203.0.113.7, unknown, 10.0.0.2', '10.0.0.2'],
  ['203.0.113.7,', '10.0.0.1'],
  [`203.0.113.7, ${'10.0.0.2, '.repeat(100)}10.0.0.2`, '10.0.0.2'],
  [`203.0.113.7, ${' '.repeat(1000)}10.0.0.2`, '10.0.0.1'],
] as const) {
  test(`X-Forwarded-For: ${String(value).slice(0, 60)}`, () => {
    assert.equal(clientOf('x-forwarded-for', value), client);
  });
}

for (const [value, client] of [
  ['for=203.0.113.7', '203.0.113.7'],
  ['For="[2001:db8:cafe::17]:4711"', '2001:db8:cafe::17'],
  ['for=192.0.2.60;proto=http;by=203.0.113.43', '192.0.2.60'],
  ['by=203.0.113.43; for=192.0.2.60', '192.0.2.60'],
  ['for=198.51.100.1, for=203.0.113.7, for="[::1]"', '203.0.113.7'],
  ['for=unknown', '10.0.0.1'],
  ['for=_hidden, for=10.0.0.2', '10.0.0.2'],
  ['proto=https', '10.0.0.1'],
  // A client that leaves a quote open does not hide what the proxy has added.
  ['for="198.51.100.1, for=203.0.113.7', '203.0.113.7'],
  ['for="198.51.100.1, for="[2001:db8::1]"', '2001:db8::1'],
  ['for=198.51.100.1;x="a,b", for=203.0.113.7', '203.0.113.7'],
  ['xfor=198.51.100.1', '10.0.0.1'],
] as const) {
  test(`Forwarded: ${value}`, () => {
    assert.equal(clientOf('forwarded', value), client);
  });
}

test('whatever a client writes, the address that a trusted proxy has added counts', () => {
  fc.assert(
    fc.property(fc.string(), fc.ipV4(), (written, address) => {
      fc.pre(!isTrusted(address));
      assert.equal(clientOf('x-forwarded-for', `${written}, ${address}`), address);
      assert.equal(clientOf('x-forwarded-for', `${written}, ${address}, 10.0.0.2`), address);
      assert.equal(clientOf('forwarded', `${written}, for=${address}`), address);
      assert.equal(clientOf('forwarded', `${written}, for="${address}:1", for=10.0.0.2`), address);
    }),
  );
});
