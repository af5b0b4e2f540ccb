import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeLatin1 as ascii, concatBytes, decodeLatin1 } from '../../src/core/bytes.ts';
import { isGitError } from '../../src/core/errors.ts';
import { PacketReader } from '../../src/protocol/packet-reader.ts';
import { encodePacket, type Packet, payloadText } from '../../src/protocol/pkt-line.ts';
import { chunked, drain } from '../support/streams.ts';

const shown = (packet: Packet): string =>
  packet.kind === 'data' ? payloadText(packet.payload) : packet.kind;

async function readAll(reader: PacketReader): Promise<string[]> {
  const lines: string[] = [];
  for (let packet = await reader.next(); packet !== undefined; packet = await reader.next()) {
    lines.push(shown(packet));
  }
  return lines;
}

test('next() gives packets in order, then undefined', async () => {
  const reader = new PacketReader(chunked(ascii('0009want\n00000008have0001')), 1000);
  assert.deepEqual(await readAll(reader), ['want', 'flush', 'have', 'delimiter']);
  assert.equal(await reader.next(), undefined);
});

test('take() gives only what has arrived', async () => {
  const reader = new PacketReader(chunked(ascii('0006ab0000'), [8, 2]), 1000);
  assert.equal(reader.take(), undefined);
  assert.equal(await reader.fill(), true);
  assert.equal(shown(reader.take() as Packet), 'ab');
  assert.equal(reader.take(), undefined);
  assert.equal(await reader.fill(), true);
  assert.equal(shown(reader.take() as Packet), 'flush');
  assert.equal(await reader.fill(), false);
});

test('a stream that ends inside a packet is a protocol violation', async () => {
  for (const wire of ['0', '0009wan']) {
    const reader = new PacketReader(chunked(ascii(wire)), 1000);
    await assert.rejects(reader.next(), { code: 'PROTOCOL_VIOLATION' });
  }
});

test('the limit is for the packets of one request', async () => {
  const wire = ascii('0008abcd'.repeat(4));
  const refused = new PacketReader(chunked(wire), 16);
  await refused.next();
  await refused.next();
  await assert.rejects(refused.next(), { code: 'LIMIT_EXCEEDED' });

  const renewed = new PacketReader(chunked(wire), 16);
  await renewed.next();
  await renewed.next();
  renewed.beginRequest();
  assert.deepEqual(await readAll(renewed), ['abcd', 'abcd']);
});

test('rest() is every byte after the packets read, and closes the source', async () => {
  let closed = false;
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      yield* chunked(ascii('0006ab0000PACK and so on'), [7]);
    } finally {
      closed = true;
    }
  }
  const reader = new PacketReader(source(), 1000);
  await reader.next();
  await reader.next();
  assert.equal(decodeLatin1(await drain(reader.rest())), 'PACK and so on');
  assert.equal(closed, true);
});

test('close() tells the source, and may be called twice', async () => {
  let closed = 0;
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      yield* chunked(ascii('00000000'), [4]);
    } finally {
      closed++;
    }
  }
  const reader = new PacketReader(source(), 1000);
  await reader.next();
  await reader.close();
  await reader.close();
  assert.equal(closed, 1);
  assert.equal(await reader.next(), undefined);
});

test('the same packets and the same rest, however the bytes are chunked', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 2000 }), { maxLength: 20 }),
      fc.uint8Array({ maxLength: 100 }),
      fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1 }),
      async (payloads, tail, cuts) => {
        const wire = concatBytes(...payloads.map(encodePacket), ascii('0000'), tail);
        const reader = new PacketReader(chunked(wire, cuts), 1_000_000);
        for (const payload of payloads) {
          assert.deepEqual({ ...(await reader.next()) }, { kind: 'data', payload });
        }
        assert.deepEqual(await reader.next(), { kind: 'flush' });
        assert.deepEqual(await drain(reader.rest()), tail);
      },
    ),
  );
});

test('random bytes give packets or a GitError', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), fc.integer({ min: 1, max: 9 }), async (bytes, cut) => {
      try {
        await readAll(new PacketReader(chunked(bytes, [cut]), 100));
      } catch (error) {
        assert.ok(isGitError(error, 'PROTOCOL_VIOLATION', 'LIMIT_EXCEEDED'));
      }
    }),
  );
});
