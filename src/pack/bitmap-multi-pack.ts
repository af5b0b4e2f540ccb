/**
 * The objects that the .bitmap file of a multi-pack-index numbers: those of all its packs, as if they were one.
 * Spec: gitformat-pack(5), "multi-pack-index reverse indexes".
 *
 * @module
 */
import { equalBytes, readUint32 } from '../core/bytes.ts';
import { GitError } from '../core/errors.ts';
import type { ObjectFormat } from '../core/object-id.ts';
import type { BitmapObjects } from './bitmap-objects.ts';
import type { MultiPackIndex } from './multi-pack-index.ts';
import type { BitmapLocation } from './reachability-bitmaps.ts';

const REV_SIGNATURE = 0x52494458; // RIDX
const REV_HEADER_BYTES = 12;

/**
 * @param order ranks by position, 32-bit big-endian: the chunk of the index, or {@link packOrderOfRevFile}
 * @throws {GitError} PACK_CORRUPT when it is not the order of a pseudo-pack
 */
export function multiPackBitmapObjects(index: MultiPackIndex, order: Uint8Array): BitmapObjects {
  return new MultiPackObjects(index, order);
}

/**
 * The order in a `multi-pack-index-<hex>.rev` file: git wrote one before the index had room for it.
 *
 * @throws {GitError} PACK_CORRUPT when it belongs to something else
 */
export function packOrderOfRevFile(
  bytes: Uint8Array,
  index: MultiPackIndex,
  format: ObjectFormat,
): Uint8Array {
  const end = REV_HEADER_BYTES + 4 * index.objectCount;
  if (
    bytes.length !== end + 2 * format.idBytes ||
    readUint32(bytes, 0) !== REV_SIGNATURE ||
    readUint32(bytes, 4) !== 1 ||
    readUint32(bytes, 8) !== format.hashVersion ||
    !equalBytes(bytes.subarray(end, end + format.idBytes), index.checksum)
  ) {
    throw corrupt('its .rev file belongs to another');
  }
  return bytes.subarray(REV_HEADER_BYTES, end);
}

class MultiPackObjects implements BitmapObjects {
  readonly objectCount: number;
  readonly checksum: Uint8Array;
  /** Those with objects in the order of their positions, then the others. */
  readonly packNames: readonly string[];
  readonly #index: MultiPackIndex;
  readonly #order: Uint8Array;
  readonly #positions: Uint32Array;
  /** Where a pack of the index stands in {@link packNames}. */
  readonly #places: Int32Array;

  constructor(index: MultiPackIndex, order: Uint8Array) {
    const count = index.objectCount;
    const names: string[] = [];
    const places = new Int32Array(index.packNames.length).fill(-1);
    const positions = new Uint32Array(count).fill(count);
    for (let position = 0; position < count; position++) {
      const rank = readUint32(order, 4 * position);
      if (rank >= count || positions[rank] !== count) throw corrupt('its order is none', { position });
      positions[rank] = position;
    }
    const sizes = objectCountsOf(index);
    // Packs by their borders: to look at each object in this order would take ten times as long as all of the above.
    const packAt = (position: number): number => index.packOf(readUint32(order, 4 * position));
    for (let position = 0; position < count; ) {
      const pack = packAt(position);
      const end = position + (sizes[pack] as number);
      if (places[pack] !== -1 || end > count || packAt(end - 1) !== pack) {
        throw corrupt('its order is not that of packs', { position, pack });
      }
      places[pack] = names.push(index.packNames[pack] as string) - 1;
      position = end;
    }
    for (const [pack, name] of index.packNames.entries()) {
      if (places[pack] === -1) places[pack] = names.push(name) - 1;
    }
    this.objectCount = count;
    this.checksum = index.checksum;
    this.packNames = names;
    this.#index = index;
    this.#order = order;
    this.#positions = positions;
    this.#places = places;
  }

  get heldBytes(): number {
    return this.#positions.byteLength;
  }

  positionOf(ids: Uint8Array, at: number): number {
    const rank = this.#index.rankOf(ids, at);
    return rank < 0 ? -1 : this.positionAt(rank);
  }

  positionAt(rank: number): number {
    return this.#positions[rank] as number;
  }

  rankAt(position: number): number {
    return readUint32(this.#order, 4 * position);
  }

  copyId(position: number, target: Uint8Array, targetOffset: number): void {
    this.#index.copyId(this.rankAt(position), target, targetOffset);
  }

  locate(position: number, into: BitmapLocation): void {
    const rank = this.rankAt(position);
    into.pack = this.#places[this.#index.packOf(rank)] as number;
    into.offset = this.#index.offsetOf(rank);
  }
}

/** How many objects the index takes from each of its packs. */
function objectCountsOf(index: MultiPackIndex): Uint32Array {
  const counts = new Uint32Array(index.packNames.length);
  for (let rank = 0; rank < index.objectCount; rank++) {
    const pack = index.packOf(rank);
    if (pack >= counts.length) throw corrupt('an object is in a pack there is not', { rank, pack });
    counts[pack]!++;
  }
  return counts;
}

function corrupt(why: string, detail: Readonly<Record<string, number>> = {}): GitError {
  return new GitError('PACK_CORRUPT', `Cannot read multi-pack-index: ${why}`, detail);
}
