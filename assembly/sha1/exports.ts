/**
 * SHA-1 with detection of collision attacks, in AssemblyScript: the exports.
 *
 * What the blocks of a message need not wait for each other for is done for four of them at a time, in the lanes of
 * SIMD words: byte order, message expansion, the filter of unavoidable conditions. The rounds of one message follow
 * block after block; those of four messages go in lanes too, in less than half the time (`hashMany`).
 *
 * Pointers are addresses in the module's own memory. `src/core/sha1/wasm-sha1.ts` calls every export.
 * Spec: FIPS 180-4, 6.1; Stevens and Shumow, "Speeding up detection of SHA-1 collision attacks using unavoidable
 * attack conditions" (USENIX Security 2017).
 *
 * @module
 */
import { CHAINING, DIFFERENCES, JOBS, SAME_STATE_STEPS } from './layout';

export { hashMany } from './lanes';
export { compress, finish, hash, pad, reset } from './message';

/** Where the caller puts bytes. Everything from here to the end of the memory is the caller's. */
export function inputStart(): usize {
  return (__heap_base + 63) & ~63;
}

/** The chaining value, five words; after `finish` and `hash`, the id. */
export function stateStart(): usize {
  return CHAINING;
}

/** Where the caller puts what each disturbance vector changes: see `layout.ts`. */
export function differencesStart(): usize {
  return DIFFERENCES;
}

/** Likewise for the steps before which both messages have the same state. */
export function sameStateStepsStart(): usize {
  return SAME_STATE_STEPS;
}

/** Where the caller puts what `hashMany` is to do. */
export function jobsStart(): usize {
  return JOBS;
}
