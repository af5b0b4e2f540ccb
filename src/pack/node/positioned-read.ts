/**
 * Positioned reads of files that are open already, blocking.
 *
 * @module
 */
import { readSync } from 'node:fs';
import { GitError } from '../../core/errors.ts';

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
    throw storageFailed(path, error);
  }
  return total;
}

/** What a failed operation on a file of a pack is to everyone else. */
export function storageFailed(path: string, cause: unknown): GitError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new GitError('STORAGE_FAILED', `Cannot store pack: ${reason}`, { path }, cause);
}
