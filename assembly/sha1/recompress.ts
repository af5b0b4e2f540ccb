/**
 * The verdict on a block: whether it has a partner with which it collides.
 *
 * An attack by a disturbance vector leaves both its messages the same inner state before a certain step, while their
 * expanded messages differ in known bits. So the partner is computed from the block alone, from that step backwards to
 * its chaining value and forwards to its end; if it comes to the same chaining value after it, that is a collision.
 *
 * @module
 */
import { AFTER, AT_STEP_58, AT_STEP_65, DIFFERENCES, PARTNER, SAME_STATE_STEPS, VECTORS, WORDS } from './layout';
import { K0, K1, K2, K3, choose, majority, parity } from './round-functions';

/**
 * @param lane where the block is in a word of WORDS, in bytes
 * @param vectors those it could have been made with
 * @param states where the states that it led through are, `stride` bytes from word to word
 * @returns 1 for a block of an attack, else 0
 */
export function isAttacked(lane: usize, vectors: u32, states: usize, stride: usize): i32 {
  const words = WORDS + lane;
  for (; vectors !== 0; vectors &= vectors - 1) {
    const vector = ctz<u32>(vectors);
    const differences = DIFFERENCES + vector * 320;
    const step: i32 = load<u8>(SAME_STATE_STEPS + vector);
    const same = states + (step === 58 ? AT_STEP_58 : AT_STEP_65);
    backwards(words, differences, step, same, stride);
    forwards(words, differences, step, same, stride);
    let differ: i32 = 0;
    for (let word: usize = 0; word < 5; word++) {
      differ |= load<i32>(PARTNER + word * 4) ^ load<i32>(states + AFTER + word * stride);
    }
    if (differ === 0) return 1;
  }
  return 0;
}

/** From the common state before `step` to the partner's chaining value before the block. */
function backwards(words: usize, differences: usize, step: i32, same: usize, stride: usize): void {
  let a = load<i32>(same);
  let b = load<i32>(same + stride);
  let c = load<i32>(same + 2 * stride);
  let d = load<i32>(same + 3 * stride);
  let e = load<i32>(same + 4 * stride);
  let sum: i32;
  let t = step - 1;
  for (; t >= 60; t--) {
    sum = a - K3 - partnerWord(words, differences, t);
    a = b;
    b = rotr(c, 30);
    c = d;
    d = e;
    e = sum - parity(b, c, d) - rotl(a, 5);
  }
  for (; t >= 40; t--) {
    sum = a - K2 - partnerWord(words, differences, t);
    a = b;
    b = rotr(c, 30);
    c = d;
    d = e;
    e = sum - majority(b, c, d) - rotl(a, 5);
  }
  for (; t >= 20; t--) {
    sum = a - K1 - partnerWord(words, differences, t);
    a = b;
    b = rotr(c, 30);
    c = d;
    d = e;
    e = sum - parity(b, c, d) - rotl(a, 5);
  }
  for (; t >= 0; t--) {
    sum = a - K0 - partnerWord(words, differences, t);
    a = b;
    b = rotr(c, 30);
    c = d;
    d = e;
    e = sum - choose(b, c, d) - rotl(a, 5);
  }
  store<i32>(PARTNER, a, 0);
  store<i32>(PARTNER, b, 4);
  store<i32>(PARTNER, c, 8);
  store<i32>(PARTNER, d, 12);
  store<i32>(PARTNER, e, 16);
}

/** From there to the end; the sum is the partner's chaining value after the block. */
function forwards(words: usize, differences: usize, step: i32, same: usize, stride: usize): void {
  let a = load<i32>(same);
  let b = load<i32>(same + stride);
  let c = load<i32>(same + 2 * stride);
  let d = load<i32>(same + 3 * stride);
  let e = load<i32>(same + 4 * stride);
  let sum: i32;
  let t = step;
  for (; t < 60; t++) {
    sum = e + K2 + partnerWord(words, differences, t) + majority(b, c, d) + rotl(a, 5);
    e = d;
    d = c;
    c = rotl(b, 30);
    b = a;
    a = sum;
  }
  for (; t < 80; t++) {
    sum = e + K3 + partnerWord(words, differences, t) + parity(b, c, d) + rotl(a, 5);
    e = d;
    d = c;
    c = rotl(b, 30);
    b = a;
    a = sum;
  }
  store<i32>(PARTNER, load<i32>(PARTNER, 0) + a, 0);
  store<i32>(PARTNER, load<i32>(PARTNER, 4) + b, 4);
  store<i32>(PARTNER, load<i32>(PARTNER, 8) + c, 8);
  store<i32>(PARTNER, load<i32>(PARTNER, 12) + d, 12);
  store<i32>(PARTNER, load<i32>(PARTNER, 16) + e, 16);
}

// @ts-ignore: decorator
@inline
function partnerWord(words: usize, differences: usize, t: i32): i32 {
  return load<i32>(words + t * 16) ^ load<i32>(differences + t * 4);
}
