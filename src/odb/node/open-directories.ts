/**
 * The objects directories that the databases of this process have open: one instance each, however many
 * repositories borrow from it, so that a pool's packs are opened and indexed once.
 *
 * @module
 */
import { realpathSync, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { GitError } from '../../core/errors.ts';
import { isAbsent, storageError } from '../../core/node/storage-error.ts';
import { MAX_ALTERNATE_DEPTH } from '../alternates.ts';
import { ObjectDirectory, type ObjectDirectoryOptions } from './object-directory.ts';

interface Entry {
  readonly directory: ObjectDirectory;
  users: number;
}

const open = new Map<string, Entry>();
const keys = new WeakMap<ObjectDirectory, string>();

/** The directory at this real path. Every call is paired with one of {@link releaseDirectory}. */
export function acquireDirectory(realPath: string, options: ObjectDirectoryOptions): ObjectDirectory {
  const key = `${options.runtime.name} ${options.format.name} ${realPath}`;
  let entry = open.get(key);
  if (entry === undefined) {
    entry = { directory: new ObjectDirectory(realPath, options), users: 0 };
    open.set(key, entry);
    keys.set(entry.directory, key);
  }
  entry.users++;
  return entry.directory;
}

/** One more user of a directory that is acquired already. */
export function retainDirectory(directory: ObjectDirectory): void {
  const entry = open.get(keys.get(directory) ?? '');
  if (entry !== undefined) entry.users++;
}

export function releaseDirectory(directory: ObjectDirectory): void {
  const key = keys.get(directory);
  const entry = key === undefined ? undefined : open.get(key);
  if (key === undefined || entry === undefined || --entry.users > 0) return;
  open.delete(key);
  directory.close();
}

/**
 * The directory at `realPath` and, behind it, its alternates and theirs, each once. All are acquired.
 *
 * @throws {GitError} STORAGE_FAILED
 */
export function acquireWithAlternates(realPath: string, options: ObjectDirectoryOptions): ObjectDirectory[] {
  const directories = [acquireDirectory(realPath, options)];
  const seen = new Set([realPath]);
  const follow = (from: ObjectDirectory, depth: number) => {
    for (const alternate of from.readAlternates()) {
      const path = resolveAlternate(from, alternate);
      if (path === undefined || seen.has(path)) continue;
      if (depth > MAX_ALTERNATE_DEPTH) {
        from.warn(
          new GitError(
            'STORAGE_FAILED',
            `Cannot follow alternates: more than ${MAX_ALTERNATE_DEPTH} levels`,
            {
              path,
            },
          ),
        );
        return;
      }
      seen.add(path);
      const directory = acquireDirectory(path, options);
      directories.push(directory);
      follow(directory, depth + 1);
    }
  };
  try {
    follow(directories[0] as ObjectDirectory, 0);
  } catch (error) {
    for (const directory of directories) releaseDirectory(directory);
    throw error;
  }
  return directories;
}

/** @returns `undefined`, and a warning, when there is no such directory: git goes on without it too */
function resolveAlternate(from: ObjectDirectory, alternate: string): string | undefined {
  const path = isAbsolute(alternate) ? alternate : join(from.path, alternate);
  try {
    const realPath = realpathSync(path);
    if (statSync(realPath).isDirectory()) return realPath;
  } catch (error) {
    if (!isAbsent(error)) throw storageError(error, 'follow alternates', path);
  }
  from.warn(new GitError('STORAGE_FAILED', 'Cannot use an alternate: it is no directory', { path }));
  return undefined;
}
