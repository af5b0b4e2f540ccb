/**
 * A batch of ref updates that somebody is told of at each state it comes to, and may refuse.
 * Spec: githooks(5), "reference-transaction".
 *
 * @module
 */
import type { RefTransactionWatcher, RefUpdate } from '../ref-database.ts';
import { type RefRefusal, WATCHER_REFUSAL } from '../ref-transaction.ts';

export interface WatchedBatch {
  readonly updates: readonly RefUpdate[];
  /** Those of `updates` that are tried together. */
  readonly indices: readonly number[];
  /** By position, what cannot be done; more are added. */
  readonly refusals: Map<number, RefRefusal>;
}

/**
 * @param run tries the updates and calls what it is given when all are locked and none is changed
 * @throws what `run` throws, after the watcher has been told that nothing was done
 */
export async function runWatched(
  { updates, indices, refusals }: WatchedBatch,
  watcher: RefTransactionWatcher,
  run: (onPrepared: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const live = (): RefUpdate[] =>
    indices.filter((index) => !refusals.has(index)).map((index) => updates[index] as RefUpdate);
  const refuse = (): void => {
    for (const index of indices) if (!refusals.has(index)) refusals.set(index, WATCHER_REFUSAL);
  };

  const begun = live();
  if (begun.length === 0) return;
  if (!(await watcher('preparing', begun))) return refuse();
  let isPrepared = false;
  try {
    await run(async () => {
      if (live().length === 0) return;
      isPrepared = await watcher('prepared', live());
      if (!isPrepared) refuse();
    });
  } catch (error) {
    await watcher('aborted', begun);
    throw error;
  }
  const done = isPrepared ? live() : [];
  if (done.length > 0) await watcher('committed', done);
  else await watcher('aborted', begun);
}
