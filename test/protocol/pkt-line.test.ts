import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeLatin1 as ascii, concatBytes } from '../../src/core/bytes.ts';
import {
  decodePacket,
  encodePacket,
  MAX_PAYLOAD_BYTES,
  type Packet,
  payloadText,
} from '../../src/protocol/pkt-line.ts';

for (const [wire, expected] of [
  ['0000', { kind: 'flush' }],
  ['0001', { kind: 'delimiter' }],
  ['0002', { kind: 'response-end' }],
  ['0004', { kind: 'data', payload: ascii('') }],
  ['0006a\n', { kind: 'data', payload: ascii('a\n') }],
  ['000Bfoobar\n', { kind: 'data', payload: ascii('foobar\n') }],
  ['000bfoobar\n', { kind: 'data', payload: ascii('foobar\n') }],
] as const) {
  test(`decodePacket() reads ${JSON.stringify(wire)} as ${expected.kind}`, () => {
    assert.deepEqual(decodePacket(ascii(wire), 0), { packet: expected, end: wire.length });
  });
}

for (const wire of ['0003', 'fff1', 'ffff', 'zz00', '-001', ' 004', '+004', '0x04', '00\n4']) {
  test(`decodePacket() rejects ${JSON.stringify(wire)}`, () => {
    assert.throws(() => decodePacket(ascii(wire), 0), { code: 'PROTOCOL_VIOLATION' });
  });
}

for (const wire of ['', '0', '000', '0006', '0006a']) {
  test(`decodePacket() wants more bytes after ${JSON.stringify(wire)}`, () => {
    assert.equal(decodePacket(ascii(wire), 0), undefined);
  });
}

test('decodePacket() starts at any offset and says where the packet ends', () => {
  assert.deepEqual(decodePacket(ascii('00000007abc0000'), 4), {
    packet: { kind: 'data', payload: ascii('abc') },
    end: 11,
  });
});

test('encodePacket() counts bytes, not characters', () => {
  assert.deepEqual(encodePacket('é\n'), concatBytes(ascii('0007'), Uint8Array.of(0xc3, 0xa9), ascii('\n')));
});

test('encodePacket() fills a packet to 65520 bytes and no further', () => {
  assert.equal(encodePacket(new Uint8Array(MAX_PAYLOAD_BYTES)).length, 65520);
  assert.throws(() => encodePacket(new Uint8Array(MAX_PAYLOAD_BYTES + 1)), { code: 'INVALID_ARGUMENT' });
});

for (const [payload, text] of [
  ['done', 'done'],
  ['done\n', 'done'],
  ['done\n\n', 'done\n'],
  ['\n', ''],
  ['', ''],
] as const) {
  test(`payloadText() reads ${JSON.stringify(payload)} as ${JSON.stringify(text)}`, () => {
    assert.equal(payloadText(ascii(payload)), text);
  });
}

test('decodePacket() gives back what encodePacket() was given', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 9 }), (payload, after) => {
      const wire = concatBytes(encodePacket(payload), after);
      assert.deepEqual(decodePacket(wire, 0), {
        packet: { kind: 'data', payload } satisfies Packet,
        end: payload.length + 4,
      });
    }),
  );
});
