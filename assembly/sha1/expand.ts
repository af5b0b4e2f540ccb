/**
 * Message expansion, four blocks at a time: no block waits for another there.
 * Spec: FIPS 180-4, 6.1.2, step 1.
 *
 * @module
 */
import { SUMMED, WORDS } from './layout';
import { K0, K1, K2, K3 } from './round-functions';

/** Expand the messages of the four blocks that begin at these places. */
export function expand(p0: usize, p1: usize, p2: usize, p3: usize): void {
  const k0 = i32x4.splat(K0);
  for (let at: usize = 0; at < 64; at += 16) {
    const a = bigEndian(v128.load(p0 + at));
    const b = bigEndian(v128.load(p1 + at));
    const c = bigEndian(v128.load(p2 + at));
    const d = bigEndian(v128.load(p3 + at));
    const ab01 = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
    const ab23 = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
    const cd01 = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
    const cd23 = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
    const to = at << 2;
    put(to, v128.shuffle<i64>(ab01, cd01, 0, 2), k0);
    put(to + 16, v128.shuffle<i64>(ab01, cd01, 1, 3), k0);
    put(to + 32, v128.shuffle<i64>(ab23, cd23, 0, 2), k0);
    put(to + 48, v128.shuffle<i64>(ab23, cd23, 1, 3), k0);
  }
  expandTo(320, 256, k0);
  expandTo(640, 320, i32x4.splat(K1));
  expandTo(960, 640, i32x4.splat(K2));
  expandTo(1280, 960, i32x4.splat(K3));
}

/** Words `[from / 16, end / 16)`, four at a time; the last ones stay in registers, since each needs the third before. */
// @ts-ignore: decorator
@inline
function expandTo(end: usize, from: usize, k: v128): void {
  let w13 = v128.load(WORDS + from - 48);
  let w14 = v128.load(WORDS + from - 32);
  let w15 = v128.load(WORDS + from - 16);
  for (let to = from; to < end; to += 64) {
    const w0 = expanded(to, w13, k);
    const w1 = expanded(to + 16, w14, k);
    const w2 = expanded(to + 32, w15, k);
    w15 = expanded(to + 48, w0, k);
    w13 = w1;
    w14 = w2;
  }
}

// @ts-ignore: decorator
@inline
function expanded(to: usize, third: v128, k: v128): v128 {
  const at = WORDS + to;
  const older = v128.xor(v128.xor(v128.load(at - 16 * 16), v128.load(at - 14 * 16)), v128.load(at - 8 * 16));
  const sum = v128.xor(older, third);
  const word = v128.or(i32x4.shl(sum, 1), i32x4.shr_u(sum, 31));
  put(to, word, k);
  return word;
}

// @ts-ignore: decorator
@inline
function put(to: usize, word: v128, k: v128): void {
  v128.store(WORDS + to, word);
  v128.store(SUMMED + to, i32x4.add(word, k));
}

// @ts-ignore: decorator
@inline
function bigEndian(words: v128): v128 {
  return v128.shuffle<i8>(words, words, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
}
