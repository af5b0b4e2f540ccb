import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { RequestRhythm } from '../../src/transport/request-rhythm.ts';

const COMMAND = '000cshallow\n';
const PACKET = '0009want\n';

/** For each of `chunks`, whether the client may think after it. */
function pauses(chunks: readonly string[], openingPackets?: number): boolean[] {
  const rhythm = new RequestRhythm(openingPackets);
  return chunks.map((chunk) => {
    rhythm.follow(Buffer.from(chunk, 'latin1'));
    return rhythm.isBetween;
  });
}

for (const [what, chunks, expected] of [
  ['wants end with a flush', [PACKET, PACKET, '0000'], [false, false, true]],
  ['a flush may come with them', [`${PACKET}0000`, `${PACKET}`, '0000'], [true, false, true]],
  ['and in pieces', ['0', '00', '0', '00'], [false, false, true, false]],
  ['a delimiter ends nothing', [`${PACKET}0001`, `${PACKET}0000`], [false, true]],
  ['a flush within a packet is none', ['000c0000', '0000', '0000'], [false, false, true]],
  ['commands, then the pack', [`${COMMAND}0000`, 'PACK0000', '0000'], [true, false, false]],
  ['commands, options, pack', [`${COMMAND}0000`, `${PACKET}0000`, 'PACK'], [true, true, false]],
  ['what is no packet has no end', ['what0000', '0000'], [false, false]],
] as const) {
  test(what, () => assert.deepEqual(pauses(chunks), expected));
}

test('before the first byte the client may think', () => assert.ok(new RequestRhythm().isBetween));

test('the first packet of git:// is a request', () => {
  assert.deepEqual(pauses([PACKET.slice(0, 6), PACKET.slice(6), PACKET, '0000'], 1), [
    false,
    true,
    false,
    true,
  ]);
});

test('however the bytes are cut, it ends the same', () => {
  const anyPacket = fc.constantFrom('0000', '0001', '0004', PACKET, COMMAND, '000c0000PACK', 'PACK');
  fc.assert(
    fc.property(fc.array(anyPacket), fc.array(fc.integer({ min: 1, max: 9 })), (packets, cuts) => {
      const wire = packets.join('');
      const chunks: string[] = [];
      for (let at = 0, n = 0; at < wire.length; n++) {
        const size = cuts[n] ?? 5;
        chunks.push(wire.slice(at, at + size));
        at += size;
      }
      assert.equal(pauses(chunks).at(-1), pauses(wire === '' ? [] : [wire]).at(-1));
    }),
  );
});
