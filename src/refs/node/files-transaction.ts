/**
 * One batch of updates to refs in files, with git's own locks.
 *
 * 1. Look without locks: an update that cannot succeed now is refused, one that changes nothing is done.
 * 2. Stage the new values: written and synced, while nothing is locked.
 * 3. Lock each ref in the order of names, read it again under its lock, check it.
 * 4. For deletions, lock packed-refs and write it anew without them. Many new refs go in there in the same step,
 *    under the locks of their loose files, so that they come into being with one flush.
 * 5. Append to the logs, put the new values in place; then delete logs, packed and loose refs.
 *
 * Up to 5 nothing has changed; whatever fails, locks and staged files are removed.
 *
 * @module
 */
import fs from 'node:fs';
import { join } from 'node:path';
import { encodeText } from '../../core/bytes.ts';
import { isGitError, throwIfAborted } from '../../core/errors.ts';
import { systemReason } from '../../core/node/storage-error.ts';
import type { ObjectId } from '../../core/object-id.ts';
import { Pace } from '../../core/pace.ts';
import { sortedInSteps } from '../../core/sort-in-steps.ts';
import { withBreaths } from '../../core/steps.ts';
import { formatLooseRef } from '../loose-ref.ts';
import type { RefBatchOptions, RefUpdate, ResolvedRef } from '../ref-database.ts';
import { compareRefNames, isStorableRefName } from '../ref-name.ts';
import { ATOMIC_FAILURE, planBatch, type RefRefusal, refuseAll } from '../ref-transaction.ts';
import { removeEmptyParents } from './empty-directories.ts';
import { type FilesRefStore, lookUp, refPath, type StoredRef } from './files-ref-store.ts';
import { StagedFile } from './lock-file.ts';
import { isLoose, isPackable, type LockedRef, lockRef } from './locked-ref.ts';
import { appendLogs } from './log-updates.ts';
import { PackedRefsChange, type PackedRefsChangeOptions } from './packed-refs-change.ts';
import { isSystemError } from './system-error.ts';
import { runWatched } from './watched-batch.ts';

/** Values staged at once: as many flushes as a disk likes to merge, few open files. */
const STAGED_AT_ONCE = 16;
/** From so many on locks without content are links to one empty file: no inode is made for each. */
const LINKED_FROM = 16;

/** Smaller batches are done in one go: who holds a lock that others wait for does not wait for turns. */
const RESTS_FROM = 64;

const NOTHING = new Uint8Array(0);

export class FilesTransaction {
  readonly #store: FilesRefStore;
  readonly #updates: readonly RefUpdate[];
  readonly #options: RefBatchOptions;
  /** By position in the batch. */
  readonly #refusals: Map<number, RefRefusal>;
  #refs: readonly LockedRef[] = [];
  #packedChange: PackedRefsChange | undefined;
  #emptyFile: StagedFile | undefined;
  /** Not by the signal: what is begun to be put in place, or cleaned up, is brought to its end. */
  readonly #pace = new Pace(undefined);
  readonly #pause: PackedRefsChangeOptions;

  constructor(
    store: FilesRefStore,
    updates: readonly RefUpdate[],
    options: RefBatchOptions,
    refusals: Map<number, RefRefusal>,
  ) {
    this.#store = store;
    this.#updates = updates;
    this.#options = options;
    this.#refusals = refusals;
    this.#pause = { signal: options.signal, breathe: () => this.#breathe() };
  }

  /**
   * Apply the updates at `indices`. What is refused goes into the map given to the constructor.
   *
   * @throws {GitError} ABORTED, and nothing is changed then
   */
  async run(indices: readonly number[]): Promise<void> {
    const { watcher } = this.#options;
    if (watcher === undefined) return this.#run(indices);
    const batch = { updates: this.#updates, indices, refusals: this.#refusals };
    await runWatched(batch, watcher, (onPrepared) => this.#run(indices, onPrepared));
  }

  /** @param onPrepared may refuse what is left, under the locks */
  async #run(indices: readonly number[], onPrepared?: () => Promise<void>): Promise<void> {
    const { format } = this.#store;
    const read = await this.#lookAhead(indices);
    await this.#breathe();
    const planning = planBatch(this.#updates, indices, format, read, this.#refusals);
    const planned = await withBreaths(planning, this.#pause.breathe);
    const ordering = sortedInSteps(planned, (a, b) => compareRefNames(a.name, b.name));
    const plan = await withBreaths(ordering, this.#pause.breathe); // the order of locking, so that batches do not cross
    this.#refs = plan.map((update) => ({ update, locks: [] }));
    if (this.#failsAsWhole()) return;
    try {
      for (const step of [this.#stage, this.#lock, this.#preparePackedRefs]) {
        await this.#breathe();
        await step.call(this);
        if (this.#failsAsWhole()) return;
      }
      throwIfAborted(this.#options.signal);
      await onPrepared?.();
      if (this.#failsAsWhole()) return;
      await this.#log();
      if (this.#failsAsWhole()) return;
      await this.#commit();
    } finally {
      await this.#cleanUp();
    }
  }

  /** Look up the names of the batch, a while at a time: a push may bring fifty thousand. @returns what was found */
  async #lookAhead(indices: readonly number[]): Promise<(name: string) => StoredRef | undefined> {
    const found = new Map<string, StoredRef | undefined>();
    await this.#store.packed.readAhead();
    for (const index of indices) {
      const { name } = this.#updates[index] as RefUpdate;
      await this.#breathe();
      throwIfAborted(this.#options.signal);
      if (!isStorableRefName(name)) continue;
      try {
        found.set(name, lookUp(this.#store, name));
      } catch (error) {
        if (!isGitError(error)) throw error; // the plan meets this one again, and refuses the update for it
      }
    }
    return (name) => (found.has(name) ? found.get(name) : lookUp(this.#store, name));
  }

  #failsAsWhole(): boolean {
    if (!this.#options.atomic || this.#refusals.size === 0) return false;
    refuseAll(this.#updates, this.#refusals);
    return true;
  }

  #isLive({ update }: LockedRef): boolean {
    return !this.#refusals.has(update.index);
  }

  /** Refuse an update for what was thrown. What is neither a GitError nor the disk's is a bug: it goes on. */
  #refuse({ update }: LockedRef, error: unknown): void {
    if (isGitError(error, 'ABORTED')) throw error;
    if (!isGitError(error) && !isSystemError(error)) throw error;
    const isTooLong = isSystemError(error, 'ENAMETOOLONG');
    this.#refusals.set(update.index, {
      code: isGitError(error) ? error.code : isTooLong ? 'REF_INVALID' : 'STORAGE_FAILED',
      reason: isTooLong ? 'File name too long' : 'failed to update ref',
      detail: isGitError(error) ? error.message : isTooLong ? undefined : systemReason(error),
      cause: error,
    });
  }

  async #breathe(): Promise<void> {
    if (this.#updates.length >= RESTS_FROM && this.#pace.isDue()) await this.#pace.rest();
  }

  /** In `objects`, where git gc removes what a crash leaves. */
  async #stage(): Promise<void> {
    await this.#choosePacked();
    const directory = join(this.#store.gitDirectory, 'objects');
    const loose = this.#refs.filter((ref) => isLoose(ref) && this.#isLive(ref));
    for (let start = 0; start < loose.length; start += STAGED_AT_ONCE) {
      throwIfAborted(this.#options.signal);
      const group = loose.slice(start, start + STAGED_AT_ONCE);
      await Promise.all(group.map((ref) => this.#stageOne(ref, directory)));
    }
    const others = this.#refs.filter((ref) => !isLoose(ref));
    if (others.length < LINKED_FROM) return;
    try {
      this.#emptyFile = await StagedFile.write(directory, NOTHING, { fsync: false, shared: undefined });
      for (const ref of others) ref.staged = this.#emptyFile;
    } catch (error) {
      for (const ref of others) this.#refuse(ref, error);
    }
  }

  async #choosePacked(): Promise<void> {
    const { peelTags } = this.#store;
    const created = this.#refs.filter(({ update }) => update.newId !== undefined && isPackable(update));
    if (peelTags === undefined || created.length < this.#store.packFrom) return;
    const ids = created.map(({ update }) => update.newId as ObjectId);
    try {
      const peeled = await peelTags(ids, { signal: this.#options.signal });
      created.forEach((ref, index) => {
        ref.packed = { name: ref.update.name, id: ids[index] as ObjectId, peeled: peeled[index] };
      });
    } catch (error) {
      for (const ref of created) this.#refuse(ref, error);
    }
  }

  async #stageOne(ref: LockedRef, directory: string): Promise<void> {
    const content = formatLooseRef({ kind: 'direct', id: ref.update.newId as ObjectId });
    try {
      ref.staged = await StagedFile.write(directory, encodeText(content), this.#store);
    } catch (error) {
      this.#refuse(ref, error);
    }
  }

  async #lock(): Promise<void> {
    for (const ref of this.#refs) {
      if (!this.#isLive(ref)) continue;
      await this.#breathe();
      throwIfAborted(this.#options.signal);
      try {
        const refusal = await lockRef(this.#store, ref, this.#options.signal);
        if (refusal === undefined) continue;
        this.#refusals.set(ref.update.index, refusal);
      } catch (error) {
        this.#refuse(ref, error);
      }
      for (const lock of ref.locks) lock.release();
      if (this.#options.atomic) return;
    }
  }

  async #preparePackedRefs(): Promise<void> {
    const changed: LockedRef[] = [];
    const remove = new Set<string>();
    const add: ResolvedRef[] = [];
    for (const ref of this.#refs) {
      await this.#breathe();
      if (isLoose(ref) || !this.#isLive(ref)) continue;
      changed.push(ref);
      if (ref.update.newId === undefined) remove.add(ref.update.name);
      if (ref.packed !== undefined) add.push(ref.packed);
    }
    if (changed.length === 0) return;
    try {
      this.#packedChange = await PackedRefsChange.prepare(this.#store, { remove, add }, this.#pause);
    } catch (error) {
      for (const ref of changed) this.#refuse(ref, error);
    }
  }

  async #log(): Promise<void> {
    const live = this.#refs.filter((ref) => this.#isLive(ref));
    const failures = await appendLogs(this.#store, live, this.#options, this.#pause.breathe);
    for (const [ref, error] of failures) this.#refuse(ref, error);
  }

  /** What cannot be done within a turn others of this process see done in part, as other processes always do. */
  async #commit(): Promise<void> {
    const live = this.#refs.filter((ref) => this.#isLive(ref));
    for (const ref of live) {
      if (isLoose(ref)) await this.#attempt(ref, () => ref.locks.at(-1)?.commit());
    }
    const deletions = live.filter(({ update }) => update.newId === undefined);
    // First the logs: a ref without its log is a lesser evil than a log without its ref.
    for (const ref of deletions) {
      await this.#attempt(ref, () => this.#store.logs.remove(ref.update.name));
    }
    for (const ref of live) if (!isLoose(ref)) await this.#attempt(ref, () => this.#packedChange?.commit());
    for (const ref of deletions) {
      await this.#attempt(ref, () => removeLooseRef(refPath(this.#store, ref.update.name)));
    }
  }

  /** In an atomic batch the first step that fails ends it; what was done before stays done, as with git. */
  async #attempt(ref: LockedRef, act: () => void): Promise<void> {
    await this.#breathe();
    if (!this.#isLive(ref)) return;
    if (this.#options.atomic && this.#refusals.size > 0) {
      this.#refusals.set(ref.update.index, ATOMIC_FAILURE);
      return;
    }
    try {
      act();
    } catch (error) {
      this.#refuse(ref, error);
    }
  }

  async #cleanUp(): Promise<void> {
    this.#packedChange?.release();
    for (const ref of this.#refs) {
      for (const lock of ref.locks) lock.release();
      if (ref.staged !== this.#emptyFile) ref.staged?.remove();
      await this.#breathe();
    }
    this.#emptyFile?.remove();
    for (const ref of this.#refs) {
      if (isLoose(ref) && this.#isLive(ref)) continue; // its directories are in use
      removeEmptyParents(this.#store.gitDirectory, ref.update.name);
      await this.#breathe();
    }
  }
}

function removeLooseRef(path: string): void {
  try {
    fs.unlinkSync(path);
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'ENOTDIR')) throw error; // it was packed only
  }
}
