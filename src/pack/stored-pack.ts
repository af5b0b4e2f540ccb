/**
 * One finished pack: its bytes for positioned reads, and its index.
 *
 * @module
 */
import type { PackIndex } from './pack-index.ts';

/**
 * A file for positioned reads. Reading is synchronous: these are local bytes or memory.
 */
export interface RandomAccessFile {
  readonly sizeBytes: number;
  /** Where worker threads can open the same bytes; absent when they are not a file. */
  readonly path?: string | undefined;
  /** The whole content, when it is in memory anyway: may be read directly, never written. */
  readonly bytes?: Uint8Array | undefined;
  /**
   * Copy `length` bytes at `position` into `target` at `targetOffset`.
   *
   * @returns how many were copied: fewer only at the end of the file
   * @throws {GitError} STORAGE_FAILED when the medium fails
   */
  readInto(position: number, target: Uint8Array, targetOffset: number, length: number): number;
}

/** Shared by readers; whoever opened it closes it after the last one is released. */
export interface StoredPack {
  /** `pack-<hex>`, as git names it, without extension. */
  readonly name: string;
  readonly file: RandomAccessFile;
  readonly index: PackIndex;
}
