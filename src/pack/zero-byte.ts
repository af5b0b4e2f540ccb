/**
 * Finding the NUL behind a name.
 *
 * @module
 */

/**
 * Where the first zero byte of `bytes[at, end)` is; `end` when there is none. Four bytes at a time, until one of them is
 * zero: names in trees are long enough.
 *
 * @param view of `bytes`
 */
export function zeroByteAt(bytes: Uint8Array, view: DataView, at: number, end: number): number {
  let i = at;
  for (const stop = end - 4; i <= stop; i += 4) {
    const word = view.getInt32(i, true);
    const zeros = (word - 0x01010101) & ~word & 0x80808080;
    if (zeros !== 0) return i + ((31 - Math.clz32(zeros & -zeros)) >> 3);
  }
  while (i < end && bytes[i] !== 0) i++;
  return i;
}
