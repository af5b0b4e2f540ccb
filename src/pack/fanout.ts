/**
 * The fan-out table before sorted ids, as .idx, multi-pack-index and commit-graph files have them.
 * Spec: gitformat-pack(5), gitformat-chunk(5).
 *
 * @module
 */
import { readUint32 } from '../core/bytes.ts';

export const FANOUT_BYTES = 1024;

/**
 * The table at `bytes[at]`: how many ids have a first byte below each, so that those with first byte `b` have the ranks
 * `[fanout[b], fanout[b + 1])`.
 *
 * @returns `undefined` when it descends, as none does
 */
export function readFanout(bytes: Uint8Array, at: number): Uint32Array | undefined {
  const fanout = new Uint32Array(257);
  for (let byte = 0; byte < 256; byte++) {
    const below = readUint32(bytes, at + 4 * byte);
    if (below < (fanout[byte] as number)) return undefined;
    fanout[byte + 1] = below;
  }
  return fanout;
}
