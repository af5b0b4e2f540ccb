/**
 * The application's authorizer, asked about all refs of a push at once: before the pack is read, and after, when it is known
 * which updates are forced.
 *
 * @module
 */
import { GitError, throwIfAborted } from '../../core/errors.ts';
import type { CommandLedger } from './command-ledger.ts';
import { isForced } from './forced-updates.ts';
import type { ProposedUpdate, PushedObjects, Rejection, UpdatesAuthorizer } from './hooks.ts';
import type { PushSession } from './push-session.ts';
import { reasonOf, untilAborted } from './run-hooks.ts';

/** What the pusher sees when an authorizer gives no reason. */
export const NOT_AUTHORIZED = 'not authorized';

/**
 * Updates of one push found to be forced by a walk over history, each of which may be over all of it. Every other update
 * counts as forced then: a push must not cost thousands of walks.
 */
const MAX_FORCED_WALKS = 200;

/** Milliseconds that an answer stands. Packs may be on their way for hours, and what was allowed may be taken back. */
const ANSWER_STANDS_MS = 10_000;

/** Refuse what may not be, as far as that can be said without the objects. */
export async function authorizeProposed(ledger: CommandLedger, session: PushSession): Promise<void> {
  const { authorizeUpdates } = session.options;
  if (authorizeUpdates === undefined || !ledger.hasPending()) return;
  const updates = ledger.pending().map((command) => ({ command, forced: undefined }));
  if (await askAbout(updates, authorizeUpdates, ledger, session)) session.authorizedAt = performance.now();
}

/**
 * Refuse what may not be, now that the objects are there. Nothing is asked when nothing is forced and everything was allowed
 * a moment before.
 *
 * @throws {GitError} ABORTED; LIMIT_EXCEEDED, OBJECT_CORRUPT when history cannot be walked: nothing has changed then
 */
export async function authorizeForced(
  ledger: CommandLedger,
  session: PushSession,
  objects: PushedObjects,
): Promise<void> {
  const { authorizeUpdates } = session.options;
  if (authorizeUpdates === undefined || !ledger.hasPending()) return;
  const updates = await judged(ledger, session, objects);
  const isFresh = performance.now() - session.authorizedAt < ANSWER_STANDS_MS;
  if (isFresh && !updates.some(({ forced }) => forced)) return;
  await askAbout(updates, authorizeUpdates, ledger, session);
}

async function judged(
  ledger: CommandLedger,
  session: PushSession,
  objects: PushedObjects,
): Promise<ProposedUpdate[]> {
  const reader = await objects.openReader({ signal: session.signal });
  try {
    const updates: ProposedUpdate[] = [];
    let forcedCount = 0;
    for (const command of ledger.pending()) {
      const forced =
        forcedCount < MAX_FORCED_WALKS ? await isForced(command, reader, session) : command.kind === 'update';
      if (forced) forcedCount++;
      updates.push({ command, forced });
    }
    return updates;
  } finally {
    reader.release();
  }
}

/** @returns whether all were allowed */
async function askAbout(
  updates: readonly ProposedUpdate[],
  authorize: UpdatesAuthorizer,
  ledger: CommandLedger,
  session: PushSession,
): Promise<boolean> {
  const answers = await answersTo(updates, authorize, session);
  updates.forEach(({ command }, index) => {
    const answer = answers[index];
    if (answer !== undefined) ledger.refuse(command, reasonOf(answer, NOT_AUTHORIZED));
  });
  return answers.every((answer) => answer === undefined);
}

/** One for each, whatever the authorizer does. @throws {GitError} ABORTED as soon as the pusher is gone */
async function answersTo(
  updates: readonly ProposedUpdate[],
  authorize: UpdatesAuthorizer,
  session: PushSession,
): Promise<readonly (Rejection | undefined)[]> {
  const { signal } = session;
  throwIfAborted(signal);
  try {
    const asked = authorize(updates, session.contextWithoutObjects(), { signal });
    const answers = await untilAborted(asked, signal);
    if (answers.length === updates.length) return answers;
    throw new GitError('INVALID_ARGUMENT', 'Cannot authorize: expected one answer for each ref', {
      refs: updates.length,
      answers: answers.length,
    });
  } catch (error) {
    throwIfAborted(signal);
    session.logError(error);
    return updates.map(() => ({}));
  }
}
