/**
 * Reading entries of a pack front to back beside the shared windows: a pass over a whole pack must not push out the
 * blocks that reading objects needs.
 *
 * @module
 */
import { FileWindows, WindowPool } from '../../pack/file-windows.ts';
import type { RandomAccessFile } from '../../pack/stored-pack.ts';
import { packEndsEarly } from './pack-errors.ts';

/** After {@link seek}, `bytes[at, end)` is what is stored from there on: an entry's header at least. */
export interface EntryBytes {
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly end: number;
  /** @throws {GitError} PACK_CORRUPT when the file ends before `position`; STORAGE_FAILED */
  seek(position: number): void;
}

/** Much of it is read, front to back. */
const BLOCK_BYTES = 64 * 1024;
/** Two blocks: the present one and, for what straddles, the next. */
const BUDGET_BYTES = 2 * BLOCK_BYTES;
/** When fewer than one entry in so many is read, a block read for one hardly holds another. */
const SPARSE = 16;
/** Of a sparse entry: its header, and all of it if it is small. */
const SPARSE_BYTES = 1024;
/** Sparse entries often lie in clusters, as what was pushed together does: of those, many at a time. */
const CLUSTER_BYTES = 16 * 1024;
/** Two entries no farther apart are taken for a cluster. */
const NEAR_BYTES = 4096;
/** As many bytes are found from any position, or all to the end of the file. */
const LEAST_BYTES = 64;

/** Of sparse entries, shorter ranges than this are mostly at hand once their header was read. */
export const LONG_SPARSE_RANGE_BYTES = SPARSE_BYTES / 2;

export function isSparse(share: number): boolean {
  return share * SPARSE < 1;
}

/** @param share of the entries of the file that will be read, 0 to 1 */
export function openEntryWindows(file: RandomAccessFile, share = 1): EntryBytes {
  return isSparse(share) && file.bytes === undefined
    ? new SparseBytes(file)
    : new FileWindows(file, new WindowPool(BUDGET_BYTES, BLOCK_BYTES));
}

class SparseBytes implements EntryBytes {
  readonly bytes = new Uint8Array(CLUSTER_BYTES);
  at = 0;
  end = 0;
  readonly #file: RandomAccessFile;
  /** Where in the file `bytes` begins. */
  #start = 0;

  constructor(file: RandomAccessFile) {
    this.#file = file;
  }

  seek(position: number): void {
    const step = position - this.#start - this.at;
    const at = position - this.#start;
    if (at >= 0 && at <= this.end - LEAST_BYTES) {
      this.at = at;
      return;
    }
    const wanted = step >= 0 && step < NEAR_BYTES ? CLUSTER_BYTES : SPARSE_BYTES;
    this.#start = position;
    this.at = 0;
    this.end = this.#file.readInto(position, this.bytes, 0, wanted);
    if (this.end === 0) throw packEndsEarly(this.#file, position);
  }
}
