/**
 * Loose refs: one file a ref, read afresh every time, since git may change them beside us at any moment.
 *
 * Calls are synchronous: a ref is one small file in the page cache, ten times cheaper to read than a promise
 * through the thread pool. The walk over all of them lets others run every few milliseconds.
 *
 * @module
 */
import fs from 'node:fs';
import { join } from 'node:path';
import { yieldToOthers } from '../../core/byte-stream.ts';
import { throwIfAborted } from '../../core/errors.ts';
import type { ObjectFormat } from '../../core/object-id.ts';
import { parseLooseRef } from '../loose-ref.ts';
import type { RefTarget } from '../ref-database.ts';
import { compareRefNames, isStorableRefName, isValidRefName, MAX_REF_NAME_BYTES } from '../ref-name.ts';
import type { RefPrefixes } from '../ref-prefixes.ts';
import { isSystemError } from './system-error.ts';

export type LooseRef =
  | RefTarget
  | { readonly kind: 'missing' }
  /** There is a file, but no ref in it. */
  | { readonly kind: 'broken' };

const MISSING: LooseRef = { kind: 'missing' };
const BROKEN: LooseRef = { kind: 'broken' };

/** An id, or `ref: ` and a name; `FETCH_HEAD` goes on, but only its first id counts. */
const MAX_CONTENT_BYTES = MAX_REF_NAME_BYTES + 16;
const content = Buffer.allocUnsafe(MAX_CONTENT_BYTES); // filled and decoded in one synchronous call

const OPEN_FLAGS = fs.constants.O_RDONLY | (fs.constants.O_NOFOLLOW ?? 0);
const SLICE_MS = 10;

/**
 * Read the loose ref `name`, which must be storable. A directory of that name is no ref.
 *
 * @throws errors of the file system other than "not there"
 */
export function readLooseRef(gitDirectory: string, name: string, format: ObjectFormat): LooseRef {
  const path = join(gitDirectory, name);
  try {
    return parse(readStart(path, OPEN_FLAGS), format);
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EISDIR', 'ENAMETOOLONG')) return MISSING;
    if (isSystemError(error, 'ELOOP', 'EMLINK')) return readSymbolicLink(path, format);
    throw error;
  }
}

/** Symbolic refs of old were symbolic links to `refs/…`; any other link is read through, as git does. */
function readSymbolicLink(path: string, format: ObjectFormat): LooseRef {
  try {
    const target = fs.readlinkSync(path);
    if (target.startsWith('refs/') && isValidRefName(target)) return { kind: 'symbolic', target };
    return parse(readStart(path, fs.constants.O_RDONLY), format);
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) return MISSING;
    if (isSystemError(error, 'ELOOP')) return BROKEN;
    throw error;
  }
}

function parse(text: string, format: ObjectFormat): LooseRef {
  return parseLooseRef(text, format) ?? BROKEN;
}

function readStart(path: string, flags: number): string {
  const file = fs.openSync(path, flags);
  try {
    const length = fs.readSync(file, content, 0, MAX_CONTENT_BYTES, 0);
    return content.toString('utf8', 0, length);
  } finally {
    fs.closeSync(file);
  }
}

export interface ListedLooseRef {
  readonly name: string;
  readonly ref: Exclude<LooseRef, { kind: 'missing' }>;
}

/** The loose refs under `refs/` that `prefixes` select, by name in byte order. Files of other names are passed over. */
export async function listLooseRefs(
  gitDirectory: string,
  prefixes: RefPrefixes,
  format: ObjectFormat,
  signal: AbortSignal | undefined,
): Promise<ListedLooseRef[]> {
  const found: ListedLooseRef[] = [];
  const directories = ['refs/'];
  let sliceStart = performance.now();
  for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
    if (!prefixes.reaches(directory)) continue;
    for (const entry of entriesOf(join(gitDirectory, directory))) {
      if (performance.now() - sliceStart > SLICE_MS) {
        await yieldToOthers();
        throwIfAborted(signal);
        sliceStart = performance.now();
      }
      const name = directory + entry.name;
      if (isDirectory(entry, join(gitDirectory, name))) {
        if (name.length < MAX_REF_NAME_BYTES) directories.push(`${name}/`);
        continue;
      }
      // A name that is no UTF-8 was decoded with U+FFFD: nobody could ask for that ref.
      if (!prefixes.selects(name) || !isStorableRefName(name) || name.includes('\ufffd')) continue;
      const ref = readListed(gitDirectory, name, format);
      if (ref.kind !== 'missing') found.push({ name, ref });
    }
  }
  return found.sort((a, b) => compareRefNames(a.name, b.name));
}

/** One unreadable ref does not spoil a listing. */
function readListed(gitDirectory: string, name: string, format: ObjectFormat): LooseRef {
  try {
    return readLooseRef(gitDirectory, name, format);
  } catch (error) {
    if (isSystemError(error)) return BROKEN;
    throw error;
  }
}

function entriesOf(directory: string): fs.Dirent[] {
  try {
    return fs.readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return []; // removed since its parent was read
    throw error;
  }
}

function isDirectory(entry: fs.Dirent, path: string): boolean {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  try {
    return fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch (error) {
    if (isSystemError(error, 'ELOOP')) return false;
    throw error;
  }
}
