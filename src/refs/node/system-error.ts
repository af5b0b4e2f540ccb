/**
 * Errors of the file system, told apart by their code.
 *
 * @module
 */
import { storageError } from '../../core/node/storage-error.ts';

/** @returns whether the operating system refused, for one of `codes` (`ENOENT`, …) when any are given */
export function isSystemError(error: unknown, ...codes: readonly string[]): error is NodeJS.ErrnoException {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return false;
  return codes.length === 0 || codes.includes(String(error.code));
}

/**
 * STORAGE_FAILED for an error of the file system; anything else is returned as it is, to be thrown on.
 *
 * @param attempt what was tried, after "Cannot". The path goes to `detail`: clients may see the message
 */
export function asStorageError(attempt: string, error: unknown): unknown {
  return storageError(error, attempt, isSystemError(error) ? (error.path ?? '') : '');
}
