/**
 * A loose ref: one file, read afresh every time, since git may change it beside us at any moment.
 *
 * Calls are synchronous: a ref is one small file in the page cache, ten times cheaper to read than a promise
 * through the thread pool.
 *
 * @module
 */
import fs from 'node:fs';
import { join } from 'node:path';
import type { ObjectFormat } from '../../core/object-id.ts';
import { parseLooseRef } from '../loose-ref.ts';
import type { RefTarget } from '../ref-database.ts';
import { isValidRefName, MAX_REF_NAME_BYTES } from '../ref-name.ts';
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
