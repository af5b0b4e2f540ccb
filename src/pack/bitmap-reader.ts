/**
 * Reachability bitmaps over a .bitmap file and the objects it numbers.
 * Spec: gitformat-bitmap(5).
 *
 * @module
 */
import { GitError } from '../core/errors.ts';
import { type BitmapFile, type BitmapFileOptions, parseBitmapFile } from './bitmap-file.ts';
import type { BitmapObjects } from './bitmap-objects.ts';
import { Bitset } from './bitset.ts';
import type { BitmapLocation, ReachabilityBitmaps } from './reachability-bitmaps.ts';

/**
 * Expanded bitmaps kept for the next commit that is asked for, in bytes: neighbours are stored as the difference from
 * each other. Those of 850,000 objects take 100 KiB each.
 */
const EXPANDED_BYTES = 8 * 1024 * 1024;

export interface BitmapReaderOptions extends Pick<BitmapFileOptions, 'format' | 'runtime'> {
  /** Told once when an entry of the file turns out to be damaged; no bitmap is given out then any more. */
  readonly onWarning?: ((warning: GitError) => void) | undefined;
}

/**
 * @param bytes of the whole .bitmap file, which it keeps
 * @throws {GitError} PACK_CORRUPT when they are damaged or belong to something else than `objects`; UNSUPPORTED for
 * another version or unknown flags
 */
export function readBitmaps(
  bytes: Uint8Array,
  objects: BitmapObjects,
  { format, runtime, onWarning }: BitmapReaderOptions,
): StoredBitmaps {
  const { objectCount, checksum } = objects;
  const file = parseBitmapFile(bytes, { format, runtime, objectCount, checksum });
  return new StoredBitmaps(file, objects, onWarning);
}

export class StoredBitmaps implements ReachabilityBitmaps {
  readonly objectCount: number;
  readonly packNames: readonly string[];
  readonly #file: BitmapFile;
  readonly #objects: BitmapObjects;
  readonly #onWarning: ((warning: GitError) => void) | undefined;
  /** Entries of the file by the position of their commit: some hundred. */
  readonly #entries = new Map<number, number>();
  /** By entry, used longest ago first. */
  readonly #expanded = new Map<number, Bitset>();
  #isDamaged = false;

  /** @throws {GitError} PACK_CORRUPT when two entries are for one commit */
  constructor(file: BitmapFile, objects: BitmapObjects, onWarning?: (warning: GitError) => void) {
    this.objectCount = objects.objectCount;
    this.packNames = objects.packNames;
    this.#file = file;
    this.#objects = objects;
    this.#onWarning = onWarning;
    for (let entry = 0; entry < file.entryCount; entry++) {
      this.#entries.set(objects.positionAt(file.rankOfEntry(entry)), entry);
    }
    if (this.#entries.size !== file.entryCount) {
      throw new GitError('PACK_CORRUPT', 'Cannot read bitmaps: a commit has two entries');
    }
  }

  /** Commits that have a bitmap. */
  get bitmapCount(): number {
    return this.#file.entryCount;
  }

  /** Bytes it holds at most, what is expanded included. */
  get heldBytes(): number {
    const expanded = Math.min(this.#mostExpanded, this.bitmapCount) * (this.objectCount / 8);
    return this.#file.heldBytes + this.#objects.heldBytes + expanded;
  }

  positionOf(ids: Uint8Array, at: number): number {
    return this.#objects.positionOf(ids, at);
  }

  copyId(position: number, target: Uint8Array, targetOffset: number): void {
    this.#objects.copyId(position, target, targetOffset);
  }

  locate(position: number, into: BitmapLocation): void {
    this.#objects.locate(position, into);
  }

  ofKind(kind: number): Bitset {
    return this.#file.ofKind(kind);
  }

  hasBitmap(position: number): boolean {
    return !this.#isDamaged && this.#entries.has(position);
  }

  orReachable(position: number, into: Bitset): boolean {
    if (this.#isDamaged) return false;
    const entry = this.#entries.get(position);
    const reachable = entry === undefined ? undefined : this.#expand(entry, position);
    if (reachable === undefined) return false;
    into.or(reachable);
    return true;
  }

  nameHashAt(position: number): number {
    return this.#file.nameHashOf(this.#objects.rankAt(position));
  }

  get #mostExpanded(): number {
    return Math.max(1, Math.floor((8 * EXPANDED_BYTES) / Math.max(1, this.objectCount)));
  }

  /** @returns `undefined` when what is stored does not parse; shared otherwise */
  #expand(entry: number, position: number): Bitset | undefined {
    const known = this.#expanded.get(entry);
    if (known !== undefined) {
      this.#expanded.delete(entry);
      this.#expanded.set(entry, known); // used last now
      return known;
    }
    const file = this.#file;
    const bits = new Bitset(this.objectCount);
    for (let next = entry; next >= 0; next = file.baseOf(next)) {
      const base = this.#expanded.get(next);
      if (base !== undefined) {
        bits.xor(base);
        break;
      }
      if (!file.toggle(next, bits)) return this.#damaged('an entry does not parse', position);
    }
    // What a commit reaches begins with itself: a cheap check that this is what was asked for.
    if (!bits.has(position)) return this.#damaged('a commit does not reach itself', position);
    if (this.#expanded.size >= this.#mostExpanded) {
      for (const oldest of this.#expanded.keys()) {
        this.#expanded.delete(oldest);
        break;
      }
    }
    this.#expanded.set(entry, bits);
    return bits;
  }

  #damaged(why: string, position: number): undefined {
    this.#isDamaged = true;
    this.#onWarning?.(new GitError('PACK_CORRUPT', `Cannot read bitmaps: ${why}`, { position }));
    return undefined;
  }
}
