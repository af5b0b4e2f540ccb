/**
 * What a pack is to hold: the answer of a walk, in typed tables, and the input of the pack writer.
 *
 * @module
 */
import type { ObjectFormat } from '../core/object-id.ts';

/** Objects are numbered 0 to count - 1 in the order they were found: commits first, then trees and blobs. */
export interface ObjectSelection {
  readonly format: ObjectFormat;
  readonly count: number;
  /** Raw ids, `count * idBytes` bytes (the array may be longer). */
  readonly ids: Uint8Array;
  /** Kind codes (core/object-kind), one an object. */
  readonly kinds: Uint8Array;
  /** git's name hash of the path an object was found at: groups candidates for deltas. 0 when it has none. */
  readonly nameHashes: Uint32Array;
  /** The number of the object whose id is at `ids[at]`, or -1. */
  indexOf(ids: Uint8Array, at: number): number;
  /**
   * Whether the receiver is known to hold the object, so that it may be the base of a delta in a thin pack.
   * False means "not known".
   */
  receiverHas(ids: Uint8Array, at: number): boolean;
  /** Ids of objects the receiver has that make good bases for new deltas, raw, back to back. */
  readonly preferredBases: Uint8Array;
  readonly preferredBaseKinds: Uint8Array;
  readonly preferredBaseNameHashes: Uint32Array;
}
