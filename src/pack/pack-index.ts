/**
 * What a pack's index answers, whatever file it came from (.idx v1 or v2, memory).
 * Objects are numbered by id order: their *rank*, 0 to objectCount - 1.
 *
 * @module
 */
import type { ObjectFormat } from '../core/object-id.ts';

export interface PackIndex {
  readonly format: ObjectFormat;
  readonly objectCount: number;
  /** Trailer of the pack this index belongs to, raw. */
  readonly packChecksum: Uint8Array;
  /** @returns the rank of the id at `ids[at]`, or -1 */
  rankOf(ids: Uint8Array, at: number): number;
  /** The raw id of `rank`, copied to `target` at `targetOffset`. */
  copyId(rank: number, target: Uint8Array, targetOffset: number): void;
  /** The first rank whose id is not below `prefix` (any number of raw bytes). */
  lowerBound(prefix: Uint8Array): number;
  /** Byte offset of the entry in the pack. */
  offsetOf(rank: number): number;
  /** CRC-32 of the packed entry; `undefined` for a v1 index, which stores none. */
  crcOf(rank: number): number | undefined;
  /**
   * The rank of the entry that starts at `offset`, or -1. Backed by a reverse index (.rev, or one
   * built on first use: 4 bytes an object).
   */
  rankAtOffset(offset: number): number;
  /** Where the entry that starts at `offset` ends: the next entry's start, or the trailer's. */
  entryEnd(offset: number): number;
  /** The number of the entry that starts at `offset`, counted from 0 in the order they lie in the pack; or -1. */
  entryAt(offset: number): number;
  /** Where an entry of this number starts; for `objectCount`, where the last one ends. */
  entryStart(entry: number): number;
}
