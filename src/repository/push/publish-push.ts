/**
 * The end of a push: objects become visible, then refs move.
 *
 * @module
 */
import { isGitError, throwIfAborted } from '../../core/errors.ts';
import type { ObjectReader, ObjectTransaction } from '../../odb/object-database.ts';
import { unreachableOf } from '../reachability.ts';
import { checkAliasedUpdates } from './aliased-updates.ts';
import type { CommandLedger } from './command-ledger.ts';
import type { PushContext } from './hooks.ts';
import type { PushSession } from './push-session.ts';
import type { RefCommand } from './ref-command.ts';
import { checkRefCommand, type Refusal } from './ref-policy.ts';
import { updateRefs } from './update-refs.ts';

/**
 * Settle or refuse every command that is still pending.
 *
 * @param quarantine `undefined` when nothing was sent
 * @throws {GitError} ABORTED when the signal fires before refs begin to move; objects may have been published
 * by then, and nothing refers to them
 */
export async function publishPush(
  ledger: CommandLedger,
  session: PushSession,
  quarantine: ObjectTransaction | undefined,
): Promise<void> {
  throwIfAborted(session.signal);
  try {
    await quarantine?.commit();
  } catch (error) {
    if (!isGitError(error)) throw error;
    session.logError(error);
    ledger.refuseRest('unable to migrate objects to permanent storage');
    return;
  }

  const { repository, request, options, signal } = session;
  const { refs, objects } = repository;
  if (ledger.commands.length > 1) {
    const listed = await refs.list(undefined, { signal });
    checkAliasedUpdates(ledger, listed, (text) => session.sayLine('error', text));
  }

  const head = await refs.read('HEAD', { signal });
  const currentBranch = head?.kind === 'symbolic' ? head.target : undefined;
  const reader = await objects.openReader({ signal });
  try {
    await session.withContext(ledger.pending(), objects, (context) =>
      updateRefs(ledger, {
        refs,
        atomic: request.atomic === true,
        identity: options.identity,
        check: (command) => checkCommand(command, { session, reader, currentBranch, context }),
        say: (kind, text) => session.sayLine(kind, text),
        onError: (error) => session.logError(error),
      }),
    );
  } finally {
    reader.release();
  }
}

interface CheckContext {
  readonly session: PushSession;
  readonly reader: ObjectReader;
  readonly currentBranch: string | undefined;
  readonly context: PushContext;
}

/** Policy first, then the update hook. */
async function checkCommand(
  command: RefCommand,
  { session, reader, currentBranch, context }: CheckContext,
): Promise<Refusal | undefined> {
  const { hooks } = session.options;
  const refusal = await checkRefCommand(command, {
    policy: session.policy,
    reader,
    currentBranch,
    isAncestor: async (oldId, newId) => {
      const shallow = await session.repository.shallowCommits();
      const options = { shallow, limits: session.limits, signal: session.signal };
      return (await unreachableOf(reader, [oldId], [newId], options)).length === 0;
    },
  });
  if (refusal !== undefined || hooks?.update === undefined) return refusal;

  const reason = await session.ask(() => hooks.update?.(command, context), 'hook declined');
  if (reason === undefined) return undefined;
  return { reason, error: `hook declined to update ${command.name}` };
}
