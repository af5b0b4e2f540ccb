/**
 * EWAH: bitmaps as runs of equal 64-bit words and words as they are, the way they stand in .bitmap files.
 * Spec: gitformat-bitmap(5), "Serialization format for an EWAH bitmap".
 *
 * @module
 */
import type { Bitset } from './bitset.ts';

/** Before the words: how many bits and how many words there are. After them: where the last run begins. */
const HEADER_BYTES = 8;
const TRAILER_BYTES = 4;
const WORD_BYTES = 8;

/** @returns the offset just past the bitmap that begins at `at`; -1 when that is beyond `end` */
export function endOfEwah(view: DataView, at: number, end: number): number {
  if (end - at < HEADER_BYTES + TRAILER_BYTES) return -1;
  const past = at + HEADER_BYTES + WORD_BYTES * view.getUint32(at + 4) + TRAILER_BYTES;
  return past <= end ? past : -1;
}

/**
 * Toggle in `into` every bit that is set in the bitmap at `at`, which {@link endOfEwah} has accepted. Into an empty set
 * this decodes it; bitmaps stored as the difference from another one come apart by toggling both.
 *
 * @returns false when it is malformed, or sets bits in words that `into` does not have; `into` is then of no use
 */
export function toggleEwah(view: DataView, at: number, into: Bitset): boolean {
  const { words, size } = into;
  const end = at + HEADER_BYTES + WORD_BYTES * view.getUint32(at + 4);
  // A 64-bit word of the file is two of the set, the lower half first; the set may lack the last upper half.
  const most = words.length + (words.length & 1);
  let word = 0;
  for (let next = at + HEADER_BYTES; next < end; ) {
    const high = view.getUint32(next);
    const low = view.getUint32(next + 4);
    next += WORD_BYTES;
    const runEnd = word + 2 * ((low >>> 1) + (high & 1) * 0x80000000);
    if ((low & 1) !== 0) {
      if (runEnd > most) return false;
      for (const stop = Math.min(runEnd, words.length); word < stop; word++)
        words[word] = ~(words[word] as number);
    }
    word = runEnd;

    const literalsEnd = next + WORD_BYTES * (high >>> 1);
    if (literalsEnd > end) return false;
    if (literalsEnd === next) continue;
    if (word + 2 * (high >>> 1) > most) return false;
    for (; next < literalsEnd; next += WORD_BYTES, word += 2) {
      words[word] = (words[word] as number) ^ view.getUint32(next + 4);
      // A write past the end of a typed array does nothing.
      words[word + 1] = (words[word + 1] as number) ^ view.getUint32(next);
    }
  }
  if ((size & 31) !== 0) {
    const last = words.length - 1;
    words[last] = (words[last] as number) & ((1 << (size & 31)) - 1);
  }
  return true;
}
