/**
 * Locking one ref for an update, and checking it under its lock.
 *
 * @module
 */
import fs from 'node:fs';
import { join } from 'node:path';
import type { ResolvedRef } from '../ref-database.ts';
import {
  checkExpected,
  existingConflict,
  type PlannedUpdate,
  parentNames,
  type RefRefusal,
} from '../ref-transaction.ts';
import { removeEmptyDirectories } from './empty-directories.ts';
import { type FilesRefStore, lookUp, refPath } from './files-ref-store.ts';
import { LockFile, type StagedFile } from './lock-file.ts';
import { isSystemError } from './system-error.ts';

/** An update on its way through a batch. */
export interface LockedRef {
  readonly update: PlannedUpdate;
  /** What the lock is a link to: the new value, ready on disk; or nothing, for what packed-refs alone is to tell. */
  staged?: StagedFile | undefined;
  /** How a new ref that goes into packed-refs stands there. */
  packed?: ResolvedRef | undefined;
  /** Those of the symbolic refs that led to the ref, then the ref's own. */
  readonly locks: LockFile[];
}

/** Whether the update ends as a loose file. */
export function isLoose({ update, packed }: LockedRef): boolean {
  return update.newId !== undefined && packed === undefined;
}

/** Whether a new ref may go into packed-refs. git packs what is under `refs/`, but not the refs that each work tree has of its own. */
export function isPackable({ name, oldId }: PlannedUpdate): boolean {
  return (
    oldId === undefined && name.startsWith('refs/') && !/^refs\/(?:bisect|rewritten|worktree)\//.test(name)
  );
}

/**
 * Take the locks of `ref` and see that the update is still possible. Whatever happens, the caller releases
 * `ref.locks`.
 *
 * @returns why it is not possible, if so
 * @throws {GitError} REF_CONFLICT when a lock cannot be had, REF_INVALID, ABORTED; errors of the file system
 */
export async function lockRef(
  store: FilesRefStore,
  { update, staged, packed, locks }: LockedRef,
  signal: AbortSignal | undefined,
): Promise<RefRefusal | undefined> {
  const { refLockTimeoutMs: timeoutMs, shared } = store;
  for (const [at, name] of update.via.entries()) {
    locks.push(await LockFile.acquire(refPath(store, name), { timeoutMs, shared, signal }));
    const found = lookUp(store, name);
    const next = update.via[at + 1] ?? update.name;
    if (found?.kind !== 'symbolic' || found.target !== next) return changed(`${name} points elsewhere now`);
  }
  try {
    locks.push(await LockFile.acquire(refPath(store, update.name), { timeoutMs, staged, shared, signal }));
  } catch (error) {
    if (!isSystemError(error, 'ENOTDIR', 'EEXIST')) throw error;
    return fileInTheWay(store, update);
  }
  const current = lookUp(store, update.name);
  if (current?.kind === 'symbolic') return changed(`${update.name} is a symbolic ref now`);

  if (packed !== undefined && current !== undefined) return changed(`${update.name} exists now`);

  update.oldId = current?.id;
  const refusal = checkExpected(update.expected, current?.id);
  if (refusal !== undefined || current !== undefined || update.newId === undefined) return refusal;
  return checkAvailable(store, update.name);
}

function changed(detail: string): RefRefusal {
  return { code: 'REF_CONFLICT', reason: 'failed to update ref', detail };
}

/** A directory that the ref needs is a file. For a deletion that means that there is nothing to delete. */
function fileInTheWay(store: FilesRefStore, update: PlannedUpdate): RefRefusal | undefined {
  update.oldId = undefined;
  if (update.newId === undefined) return checkExpected(update.expected, undefined);
  for (const parent of parentNames(update.name)) {
    const stat = fs.statSync(refPath(store, parent), { throwIfNoEntry: false });
    if (stat?.isFile() === true) return existingConflict(parent, update.name);
  }
  return changed('non-directory in the way');
}

/**
 * Whether the ref `name`, which does not exist, can come into being: nothing may stand where it needs a file or
 * directories. Directories that hold nothing are removed. Called under the lock of `name`: with its lock file
 * made, no loose ref can be one of its parents.
 */
export function checkAvailable(store: FilesRefStore, name: string): RefRefusal | undefined {
  const packed = store.packed.read();
  for (const parent of parentNames(name)) {
    if (packed.find(parent) !== undefined) return existingConflict(parent, name);
  }
  const below = packed.firstUnder(`${name}/`);
  if (below !== undefined) return existingConflict(below, name);

  const path = refPath(store, name);
  const isDirectory = fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  if (!isDirectory || removeEmptyDirectories(path)) return undefined;
  return existingConflict(firstFileUnder(path, name) ?? name, name);
}

function firstFileUnder(path: string, name: string): string | undefined {
  for (const entry of fs.readdirSync(path, { withFileTypes: true })) {
    const found = `${name}/${entry.name}`;
    const file = entry.isDirectory() ? firstFileUnder(join(path, entry.name), found) : found;
    if (file !== undefined) return file;
  }
  return undefined;
}
