/**
 * Where a repository is on disk, and whether it is one.
 * Spec: gitrepository-layout(5).
 *
 * @module
 */
import { readFile, readlink, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { GitError } from '../../core/errors.ts';
import { storageError, systemCode } from '../../core/node/storage-error.ts';

/** Longest `gitdir:` file and HEAD that are read. */
const MAX_POINTER_BYTES = 8192;

/**
 * The directory with HEAD, objects and refs that `path` means: itself, its `.git`, or where a `gitdir:` file points.
 *
 * @throws {GitError} REPOSITORY_NOT_FOUND when there is nothing at `path`; REPOSITORY_INVALID when what is there is
 * no repository; UNSUPPORTED for a linked work tree; STORAGE_FAILED
 */
export async function findGitDirectory(path: string): Promise<string> {
  const start = resolve(path);
  const kind = await kindOf(start);
  if (kind === 'absent') {
    throw new GitError('REPOSITORY_NOT_FOUND', 'Cannot open repository: there is none', { path });
  }
  if (kind === 'directory' && (await isGitDirectory(start))) return start;

  const pointer = kind === 'directory' ? join(start, '.git') : start;
  const candidate = (await kindOf(pointer)) === 'file' ? await followGitFile(pointer) : pointer;
  if (await isGitDirectory(candidate)) return candidate;
  if ((await kindOf(join(candidate, 'commondir'))) === 'file') {
    throw new GitError('UNSUPPORTED', 'Cannot open repository: it is a linked work tree', { path });
  }
  const message = 'Cannot open repository: expected HEAD, objects and refs';
  throw new GitError('REPOSITORY_INVALID', message, { path });
}

/** @returns whether git would take `directory` for a repository: a HEAD that can be one, `objects` and `refs` */
export async function isGitDirectory(directory: string): Promise<boolean> {
  return (
    (await kindOf(join(directory, 'objects'))) === 'directory' &&
    (await kindOf(join(directory, 'refs'))) === 'directory' &&
    (await isHead(join(directory, 'HEAD')))
  );
}

async function isHead(path: string): Promise<boolean> {
  const link = await orAbsent(readlink(path), 'EINVAL', 'UNKNOWN'); // EINVAL: it is no symbolic link
  if (link?.startsWith('refs/') === true) return true;
  if ((await kindOf(path)) !== 'file') return false;
  const content = await readStart(path);
  return /^ref:\s*refs\//.test(content) || /^(?:[0-9a-f]{40}|[0-9a-f]{64})(?:\s|$)/.test(content);
}

async function followGitFile(path: string): Promise<string> {
  const [, target] = /^gitdir: (.+?)[\r\n]*$/.exec(await readStart(path)) ?? [];
  if (target === undefined) {
    throw new GitError('REPOSITORY_INVALID', "Cannot open repository: expected a 'gitdir: ' file", { path });
  }
  return resolve(dirname(path), target);
}

async function readStart(path: string): Promise<string> {
  if ((await stat(path)).size > MAX_POINTER_BYTES) return '';
  return readFile(path, 'utf8');
}

/** What is at `path`, symbolic links followed. */
export async function kindOf(path: string): Promise<'file' | 'directory' | 'absent'> {
  const found = await orAbsent(stat(path));
  if (found === undefined) return 'absent';
  return found.isDirectory() ? 'directory' : 'file';
}

const ABSENT = ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG'];

function isPathError(error: unknown): error is Error & { readonly path: string } {
  return error instanceof Error && 'path' in error && typeof error.path === 'string';
}

/** @returns `undefined` where nothing is */
export async function orAbsent<Result>(
  operation: Promise<Result>,
  ...codes: readonly string[]
): Promise<Result | undefined> {
  try {
    return await operation;
  } catch (error) {
    const code = systemCode(error);
    if (ABSENT.includes(code) || codes.includes(code)) return undefined;
    throw storageError(error, 'open repository', isPathError(error) ? error.path : '');
  }
}
