/**
 * What the file system says, as errors of this library.
 *
 * @module
 */
import { GitError } from '../errors.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on the disk',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the file system is read-only',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EIO: 'the disk failed (I/O error)',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files in the system',
  EFBIG: 'the file would be too large',
  ENOENT: 'the file or directory is gone',
};

/** @returns the system's code for the failure (`ENOENT`), or `''` when it is no system error */
export function systemCode(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return '';
  return String(error.code);
}

/** @returns why the system refused, in words; `''` when it is no system error */
export function systemReason(error: unknown): string {
  const code = systemCode(error);
  return REASONS[code] ?? code;
}

/** @returns whether the file, or the directory it would be in, is not there */
export function isAbsent(error: unknown): boolean {
  const code = systemCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/**
 * STORAGE_FAILED for a system error; anything else is returned as it is, to be thrown on.
 *
 * @param what was tried, after "Cannot": `write loose object`
 * @param path goes to `detail`, not into the message: clients may see that
 */
export function storageError(error: unknown, what: string, path: string): unknown {
  const code = systemCode(error);
  if (code === '') return error;
  return new GitError('STORAGE_FAILED', `Cannot ${what}: ${systemReason(error)}`, { path, code }, error);
}

/** Run `operation`; its system errors become STORAGE_FAILED. */
export async function storing<T>(what: string, path: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw storageError(error, what, path);
  }
}
