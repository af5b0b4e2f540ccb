/**
 * The objects that a .bitmap file numbers: those of one pack, in the order they lie in it.
 * Spec: gitformat-bitmap(5).
 *
 * @module
 */
import type { PackIndex } from './pack-index.ts';
import type { BitmapLocation } from './reachability-bitmaps.ts';

/**
 * Bits stand for objects by *position*; the file's tables name them by *rank*, their place by id in the index of the
 * pack or in the multi-pack-index.
 */
export interface BitmapObjects {
  readonly objectCount: number;
  /** What a .bitmap file names to say what it belongs to: the trailer of the pack or of the multi-pack-index. */
  readonly checksum: Uint8Array;
  readonly packNames: readonly string[];
  /** Bytes of tables made for this, besides the index. */
  readonly heldBytes: number;
  positionOf(ids: Uint8Array, at: number): number;
  rankAt(position: number): number;
  positionAt(rank: number): number;
  copyId(position: number, target: Uint8Array, targetOffset: number): void;
  locate(position: number, into: BitmapLocation): void;
}

/** @param name of the pack, without extension */
export function packBitmapObjects(name: string, index: PackIndex): BitmapObjects {
  return new PackObjects(name, index);
}

class PackObjects implements BitmapObjects {
  readonly objectCount: number;
  readonly checksum: Uint8Array;
  readonly packNames: readonly string[];
  readonly heldBytes = 0;
  readonly #index: PackIndex;

  constructor(name: string, index: PackIndex) {
    this.objectCount = index.objectCount;
    this.checksum = index.packChecksum;
    this.packNames = [name];
    this.#index = index;
  }

  positionOf(ids: Uint8Array, at: number): number {
    const rank = this.#index.rankOf(ids, at);
    return rank < 0 ? -1 : this.positionAt(rank);
  }

  positionAt(rank: number): number {
    return this.#index.entryAt(this.#index.offsetOf(rank));
  }

  rankAt(position: number): number {
    return this.#index.rankAtOffset(this.#index.entryStart(position));
  }

  copyId(position: number, target: Uint8Array, targetOffset: number): void {
    this.#index.copyId(this.rankAt(position), target, targetOffset);
  }

  locate(position: number, into: BitmapLocation): void {
    into.pack = 0;
    into.offset = this.#index.entryStart(position);
  }
}
