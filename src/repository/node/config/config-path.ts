/**
 * Paths as values of configuration.
 * Spec: git-config(1), "Values", pathname.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import { GitError } from '../../../core/errors.ts';

/**
 * `~/` and `~user/` put in full; another path as it is.
 *
 * @returns `undefined` when there is no such home
 */
export function expandHome(path: string, home: string | undefined): string | undefined {
  if (!path.startsWith('~')) return path;
  const slash = path.indexOf('/');
  const user = path.slice(1, slash < 0 ? undefined : slash);
  const directory = user === '' ? home : homeOf(user);
  return directory === undefined ? undefined : directory + (slash < 0 ? '' : path.slice(slash));
}

function homeOf(user: string): string | undefined {
  if (!existsSync('/etc/passwd')) return undefined;
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  return lines.map((line) => line.split(':')).find(([name]) => name === user)?.[5];
}

/**
 * A value that is a path.
 *
 * @returns `undefined` for one marked `:(optional)` where nothing is
 * @throws {GitError} REPOSITORY_INVALID when its `~` means nothing
 */
export function pathValue(value: string, home: string | undefined): string | undefined {
  const isOptional = value.startsWith(OPTIONAL);
  const path = expandHome(isOptional ? value.slice(OPTIONAL.length) : value, home);
  if (path === undefined) {
    throw new GitError('REPOSITORY_INVALID', `Cannot read config: failed to expand user dir in: '${value}'`);
  }
  return isOptional && !existsSync(path) ? undefined : path;
}

const OPTIONAL = ':(optional)';
