/**
 * What a SHA-1 that detects collision attacks offers, whatever it runs on.
 * Implementations: `wasm-sha1.ts`, and `plain-sha1.ts` where there is no WebAssembly with SIMD.
 *
 * A detected attack is an answer here, not an error: callers say what it means.
 *
 * @module
 */

/** Bytes of an id. */
export const ID_BYTES = 20;
/** Bytes the compression function takes at a time. */
export const BLOCK_BYTES = 64;

export interface DetectingSha1 {
  readonly name: 'wasm' | 'plain';
  /**
   * Hash of `bytes[start, end)`, written at `target[targetOffset]`.
   *
   * @returns whether the bytes hold a block of a collision attack
   */
  hashInto(bytes: Uint8Array, start: number, end: number, target: Uint8Array, targetOffset: number): boolean;
  createHash(): DetectingHash;
  /**
   * For thousands of objects; `undefined` where nothing is gained by taking several together.
   *
   * @param forLarge whether messages of more than 1 MiB are to have room: takes three times the memory
   */
  createBatch?(forLarge?: boolean): DetectingBatch;
}

/** One message that comes in pieces. */
export interface DetectingHash {
  update(bytes: Uint8Array): void;
  /** The hash; it cannot be used after it. */
  digest(): Uint8Array;
  /** Whether the bytes held a block of a collision attack; known once {@link digest} was called. */
  readonly isAttacked: boolean;
}

/** The longest message that goes into a batch which is not for large ones. */
export const USUAL_BATCHED_BYTES = 1024 * 1024;

/** Messages that are gathered until there are enough to be hashed side by side. */
export interface DetectingBatch {
  /** Messages of more bytes are better hashed alone: there is never room for them. */
  readonly mostBytes: number;
  /**
   * Copy the message `bytes[start, end)`, number `key` of the caller's.
   *
   * @returns false when there is no room for it now: call {@link flush}
   */
  add(bytes: Uint8Array, start: number, end: number, key: number): boolean;
  /**
   * Hash what was added, and tell of each message that is done. Then there is room again.
   *
   * @param all whether none is to be left over; otherwise one or two long ones may stay, for the next time
   */
  flush(all: boolean, found: (key: number, ids: Uint8Array, at: number, isAttacked: boolean) => void): void;
}
