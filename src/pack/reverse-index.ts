/**
 * From pack offsets back to ranks: the entries of a pack in the order they lie in it.
 * Spec: gitformat-pack(5), "pack-*.rev files have the format".
 *
 * @module
 */
import { readUint32 } from '../core/bytes.ts';
import type { ObjectFormat } from '../core/object-id.ts';

/** Entries in pack order; both arrays have one element an object. */
export interface ReverseIndex {
  /** Rank of the n-th entry of the pack. */
  readonly ranks: Uint32Array;
  /** Where the n-th entry starts; strictly ascending unless the index is broken. */
  readonly offsets: Uint32Array | Float64Array;
}

const SIGNATURE = 0x52494458; // RIDX
const HEADER_BYTES = 12;
const DIGIT_BITS = 16;
const DIGITS = 1 << DIGIT_BITS;

/**
 * The table of a .rev file, checked against the index: it must name every entry in ascending order.
 *
 * @param offsets where each rank's entry starts
 * @returns `undefined` when the file is not usable for this pack; the caller then sorts for itself
 */
export function parseReverseIndex(
  bytes: Uint8Array,
  format: ObjectFormat,
  packChecksum: Uint8Array,
  offsets: Uint32Array | Float64Array,
): ReverseIndex | undefined {
  const count = offsets.length;
  const checksumAt = HEADER_BYTES + 4 * count;
  if (bytes.length !== checksumAt + 2 * format.idBytes) return undefined;
  if (readUint32(bytes, 0) !== SIGNATURE || readUint32(bytes, 4) !== 1) return undefined;
  if (readUint32(bytes, 8) !== format.hashVersion) return undefined;
  for (let i = 0; i < format.idBytes; i++) if (bytes[checksumAt + i] !== packChecksum[i]) return undefined;

  const ranks = new Uint32Array(count);
  const sorted = offsetsLike(offsets);
  let previous = 0;
  for (let i = 0; i < count; i++) {
    const rank = readUint32(bytes, HEADER_BYTES + 4 * i);
    if (rank >= count) return undefined;
    const offset = offsets[rank] as number;
    if (offset <= previous) return undefined;
    ranks[i] = rank;
    sorted[i] = offset;
    previous = offset;
  }
  return { ranks, offsets: sorted };
}

/** Sort the ranks by offset: a radix sort, as an index may name tens of millions of entries. */
export function buildReverseIndex(offsets: Uint32Array | Float64Array): ReverseIndex {
  const count = offsets.length;
  let highest = 0;
  for (let i = 0; i < count; i++) highest = Math.max(highest, offsets[i] as number);

  let ranks = new Uint32Array(count);
  let sorted = new Uint32Array(count);
  for (let i = 0; i < count; i++) ranks[i] = i;

  const starts = new Uint32Array(DIGITS);
  for (let scale = 1; scale <= highest; scale *= DIGITS) {
    starts.fill(0);
    for (let i = 0; i < count; i++) starts[digitOf(offsets[i] as number, scale)]!++;
    let next = 0;
    for (let digit = 0; digit < DIGITS; digit++) {
      const size = starts[digit] as number;
      starts[digit] = next;
      next += size;
    }
    for (let i = 0; i < count; i++) {
      const rank = ranks[i] as number;
      sorted[starts[digitOf(offsets[rank] as number, scale)]!++] = rank;
    }
    [ranks, sorted] = [sorted, ranks];
  }

  const inOrder = offsetsLike(offsets);
  for (let i = 0; i < count; i++) inOrder[i] = offsets[ranks[i] as number] as number;
  return { ranks, offsets: inOrder };
}

function digitOf(offset: number, scale: number): number {
  // Offsets may be wider than 31 bits: divide, then keep the low digit.
  return Math.floor(offset / scale) % DIGITS;
}

function offsetsLike(offsets: Uint32Array | Float64Array): Uint32Array | Float64Array {
  return offsets instanceof Uint32Array ? new Uint32Array(offsets.length) : new Float64Array(offsets.length);
}
