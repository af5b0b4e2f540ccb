/**
 * Positioned reads of files that are open already, blocking.
 *
 * @module
 */
import { readSync } from 'node:fs';
import { storageError } from '../../core/node/storage-error.ts';

/** Positioned read of `length` bytes, or of what there is. @throws {GitError} STORAGE_FAILED */
export function readFully(
  fd: number,
  path: string,
  position: number,
  target: Uint8Array,
  targetOffset: number,
  length: number,
): number {
  let total = 0;
  try {
    while (total < length) {
      const read = readSync(fd, target, targetOffset + total, length - total, position + total);
      if (read === 0) break;
      total += read;
    }
  } catch (error) {
    throw storageError(error, 'read pack', path);
  }
  return total;
}
