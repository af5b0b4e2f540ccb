/**
 * The eighty rounds, on one block and on four.
 * Spec: FIPS 180-4, 6.1.2.
 *
 * @module
 */
import { AFTER, AT_STEP_58, AT_STEP_65, BEFORE, LANE_STATES, STATES, SUMMED } from './layout';
import { choose, chooseLanes, majority, majorityLanes, parity, parityLanes } from './round-functions';

/** Word 0 to 4 of the chaining value that every message begins with. */
export function initialWord(word: usize): i32 {
  if (word === 0) return 0x67452301;
  if (word === 1) return <i32>0xefcdab89;
  if (word === 2) return <i32>0x98badcfe;
  return word === 3 ? 0x10325476 : <i32>0xc3d2e1f0;
}

/** The block in the lane that is `lane` bytes into the words, from the chaining value of STATES to the next. */
export function rounds(lane: usize): void {
  const h0 = load<i32>(STATES + AFTER, 0);
  const h1 = load<i32>(STATES + AFTER, 4);
  const h2 = load<i32>(STATES + AFTER, 8);
  const h3 = load<i32>(STATES + AFTER, 12);
  const h4 = load<i32>(STATES + AFTER, 16);
  store<i32>(STATES + BEFORE, h0, 0);
  store<i32>(STATES + BEFORE, h1, 4);
  store<i32>(STATES + BEFORE, h2, 8);
  store<i32>(STATES + BEFORE, h3, 12);
  store<i32>(STATES + BEFORE, h4, 16);
  let a = h0;
  let b = h1;
  let c = h2;
  let d = h3;
  let e = h4;
  let at = SUMMED + lane;
  for (const end = at + 320; at < end; at += 80) {
    e = e + load<i32>(at, 0) + choose(b, c, d) + rotl(a, 5);
    b = rotl(b, 30);
    d = d + load<i32>(at, 16) + choose(a, b, c) + rotl(e, 5);
    a = rotl(a, 30);
    c = c + load<i32>(at, 32) + choose(e, a, b) + rotl(d, 5);
    e = rotl(e, 30);
    b = b + load<i32>(at, 48) + choose(d, e, a) + rotl(c, 5);
    d = rotl(d, 30);
    a = a + load<i32>(at, 64) + choose(c, d, e) + rotl(b, 5);
    c = rotl(c, 30);
  }
  for (const end = at + 320; at < end; at += 80) {
    e = e + load<i32>(at, 0) + parity(b, c, d) + rotl(a, 5);
    b = rotl(b, 30);
    d = d + load<i32>(at, 16) + parity(a, b, c) + rotl(e, 5);
    a = rotl(a, 30);
    c = c + load<i32>(at, 32) + parity(e, a, b) + rotl(d, 5);
    e = rotl(e, 30);
    b = b + load<i32>(at, 48) + parity(d, e, a) + rotl(c, 5);
    d = rotl(d, 30);
    a = a + load<i32>(at, 64) + parity(c, d, e) + rotl(b, 5);
    c = rotl(c, 30);
  }
  for (const end = at + 240; at < end; at += 80) {
    e = e + load<i32>(at, 0) + majority(b, c, d) + rotl(a, 5);
    b = rotl(b, 30);
    d = d + load<i32>(at, 16) + majority(a, b, c) + rotl(e, 5);
    a = rotl(a, 30);
    c = c + load<i32>(at, 32) + majority(e, a, b) + rotl(d, 5);
    e = rotl(e, 30);
    b = b + load<i32>(at, 48) + majority(d, e, a) + rotl(c, 5);
    d = rotl(d, 30);
    a = a + load<i32>(at, 64) + majority(c, d, e) + rotl(b, 5);
    c = rotl(c, 30);
  }
  e = e + load<i32>(at, 0) + majority(b, c, d) + rotl(a, 5);
  b = rotl(b, 30);
  d = d + load<i32>(at, 16) + majority(a, b, c) + rotl(e, 5);
  a = rotl(a, 30);
  c = c + load<i32>(at, 32) + majority(e, a, b) + rotl(d, 5);
  e = rotl(e, 30);
  store<i32>(STATES + AT_STEP_58, c, 0);
  store<i32>(STATES + AT_STEP_58, d, 4);
  store<i32>(STATES + AT_STEP_58, e, 8);
  store<i32>(STATES + AT_STEP_58, a, 12);
  store<i32>(STATES + AT_STEP_58, b, 16);
  b = b + load<i32>(at, 48) + majority(d, e, a) + rotl(c, 5);
  d = rotl(d, 30);
  a = a + load<i32>(at, 64) + majority(c, d, e) + rotl(b, 5);
  c = rotl(c, 30);
  at += 80;
  e = e + load<i32>(at, 0) + parity(b, c, d) + rotl(a, 5);
  b = rotl(b, 30);
  d = d + load<i32>(at, 16) + parity(a, b, c) + rotl(e, 5);
  a = rotl(a, 30);
  c = c + load<i32>(at, 32) + parity(e, a, b) + rotl(d, 5);
  e = rotl(e, 30);
  b = b + load<i32>(at, 48) + parity(d, e, a) + rotl(c, 5);
  d = rotl(d, 30);
  a = a + load<i32>(at, 64) + parity(c, d, e) + rotl(b, 5);
  c = rotl(c, 30);
  store<i32>(STATES + AT_STEP_65, a, 0);
  store<i32>(STATES + AT_STEP_65, b, 4);
  store<i32>(STATES + AT_STEP_65, c, 8);
  store<i32>(STATES + AT_STEP_65, d, 12);
  store<i32>(STATES + AT_STEP_65, e, 16);
  at += 80;
  for (const end = at + 240; at < end; at += 80) {
    e = e + load<i32>(at, 0) + parity(b, c, d) + rotl(a, 5);
    b = rotl(b, 30);
    d = d + load<i32>(at, 16) + parity(a, b, c) + rotl(e, 5);
    a = rotl(a, 30);
    c = c + load<i32>(at, 32) + parity(e, a, b) + rotl(d, 5);
    e = rotl(e, 30);
    b = b + load<i32>(at, 48) + parity(d, e, a) + rotl(c, 5);
    d = rotl(d, 30);
    a = a + load<i32>(at, 64) + parity(c, d, e) + rotl(b, 5);
    c = rotl(c, 30);
  }
  store<i32>(STATES + AFTER, h0 + a, 0);
  store<i32>(STATES + AFTER, h1 + b, 4);
  store<i32>(STATES + AFTER, h2 + c, 8);
  store<i32>(STATES + AFTER, h3 + d, 12);
  store<i32>(STATES + AFTER, h4 + e, 16);
}

/** All four lanes, each from its chaining value of LANE_STATES to the next. */
export function roundsOfLanes(): void {
  const h0 = v128.load(LANE_STATES + AFTER, 0);
  const h1 = v128.load(LANE_STATES + AFTER, 16);
  const h2 = v128.load(LANE_STATES + AFTER, 32);
  const h3 = v128.load(LANE_STATES + AFTER, 48);
  const h4 = v128.load(LANE_STATES + AFTER, 64);
  v128.store(LANE_STATES + BEFORE, h0, 0);
  v128.store(LANE_STATES + BEFORE, h1, 16);
  v128.store(LANE_STATES + BEFORE, h2, 32);
  v128.store(LANE_STATES + BEFORE, h3, 48);
  v128.store(LANE_STATES + BEFORE, h4, 64);
  let a = h0;
  let b = h1;
  let c = h2;
  let d = h3;
  let e = h4;
  let at = SUMMED;
  for (const end = at + 320; at < end; at += 80) {
    e = i32x4.add(i32x4.add(i32x4.add(e, v128.load(at, 0)), chooseLanes(b, c, d)), left(a, 5));
    b = left(b, 30);
    d = i32x4.add(i32x4.add(i32x4.add(d, v128.load(at, 16)), chooseLanes(a, b, c)), left(e, 5));
    a = left(a, 30);
    c = i32x4.add(i32x4.add(i32x4.add(c, v128.load(at, 32)), chooseLanes(e, a, b)), left(d, 5));
    e = left(e, 30);
    b = i32x4.add(i32x4.add(i32x4.add(b, v128.load(at, 48)), chooseLanes(d, e, a)), left(c, 5));
    d = left(d, 30);
    a = i32x4.add(i32x4.add(i32x4.add(a, v128.load(at, 64)), chooseLanes(c, d, e)), left(b, 5));
    c = left(c, 30);
  }
  for (const end = at + 320; at < end; at += 80) {
    e = i32x4.add(i32x4.add(i32x4.add(e, v128.load(at, 0)), parityLanes(b, c, d)), left(a, 5));
    b = left(b, 30);
    d = i32x4.add(i32x4.add(i32x4.add(d, v128.load(at, 16)), parityLanes(a, b, c)), left(e, 5));
    a = left(a, 30);
    c = i32x4.add(i32x4.add(i32x4.add(c, v128.load(at, 32)), parityLanes(e, a, b)), left(d, 5));
    e = left(e, 30);
    b = i32x4.add(i32x4.add(i32x4.add(b, v128.load(at, 48)), parityLanes(d, e, a)), left(c, 5));
    d = left(d, 30);
    a = i32x4.add(i32x4.add(i32x4.add(a, v128.load(at, 64)), parityLanes(c, d, e)), left(b, 5));
    c = left(c, 30);
  }
  for (const end = at + 240; at < end; at += 80) {
    e = i32x4.add(i32x4.add(i32x4.add(e, v128.load(at, 0)), majorityLanes(b, c, d)), left(a, 5));
    b = left(b, 30);
    d = i32x4.add(i32x4.add(i32x4.add(d, v128.load(at, 16)), majorityLanes(a, b, c)), left(e, 5));
    a = left(a, 30);
    c = i32x4.add(i32x4.add(i32x4.add(c, v128.load(at, 32)), majorityLanes(e, a, b)), left(d, 5));
    e = left(e, 30);
    b = i32x4.add(i32x4.add(i32x4.add(b, v128.load(at, 48)), majorityLanes(d, e, a)), left(c, 5));
    d = left(d, 30);
    a = i32x4.add(i32x4.add(i32x4.add(a, v128.load(at, 64)), majorityLanes(c, d, e)), left(b, 5));
    c = left(c, 30);
  }
  e = i32x4.add(i32x4.add(i32x4.add(e, v128.load(at, 0)), majorityLanes(b, c, d)), left(a, 5));
  b = left(b, 30);
  d = i32x4.add(i32x4.add(i32x4.add(d, v128.load(at, 16)), majorityLanes(a, b, c)), left(e, 5));
  a = left(a, 30);
  c = i32x4.add(i32x4.add(i32x4.add(c, v128.load(at, 32)), majorityLanes(e, a, b)), left(d, 5));
  e = left(e, 30);
  v128.store(LANE_STATES + AT_STEP_58, c, 0);
  v128.store(LANE_STATES + AT_STEP_58, d, 16);
  v128.store(LANE_STATES + AT_STEP_58, e, 32);
  v128.store(LANE_STATES + AT_STEP_58, a, 48);
  v128.store(LANE_STATES + AT_STEP_58, b, 64);
  b = i32x4.add(i32x4.add(i32x4.add(b, v128.load(at, 48)), majorityLanes(d, e, a)), left(c, 5));
  d = left(d, 30);
  a = i32x4.add(i32x4.add(i32x4.add(a, v128.load(at, 64)), majorityLanes(c, d, e)), left(b, 5));
  c = left(c, 30);
  at += 80;
  e = i32x4.add(i32x4.add(i32x4.add(e, v128.load(at, 0)), parityLanes(b, c, d)), left(a, 5));
  b = left(b, 30);
  d = i32x4.add(i32x4.add(i32x4.add(d, v128.load(at, 16)), parityLanes(a, b, c)), left(e, 5));
  a = left(a, 30);
  c = i32x4.add(i32x4.add(i32x4.add(c, v128.load(at, 32)), parityLanes(e, a, b)), left(d, 5));
  e = left(e, 30);
  b = i32x4.add(i32x4.add(i32x4.add(b, v128.load(at, 48)), parityLanes(d, e, a)), left(c, 5));
  d = left(d, 30);
  a = i32x4.add(i32x4.add(i32x4.add(a, v128.load(at, 64)), parityLanes(c, d, e)), left(b, 5));
  c = left(c, 30);
  v128.store(LANE_STATES + AT_STEP_65, a, 0);
  v128.store(LANE_STATES + AT_STEP_65, b, 16);
  v128.store(LANE_STATES + AT_STEP_65, c, 32);
  v128.store(LANE_STATES + AT_STEP_65, d, 48);
  v128.store(LANE_STATES + AT_STEP_65, e, 64);
  at += 80;
  for (const end = at + 240; at < end; at += 80) {
    e = i32x4.add(i32x4.add(i32x4.add(e, v128.load(at, 0)), parityLanes(b, c, d)), left(a, 5));
    b = left(b, 30);
    d = i32x4.add(i32x4.add(i32x4.add(d, v128.load(at, 16)), parityLanes(a, b, c)), left(e, 5));
    a = left(a, 30);
    c = i32x4.add(i32x4.add(i32x4.add(c, v128.load(at, 32)), parityLanes(e, a, b)), left(d, 5));
    e = left(e, 30);
    b = i32x4.add(i32x4.add(i32x4.add(b, v128.load(at, 48)), parityLanes(d, e, a)), left(c, 5));
    d = left(d, 30);
    a = i32x4.add(i32x4.add(i32x4.add(a, v128.load(at, 64)), parityLanes(c, d, e)), left(b, 5));
    c = left(c, 30);
  }
  v128.store(LANE_STATES + AFTER, i32x4.add(v128.load(LANE_STATES + BEFORE, 0), a), 0);
  v128.store(LANE_STATES + AFTER, i32x4.add(v128.load(LANE_STATES + BEFORE, 16), b), 16);
  v128.store(LANE_STATES + AFTER, i32x4.add(v128.load(LANE_STATES + BEFORE, 32), c), 32);
  v128.store(LANE_STATES + AFTER, i32x4.add(v128.load(LANE_STATES + BEFORE, 48), d), 48);
  v128.store(LANE_STATES + AFTER, i32x4.add(v128.load(LANE_STATES + BEFORE, 64), e), 64);
}

// @ts-ignore: decorator
@inline
function left(words: v128, bits: i32): v128 {
  return v128.or(i32x4.shl(words, bits), i32x4.shr_u(words, 32 - bits));
}
