/**
 * Directories of refs and logs that hold nothing any more: git leaves them, and so they may be in the way.
 *
 * @module
 */
import fs from 'node:fs';
import { dirname, join } from 'node:path';
import { isSystemError } from './system-error.ts';

/**
 * Remove `directory` if there is nothing in it but directories.
 *
 * @returns whether it is gone
 */
export function removeEmptyDirectories(directory: string): boolean {
  try {
    for (const entry of fs.readdirSync(directory, { withFileTypes: true })) {
      if (!entry.isDirectory() || !removeEmptyDirectories(join(directory, entry.name))) return false;
    }
    fs.rmdirSync(directory);
    return true;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return true;
    if (isSystemError(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR', 'EACCES', 'EPERM')) return false;
    throw error;
  }
}

/** Remove the directories that led to `name` and are empty now; `refs/heads` and its like stay. */
export function removeEmptyParents(root: string, name: string): void {
  for (let parent = dirname(name); parent.split('/').length > 2; parent = dirname(parent)) {
    try {
      fs.rmdirSync(join(root, parent));
    } catch (error) {
      if (isSystemError(error)) return; // in use, or gone: either way there is no more to tidy up
      throw error;
    }
  }
}
