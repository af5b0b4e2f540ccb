/**
 * The reflog lines of a batch.
 *
 * @module
 */
import type { RefBatchOptions } from '../ref-database.ts';
import { serverIdentity } from '../ref-transaction.ts';
import { formatIdentity } from '../reflog-format.ts';
import { type FilesRefStore, lookUp } from './files-ref-store.ts';
import type { LockedRef } from './locked-ref.ts';
import { isSystemError } from './system-error.ts';

/**
 * Append to the logs of the updates, which are locked. As git: to the ref's own, to those of the symbolic refs
 * that led to it, and to HEAD's if HEAD points at it.
 *
 * @param breathe lets others go on, where it is time
 * @returns the updates whose logs could not be written, and why
 */
export async function appendLogs(
  store: FilesRefStore,
  refs: readonly LockedRef[],
  { reflogMessage: message, identity }: RefBatchOptions,
  breathe: () => Promise<void>,
): Promise<Map<LockedRef, unknown>> {
  const failures = new Map<LockedRef, unknown>();
  if (message === undefined || refs.length === 0) return failures;
  const { format, logs } = store;
  const head = lookUp(store, 'HEAD');
  const by = formatIdentity(identity ?? serverIdentity());
  for (const ref of refs) {
    await breathe();
    const { name, via, oldId = format.zeroId, newId } = ref.update;
    const logged = new Set(newId === undefined ? via : [...via, name]);
    if (head?.kind === 'symbolic' && head.target === name) logged.add('HEAD');
    const entry = { oldId, newId: newId ?? format.zeroId, identity: by, message };
    try {
      for (const log of logged) logs.append(log, entry);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      failures.set(ref, error);
    }
  }
  return failures;
}
