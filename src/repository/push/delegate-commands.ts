/**
 * Commands that a program of the repository carries out in place of the pipeline: those of
 * `receive.procReceiveRefs`. How one talks with it is the protocol's business.
 * Spec: githooks(5), "proc-receive".
 *
 * @module
 */
import type { CommandLedger } from './command-ledger.ts';
import type { DelegateRequest } from './delegate.ts';
import type { PushSession } from './push-session.ts';
import type { RefCommand } from './ref-command.ts';

/** Settle or refuse `commands`, but for those that fall through, which stay pending. */
export async function delegateCommands(
  commands: readonly RefCommand[],
  ledger: CommandLedger,
  session: PushSession,
): Promise<void> {
  const { request, options, executableHooks } = session;
  const { delegate } = options;
  const atomic = request.atomic === true;
  const errors: string[] = []; // said when all that the program prints has been
  const delegated: DelegateRequest = {
    commands,
    pushOptions: request.pushOptions,
    atomic,
    isKnown: (name) => request.commands.some((command) => command.name === name),
    sayError: (text) => errors.push(text),
  };
  const said =
    delegate === undefined ? undefined : await executableHooks?.converse((hook) => delegate(delegated, hook));
  if (said === undefined) errors.push("cannot find hook 'proc-receive'");
  for (const text of errors) session.sayLine('error', text);

  const answers = said?.result.answers;
  for (const [command, answer] of answers ?? []) {
    if (answer.kind === 'ok') ledger.settleReported(command, answer.reports);
    else if (answer.kind === 'refused') ledger.refuse(command, answer.reason);
  }
  if (said?.ok === true && !said.result.failed) return;
  const left = atomic ? ledger.pending() : commands;
  for (const command of left) {
    const answer = answers?.get(command);
    const stands = answer !== undefined && (answer.kind !== 'fall-through' || !atomic);
    if (!stands) ledger.refuse(command, 'fail to run proc-receive hook');
  }
}
