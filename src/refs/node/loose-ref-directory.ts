/**
 * One directory of loose refs as it was read last, and whether it may still be taken for what is on the disk.
 *
 * git replaces a ref by renaming a file, which changes the directory: as long as the directory's times are the same and
 * old enough, nothing in it was renamed, made or removed. A file that something else writes in place shows by its own
 * times only, so these are looked at again from time to time.
 *
 * @module
 */
import fs from 'node:fs';
import { join } from 'node:path';
import { yieldToOthers } from '../../core/byte-stream.ts';
import { throwIfAborted } from '../../core/errors.ts';
import type { ObjectFormat } from '../../core/object-id.ts';
import { isStorableRefName, MAX_REF_NAME_BYTES } from '../ref-name.ts';
import { type LooseRef, readLooseRef } from './loose-refs.ts';
import { isSystemError } from './system-error.ts';

/** Two changes within one tick of a file system's clock look like one. The kernel's ticks are 1 to 10 ms long. */
const RACY_MS = 50;
/** Some file systems keep whole seconds, or even seconds. */
const RACY_WHOLE_SECONDS_MS = 2100;
/** How long a directory is trusted before its files are looked at, though it shows no change. */
const TRUSTED_MS = 1000;
/** Looking at them may take one part in so many of the time. */
const LOOKING_PART = 50;
const SLICE_MS = 10;

export type ListedRef = Exclude<LooseRef, { kind: 'missing' }>;

interface LooseRefFile {
  readonly ref: ListedRef;
  readonly identity: FileIdentity;
}

/** What tells one state of a file or directory from another. */
interface FileIdentity {
  readonly ino: number;
  readonly size: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  /** False when it changed so shortly before it was looked at that it may have changed again since. */
  readonly isSettled: boolean;
}

export interface LooseRefDirectory {
  /** Names of directories in it: `refs/heads/`. */
  readonly directories: readonly string[];
  /** By full name. */
  readonly files: ReadonlyMap<string, LooseRefFile>;
  /** Of the directory itself, with its name: made once, not at each look. */
  readonly path: string;
  readonly identity: FileIdentity;
  /** When reading it began and until when it is trusted, on the clock of `performance.now()`. */
  readonly readAtMs: number;
  readonly trustedUntilMs: number;
}

/** @returns whether the directory is still what `known` says, without looking at its files */
export function isUnchanged({ identity, path, trustedUntilMs }: LooseRefDirectory): boolean {
  if (!identity.isSettled || performance.now() > trustedUntilMs) return false;
  const seen = lookAtDirectory(path);
  return seen !== undefined && isSame(identity, seen);
}

/**
 * Read the directory `name` (`refs/heads/`), taking over from `known` each ref whose file is the same.
 *
 * @returns `undefined` when there is none
 */
export async function readLooseRefDirectory(
  gitDirectory: string,
  name: string,
  format: ObjectFormat,
  known: LooseRefDirectory | undefined,
  signal: AbortSignal | undefined,
): Promise<LooseRefDirectory | undefined> {
  const readAtMs = performance.now();
  const path = join(gitDirectory, name);
  const seen = lookAtDirectory(path); // before its entries: what comes later shows
  if (seen === undefined) return undefined;

  const directories: string[] = [];
  const files = new Map<string, LooseRefFile>();
  let busyMs = 0;
  let sliceStart = readAtMs;
  for (const entry of entriesOf(path)) {
    const now = performance.now();
    if (now - sliceStart > SLICE_MS) {
      busyMs += now - sliceStart;
      await yieldToOthers();
      throwIfAborted(signal);
      sliceStart = performance.now();
    }
    const entryName = name + entry.name;
    if (isDirectory(entry, join(gitDirectory, entryName))) {
      if (entryName.length < MAX_REF_NAME_BYTES) directories.push(`${entryName}/`);
      continue;
    }
    // A name that is no UTF-8 was decoded with U+FFFD: nobody could ask for that ref.
    if (!isStorableRefName(entryName) || entryName.includes('\ufffd')) continue;
    const file = readFile(gitDirectory, entryName, format, known?.files.get(entryName));
    if (file !== undefined) files.set(entryName, file);
  }
  busyMs += performance.now() - sliceStart;
  return {
    directories,
    files,
    path,
    identity: identityOf(seen),
    readAtMs,
    trustedUntilMs: readAtMs + Math.max(TRUSTED_MS, LOOKING_PART * busyMs),
  };
}

/** @returns whether both hold the same refs, whenever their files were written */
export function holdsSameRefs(a: LooseRefDirectory, b: LooseRefDirectory): boolean {
  if (a.files.size !== b.files.size) return false;
  for (const [name, { ref }] of b.files) {
    const other = a.files.get(name);
    if (other === undefined || !isSameRef(other.ref, ref)) return false;
  }
  return true;
}

function isSameRef(a: ListedRef, b: ListedRef): boolean {
  if (a === b) return true;
  if (a.kind === 'direct') return b.kind === 'direct' && a.id === b.id;
  if (a.kind === 'symbolic') return b.kind === 'symbolic' && a.target === b.target;
  return b.kind === 'broken';
}

function lookAtDirectory(path: string): fs.Stats | undefined {
  try {
    return fs.statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (isSystemError(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** @returns `undefined` when it was removed since it was listed */
function readFile(
  gitDirectory: string,
  name: string,
  format: ObjectFormat,
  known: LooseRefFile | undefined,
): LooseRefFile | undefined {
  const seen = lookAt(join(gitDirectory, name));
  if (seen === undefined) return undefined;
  if (known?.identity.isSettled === true && isSame(known.identity, seen)) return known;
  const ref = readListed(gitDirectory, name, format);
  return ref.kind === 'missing' ? undefined : { ref, identity: identityOf(seen) };
}

/** Of a symbolic link, what it points at: a ref of old may be a link to another. */
function lookAt(path: string): fs.Stats | undefined {
  try {
    return fs.statSync(path, { throwIfNoEntry: false }) ?? fs.lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (isSystemError(error, 'ELOOP')) return fs.lstatSync(path, { throwIfNoEntry: false });
    throw error;
  }
}

/** One unreadable ref does not spoil a listing. */
function readListed(gitDirectory: string, name: string, format: ObjectFormat): LooseRef {
  try {
    return readLooseRef(gitDirectory, name, format);
  } catch (error) {
    if (isSystemError(error)) return { kind: 'broken' };
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

function identityOf({ ino, size, mtimeMs, ctimeMs }: fs.Stats): FileIdentity {
  const changedMs = Math.max(mtimeMs, ctimeMs);
  const racyMs = changedMs % 1000 === 0 ? RACY_WHOLE_SECONDS_MS : RACY_MS;
  return { ino, size, mtimeMs, ctimeMs, isSettled: Date.now() - changedMs > racyMs };
}

function isSame(known: FileIdentity, seen: fs.Stats): boolean {
  return (
    known.mtimeMs === seen.mtimeMs &&
    known.ctimeMs === seen.ctimeMs &&
    known.ino === seen.ino &&
    known.size === seen.size
  );
}
