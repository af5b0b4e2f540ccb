/**
 * Repositories of others that are trusted all the same.
 * Spec: git-config(1), "safe.directory".
 *
 * @module
 */
import { realpathSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import type { GitConfig } from '../../git-config.ts';
import { lookAt } from '../file-identity.ts';
import { pathValue } from './config-path.ts';

/**
 * Whether protected configuration names `gitDirectory`: the directory itself, `*`, or one above it and `/*`. An empty
 * value takes back what was named before; `.` is the directory a service works in, so any. What the repository's own files say does not count.
 */
export function isSafeDirectory(gitDirectory: string, config: GitConfig, home: string | undefined): boolean {
  const directory = realpathSync(gitDirectory);
  let isSafe = false;
  for (const value of config.protected.getAll('safe.directory')) {
    if (value === '') isSafe = false;
    else if (value === '*' || value === '.' || names(value, directory, home)) isSafe = true;
  }
  return isSafe;
}

function names(value: string, directory: string, home: string | undefined): boolean {
  const path = pathValue(value, home);
  if (path === undefined || !isAbsolute(path)) return false;
  const isTree = path.endsWith('/*');
  const root = isTree ? path.slice(0, -2) || '/' : path;
  if (lookAt(root) === undefined) return false;
  const real = realpathSync(root);
  return isTree ? directory.startsWith(real === '/' ? real : `${real}/`) : directory === real;
}
