/**
 * The end of a push: objects become visible, then refs move.
 *
 * @module
 */
import { isGitError, throwIfAborted } from '../../core/errors.ts';
import { Pace } from '../../core/pace.ts';
import type { ObjectReader, ObjectTransaction } from '../../odb/object-database.ts';
import { checkAliasedUpdates } from './aliased-updates.ts';
import type { CommandLedger } from './command-ledger.ts';
import { delegateCommands } from './delegate-commands.ts';
import { isAncestor } from './forced-updates.ts';
import type { PushContext } from './hooks.ts';
import { procReceiveRefs } from './proc-receive-refs.ts';
import type { PushSession } from './push-session.ts';
import type { RefCommand } from './ref-command.ts';
import { checkRefCommand, type Refusal } from './ref-policy.ts';
import { updateRefs } from './update-refs.ts';
import type { WorkTree } from './work-trees.ts';

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
    session.options.onPublish?.();
  } catch (error) {
    if (!isGitError(error)) throw error;
    session.logError(error);
    ledger.refuseRest('unable to migrate objects to permanent storage');
    return;
  }

  const { repository, request, options, signal } = session;
  const { refs, objects } = repository;
  const pace = new Pace(signal);
  if (ledger.commands.length > 1) {
    if (pace.isDue()) await pace.rest();
    const listed = await refs.list(undefined, { signal });
    if (pace.isDue()) await pace.rest();
    checkAliasedUpdates(ledger, listed, (text) => session.sayLine('error', text));
  }
  if (pace.isDue()) await pace.rest();
  await delegateMatching(ledger, session);
  if (!ledger.hasPending()) return;

  const head = await refs.read('HEAD', { signal });
  const currentBranch = head?.kind === 'symbolic' ? head.target : undefined;
  const workTrees = (await repository.workTrees?.branches()) ?? new Map();
  const reader = await objects.openReader({ signal });
  try {
    await session.withContext(ledger.pending(), objects, (context) =>
      updateRefs(ledger, {
        refs,
        atomic: request.atomic === true,
        identity: options.identity,
        watcher: session.executableHooks?.watcher(),
        hasObject: (id) => reader.has(id),
        check: (command) => checkCommand(command, { session, reader, currentBranch, workTrees, context }),
        addShallowRoots: (commands) => addShallowRoots(commands, session),
        say: (kind, text) => session.sayLine(kind, text),
        onError: (error) => session.logError(error),
      }),
    );
  } finally {
    reader.release();
  }
}

async function addShallowRoots(
  commands: readonly RefCommand[],
  { repository, shallowRoots, signal }: PushSession,
): Promise<void> {
  if (shallowRoots.size === 0) return;
  const roots = new Set(commands.flatMap(({ newId }) => shallowRoots.get(newId) ?? []));
  if (roots.size > 0) await repository.shallowRoots?.add([...roots], { signal });
}

/** Commands that are the business of the repository's proc-receive hook go there. */
async function delegateMatching(ledger: CommandLedger, session: PushSession): Promise<void> {
  const { repository } = session;
  const isDelegated = repository.hooks === undefined ? undefined : procReceiveRefs(repository.config);
  const commands = isDelegated && ledger.pending().filter(isDelegated);
  if (commands !== undefined && commands.length > 0) await delegateCommands(commands, ledger, session);
}

interface CheckContext {
  readonly session: PushSession;
  readonly reader: ObjectReader;
  readonly currentBranch: string | undefined;
  /** By the branch they are at. */
  readonly workTrees: ReadonlyMap<string, WorkTree>;
  readonly context: PushContext;
}

/** Policy first, then the update hooks, then the work tree. */
async function checkCommand(command: RefCommand, check: CheckContext): Promise<Refusal | undefined> {
  const { session, workTrees } = check;
  const workTree = workTrees.get(command.name);
  const refusal = (await checkPolicy(command, workTree, check)) ?? (await askUpdateHooks(command, check));
  if (refusal !== undefined) return refusal;
  if (workTree === undefined || session.policy.checkedOut !== 'updateInstead') return undefined;
  return updateInstead(command, workTree, session);
}

function checkPolicy(
  command: RefCommand,
  workTree: WorkTree | undefined,
  { session, reader, currentBranch }: CheckContext,
): Promise<Refusal | undefined> {
  return checkRefCommand(command, {
    policy: session.policy,
    reader,
    currentBranch,
    isCheckedOut: workTree !== undefined,
    isAncestor: (oldId, newId) => isAncestor(reader, oldId, newId, session),
    warn: (text) => session.sayLine('warning', text),
  });
}

/** The application's, then the repository's own. */
async function askUpdateHooks(
  command: RefCommand,
  { session, context }: CheckContext,
): Promise<Refusal | undefined> {
  const { hooks } = session.options;
  const error = `hook declined to update ${command.name}`;
  if (hooks?.update !== undefined) {
    const reason = await session.ask(() => hooks.update?.(command, context), HOOK_DECLINED);
    if (reason !== undefined) return { reason, error };
  }
  const isAllowed = (await session.executableHooks?.update(command)) ?? true;
  return isAllowed ? undefined : { reason: HOOK_DECLINED, error };
}

const HOOK_DECLINED = 'hook declined';

/** Bring a work tree to where its branch is about to go; by the repository's own hook for it, if there is one. */
async function updateInstead(
  command: RefCommand,
  workTree: WorkTree,
  session: PushSession,
): Promise<Refusal | undefined> {
  const { executableHooks, limits } = session;
  const reason =
    executableHooks === undefined
      ? await workTree.checkOut(command.newId, {
          onOutput: (text) => session.relay(text),
          timeoutMs: limits.hookTimeoutMs,
        })
      : await executableHooks.checkOut(workTree, command);
  return reason === undefined ? undefined : { reason, error: reason };
}
