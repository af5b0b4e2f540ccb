/**
 * Adler-32, sixteen bytes at a time. Spec: RFC 1950, section 8.2.
 *
 * @module
 */

const MODULUS: u32 = 65521;
/** The sums of so many bytes fit in a word, whatever they are; a multiple of 16. */
const MOST_UNREDUCED: usize = 5552;

/** Sixteen bytes of ones, then sixteen of zeros. */
const ONES_AND_ZEROS = memory.data<u8>([
  255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 0, 0,
]);

/** Carried on from `checksum`. Reads, but does not count, up to 15 bytes from `end`. */
export function adler32(checksum: u32, from: usize, end: usize): u32 {
  let low = checksum & 0xffff;
  let high = checksum >> 16;
  while (from + 16 <= end) {
    const stop = from + min((end - from) & ~15, MOST_UNREDUCED);
    high += low * <u32>(stop - from);
    let sums = i32x4.splat(0);
    let sumsBefore = i32x4.splat(0);
    let weighted = i32x4.splat(0);
    for (; from < stop; from += 16) {
      const bytes = v128.load(from);
      sumsBefore = i32x4.add(sumsBefore, sums);
      sums = i32x4.add(sums, sumsOf(bytes));
      weighted = i32x4.add(weighted, weightedSumsOf(bytes));
    }
    low = (low + total(sums)) % MODULUS;
    high = (high + total(sumsBefore) * 16 + total(weighted)) % MODULUS;
  }
  const left = <u32>(end - from);
  if (left > 0) {
    const bytes = v128.and(v128.load(from), v128.load(ONES_AND_ZEROS + 16 - left));
    const sum = total(sumsOf(bytes));
    // The weights are those of sixteen bytes.
    high += low * left + total(weightedSumsOf(bytes)) - sum * (16 - left);
    low += sum;
  }
  return ((high % MODULUS) << 16) | (low % MODULUS);
}

// @ts-ignore: decorator
@inline
function sumsOf(bytes: v128): v128 {
  return i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(bytes));
}

/** Sixteen times the first byte, fifteen times the second, down to once the last. */
// @ts-ignore: decorator
@inline
function weightedSumsOf(bytes: v128): v128 {
  return i32x4.add(
    i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(bytes), i16x8(16, 15, 14, 13, 12, 11, 10, 9)),
    i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_u(bytes), i16x8(8, 7, 6, 5, 4, 3, 2, 1)),
  );
}

function total(lanes: v128): u32 {
  return (
    i32x4.extract_lane(lanes, 0) +
    i32x4.extract_lane(lanes, 1) +
    i32x4.extract_lane(lanes, 2) +
    i32x4.extract_lane(lanes, 3)
  );
}
