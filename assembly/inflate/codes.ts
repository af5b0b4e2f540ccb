/**
 * The literals and matches of a block. Spec: RFC 1951, section 3.2.5.
 *
 * @module
 */
import { END_OF_BLOCK, entryAt, LITERAL, SECOND_TABLE, SPECIAL, secondIndex, valueOf } from './decoding-table';
import { at, bitCount, bits, continueAt, drop, has, inputEnd, mark, refill } from './input';
import {
  DISTANCE_TABLE,
  FIXED_DISTANCE_ROOT,
  FIXED_DISTANCE_TABLE,
  FIXED_LITERAL_ROOT,
  FIXED_LITERAL_TABLE,
  LITERAL_TABLE,
  OUTPUT,
} from './layout';
import { BAD_CODE, MORE_INPUT, MORE_OUTPUT, TAKEN, TOO_FAR_BACK } from './outcome';
import { copyMatch, filledTo, out, roomEnd } from './output';

/** One turn of the fast loop looks no further. */
const FAST_INPUT: usize = 16;

let literalTable: usize = FIXED_LITERAL_TABLE;
let literalMask: u32 = 0;
let distanceTable: usize = FIXED_DISTANCE_TABLE;
let distanceMask: u32 = 0;
let isBlockOver: bool = false;

export function useFixedTables(): void {
  literalTable = FIXED_LITERAL_TABLE;
  literalMask = (1 << FIXED_LITERAL_ROOT) - 1;
  distanceTable = FIXED_DISTANCE_TABLE;
  distanceMask = (1 << FIXED_DISTANCE_ROOT) - 1;
}

export function useOwnTables(literalRoot: i32, distanceRoot: i32): void {
  literalTable = LITERAL_TABLE;
  literalMask = (1 << literalRoot) - 1;
  distanceTable = DISTANCE_TABLE;
  distanceMask = (1 << distanceRoot) - 1;
}

/** Until the block, the input or the room ends. Each literal and each match is an element. */
export function takeCodes(): i32 {
  const result = takeCodesFast();
  return result == MORE_INPUT ? takeLastCodes() : result;
}

/**
 * As long as all that is looked at is input: then nothing needs a check for that.
 *
 * Plain and long, with the input in variables of its own ("inflate" in `npm run bench`).
 *
 * @returns MORE_INPUT near its end, everything taken that was looked at
 */
function takeCodesFast(): i32 {
  const literals = literalTable;
  const literalMask_ = literalMask;
  const distances = distanceTable;
  const distanceMask_ = distanceMask;
  const fastEnd = inputEnd - FAST_INPUT;
  const roomEnd_ = roomEnd;
  let hold = bits;
  let count = bitCount;
  let from = at;
  let to = out;

  while (from <= fastEnd && to <= roomEnd_) {
    hold |= load<u64>(from) << count;
    from += (63 - count) >> 3;
    count |= 56;
    let entry = entryAt(literals, <u32>hold & literalMask_);
    if (entry & LITERAL) {
      hold >>= entry & 0xff;
      count -= <i32>(entry & 0xff);
      store<u8>(to++, entry >> 16);
      entry = entryAt(literals, <u32>hold & literalMask_);
      if (entry & LITERAL) {
        hold >>= entry & 0xff;
        count -= <i32>(entry & 0xff);
        store<u8>(to++, entry >> 16);
        entry = entryAt(literals, <u32>hold & literalMask_);
      }
    }
    if (entry & SPECIAL) {
      if (entry & SECOND_TABLE) {
        hold >>= entry & 0xff;
        count -= <i32>(entry & 0xff);
        entry = entryAt(literals, secondIndex(entry, hold));
      }
      if (entry & SPECIAL) {
        continueAt(hold >> (entry & 0xff), count - <i32>(entry & 0xff), from);
        filledTo(to);
        return endBlock(entry);
      }
    }
    if (entry & LITERAL) {
      hold >>= entry & 0xff;
      count -= <i32>(entry & 0xff);
      store<u8>(to++, entry >> 16);
      continue;
    }
    const length = valueOf(entry, hold);
    hold >>= entry & 0xff;
    count -= <i32>(entry & 0xff);

    hold |= load<u64>(from) << count;
    from += (63 - count) >> 3;
    count |= 56;
    entry = entryAt(distances, <u32>hold & distanceMask_);
    if (entry & SPECIAL) {
      if (entry & SECOND_TABLE) {
        hold >>= entry & 0xff;
        count -= <i32>(entry & 0xff);
        entry = entryAt(distances, secondIndex(entry, hold));
      }
      if (entry & SPECIAL) return BAD_CODE;
    }
    const distance = valueOf(entry, hold);
    hold >>= entry & 0xff;
    count -= <i32>(entry & 0xff);
    if (distance > <u32>(to - OUTPUT)) return TOO_FAR_BACK;
    copyMatch(to, distance, length);
    to += length;
  }
  continueAt(hold, count, from);
  filledTo(to);
  return MORE_INPUT;
}

/** The same, an element at a time, each only when it is all there. */
function takeLastCodes(): i32 {
  isBlockOver = false;
  while (out <= roomEnd) {
    mark();
    const result = takeCode();
    if (result != TAKEN || isBlockOver) return result;
  }
  return MORE_OUTPUT;
}

function takeCode(): i32 {
  refill();
  let entry = entryAt(literalTable, <u32>bits & literalMask);
  if (entry & SECOND_TABLE) {
    drop(<i32>(entry & 0xff));
    entry = entryAt(literalTable, secondIndex(entry, bits));
  }
  const length = valueOf(entry, bits);
  drop(<i32>(entry & 0xff));
  if (!has(0)) return MORE_INPUT;
  if (entry & SPECIAL) return endBlock(entry);
  if (entry & LITERAL) {
    store<u8>(out, entry >> 16);
    filledTo(out + 1);
    return TAKEN;
  }

  refill();
  entry = entryAt(distanceTable, <u32>bits & distanceMask);
  if (entry & SECOND_TABLE) {
    drop(<i32>(entry & 0xff));
    entry = entryAt(distanceTable, secondIndex(entry, bits));
  }
  const distance = valueOf(entry, bits);
  drop(<i32>(entry & 0xff));
  if (!has(0)) return MORE_INPUT;
  if (entry & SPECIAL) return BAD_CODE;
  if (distance > <u32>(out - OUTPUT)) return TOO_FAR_BACK;
  copyMatch(out, distance, length);
  filledTo(out + length);
  return TAKEN;
}

function endBlock(entry: u32): i32 {
  if ((entry & END_OF_BLOCK) == 0) return BAD_CODE;
  isBlockOver = true;
  return TAKEN;
}
