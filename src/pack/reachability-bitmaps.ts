/**
 * What git's .bitmap files answer, whether they belong to a pack or to a multi-pack-index.
 * Spec: gitformat-bitmap(5).
 *
 * @module
 */
import type { Bitset } from './bitset.ts';

/** Where an object lies. One instance is filled again and again. */
export interface BitmapLocation {
  /** Index into {@link ReachabilityBitmaps.packNames}. */
  pack: number;
  /** Byte offset of the entry in that pack. */
  offset: number;
}

/**
 * The objects of one pack, or of all packs of a multi-pack-index, numbered by *position*; and for some commits
 * all that they reach, as a set of positions. What a covered commit reaches is covered too.
 *
 * Positions ascend by pack, the preferred one first, then by offset. Members are synchronous; a file that turns
 * out to be damaged answers as if it had no bitmap for the commit.
 */
export interface ReachabilityBitmaps {
  readonly objectCount: number;
  /** Names (`pack-<hex>`) of the packs that are covered, in their numbering here. */
  readonly packNames: readonly string[];
  /** The position of the object `ids[at, at + idBytes)`; -1 when it is not covered. */
  positionOf(ids: Uint8Array, at: number): number;
  /** Copy the raw id at a position to `target[targetOffset, …)`. */
  copyId(position: number, target: Uint8Array, targetOffset: number): void;
  /** Find where the object at a position lies. */
  locate(position: number, into: BitmapLocation): void;
  /** One bit a position: which objects are of this kind (a code of core/object-kind). Shared: never write to it. */
  ofKind(kind: number): Bitset;
  hasBitmap(position: number): boolean;
  /**
   * Add what the commit at this position reaches, itself included, to `into`, which has `objectCount` bits.
   *
   * @returns false when no bitmap is stored for it, and `into` is as it was
   */
  orReachable(position: number, into: Bitset): boolean;
  /** git's hash of a path the object was seen at; 0 when the file has none. */
  nameHashAt(position: number): number;
}
