/**
 * Whether a file is still the one that was read. Inode numbers are used again at once, so times belong to it.
 *
 * @module
 */
import { type Stats, statSync } from 'node:fs';
import { GitError } from '../../core/errors.ts';

/** Looked at without leaving the thread: ten times cheaper than a promise. @returns `undefined` where nothing is */
export function lookAt(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    const code = String(error.code);
    if (UNREACHABLE.includes(code)) return undefined;
    throw new GitError('STORAGE_FAILED', `Cannot open repository: ${code}`, {}, error);
  }
}

const UNREACHABLE = ['ENOTDIR', 'ELOOP', 'EACCES', 'ENAMETOOLONG'];

/** @returns whether both are of the same content, or neither is there */
export function isSameFile(a: Stats | undefined, b: Stats | undefined): boolean {
  return (
    a?.ino === b?.ino &&
    a?.dev === b?.dev &&
    a?.mtimeMs === b?.mtimeMs &&
    a?.ctimeMs === b?.ctimeMs &&
    a?.size === b?.size
  );
}
