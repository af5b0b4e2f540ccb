/**
 * Lines of a request up to the packet that ends them.
 *
 * @module
 */
import { Pace } from '../core/pace.ts';
import { violation } from './fetch-context.ts';
import type { PacketReader } from './packet-reader.ts';
import { type Packet, payloadText } from './pkt-line.ts';

export type LinesEnd = Exclude<Packet['kind'], 'data'>;

/** Few lines are read without a rest: a small request has waited for its turn (`bench:latency`). */
const LINES_BETWEEN_LOOKS = 128;

/** Whether whoever has read so many lines should look at its {@link Pace}. */
export function isLookDue(lines: number): boolean {
  return lines % LINES_BETWEEN_LOOKS === LINES_BETWEEN_LOOKS - 1;
}

/**
 * Give each line to `read`, waiting once for all that arrive together.
 *
 * @returns what ended them; `undefined` when the stream ended before the first line
 * @throws {GitError} PROTOCOL_VIOLATION when it ended later; ABORTED
 */
export async function readLines(
  packets: PacketReader,
  read: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<LinesEnd | undefined> {
  const pace = new Pace(signal);
  for (let count = 0; ; count++) {
    if (isLookDue(count) && pace.isDue()) await pace.rest();
    const packet = packets.take() ?? (await packets.next());
    if (packet === undefined) {
      if (count === 0) return undefined;
      throw violation('the remote end hung up unexpectedly');
    }
    if (packet.kind !== 'data') return packet.kind;
    read(payloadText(packet.payload));
  }
}
