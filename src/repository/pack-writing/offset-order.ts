/**
 * Sorting millions of objects by where they are stored, without an object or a closure each.
 *
 * @module
 */
import type { Pace } from '../../core/pace.ts';

const DIGIT_BITS = 11;
const RADIX = 1 << DIGIT_BITS;

/**
 * The numbers of the objects, ascending by pack, then offset, then number (least significant digit first radix sort).
 *
 * @param packs pack of each object, below `packCount`
 * @param offsets offset of each object, 0 to 2^53 - 1
 */
export async function sortByKeys(
  packs: Uint32Array,
  packCount: number,
  offsets: Float64Array,
  pace: Pace,
): Promise<Uint32Array> {
  const count = packs.length;
  let largest = 0;
  for (let i = 0; i < count; i++) largest = Math.max(largest, offsets[i] as number);

  let order = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[i] = i;
  let other = new Uint32Array(count);

  const starts = new Uint32Array(Math.max(RADIX, packCount) + 1);
  for (let unit = 1; unit <= largest; unit *= RADIX) {
    starts.fill(0);
    // `&` keeps the low 32 bits of whatever integer is left of it: offsets above 2^32 need no more care.
    for (let i = 0; i < count; i++) starts[(((offsets[i] as number) / unit) & (RADIX - 1)) + 1]!++;
    for (let digit = 1; digit < RADIX; digit++) starts[digit]! += starts[digit - 1] as number;
    for (let i = 0; i < count; i++) {
      const object = order[i] as number;
      const digit = ((offsets[object] as number) / unit) & (RADIX - 1);
      other[starts[digit]!++] = object;
    }
    [order, other] = [other, order];
    if (pace.isDue()) await pace.rest();
  }
  if (packCount === 1) return order;

  starts.fill(0);
  for (let i = 0; i < count; i++) starts[(packs[i] as number) + 1]!++;
  for (let pack = 1; pack < packCount; pack++) starts[pack]! += starts[pack - 1] as number;
  for (let i = 0; i < count; i++) {
    const object = order[i] as number;
    other[starts[packs[object] as number]!++] = object;
  }
  return other;
}
