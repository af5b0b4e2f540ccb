/**
 * The last stage of a push: check each ref, ask the update hook, and move the refs by compare-and-swap.
 *
 * @module
 */
import { isGitError } from '../../core/errors.ts';
import type { ObjectId } from '../../core/object-id.ts';
import { Pace } from '../../core/pace.ts';
import type { Identity, RefDatabase, RefTransactionWatcher, RefUpdate } from '../../refs/ref-database.ts';
import type { CommandLedger } from './command-ledger.ts';
import { isZeroId, type RefCommand } from './ref-command.ts';
import type { Refusal } from './ref-policy.ts';

export interface UpdateRefsContext {
  readonly refs: RefDatabase;
  readonly atomic: boolean;
  readonly identity: Identity | undefined;
  readonly watcher: RefTransactionWatcher | undefined;
  /** Whether the object is there. */
  hasObject(id: ObjectId): boolean;
  /** Policy and update hook of one command. */
  check(command: RefCommand): Promise<Refusal | undefined>;
  /**
   * Called for all that is about to move: makes the end of its history known, if it has one. What cannot be is refused.
   *
   * @throws {GitError} STORAGE_FAILED
   */
  addShallowRoots(commands: readonly RefCommand[]): Promise<void>;
  say(kind: 'error' | 'warning', text: string): void;
  onError(error: unknown): void;
}

/**
 * Settle or refuse every pending command. Atomic: in one batch, all or nothing. Otherwise each stands alone, deletions
 * in a batch before the others: a directory of refs can make room for a ref in one push.
 *
 * @throws {GitError} ABORTED only while no ref has moved
 */
export async function updateRefs(ledger: CommandLedger, context: UpdateRefsContext): Promise<void> {
  const pending = ledger.pending();
  const isDeletion = ({ kind }: RefCommand): boolean => kind === 'delete';
  const batches = context.atomic
    ? [pending]
    : [pending.filter(isDeletion), pending.filter((command) => !isDeletion(command))];
  let hasMoved = false;
  for (const batch of batches) {
    try {
      if (!(await updateBatch(batch, ledger, context))) return;
    } catch (error) {
      if (!hasMoved || !isGitError(error, 'ABORTED')) throw error;
      for (const command of batch) ledger.refuse(command, 'the push was cut off');
      return;
    }
    hasMoved ||= batch.length > 0;
  }
}

/** @returns false when an atomic push has failed */
async function updateBatch(
  commands: readonly RefCommand[],
  ledger: CommandLedger,
  context: UpdateRefsContext,
): Promise<boolean> {
  const batch: RefCommand[] = [];
  const pace = new Pace(undefined);
  for (const command of commands) {
    if (pace.isDue()) await pace.rest();
    if (await passes(command, ledger, context)) {
      batch.push(command);
    } else if (context.atomic) {
      ledger.refuseRest('atomic push failure');
      return false;
    }
  }
  const unsettled = batch.filter((command) => !ledger.isSettled(command));
  await applyBatch(unsettled, ledger, context);
  // Nothing has moved then; what had nothing to do must not say `ok` either.
  if (context.atomic && ledger.hasRefused()) ledger.refuseRest('atomic transaction failed');
  return true;
}

async function passes(
  command: RefCommand,
  ledger: CommandLedger,
  context: UpdateRefsContext,
): Promise<boolean> {
  const refusal = (await context.check(command)) ?? (await checkDeletion(command, ledger, context));
  if (refusal === undefined) return true;
  context.say('error', refusal.error);
  ledger.refuse(command, refusal.reason);
  return false;
}

/**
 * A deletion of a ref that the client did not see: nothing to do, unless it has come into being meanwhile. One whose
 * object is missing was not shown; it can be cleaned up.
 */
async function checkDeletion(
  command: RefCommand,
  ledger: CommandLedger,
  { refs, hasObject, say }: UpdateRefsContext,
): Promise<Refusal | undefined> {
  if (command.kind !== 'delete' || !isZeroId(command.oldId)) return undefined;
  const ref = await refs.read(command.name);
  if (ref === undefined) {
    say('warning', 'deleting a non-existent ref');
    ledger.settle(command, false);
    return undefined;
  }
  if (ref.kind === 'direct' && !hasObject(ref.id)) {
    say('warning', 'allowing deletion of corrupt ref');
    return undefined;
  }
  const reason = 'reference already exists';
  return { reason, error: `cannot update ref '${command.name}': ${reason}` };
}

async function applyBatch(
  batch: readonly RefCommand[],
  ledger: CommandLedger,
  { refs, atomic, identity, watcher, addShallowRoots, say, onError }: UpdateRefsContext,
): Promise<void> {
  if (batch.length === 0) return;
  try {
    await addShallowRoots(batch);
  } catch (error) {
    if (!isGitError(error, 'STORAGE_FAILED', 'REPOSITORY_INVALID')) throw error;
    onError(error);
    if (error.code === 'STORAGE_FAILED') say('error', error.message);
    for (const command of batch) ledger.refuse(command, 'shallow error');
    return;
  }

  const pace = new Pace(undefined);
  const updates = batch.map(refUpdate);
  if (pace.isDue()) await pace.rest();
  // No signal: once refs begin to move, the push is finished even if nobody is left to hear of it.
  const outcomes = await refs
    .update(updates, { atomic, reflogMessage: 'push', identity, watcher })
    .catch((error: unknown) => {
      if (!isGitError(error)) throw error;
      onError(error);
      return undefined;
    });
  for (const [index, command] of batch.entries()) {
    if (pace.isDue()) await pace.rest();
    const outcome = outcomes?.[index];
    if (outcome?.ok === true) {
      ledger.settle(command);
      continue;
    }
    const { reason = 'failed to update ref', detail = reason, cause } = outcome ?? {};
    if (cause !== undefined) onError(cause);
    say('error', `cannot update ref '${command.name}': ${detail}`);
    // git does not tell which of them was to blame either: it says so on the terminal only.
    ledger.refuse(command, atomic ? 'atomic transaction failed' : reason);
  }
}

function refUpdate({ name, oldId, newId, kind }: RefCommand): RefUpdate {
  return {
    name,
    newId: kind === 'delete' ? undefined : newId,
    // A deletion that expects nothing was found to be of a corrupt ref.
    expected: kind === 'create' ? undefined : isZeroId(oldId) ? 'any' : oldId,
  };
}
