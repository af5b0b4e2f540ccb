/**
 * Packets as readable lines, as git's `test-tool pkt-line pack` and `unpack` show them: a flush is `0000`, a
 * delimiter `0001`, a response end `0002`, and a side-band packet `1:`, `2:` or `3:` and its content.
 *
 * @module
 */
import { concatBytes, decodeLatin1, encodeText } from '../../src/core/bytes.ts';
import { decodePacket, encodePacket, type Packet, payloadText } from '../../src/protocol/pkt-line.ts';

const MARKERS = { flush: '0000', delimiter: '0001', 'response-end': '0002' } as const;

/** Every packet of `wire`. @throws when bytes are left over */
export function readPackets(wire: Uint8Array): Packet[] {
  const packets: Packet[] = [];
  for (let offset = 0; offset < wire.length; ) {
    const step = decodePacket(wire, offset);
    if (step === undefined) {
      throw new Error(`${wire.length - offset} bytes are left: ${decodeLatin1(wire, offset)}`);
    }
    packets.push(step.packet);
    offset = step.end;
  }
  return packets;
}

/** One line a packet, each sent with a newline; `0000`, `0001` and `0002` are markers. */
export function packLines(lines: readonly string[]): Uint8Array {
  return concatBytes(
    ...lines.map((line) => (/^000[012]$/.test(line) ? encodeText(line) : encodePacket(`${line}\n`))),
  );
}

/** The other way round, without the newlines. NUL is shown as `\0`. */
export function unpackLines(wire: Uint8Array): string[] {
  return readPackets(wire).map(packetLine);
}

export function packetLine(packet: Packet): string {
  if (packet.kind !== 'data') return MARKERS[packet.kind];
  const band = packet.payload[0];
  if (band === 1 || band === 2 || band === 3) return `${band}:${decodeLatin1(packet.payload, 1)}`;
  return payloadText(packet.payload).replace('\0', '\\0');
}
