/**
 * What functions that take a part of the stream return.
 *
 * @module
 */

/** The part was taken. The others below are returned by `run` as well: `wasm-inflater.ts` knows their numbers. */
export const TAKEN: i32 = -1;

/** The output goes past the room. */
export const MORE_OUTPUT: i32 = 0;
/** The input ends inside an element: go back to where that was marked. */
export const MORE_INPUT: i32 = 1;
export const ENDED: i32 = 2;

export const BAD_HEADER: i32 = 3;
export const NEEDS_DICTIONARY: i32 = 4;
export const BAD_BLOCK: i32 = 5;
export const BAD_CODE_LENGTHS: i32 = 6;
export const BAD_CODE: i32 = 7;
export const TOO_FAR_BACK: i32 = 8;
export const BAD_CHECKSUM: i32 = 9;
export const FIRST_FAILURE: i32 = BAD_HEADER;
