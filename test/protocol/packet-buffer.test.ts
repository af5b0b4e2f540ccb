import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { concatBytes, encodeText } from '../../src/core/bytes.ts';
import { PacketBuffer } from '../../src/protocol/packet-buffer.ts';
import { encodePacket, MAX_PAYLOAD_BYTES } from '../../src/protocol/pkt-line.ts';
import { unpackLines } from '../support/packets.ts';

test('lines and markers come out in order', () => {
  const packets = new PacketBuffer().line('version 2\n').delimiter().line('done').flush();
  assert.deepEqual(unpackLines(packets.take()), ['version 2', '0001', 'done', '0000']);
});

test('take() empties it', () => {
  const packets = new PacketBuffer().line('a');
  const first = packets.take();
  assert.equal(packets.take().length, 0);
  packets.line('b');
  assert.deepEqual(unpackLines(packets.take()), ['b']);
  assert.deepEqual(unpackLines(first), ['a']);
});

test('it is full at 64 KiB', () => {
  const packets = new PacketBuffer();
  for (let i = 0; i < 1023; i++) packets.line('x'.repeat(60));
  assert.equal(packets.isFull, false);
  packets.line('x'.repeat(60));
  assert.equal(packets.isFull, true);
  assert.equal(packets.take().length, 64 * 1024);
  assert.equal(packets.isFull, false);
});

test('a line must fit one packet', () => {
  assert.equal(new PacketBuffer().line('x'.repeat(MAX_PAYLOAD_BYTES)).take().length, 65520);
  assert.throws(() => new PacketBuffer().line('é'.repeat(MAX_PAYLOAD_BYTES / 2 + 1)), {
    code: 'INVALID_ARGUMENT',
  });
});

test('it writes what encodePacket() writes', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' })), (lines) => {
      const packets = new PacketBuffer();
      for (const line of lines) packets.line(line);
      assert.deepEqual(packets.take(), concatBytes(...lines.map((line) => encodePacket(encodeText(line)))));
    }),
  );
});
