/**
 * The functions and constants of the four times twenty rounds, for one block and for four.
 * Spec: FIPS 180-4, 4.1.1 and 4.2.1.
 *
 * @module
 */

export const K0: i32 = 0x5a827999;
export const K1: i32 = 0x6ed9eba1;
export const K2: i32 = <i32>0x8f1bbcdc;
export const K3: i32 = <i32>0xca62c1d6;

/** Rounds 0 to 19. */
// @ts-ignore: decorator
@inline
export function choose(b: i32, c: i32, d: i32): i32 {
  return d ^ (b & (c ^ d));
}

/** Rounds 20 to 39 and 60 to 79. */
// @ts-ignore: decorator
@inline
export function parity(b: i32, c: i32, d: i32): i32 {
  return b ^ c ^ d;
}

/** Rounds 40 to 59. A sum where the standard has an or: no bit is in both. */
// @ts-ignore: decorator
@inline
export function majority(b: i32, c: i32, d: i32): i32 {
  return (b & c) + (d & (b ^ c));
}

// @ts-ignore: decorator
@inline
export function chooseLanes(b: v128, c: v128, d: v128): v128 {
  return v128.xor(d, v128.and(b, v128.xor(c, d)));
}

// @ts-ignore: decorator
@inline
export function parityLanes(b: v128, c: v128, d: v128): v128 {
  return v128.xor(v128.xor(c, d), b);
}

// @ts-ignore: decorator
@inline
export function majorityLanes(b: v128, c: v128, d: v128): v128 {
  return v128.or(v128.and(c, d), v128.and(b, v128.or(c, d)));
}
