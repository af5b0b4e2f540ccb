/**
 * Where things lie in the module's memory.
 *
 * @module
 */

/** Blocks that are worked on together. */
export const LANES: i32 = 4;

/** What one hash goes through in a block: five words each, `stride` bytes from word to word. */
export const BEFORE: usize = 0;
export const AT_STEP_58: usize = 80;
export const AT_STEP_65: usize = 160;
export const AFTER: usize = 240;
/** States of one message: stride 4. */
export const STATES: usize = memory.data(320, 16);
/** Where the chaining value of one message is; the id, once it is finished. */
export const CHAINING: usize = STATES + AFTER;
/** States of four messages, word by word: stride 16, the first lane's first. */
export const LANE_STATES: usize = memory.data(320, 16);

/** Expanded messages of four blocks: word t of lane l at `WORDS + 16 t + 4 l`. */
export const WORDS: usize = memory.data(80 * 16, 16);
/** The same with the constant of their round added. */
export const SUMMED: usize = memory.data(80 * 16, 16);
/** The chaining value of the message that a block may collide with, five words. */
export const PARTNER: usize = memory.data(20, 16);
/** What `survivingVectors` said of each lane. */
export const SURVIVORS: usize = memory.data(16, 16);

/** Disturbance vectors looked for: bit v of a set of them is vector v. */
export const VECTORS: i32 = 32;
/**
 * What an attack by vector v changes in word t of the expanded message, by exclusive or: at `DIFFERENCES + 320 v + 4 t`.
 * Written by the caller before the first block; so are the SAME_STATE_STEPS.
 */
export const DIFFERENCES: usize = memory.data(32 * 320, 16);
/** The step before which both messages of an attack by vector v have the same state: 58 or 65, a byte each. */
export const SAME_STATE_STEPS: usize = memory.data(32, 16);

/** Messages that `hashMany` takes at a time. */
export const MOST_JOBS: i32 = 512;
/**
 * Bytes of one, in words: where its next block is, how many are left, five of the chaining value, and how many blocks
 * were attacked. Once none is left, the id stands where the chaining value was.
 */
export const JOB_BYTES: usize = 32;
export const JOBS: usize = memory.data(512 * 32, 16);
/** What each lane of `hashMany` has before it: its job, its next block, and how many it has left; a word a lane. */
export const LANE_JOBS: usize = memory.data(16, 16);
export const LANE_BLOCKS: usize = memory.data(16, 16);
export const LANE_LEFT: usize = memory.data(16, 16);
