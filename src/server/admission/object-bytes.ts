/**
 * How much room repositories take on disk: the sizes of their object files.
 * Spec: gitrepository-layout(5).
 *
 * @module
 */
import type { Dirent } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cancellable } from '../../core/byte-stream.ts';
import { throwIfAborted } from '../../core/errors.ts';
import { orAbsent } from '../../repository/node/git-directory.ts';

/** What pushes that run have written, here and with git: it is counted as it arrives. */
const QUARANTINE = /^(?:tmp_objdir-)?incoming-/;
/** Files looked at together. */
const AT_ONCE = 64;
/** Levels of directories above repositories that are searched: a loop of mounts ends somewhere. */
const MAX_DEPTH = 32;

/**
 * The bytes of all files below `objects`, but not those of quarantines and alternates. Symbolic links are not followed.
 *
 * @param gitDirectory what is not there takes no room
 */
export async function objectBytes(gitDirectory: string, options: Cancellable = {}): Promise<number> {
  return await bytesBelow(join(gitDirectory, 'objects'), options);
}

/** The {@link objectBytes} of all repositories below `directory`, itself included. */
export async function objectBytesOfAll(
  directory: string,
  options: Cancellable = {},
  depth = 0,
): Promise<number> {
  throwIfAborted(options.signal);
  const entries = await entriesOf(directory);
  const names = new Set(entries.map(({ name }) => name));
  if (names.has('objects') && names.has('HEAD')) return await objectBytes(directory, options);
  if (depth === MAX_DEPTH) return 0;
  let sum = 0;
  for (const entry of entries) {
    if (entry.isDirectory()) sum += await objectBytesOfAll(join(directory, entry.name), options, depth + 1);
  }
  return sum;
}

async function bytesBelow(directory: string, options: Cancellable): Promise<number> {
  throwIfAborted(options.signal);
  let sum = 0;
  const files: string[] = [];
  for (const entry of await entriesOf(directory)) {
    const path = join(directory, entry.name);
    if (entry.isFile()) files.push(path);
    else if (entry.isDirectory() && !QUARANTINE.test(entry.name)) sum += await bytesBelow(path, options);
  }
  for (let start = 0; start < files.length; start += AT_ONCE) {
    sum += await bytesOf(files.slice(start, start + AT_ONCE));
  }
  return sum;
}

async function bytesOf(paths: readonly string[]): Promise<number> {
  const found = await Promise.all(paths.map((path) => orAbsent(lstat(path)))); // gc may remove them meanwhile
  return found.reduce((sum, file) => sum + (file?.size ?? 0), 0);
}

async function entriesOf(directory: string): Promise<readonly Dirent[]> {
  return (await orAbsent(readdir(directory, { withFileTypes: true }))) ?? [];
}
