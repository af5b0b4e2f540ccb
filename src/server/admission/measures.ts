/**
 * What repositories of files and their owners have stored: an owner is a directory below the root.
 *
 * @module
 */
import { basename, dirname } from 'node:path';
import { GitError } from '../../core/errors.ts';
import { objectBytes, objectBytesOfAll } from './object-bytes.ts';
import type { Measures, PushedTo } from './quotas.ts';

/** @returns the first segment of `name`; `undefined` at the top, where there is none above */
export function ownerByPath(name: string): string | undefined {
  const end = name.indexOf('/');
  return end > 0 ? name.slice(0, end) : undefined;
}

/** For repositories of files, and owners that {@link ownerByPath} finds. */
export const fileMeasures: Measures = {
  repository: async (pushedTo, options) => objectBytes(directoryOf(pushedTo), options),
  owner: async (pushedTo, options) => objectBytesOfAll(ownerDirectory(pushedTo), options),
};

/** @throws {GitError} INVALID_ARGUMENT when the repository is not below a directory of that name */
function ownerDirectory(pushedTo: PushedTo & { readonly owner: string }): string {
  const path = directoryOf(pushedTo);
  let directory = basename(path) === '.git' ? dirname(path) : path;
  const segments = pushedTo.name.split('/').length;
  for (let level = 1; level < segments; level++) directory = dirname(directory);
  if (basename(directory) === pushedTo.owner) return directory;
  throw new GitError(
    'INVALID_ARGUMENT',
    'Cannot measure what an owner has stored: it is no directory above',
    {
      path,
      owner: pushedTo.owner,
    },
  );
}

function directoryOf({ repository: { path }, name }: PushedTo): string {
  if (path !== undefined) return path;
  throw new GitError('INVALID_ARGUMENT', 'Cannot measure what is stored: the repository is not of files', {
    name,
  });
}
