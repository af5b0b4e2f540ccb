/**
 * The input, bit by bit, lowest bit first. RFC 1951, section 3.1.1.
 *
 * @module
 */
import { INPUT } from './layout';

/** Bits that were read, the next one lowest. */
export let bits: u64 = 0;
export let bitCount: i32 = 0;
/** The byte after them. */
export let at: usize = INPUT;
export let inputEnd: usize = INPUT;

let markedBits: u64 = 0;
let markedCount: i32 = 0;
let marked: usize = INPUT;

export function beginInput(): void {
  bits = 0;
  bitCount = 0;
}

/** There are so many bytes in the input area; the next byte is the first. */
export function setInput(length: i32): void {
  at = INPUT;
  inputEnd = INPUT + <usize>length;
}

/** Have 56 bits or more. Those past the end of the input mean nothing: see {@link has}. */
// @ts-ignore: decorator
@inline
export function refill(): void {
  bits |= load<u64>(at) << bitCount;
  at += (63 - bitCount) >> 3;
  bitCount |= 56;
}

/** Whether so many of the bits that were read are input. What was dropped counts: `has(0)` says if all of that was. */
// @ts-ignore: decorator
@inline
export function has(count: i32): bool {
  return <i32>(at - inputEnd) * 8 + count <= bitCount;
}

// @ts-ignore: decorator
@inline
export function peek(count: i32): u32 {
  return <u32>bits & ((1 << count) - 1);
}

// @ts-ignore: decorator
@inline
export function drop(count: i32): void {
  bits >>= count;
  bitCount -= count;
}

/** Here an element begins. */
// @ts-ignore: decorator
@inline
export function mark(): void {
  markedBits = bits;
  markedCount = bitCount;
  marked = at;
}

export function backToMark(): void {
  bits = markedBits;
  bitCount = markedCount;
  at = marked;
}

/** A loop that kept the input in variables of its own has come so far. */
// @ts-ignore: decorator
@inline
export function continueAt(hold: u64, count: i32, from: usize): void {
  bits = hold;
  bitCount = count;
  at = from;
}

/** Pass over so many bytes, before which no bits are read. @returns where they are */
// @ts-ignore: decorator
@inline
export function takeBytes(length: i32): usize {
  const start = at;
  at += length;
  return start;
}

/** Whole bytes that were read and not dropped are to be read again. */
export function giveBackBytes(): void {
  at -= bitCount >> 3;
  bitCount &= 7;
  bits &= ((<u64>1) << bitCount) - 1;
}

/** Drop what is left of a byte that was begun; read on from `at`. */
export function skipToByte(): void {
  giveBackBytes();
  bits = 0;
  bitCount = 0;
}
