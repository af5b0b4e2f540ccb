/**
 * What a pack is to hold: the answer of a walk, in typed tables, and the input of the pack writer.
 *
 * @module
 */
import type { ObjectFormat } from '../core/object-id.ts';
import type { Bitset } from '../pack/bitset.ts';

/** Selected objects that are not listed one by one: entries of one pack, a bit each. */
export interface SelectedEntries {
  /** Index into the packs of the reader. */
  readonly pack: number;
  /** By number of the entry in the order they lie in the pack, `objectCount` of its index in all. */
  readonly entries: Bitset;
  /** How many bits are set: at least one. */
  readonly count: number;
  /** git's name hash of a path the entry's object was seen at; 0 when that is not known. */
  nameHashAt?(entry: number): number;
  /** Kind code of the entry's object; absent, or 0, when it has to be read. */
  kindAt?(entry: number): number;
}

/**
 * The listed objects are numbered 0 to count - 1 in the order they were found: commits first, then trees and blobs.
 */
export interface ObjectSelection {
  readonly format: ObjectFormat;
  /** Listed objects; those in {@link stored} come on top. */
  readonly count: number;
  /** Objects that are not listed, each of one part and no other. A pack has one part at most. */
  readonly stored?: readonly SelectedEntries[] | undefined;
  /** Raw ids, `count * idBytes` bytes (the array may be longer). */
  readonly ids: Uint8Array;
  /** Kind codes (core/object-kind), one an object. */
  readonly kinds: Uint8Array;
  /** git's name hash of the path an object was found at: groups candidates for deltas. 0 when it has none. */
  readonly nameHashes: Uint32Array;
  /** The number of the listed object whose id is at `ids[at]`, or -1. */
  indexOf(ids: Uint8Array, at: number): number;
  /**
   * Whether the receiver is known to hold the object, so that it may be the base of a delta in a thin pack.
   * False means "not known".
   */
  receiverHas(ids: Uint8Array, at: number): boolean;
  /**
   * So much is known of what the receiver has that nearly every stored delta can be sent: what is stored whole is sent so,
   * as git does with bitmaps, since searching deltas for it would take longer than all else.
   */
  readonly keepsStored?: boolean | undefined;
  /** Ids of objects the receiver has that make good bases for new deltas, raw, back to back. */
  readonly preferredBases: Uint8Array;
  readonly preferredBaseKinds: Uint8Array;
  readonly preferredBaseNameHashes: Uint32Array;
}
