/**
 * The code lengths in front of a block, and the decoding tables from them. Spec: RFC 1951, section 3.2.7.
 *
 * Symbols without a code, most of them in a small block, cost nothing: only the others are listed and counted.
 *
 * @module
 */
import { entryAt, makeTable, NO_TABLE, valueOf } from './decoding-table';
import { bitCount, bits, drop, has, peek, refill } from './input';
import {
  CODED_DISTANCES,
  CODED_LENGTHS,
  CODED_LENGTHS_BYTES,
  CODED_LITERALS,
  COUNTS_BYTES,
  DISTANCE_COUNTS,
  DISTANCE_MEANINGS,
  DISTANCE_ROOT,
  DISTANCE_TABLE,
  LENGTH_COUNTS,
  LENGTH_MEANINGS,
  LENGTH_ROOT,
  LENGTH_SYMBOLS,
  LENGTH_TABLE,
  LITERAL_COUNTS,
  LITERAL_MEANINGS,
  LITERAL_ROOT,
  LITERAL_TABLE,
} from './layout';
import { BAD_CODE_LENGTHS, MORE_INPUT, TAKEN } from './outcome';

const MOST_LITERALS: u32 = 286;
const MOST_DISTANCES: u32 = 30;
const BLOCK_END: u32 = 256;

/** Code lengths above 15 stand for repetitions. */
const REPEAT_LAST: u32 = 16;
const REPEAT_ZERO_OFTEN: u32 = 18;

/** The order in which code lengths of code lengths are given. */
const LENGTH_ORDER = memory.data<u8>([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]);

/** How many bits select in the tables of this block. */
export let literalRoot: i32 = 0;
export let distanceRoot: i32 = 0;

// The list that is being written: first the literals', then the distances'.
let coded: usize = CODED_LITERALS;
let counts: usize = LITERAL_COUNTS;
let symbol: u32 = 0;
let symbolEnd: u32 = 0;
let codedLiterals: i32 = 0;
let hasBlockEnd: bool = false;

export function takeCodeLengths(): i32 {
  if (!has(14)) return MORE_INPUT;
  const literals = peek(5) + 257;
  const distances = (<u32>(bits >> 5) & 31) + 1;
  const lengths = (<i32>(bits >> 10) & 15) + 4;
  drop(14);
  if (literals > MOST_LITERALS || distances > MOST_DISTANCES) return BAD_CODE_LENGTHS;

  if (!takeLengthsOfLengths(lengths)) return MORE_INPUT;
  const root = makeLengthTable();
  if (root == NO_TABLE) return BAD_CODE_LENGTHS;
  const result = takeLengths(literals, distances, (1 << root) - 1);
  if (result != TAKEN) return result;
  return makeTables() ? TAKEN : BAD_CODE_LENGTHS;
}

/** @returns false when the input ends before */
function takeLengthsOfLengths(count: i32): bool {
  for (let i: usize = 0; i < CODED_LENGTHS_BYTES; i += 16) v128.store(CODED_LENGTHS + i, i32x4.splat(0));
  for (let i = 0; i < count; i++) {
    if (bitCount < 3) refill();
    if (!has(3)) return false;
    const ordered = <u32>load<u8>(LENGTH_ORDER + i);
    store<u16>(CODED_LENGTHS + (ordered << 1), <u16>peek(3));
    drop(3);
  }
  return true;
}

function makeLengthTable(): i32 {
  clear(LENGTH_COUNTS);
  let end = CODED_LENGTHS;
  for (let ordered: u32 = 0; ordered < <u32>LENGTH_SYMBOLS; ordered++) {
    const width = <u32>load<u16>(CODED_LENGTHS + (ordered << 1));
    if (width == 0) continue;
    store<u16>(end, <u16>((ordered << 4) | width));
    end += 2;
    increment(LENGTH_COUNTS, width);
  }
  const count = <i32>(end - CODED_LENGTHS) >> 1;
  return makeTable(CODED_LENGTHS, count, LENGTH_COUNTS, LENGTH_MEANINGS, LENGTH_TABLE, LENGTH_ROOT);
}

function takeLengths(literals: u32, distances: u32, mask: u32): i32 {
  clear(LITERAL_COUNTS);
  clear(DISTANCE_COUNTS);
  coded = CODED_LITERALS;
  counts = LITERAL_COUNTS;
  symbol = 0;
  symbolEnd = literals;
  hasBlockEnd = false;
  const all = literals + distances;
  let left = all;
  let last: u32 = 0;
  while (left > 0) {
    refill();
    const entry = entryAt(LENGTH_TABLE, <u32>bits & mask);
    const width = <i32>(entry & 0xff);
    if (!has(width)) return MORE_INPUT;
    const length = entry >> 16;
    if (length < REPEAT_LAST) {
      drop(width);
      last = length;
      put(length, distances);
      left--;
      continue;
    }
    let times = valueOf(entry, bits) - length + (length == REPEAT_ZERO_OFTEN ? 11 : 3);
    drop(width);
    if (times > left || (length == REPEAT_LAST && left == all)) return BAD_CODE_LENGTHS;
    left -= times;
    if (length != REPEAT_LAST) last = 0;
    if (last == 0) symbol += times;
    else while (times-- > 0) put(last, distances);
  }
  if (counts == LITERAL_COUNTS) beginDistances(distances);
  return hasBlockEnd ? TAKEN : BAD_CODE_LENGTHS;
}

/** The next symbol has a code of `width` bits, or none. */
// @ts-ignore: decorator
@inline
function put(width: u32, distances: u32): void {
  if (width != 0) {
    if (symbol >= symbolEnd) beginDistances(distances);
    store<u16>(coded, <u16>((symbol << 4) | width));
    coded += 2;
    increment(counts, width);
    if (symbol == BLOCK_END) hasBlockEnd = true;
  }
  symbol++;
}

function beginDistances(distances: u32): void {
  codedLiterals = <i32>(coded - CODED_LITERALS) >> 1;
  coded = CODED_DISTANCES;
  counts = DISTANCE_COUNTS;
  symbol -= symbolEnd;
  symbolEnd = distances;
}

/** @returns false when the lengths are not those of a code */
function makeTables(): bool {
  const codedDistances = <i32>(coded - CODED_DISTANCES) >> 1;
  literalRoot = makeTable(
    CODED_LITERALS,
    codedLiterals,
    LITERAL_COUNTS,
    LITERAL_MEANINGS,
    LITERAL_TABLE,
    LITERAL_ROOT,
  );
  if (literalRoot == NO_TABLE) return false;
  distanceRoot = makeTable(
    CODED_DISTANCES,
    codedDistances,
    DISTANCE_COUNTS,
    DISTANCE_MEANINGS,
    DISTANCE_TABLE,
    DISTANCE_ROOT,
  );
  return distanceRoot != NO_TABLE;
}

// @ts-ignore: decorator
@inline
function clear(table: usize): void {
  for (let i: usize = 0; i < COUNTS_BYTES; i += 16) v128.store(table + i, i32x4.splat(0));
}

// @ts-ignore: decorator
@inline
function increment(table: usize, width: u32): void {
  const counter = table + (width << 1);
  store<u16>(counter, load<u16>(counter) + 1);
}
