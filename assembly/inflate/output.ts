/**
 * The output: history and new bytes in one piece of memory.
 *
 * @module
 */
import { adler32 } from './adler32';
import { HISTORY_BYTES, OUTPUT, OUTPUT_BYTES } from './layout';

/** Where the next byte goes. */
export let out: usize = OUTPUT;
/** No more is wanted once `out` is past this. */
export let roomEnd: usize = OUTPUT;

let checksum: u32 = 1;
/** The checksum is that of what lies before. */
let checked: usize = OUTPUT;

export function beginOutput(): void {
  out = OUTPUT;
  checked = OUTPUT;
  checksum = 1;
}

/** So much is wanted, or less if there is no room for it. */
export function setRoom(room: i32): void {
  if (out >= OUTPUT + <usize>(OUTPUT_BYTES - HISTORY_BYTES)) {
    memory.copy(OUTPUT, out - <usize>HISTORY_BYTES, HISTORY_BYTES);
    out = OUTPUT + <usize>HISTORY_BYTES;
    checked = out;
  }
  roomEnd = min(out + <usize>room, OUTPUT + <usize>OUTPUT_BYTES);
}

// @ts-ignore: decorator
@inline
export function filledTo(end: usize): void {
  out = end;
}

/** Of all output. */
export function currentChecksum(): u32 {
  checksum = adler32(checksum, checked, out);
  checked = out;
  return checksum;
}

/** Copy `length` bytes from `distance` before `to`, one after another. Writes up to 15 bytes more. */
// @ts-ignore: decorator
@inline
export function copyMatch(to: usize, distance: u32, length: u32): void {
  let from = to - distance;
  const end = to + length;
  if (distance >= 16) {
    do {
      v128.store(to, v128.load(from));
      to += 16;
      from += 16;
    } while (to < end);
  } else if (distance >= 8) {
    do {
      store<u64>(to, load<u64>(from));
      to += 8;
      from += 8;
    } while (to < end);
  } else if (distance == 1) {
    const run = i8x16.splat(load<i8>(from));
    do {
      v128.store(to, run);
      to += 16;
    } while (to < end);
  } else {
    do {
      store<u8>(to++, load<u8>(from++));
    } while (to < end);
  }
}
