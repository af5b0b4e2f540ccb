/**
 * From what a user names to a repository directory, as git's own services and commands look for it.
 *
 * @module
 */
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { GitError, isGitError } from '../core/errors.ts';
import { findGitDirectory, isGitDirectory, kindOf } from '../repository/node/git-directory.ts';

/** Tried in this order, as git's enter_repo() does without `--strict`. */
const SUFFIXES = ['/.git', '', '.git/.git', '.git'];

/**
 * The repository a client of upload-pack or receive-pack means by `name`.
 *
 * @param strict only `name` itself will do
 * @throws {GitError} REPOSITORY_NOT_FOUND
 */
export async function enterRepository(name: string, directory: string, strict: boolean): Promise<string> {
  const trimmed = name.length > 1 ? name.replace(/\/+$/, '') : name;
  for (const suffix of strict ? [''] : SUFFIXES) {
    const path = resolve(directory, expandHome(trimmed, strict) + suffix);
    const repository = await repositoryAt(path);
    if (repository !== undefined) return repository;
  }
  throw new GitError('REPOSITORY_NOT_FOUND', `'${name}' does not appear to be a git repository`, { name });
}

/**
 * The repository a command works in: `GIT_DIR`, or the nearest one from `directory` upwards.
 *
 * @returns `undefined` outside any
 * @throws {GitError} REPOSITORY_NOT_FOUND when `GIT_DIR` names none
 */
export async function discoverRepository(
  directory: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  const named = environment.GIT_DIR;
  if (named !== undefined && named !== '') return enterRepository(named, directory, true);
  for (let at = directory; ; at = dirname(at)) {
    const repository = (await repositoryAt(join(at, '.git'))) ?? (await repositoryAt(at));
    if (repository !== undefined) return repository;
    if (dirname(at) === at) return undefined;
  }
}

/** `path` itself, or where its `gitdir:` file points; `undefined` when neither is a repository. */
async function repositoryAt(path: string): Promise<string | undefined> {
  const kind = await kindOf(path);
  if (kind === 'absent' || (kind === 'directory' && !(await isGitDirectory(path)))) return undefined;
  try {
    return await findGitDirectory(path);
  } catch (error) {
    if (isGitError(error, 'REPOSITORY_INVALID', 'REPOSITORY_NOT_FOUND')) return undefined;
    throw error;
  }
}

function expandHome(name: string, strict: boolean): string {
  return !strict && (name === '~' || name.startsWith('~/')) ? homedir() + name.slice(1) : name;
}
