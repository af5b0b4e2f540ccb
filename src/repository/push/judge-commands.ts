/**
 * Everything that is decided before a push is published: authorization, then, with the objects in quarantine,
 * names, connectivity and pre-receive.
 *
 * @module
 */
import type { ObjectDatabase, ObjectTransaction } from '../../odb/object-database.ts';
import { checkTips } from './check-tips.ts';
import type { CommandLedger } from './command-ledger.ts';
import type { PushSession } from './push-session.ts';
import { checkRefName } from './ref-policy.ts';

/** Refuse what the application does not allow, before any object is read. */
export async function authorizeCommands(ledger: CommandLedger, session: PushSession): Promise<void> {
  const { authorizeRefUpdate } = session.options;
  if (authorizeRefUpdate === undefined) return;
  const context = session.contextWithoutObjects();
  for (const command of ledger.pending()) {
    const reason = await session.ask(() => authorizeRefUpdate(command, context), 'not authorized');
    if (reason !== undefined) ledger.refuse(command, reason);
  }
  failTogetherIfAtomic(ledger, session);
}

/**
 * Refuse bad names, tips with missing history, and what pre-receive declines.
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
  refuseFunnyNames(ledger, session);
  refuseDuplicates(ledger, session);
  await checkTips(ledger, session, objects);
  failTogetherIfAtomic(ledger, session);

  const { hooks } = session.options;
  const pending = ledger.pending();
  if (hooks?.preReceive === undefined || pending.length === 0) return;
  const reason = await session.withContext(pending, objects, (context) =>
    session.ask(() => hooks.preReceive?.(context), 'pre-receive hook declined'),
  );
  if (reason !== undefined) ledger.refuseRest(reason);
}

function refuseFunnyNames(ledger: CommandLedger, session: PushSession): void {
  for (const command of ledger.pending()) {
    const refusal = checkRefName(command);
    if (refusal === undefined) continue;
    session.sayLine('error', refusal.error);
    ledger.refuse(command, refusal.reason);
  }
}

function refuseDuplicates(ledger: CommandLedger, session: PushSession): void {
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const { name } of ledger.commands) {
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
