/**
 * The directory a server serves, checked before the first request finds it unusable.
 *
 * @module
 */
import { access, constants, mkdir, stat } from 'node:fs/promises';
import { GitError } from '../core/errors.ts';

/**
 * Make sure that `root` is a directory that can be read and, with `create`, written; make it then if need be.
 *
 * @throws {GitError} INVALID_ARGUMENT when it is none; STORAGE_FAILED when the system does not let us
 */
export async function prepareRoot(root: string, create: boolean): Promise<void> {
  try {
    if (create) await mkdir(root, { recursive: true });
    if (!(await stat(root)).isDirectory()) {
      throw new GitError('INVALID_ARGUMENT', `Cannot serve '${root}': it is no directory`);
    }
    await access(root, create ? constants.R_OK | constants.W_OK : constants.R_OK);
  } catch (error) {
    if (error instanceof GitError) throw error;
    throw unusable(root, error);
  }
}

function unusable(root: string, error: unknown): GitError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'ENOENT':
      return new GitError(
        'INVALID_ARGUMENT',
        `Cannot serve '${root}': there is no such directory (--create makes it)`,
      );
    case 'EEXIST':
    case 'ENOTDIR':
      return new GitError('INVALID_ARGUMENT', `Cannot serve '${root}': it is no directory`);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new GitError(
        'STORAGE_FAILED',
        `Cannot serve '${root}': it may not be read or written`,
        {},
        error,
      );
    default:
      return new GitError('STORAGE_FAILED', `Cannot serve '${root}': ${String(error)}`, {}, error);
  }
}
