/**
 * Refs in memory: for tests, for embedding, and as the plainest statement of what a ref database does.
 *
 * @module
 */
import type { Cancellable } from '../core/byte-stream.ts';
import { GitError, throwIfAborted } from '../core/errors.ts';
import type { ObjectFormat } from '../core/object-id.ts';
import { inOneGo } from '../core/steps.ts';
import type {
  RefBatchOptions,
  RefDatabase,
  ReflogEntry,
  RefTarget,
  RefUpdate,
  RefUpdateOutcome,
  ResolvedRef,
} from './ref-database.ts';
import { compareRefNames, DEFAULT_BRANCH, isStorableRefName } from './ref-name.ts';
import { RefPrefixes } from './ref-prefixes.ts';
import {
  checkIds,
  existingConflict,
  followSymbolic,
  noneIfZero,
  outcomesOf,
  type PlannedUpdate,
  parentNames,
  planBatch,
  type RefRefusal,
  refuseAll,
  serverIdentity,
} from './ref-transaction.ts';
import { beginsReflog, formatIdentity, type LogAllRefUpdates } from './reflog-format.ts';

export interface MemoryRefDatabaseOptions {
  readonly format: ObjectFormat;
  /** The branch HEAD points at, without `refs/heads/`. Default `main`. */
  readonly defaultBranch?: string | undefined;
  /** Default `never`, as in a bare repository. */
  readonly logAllRefUpdates?: LogAllRefUpdates | undefined;
}

/** @throws {GitError} REF_INVALID when `defaultBranch` is no valid branch name */
export function createMemoryRefDatabase(options: MemoryRefDatabaseOptions): RefDatabase {
  return new MemoryRefDatabase(options);
}

class MemoryRefDatabase implements RefDatabase {
  readonly format: ObjectFormat;
  readonly #logAllRefUpdates: LogAllRefUpdates;
  readonly #refs = new Map<string, RefTarget>();
  /** How many refs lie below each directory: `refs/heads` for `refs/heads/main`. */
  readonly #directories = new Map<string, number>();
  readonly #logs = new Map<string, ReflogEntry[]>();
  #sortedNames: readonly string[] | undefined;

  constructor({
    format,
    defaultBranch = DEFAULT_BRANCH,
    logAllRefUpdates = 'never',
  }: MemoryRefDatabaseOptions) {
    this.format = format;
    this.#logAllRefUpdates = logAllRefUpdates;
    this.#point('HEAD', `refs/heads/${defaultBranch}`);
  }

  async read(name: string, options?: Cancellable): Promise<RefTarget | undefined> {
    throwIfAborted(options?.signal);
    return this.#refs.get(name);
  }

  async resolve(name: string, options?: Cancellable): Promise<ResolvedRef | undefined> {
    throwIfAborted(options?.signal);
    return this.#resolve(name);
  }

  async list(prefixes?: readonly string[], options?: Cancellable): Promise<readonly ResolvedRef[]> {
    throwIfAborted(options?.signal);
    this.#sortedNames ??= [...this.#refs.keys()].sort(compareRefNames);
    const selected = new RefPrefixes(prefixes);
    const refs: ResolvedRef[] = [];
    for (const name of this.#sortedNames) {
      if (!name.startsWith('refs/') || !selected.selects(name)) continue;
      const ref = this.#resolve(name);
      if (ref !== undefined) refs.push(ref);
    }
    return refs;
  }

  async update(
    updates: readonly RefUpdate[],
    options: RefBatchOptions,
  ): Promise<readonly RefUpdateOutcome[]> {
    throwIfAborted(options.signal);
    for (const update of updates) checkIds(update, this.format);
    const refusals = new Map<number, RefRefusal>();
    const indices = [...updates.keys()];
    if (options.atomic) {
      this.#apply(updates, indices, refusals, options);
    } else {
      // Deletions first, so that a directory of refs can make room for a ref in one batch.
      const isDeletion = (index: number) => noneIfZero(updates[index]?.newId, this.format) === undefined;
      this.#apply(updates, indices.filter(isDeletion), refusals, options);
      this.#apply(
        updates,
        indices.filter((index) => !isDeletion(index)),
        refusals,
        options,
      );
    }
    return outcomesOf(updates, refusals);
  }

  async setSymbolic(name: string, target: string, options?: Cancellable): Promise<void> {
    throwIfAborted(options?.signal);
    this.#point(name, target);
  }

  async reflog(name: string, options?: Cancellable): Promise<readonly ReflogEntry[]> {
    throwIfAborted(options?.signal);
    return [...(this.#logs.get(name) ?? [])];
  }

  async close(): Promise<void> {}

  #resolve(name: string): ResolvedRef | undefined {
    const followed = followSymbolic(name, (next) => this.#refs.get(next));
    if (followed?.id === undefined) return undefined;
    const { chain, id } = followed;
    return chain.length === 1 ? { name, id } : { name, id, symbolicTarget: chain[1] };
  }

  #apply(
    updates: readonly RefUpdate[],
    indices: readonly number[],
    refusals: Map<number, RefRefusal>,
    options: RefBatchOptions,
  ): void {
    const read = (name: string): RefTarget | undefined => this.#refs.get(name);
    const plan = inOneGo(planBatch(updates, indices, this.format, read, refusals));
    for (const { index, name, newId, oldId } of plan) {
      const refusal = newId !== undefined && oldId === undefined ? this.#checkAvailable(name) : undefined;
      if (refusal !== undefined) refusals.set(index, refusal);
    }
    if (options.atomic && refusals.size > 0) {
      refuseAll(updates, refusals);
      return;
    }
    const head = this.#refs.get('HEAD');
    for (const planned of plan) {
      if (!refusals.has(planned.index)) this.#write(planned, head, options);
    }
  }

  /** @returns why no ref of this name can come into being, if so */
  #checkAvailable(name: string): RefRefusal | undefined {
    for (const parent of parentNames(name)) {
      if (this.#refs.has(parent)) return existingConflict(parent, name);
    }
    if (!this.#directories.has(name)) return undefined;
    const below = [...this.#refs.keys()].find((other) => other.startsWith(`${name}/`));
    return existingConflict(below ?? name, name);
  }

  #set(name: string, target: RefTarget): void {
    this.#sortedNames = undefined;
    const isNew = !this.#refs.has(name);
    this.#refs.set(name, target);
    if (isNew) this.#countDirectories(name, 1);
  }

  #delete(name: string): void {
    this.#sortedNames = undefined;
    if (this.#refs.delete(name)) this.#countDirectories(name, -1);
  }

  #countDirectories(name: string, change: 1 | -1): void {
    for (const parent of parentNames(name)) {
      const count = (this.#directories.get(parent) ?? 0) + change;
      if (count === 0) this.#directories.delete(parent);
      else this.#directories.set(parent, count);
    }
  }

  #write(
    { name, via, newId, oldId }: PlannedUpdate,
    head: RefTarget | undefined,
    { reflogMessage, identity }: RefBatchOptions,
  ): void {
    if (newId === undefined) {
      this.#delete(name);
      this.#logs.delete(name);
    } else {
      this.#set(name, { kind: 'direct', id: newId });
    }
    if (reflogMessage === undefined) return;

    const logged = new Set(newId === undefined ? via : [...via, name]);
    if (head?.kind === 'symbolic' && head.target === name) logged.add('HEAD');
    for (const log of logged) {
      if (!this.#logs.has(log) && !beginsReflog(log, this.#logAllRefUpdates)) continue;
      const entries = this.#logs.get(log) ?? [];
      this.#logs.set(log, entries);
      entries.push({
        oldId: oldId ?? this.format.zeroId,
        newId: newId ?? this.format.zeroId,
        identity: formatIdentity(identity ?? serverIdentity()),
        message: reflogMessage.replace(/\s+/g, ' ').trim(),
      });
    }
  }

  #point(name: string, target: string): void {
    for (const ref of [name, target]) {
      if (!isStorableRefName(ref)) {
        throw new GitError('REF_INVALID', `Cannot point ${name} at ${target}: ${ref} is no valid ref name`);
      }
    }
    const conflict = this.#refs.has(name) ? undefined : this.#checkAvailable(name);
    if (conflict !== undefined)
      throw new GitError('REF_CONFLICT', `Cannot point ${name}: ${conflict.detail}`);
    this.#set(name, { kind: 'symbolic', target });
  }
}
