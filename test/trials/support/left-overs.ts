/**
 * What a server must not leave behind in its repositories.
 *
 * @module
 */
import { type Dirent, readdirSync } from 'node:fs';
import { join } from 'node:path';

const TEMPORARY = /^(tmp_.*|.*incoming-.*|.*\.lock)$/;

/** Paths below `root` of quarantines, files that were being written, and locks. */
export function leftOvers(root: string): string[] {
  return entriesOf(root).flatMap((entry) => {
    const path = join(root, entry.name);
    if (TEMPORARY.test(entry.name)) return [path];
    return entry.isDirectory() ? leftOvers(path) : [];
  });
}

/** Of a directory that may be gone by now: nothing. */
function entriesOf(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
