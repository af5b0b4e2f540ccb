/**
 * Everything that is decided before a push is published: authorization, then, with the objects in quarantine,
 * names, connectivity and pre-receive.
 *
 * @module
 */

import { Pace } from '../../core/pace.ts';
import type { ObjectDatabase, ObjectTransaction } from '../../odb/object-database.ts';
import { authorizeForced, authorizeProposed, NOT_AUTHORIZED } from './authorize-updates.ts';
import { checkTips } from './check-tips.ts';
import type { CommandLedger } from './command-ledger.ts';
import type { PushSession } from './push-session.ts';
import type { RefCommand } from './ref-command.ts';
import { checkRefName } from './ref-policy.ts';

/** Refuse what the application does not allow, before any object is read. */
export async function authorizeCommands(ledger: CommandLedger, session: PushSession): Promise<void> {
  const { authorizeRefUpdate } = session.options;
  if (authorizeRefUpdate !== undefined) {
    const context = session.contextWithoutObjects();
    const pace = new Pace(session.signal);
    for (const command of ledger.pending()) {
      if (pace.isDue()) await pace.rest();
      const reason = await session.ask(() => authorizeRefUpdate(command, context), NOT_AUTHORIZED);
      if (reason !== undefined) ledger.refuse(command, reason);
    }
    failTogetherIfAtomic(ledger, session);
  }
  await authorizeProposed(ledger, session);
  failTogetherIfAtomic(ledger, session);
}

/**
 * Refuse bad names, tips with missing history, what the application does not allow now that it is known, and what pre-receive
 * declines.
 *
 * git looks at names after its hooks; here a hook never sees a name that is no ref's, and a push of nothing
 * else publishes nothing.
 *
 * @param objects the quarantine, or the database when nothing was sent
 */
export async function judgeCommands(
  ledger: CommandLedger,
  session: PushSession,
  objects: ObjectDatabase | ObjectTransaction,
): Promise<void> {
  const pace = new Pace(session.signal); // of fifty thousand commands each step takes some milliseconds
  await refuseFunnyNames(ledger, session, pace);
  await refuseDuplicates(ledger, session, pace);
  if (isConnectivityChecked(session)) await checkTips(ledger, session, objects);
  failTogetherIfAtomic(ledger, session);
  await authorizeForced(ledger, session, objects);
  failTogetherIfAtomic(ledger, session);

  if (!ledger.hasPending()) return;
  const reason =
    (await askApplication(ledger, session, objects)) ?? (await askRepository(ledger, session, objects));
  if (reason !== undefined) ledger.refuseRest(reason);
}

/** A history that ends early is only known for one by its walk, and so is a broken link of checked objects. */
function isConnectivityChecked({ options, request, received }: PushSession): boolean {
  if (options.skipConnectivityCheck !== true) return true;
  return (request.shallow?.length ?? 0) > 0 || received?.findings !== undefined;
}

/** First: what the application does not want, no program of the repository needs to see. */
async function askApplication(
  ledger: CommandLedger,
  session: PushSession,
  objects: ObjectDatabase | ObjectTransaction,
): Promise<string | undefined> {
  const { hooks } = session.options;
  if (hooks?.preReceive === undefined) return undefined;
  return session.withContext(ledger.pending(), objects, (context) =>
    session.ask(() => hooks.preReceive?.(context), PRE_RECEIVE_DECLINED),
  );
}

/** As with git, it is told of commands that are refused already, too. */
async function askRepository(
  { commands }: CommandLedger,
  session: PushSession,
  objects: ObjectDatabase | ObjectTransaction,
): Promise<string | undefined> {
  const { executableHooks } = session;
  if (executableHooks === undefined) return undefined;
  const pace = new Pace(session.signal);
  const named: RefCommand[] = [];
  for (const command of commands) {
    if (pace.isDue()) await pace.rest();
    if (checkRefName(command) === undefined) named.push(command);
  }
  await showNewRoots(session);
  const quarantinePath = 'quarantinePath' in objects ? objects.quarantinePath : undefined;
  return (await executableHooks.preReceive(named, quarantinePath)) ? undefined : PRE_RECEIVE_DECLINED;
}

/** Programs that read the pushed history must find its end. */
async function showNewRoots(session: PushSession): Promise<void> {
  const roots = [...session.shallowRoots.values()].flat();
  if (roots.length > 0) session.shallowFile = await session.repository.shallowRoots?.writeTemporary(roots);
}

const PRE_RECEIVE_DECLINED = 'pre-receive hook declined';

async function refuseFunnyNames(ledger: CommandLedger, session: PushSession, pace: Pace): Promise<void> {
  for (const command of ledger.pending()) {
    if (pace.isDue()) await pace.rest();
    const refusal = checkRefName(command);
    if (refusal === undefined) continue;
    session.sayLine('error', refusal.error);
    ledger.refuse(command, refusal.reason);
  }
}

async function refuseDuplicates(ledger: CommandLedger, session: PushSession, pace: Pace): Promise<void> {
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const { name } of ledger.commands) {
    if (pace.isDue()) await pace.rest();
    if (seen.has(name)) repeated.add(name);
    seen.add(name);
  }
  if (repeated.size === 0) return;
  for (const command of ledger.pending()) {
    if (repeated.has(command.name)) ledger.refuse(command, 'multiple updates for ref not allowed');
  }
  for (const name of repeated) session.sayLine('error', `multiple updates for ref '${name}' not allowed`);
}

function failTogetherIfAtomic(ledger: CommandLedger, session: PushSession): void {
  if (session.request.atomic === true && ledger.hasRefused()) ledger.refuseRest('atomic push failure');
}
