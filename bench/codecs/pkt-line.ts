import { decodePacket, encodePacket } from '../../src/protocol/pkt-line.ts';
import { type Case, sampleNoise } from './case.ts';

const PACKETS = 500;

/** A `have` line, a line of ls-refs, and side-band-64k's largest packet. */
const PAYLOAD_BYTES = [45, 70, 65516];

export function packetCases(): Case[] {
  return PAYLOAD_BYTES.flatMap((payloadBytes) => {
    const items = payloadBytes > 1000 ? 20 : PACKETS;
    const payload = sampleNoise(payloadBytes);
    const wire = new Uint8Array(items * (payloadBytes + 4));
    for (let i = 0; i < items; i++) wire.set(encodePacket(payload), i * (payloadBytes + 4));
    const common = { group: 'pkt-line', items, bytes: items * payloadBytes };
    return [
      {
        ...common,
        name: `decode packets of ${payloadBytes} bytes`,
        run: () => {
          let offset = 0;
          for (let step = decodePacket(wire, 0); step; step = decodePacket(wire, offset)) offset = step.end;
        },
      },
      {
        ...common,
        name: `encode packets of ${payloadBytes} bytes`,
        run: () => {
          for (let i = 0; i < items; i++) encodePacket(payload);
        },
      },
    ];
  });
}
