import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { isGitError } from '../../src/core/errors.ts';
import { parseProxyHeader } from '../../src/transport/proxy-protocol.ts';

const line = (text: string) => new TextEncoder().encode(text);
const SIGNATURE = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];

/** Version 2, with the address bytes as given. */
function binary(command: number, family: number, addresses: readonly number[]): Uint8Array {
  return Uint8Array.of(
    ...SIGNATURE,
    0x20 | command,
    family,
    addresses.length >> 8,
    addresses.length & 255,
    ...addresses,
  );
}

test('version 1: a line', () => {
  const header = 'PROXY TCP4 203.0.113.7 10.0.0.1 56324 22\r\n';
  assert.deepEqual(parseProxyHeader(line(`${header}SSH-2.0-`)), {
    bytes: header.length,
    client: { address: '203.0.113.7', port: 56324 },
  });
  assert.deepEqual(parseProxyHeader(line('PROXY TCP6 2001:DB8:0::1 ::1 1 2\r\n')), {
    bytes: 34,
    client: { address: '2001:db8::1', port: 1 },
  });
  assert.deepEqual(parseProxyHeader(line('PROXY UNKNOWN ffff::1 x 1 2\r\n')), {
    bytes: 29,
    client: undefined,
  });
});

test('version 2: bytes', () => {
  const ipv4 = binary(1, 0x11, [203, 0, 113, 7, 10, 0, 0, 1, 0xdc, 0x04, 0, 22]);
  assert.deepEqual(parseProxyHeader(ipv4), { bytes: 28, client: { address: '203.0.113.7', port: 56324 } });
  const ipv6 = binary(1, 0x21, [
    0x20,
    1,
    0x0d,
    0xb8,
    ...Array(11).fill(0),
    1,
    ...Array(16).fill(0),
    0,
    9,
    0,
    22,
  ]);
  assert.deepEqual(parseProxyHeader(ipv6), { bytes: 52, client: { address: '2001:db8::1', port: 9 } });
  assert.deepEqual(parseProxyHeader(binary(0, 0, [])), { bytes: 16, client: undefined });
});

test('a header may come in pieces', () => {
  const headers = [line('PROXY TCP4 203.0.113.7 10.0.0.1 56324 22\r\n'), binary(1, 0x11, Array(12).fill(1))];
  for (const header of headers) {
    for (let length = 0; length < header.length; length++) {
      assert.equal(parseProxyHeader(header.subarray(0, length)), 'incomplete');
    }
    assert.notEqual(parseProxyHeader(header), 'incomplete');
  }
});

test('what is no header is refused', () => {
  const wrong = [
    line('SSH-2.0-OpenSSH_9.2\r\n'),
    line('PROXY TCP4 203.0.113.256 10.0.0.1 1 2\r\n'),
    line('PROXY TCP4 203.0.113.7 10.0.0.1 65536 2\r\n'),
    line('PROXY TCP4 ::1 ::1 1 2\r\n'),
    line('PROXY TCP6 1.2.3.4]/ ::1 1 2\r\n'),
    line('PROXY TCP4 203.0.113.7\r\n'),
    line(`PROXY UNKNOWN ${'x'.repeat(200)}\r\n`),
    line('PROXY UNKNOWN\n'),
    binary(2, 0x11, Array(12).fill(1)),
    Uint8Array.of(...SIGNATURE, 0x31, 0x11, 0, 12, ...Array(12).fill(1)),
    binary(1, 0x11, Array(5000).fill(1)),
  ];
  for (const bytes of wrong) assert.throws(() => parseProxyHeader(bytes), { code: 'PROTOCOL_VIOLATION' });
});

test('any bytes give a value or a GitError', () => {
  const starts = fc.constantFrom<readonly number[]>([], SIGNATURE, [...line('PROXY '), ...line('TCP4 ')]);
  fc.assert(
    fc.property(starts, fc.uint8Array({ maxLength: 200 }), (start, rest) => {
      try {
        parseProxyHeader(Uint8Array.of(...start, ...rest));
      } catch (error) {
        assert.ok(isGitError(error, 'PROTOCOL_VIOLATION'));
      }
    }),
  );
});
