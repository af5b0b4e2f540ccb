/**
 * Where things lie in the module's memory, which never grows: some 144 KB.
 *
 * @module
 */

/** Deflated bytes: those kept from the last time, then the caller's. */
export const INPUT_BYTES: i32 = 32 * 1024;
/** Reading ahead goes so far past the end at most. */
const INPUT_SLACK: i32 = 32;
export const INPUT: usize = memory.data(INPUT_BYTES + INPUT_SLACK, 16);

/** A match lies so far back at most. RFC 1951, section 2. */
export const HISTORY_BYTES: i32 = 32 * 1024;
/** Inflated bytes: history, and what is new. */
export const OUTPUT_BYTES: i32 = 96 * 1024;
/** Two literals and a match go past the end of the room at most, and a copy in steps of 16 bytes past that of a match. */
const OUTPUT_SLACK: i32 = 2 + 258 + 16;
export const OUTPUT: usize = memory.data(OUTPUT_BYTES + OUTPUT_SLACK, 16);

/** What `run` did, in four words: see `exports.ts`. */
export const REPORT: usize = memory.data(16, 4);

export const LITERAL_SYMBOLS: i32 = 288;
export const DISTANCE_SYMBOLS: i32 = 32;
export const LENGTH_SYMBOLS: i32 = 19;

/*
 * Decoding tables have 2^root entries of a word, and second tables for longer codes behind them. So many entries are
 * enough for any complete code of 286 or 30 symbols and 15 bits.
 */
export const LITERAL_ROOT: i32 = 11;
const LITERAL_ENTRIES: i32 = 2342;
export const LITERAL_TABLE: usize = memory.data(LITERAL_ENTRIES * 4, 16);
export const DISTANCE_ROOT: i32 = 9;
const DISTANCE_ENTRIES: i32 = 594;
export const DISTANCE_TABLE: usize = memory.data(DISTANCE_ENTRIES * 4, 16);
/** Of the code lengths in front of a block. */
export const LENGTH_ROOT: i32 = 7;
export const LENGTH_TABLE: usize = memory.data(128 * 4, 16);

export const FIXED_LITERAL_ROOT: i32 = 9;
export const FIXED_LITERAL_TABLE: usize = memory.data(512 * 4, 16);
export const FIXED_DISTANCE_ROOT: i32 = 5;
export const FIXED_DISTANCE_TABLE: usize = memory.data(32 * 4, 16);

/** The entry of each symbol, but for the bits of its code. */
export const LITERAL_MEANINGS: usize = memory.data(288 * 4, 16);
export const DISTANCE_MEANINGS: usize = memory.data(32 * 4, 16);
export const LENGTH_MEANINGS: usize = memory.data(19 * 4, 16);

/** The symbols that have a code, in order: halfwords, the symbol times 16 plus the bits of its code. */
export const CODED_LITERALS: usize = memory.data(288 * 2, 16);
export const CODED_DISTANCES: usize = memory.data(32 * 2, 16);
export const CODED_LENGTHS_BYTES: usize = 48;
export const CODED_LENGTHS: usize = memory.data(48, 16);

/** How many codes there are of 0 to 15 bits: halfwords. */
export const COUNTS_BYTES: usize = 32;
export const LITERAL_COUNTS: usize = memory.data(32, 16);
export const DISTANCE_COUNTS: usize = memory.data(32, 16);
export const LENGTH_COUNTS: usize = memory.data(32, 16);

/** Symbols by the bits of their codes, and where those of so many bits begin: halfwords. */
export const SORTED_SYMBOLS: usize = memory.data(288 * 2, 16);
export const SORTED_STARTS: usize = memory.data(32, 16);
