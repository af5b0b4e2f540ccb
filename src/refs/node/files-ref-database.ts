/**
 * The refs of an ordinary Git repository: loose files, packed-refs, symbolic refs, reflogs.
 * Spec: gitrepository-layout(5); git-pack-refs(1).
 *
 * git may read and write the same refs at any moment: what is remembered is compared with the files at each
 * listing, and every change is made under git's own locks, of what the files say then.
 *
 * @module
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Cancellable } from '../../core/byte-stream.ts';
import { encodeText } from '../../core/bytes.ts';
import { GitError, throwIfAborted } from '../../core/errors.ts';
import { type MemoryBudget, warmMemory } from '../../core/memory-budget.ts';
import type { SharedPermissions } from '../../core/node/shared-permissions.ts';
import type { ObjectFormat, ObjectId } from '../../core/object-id.ts';
import { formatLooseRef } from '../loose-ref.ts';
import type {
  RefBatchOptions,
  RefDatabase,
  ReflogEntry,
  RefSnapshot,
  RefTarget,
  RefUpdate,
  RefUpdateOutcome,
  ResolvedRef,
} from '../ref-database.ts';
import { compareRefNames, isStorableRefName } from '../ref-name.ts';
import { RefPrefixes } from '../ref-prefixes.ts';
import { checkIds, followSymbolic, noneIfZero, outcomesOf, type RefRefusal } from '../ref-transaction.ts';
import type { LogAllRefUpdates } from '../reflog-format.ts';
import { removeEmptyParents } from './empty-directories.ts';
import { type FilesRefStore, lookUp, type PeelTags, refPath } from './files-ref-store.ts';
import { FilesTransaction } from './files-transaction.ts';
import { LockFile, StagedFile } from './lock-file.ts';
import { checkAvailable } from './locked-ref.ts';
import type { ListedLooseRef } from './loose-ref-tree.ts';
import { PackedRefsFile } from './packed-refs-file.ts';
import { ReflogFiles } from './reflog-files.ts';
import { asStorageError, isSystemError } from './system-error.ts';
import { WarmRefs } from './warm-refs.ts';

const REF_LOCK_TIMEOUT_MS = 100; // git's core.filesRefLockTimeout
const PACKED_REFS_TIMEOUT_MS = 1000; // git's core.packedRefsTimeout
const PACK_FROM = 100;

export interface FilesRefDatabaseOptions {
  readonly format: ObjectFormat;
  /** core.logAllRefUpdates. Default `never`, as in a bare repository. */
  readonly logAllRefUpdates?: LogAllRefUpdates | undefined;
  /** Sync refs before they are put in place. Default true, as git does. */
  readonly fsync?: boolean | undefined;
  /** Who besides the owner may use what is written, whatever the umask says: core.sharedRepository. */
  readonly shared?: SharedPermissions | undefined;
  /** Milliseconds to wait for the lock of a ref. Default 100. */
  readonly refLockTimeoutMs?: number | undefined;
  /** Milliseconds to wait for the lock of packed-refs. Default 1000. */
  readonly packedRefsTimeoutMs?: number | undefined;
  /**
   * Given, many new refs in one batch go into packed-refs at once: one flush to disk instead of one a ref, and
   * quick to list. Without it each becomes a loose file.
   */
  readonly peelTags?: PeelTags | undefined;
  /** How many new refs in one batch are "many". Default 100: the mirror of a repository, not a day's push. */
  readonly packFrom?: number | undefined;
  /** Told of each ref that a listing leaves out because its file holds no ref. */
  readonly onBrokenRef?: ((name: string) => void) | undefined;
  /** What the refs kept between requests count against. Default: that of the process. */
  readonly memory?: MemoryBudget | undefined;
}

/** @throws {GitError} REPOSITORY_INVALID when `gitDirectory` has no `refs` directory */
export async function openFilesRefDatabase(
  gitDirectory: string,
  options: FilesRefDatabaseOptions,
): Promise<RefDatabase> {
  if (statSync(join(gitDirectory, 'refs'), { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new GitError('REPOSITORY_INVALID', `Cannot open refs: ${gitDirectory} has no directory 'refs'`);
  }
  return new FilesRefDatabase(gitDirectory, options);
}

class FilesRefDatabase implements RefDatabase {
  readonly format: ObjectFormat;
  readonly #store: FilesRefStore;
  readonly #warm: WarmRefs;
  readonly #onBrokenRef: ((name: string) => void) | undefined;

  constructor(gitDirectory: string, options: FilesRefDatabaseOptions) {
    const { format, shared } = options;
    this.format = format;
    this.#onBrokenRef = options.onBrokenRef;
    this.#store = {
      gitDirectory,
      format,
      packed: new PackedRefsFile(gitDirectory, format),
      logs: new ReflogFiles(gitDirectory, format, options.logAllRefUpdates ?? 'never', shared),
      fsync: options.fsync ?? true,
      shared,
      refLockTimeoutMs: options.refLockTimeoutMs ?? REF_LOCK_TIMEOUT_MS,
      packedRefsTimeoutMs: options.packedRefsTimeoutMs ?? PACKED_REFS_TIMEOUT_MS,
      peelTags: options.peelTags,
      packFrom: options.packFrom ?? PACK_FROM,
    };
    this.#warm = new WarmRefs(this.#store, options.memory ?? warmMemory, options.onBrokenRef);
  }

  async read(name: string, options?: Cancellable): Promise<RefTarget | undefined> {
    throwIfAborted(options?.signal);
    if (!isStorableRefName(name)) return undefined;
    const stored = orStorageError(`read ${name}`, () => lookUp(this.#store, name));
    return stored?.kind === 'direct' ? { kind: 'direct', id: stored.id } : stored;
  }

  async resolve(name: string, options?: Cancellable): Promise<ResolvedRef | undefined> {
    throwIfAborted(options?.signal);
    if (!isStorableRefName(name)) return undefined;
    return orStorageError(`resolve ${name}`, () => this.#resolve(name));
  }

  async list(prefixes?: readonly string[], options?: Cancellable): Promise<readonly ResolvedRef[]> {
    throwIfAborted(options?.signal);
    const selected = new RefPrefixes(prefixes);
    try {
      return this.#merge(await this.#warm.loose(selected, options?.signal), selected);
    } catch (error) {
      throw asStorageError('list refs', error);
    }
  }

  async snapshot(prefixes?: readonly string[], options?: Cancellable): Promise<RefSnapshot> {
    try {
      return await this.#warm.snapshot(prefixes, options?.signal);
    } catch (error) {
      throw asStorageError('list refs', error);
    }
  }

  async update(
    updates: readonly RefUpdate[],
    options: RefBatchOptions,
  ): Promise<readonly RefUpdateOutcome[]> {
    throwIfAborted(options.signal);
    for (const update of updates) checkIds(update, this.format);
    const refusals = new Map<number, RefRefusal>();
    const run = (indices: readonly number[]) =>
      new FilesTransaction(this.#store, updates, options, refusals).run(indices);

    const indices = [...updates.keys()];
    try {
      if (options.atomic) {
        await run(indices);
      } else {
        // Deletions first, so that a directory of refs can make room for a ref in one batch.
        const isDeletion = (index: number) => noneIfZero(updates[index]?.newId, this.format) === undefined;
        await run(indices.filter(isDeletion));
        await run(indices.filter((index) => !isDeletion(index)));
      }
    } catch (error) {
      throw asStorageError('update refs', error);
    }
    return outcomesOf(updates, refusals);
  }

  async setSymbolic(name: string, target: string, options?: Cancellable): Promise<void> {
    throwIfAborted(options?.signal);
    for (const ref of [name, target]) {
      if (isStorableRefName(ref)) continue;
      throw new GitError('REF_INVALID', `Cannot point ${name} at ${target}: ${ref} is no valid ref name`);
    }
    const { gitDirectory, fsync, shared, refLockTimeoutMs: timeoutMs } = this.#store;
    const content = encodeText(formatLooseRef({ kind: 'symbolic', target }));
    let staged: StagedFile | undefined;
    let lock: LockFile | undefined;
    try {
      staged = await StagedFile.write(join(gitDirectory, 'objects'), content, { fsync, shared });
      lock = await LockFile.acquire(refPath(this.#store, name), {
        timeoutMs,
        staged,
        shared,
        signal: options?.signal,
      });
      const conflict =
        lookUp(this.#store, name) === undefined ? checkAvailable(this.#store, name) : undefined;
      if (conflict !== undefined)
        throw new GitError('REF_CONFLICT', `Cannot point ${name}: ${conflict.detail}`);
      lock.commit();
    } catch (error) {
      if (isSystemError(error, 'ENOTDIR', 'EEXIST')) {
        throw new GitError('REF_CONFLICT', `Cannot point ${name}: non-directory in the way`, {}, error);
      }
      throw asStorageError(`point ${name}`, error);
    } finally {
      staged?.remove();
      lock?.release();
      removeEmptyParents(gitDirectory, name);
    }
  }

  async reflog(name: string, options?: Cancellable): Promise<readonly ReflogEntry[]> {
    throwIfAborted(options?.signal);
    if (!isStorableRefName(name)) return [];
    return orStorageError(`read the log of ${name}`, () => this.#store.logs.read(name));
  }

  async close(): Promise<void> {
    this.#warm.close();
  }

  #resolve(name: string): ResolvedRef | undefined {
    let peeled: ObjectId | undefined;
    const followed = followSymbolic(name, (next) => {
      const stored = lookUp(this.#store, next);
      peeled = stored?.peeled;
      return stored;
    });
    if (followed?.id === undefined) return undefined;
    return resolvedRef(name, followed.id, peeled, followed.chain[1]);
  }

  /** Both are in the order of names; a loose ref stands before a packed one of its name. */
  #merge(loose: readonly ListedLooseRef[], { sorted }: RefPrefixes): ResolvedRef[] {
    const packed = this.#store.packed.read(); // after the loose refs: see lookUp
    const refs: ResolvedRef[] = [];
    let next = 0;
    for (const prefix of sorted) {
      for (let at = packed.lowerBound(prefix); at < packed.count; at++) {
        const ref = packed.at(at);
        if (!ref.name.startsWith(prefix)) break;
        let order = -1;
        while (next < loose.length) {
          const other = loose[next] as ListedLooseRef;
          order = compareRefNames(other.name, ref.name);
          if (order > 0) break;
          this.#pushLoose(refs, other);
          next++;
          if (order === 0) break;
        }
        if (order !== 0 && ref.name.startsWith('refs/')) refs.push(ref);
      }
    }
    for (; next < loose.length; next++) this.#pushLoose(refs, loose[next] as ListedLooseRef);
    return refs;
  }

  #pushLoose(refs: ResolvedRef[], { name, ref }: ListedLooseRef): void {
    if (ref.kind === 'direct') refs.push({ name, id: ref.id });
    else if (ref.kind === 'broken') this.#onBrokenRef?.(name);
    else this.#pushSymbolic(refs, name);
  }

  #pushSymbolic(refs: ResolvedRef[], name: string): void {
    try {
      const resolved = this.#resolve(name);
      if (resolved !== undefined) refs.push(resolved);
    } catch (error) {
      if (!(error instanceof GitError)) throw error;
      this.#onBrokenRef?.(name); // it points at a broken ref
    }
  }
}

function resolvedRef(
  name: string,
  id: ObjectId,
  peeled: ObjectId | undefined,
  symbolicTarget: string | undefined,
): ResolvedRef {
  return {
    name,
    id,
    ...(peeled === undefined ? undefined : { peeled }),
    ...(symbolicTarget === undefined ? undefined : { symbolicTarget }),
  };
}

function orStorageError<Result>(attempt: string, act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    throw asStorageError(attempt, error);
  }
}
