/**
 * Loose and packed refs of one repository seen as one.
 *
 * @module
 */
import { join } from 'node:path';
import type { Cancellable } from '../../core/byte-stream.ts';
import { GitError } from '../../core/errors.ts';
import type { SharedPermissions } from '../../core/node/shared-permissions.ts';
import type { ObjectFormat, ObjectId } from '../../core/object-id.ts';
import type { RefTarget } from '../ref-database.ts';
import { readLooseRef } from './loose-refs.ts';
import type { PackedRefsFile } from './packed-refs-file.ts';
import type { ReflogFiles } from './reflog-files.ts';

/**
 * What each id finally points at, when it is that of a tag; `undefined` for every other object. packed-refs
 * promises to say so of every ref, and only an object database knows.
 */
export type PeelTags = (
  ids: readonly ObjectId[],
  options: Cancellable,
) => Promise<readonly (ObjectId | undefined)[]>;

/** What reading and writing share. */
export interface FilesRefStore {
  readonly gitDirectory: string;
  readonly format: ObjectFormat;
  readonly packed: PackedRefsFile;
  readonly logs: ReflogFiles;
  /** Sync new values before they are put in place, as git does by default (core.fsync). */
  readonly fsync: boolean;
  /** core.sharedRepository. */
  readonly shared: SharedPermissions | undefined;
  /** core.filesRefLockTimeout, core.packedRefsTimeout. */
  readonly refLockTimeoutMs: number;
  readonly packedRefsTimeoutMs: number;
  readonly peelTags?: PeelTags | undefined;
  /** So many new refs in one batch go into packed-refs. */
  readonly packFrom: number;
}

/** A stored ref; `peeled` when it is packed and points at a tag. */
export type StoredRef = RefTarget & { readonly peeled?: ObjectId | undefined };

/**
 * The ref `name`, which must be storable, as stored now.
 *
 * The loose file is read first and packed-refs after it: a ref that git packs in between is then found in the
 * second place.
 *
 * @throws {GitError} REF_INVALID when its file holds no ref; STORAGE_FAILED
 */
export function lookUp(store: FilesRefStore, name: string): StoredRef | undefined {
  const loose = readLooseRef(store.gitDirectory, name, store.format);
  if (loose.kind === 'broken') throw brokenRef(name);
  if (loose.kind !== 'missing') return loose;
  const packed = store.packed.read().find(name);
  return packed && { kind: 'direct', id: packed.id, peeled: packed.peeled };
}

export function brokenRef(name: string): GitError {
  return new GitError('REF_INVALID', `Cannot resolve ${name}: reference broken`);
}

export function refPath(store: FilesRefStore, name: string): string {
  return join(store.gitDirectory, name);
}
