/**
 * Decoding tables of canonical prefix codes. Spec: RFC 1951, section 3.2.2.
 *
 * An entry, for each value of the next bits:
 *
 *   bit 31       it is a literal
 *   bits 16-30   the literal; the base of a length or distance; a code length; where a second table begins
 *   bit 15       it is none of the above but the last: bit 14 set for a second table, bit 13 for the end of the block,
 *                neither for no code at all
 *   bits 8-11    bits of the code; for a second table, bits that select in it
 *   bits 0-7     bits of the code and of the extra bits behind it
 *
 * @module
 */
import { LENGTH_ROOT, SORTED_STARTS, SORTED_SYMBOLS } from './layout';

export const LITERAL: u32 = 1 << 31;
export const SPECIAL: u32 = 1 << 15;
export const SECOND_TABLE: u32 = 1 << 14;
export const END_OF_BLOCK: u32 = 1 << 13;

/** What one bit of a code adds to an entry. */
const CODE_BIT: u32 = 0x101;

/** What `makeTable` returns for codes that are too many, or too few, for their lengths. */
export const NO_TABLE: i32 = -1;

// @ts-ignore: decorator
@inline
export function entryAt(table: usize, index: u32): u32 {
  return load<u32>(table + (index << 2));
}

/** Base, and the extra bits added to it that follow the code in `bits`, for a length or a distance. */
// @ts-ignore: decorator
@inline
export function valueOf(entry: u32, bits: u64): u32 {
  return (entry >> 16) + ((<u32>bits & ((1 << (entry & 0xff)) - 1)) >> ((entry >> 8) & 15));
}

/** Where in the table an entry for a second table leads to; `bits` follow the first `root`. */
// @ts-ignore: decorator
@inline
export function secondIndex(entry: u32, bits: u64): u32 {
  return (entry >> 16) + (<u32>bits & ((1 << ((entry >> 8) & 15)) - 1));
}

/** How many codes of `width` bits there are. */
// @ts-ignore: decorator
@inline
function countOf(counts: usize, width: i32): i32 {
  return <i32>load<u16>(counts + (width << 1));
}

/**
 * Make the table for `count` codes.
 *
 * Bits of a code are numbered from its first. So a table for codes of one bit more is the same table twice, but for the
 * codes that have that bit; and a block with few and short codes has a small table.
 *
 * As zlib has it, there may be no code, or a single code of one bit: the other one is then no code. Not so for the code
 * of the code lengths; having none of those, it reads zeros.
 *
 * @returns how many bits select in the table, at most `mostRoot`; or NO_TABLE
 */
export function makeTable(
  coded: usize,
  count: i32,
  counts: usize,
  meanings: usize,
  table: usize,
  mostRoot: i32,
): i32 {
  const isOfLengths = mostRoot == LENGTH_ROOT;
  let longest = 15;
  while (longest > 0 && countOf(counts, longest) == 0) longest--;
  if (longest == 0) {
    const entry = (isOfLengths ? entryAt(meanings, 0) : SPECIAL) + CODE_BIT;
    store<u32>(table, entry);
    store<u32>(table, entry, 4);
    return 1;
  }

  let unused = 1;
  let begin: i32 = 0;
  for (let width = 1; width <= longest; width++) {
    const codes = countOf(counts, width);
    store<u16>(SORTED_STARTS + (width << 1), <u16>begin);
    begin += codes;
    unused = (unused << 1) - codes;
    if (unused < 0) return NO_TABLE;
  }
  if (unused > 0) {
    if (longest != 1 || isOfLengths) return NO_TABLE;
    store<u32>(table, entryAt(meanings, load<u16>(coded) >> 4) + CODE_BIT);
    store<u32>(table, SPECIAL + CODE_BIT, 4);
    return 1;
  }

  sortByWidth(coded, coded + (count << 1));
  return fill(counts, meanings, table, min(longest, mostRoot), longest);
}

function sortByWidth(coded: usize, codedEnd: usize): void {
  for (; coded < codedEnd; coded += 2) {
    const symbol = <u32>load<u16>(coded);
    const place = SORTED_STARTS + ((symbol & 15) << 1);
    const rank = <u32>load<u16>(place);
    store<u16>(SORTED_SYMBOLS + (rank << 1), <u16>(symbol >> 4));
    store<u16>(place, <u16>(rank + 1));
  }
}

function fill(counts: usize, meanings: usize, table: usize, root: i32, longest: i32): i32 {
  let sorted = SORTED_SYMBOLS;
  let width = 1;
  while (countOf(counts, width) == 0) width++;
  let code: u32 = 0;
  for (; ; width++) {
    const last: u32 = (1 << width) - 1;
    const sortedEnd = sorted + (countOf(counts, width) << 1);
    for (; sorted < sortedEnd; sorted += 2) {
      store<u32>(table + (code << 2), entryAt(meanings, load<u16>(sorted)) + <u32>width * CODE_BIT);
      code = following(code, last);
    }
    if (width == root) break;
    double(table, last + 1);
  }
  if (longest > root) fillSecondTables(sorted, counts, meanings, table, root, code);
  return root;
}

/** The next code of as many bits; or the same, which is the last and all ones. First bits are lowest. */
// @ts-ignore: decorator
@inline
function following(code: u32, last: u32): u32 {
  if (code == last) return code;
  const bit: u32 = 1 << (31 - clz(code ^ last));
  return (code & (bit - 1)) | bit;
}

// @ts-ignore: decorator
@inline
function double(table: usize, entries: u32): void {
  const end = table + (entries << 2);
  let to = end;
  if (entries < 4) {
    for (let from = table; from < end; from += 4, to += 4) store<u32>(to, load<u32>(from));
  } else {
    for (let from = table; from < end; from += 16, to += 16) v128.store(to, v128.load(from));
  }
}

/** From the first code that has more than `root` bits. */
function fillSecondTables(
  sorted: usize,
  counts: usize,
  meanings: usize,
  table: usize,
  root: i32,
  firstCode: u32,
): void {
  const rootMask: u32 = (1 << root) - 1;
  let code = firstCode;
  let prefix: u32 = 0xffffffff;
  let begin: u32 = 0;
  let end: u32 = 1 << root;
  let width = root + 1;
  let left = countOf(counts, width);
  for (;;) {
    while (left == 0) left = countOf(counts, ++width);
    if ((code & rootMask) != prefix) {
      prefix = code & rootMask;
      let secondBits = width - root; // more, until the codes that are left fill them
      for (let filled = left; filled < 1 << secondBits; ) {
        secondBits++;
        filled = (filled << 1) + countOf(counts, root + secondBits);
      }
      begin = end;
      end += 1 << secondBits;
      store<u32>(table + (prefix << 2), SPECIAL | SECOND_TABLE | (begin << 16) | (secondBits << 8) | root);
    }
    const entry = entryAt(meanings, load<u16>(sorted)) + <u32>(width - root) * CODE_BIT;
    for (let index = begin + (code >> root); index < end; index += 1 << (width - root)) {
      store<u32>(table + (index << 2), entry);
    }
    const last: u32 = (1 << width) - 1;
    if (code == last) return;
    code = following(code, last);
    sorted += 2;
    left--;
  }
}
