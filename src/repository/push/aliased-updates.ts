/**
 * A push that names both a symbolic ref and the ref it points at: the same change twice is done once,
 * two different changes are refused.
 *
 * @module
 */
import type { ResolvedRef } from '../../refs/ref-database.ts';
import type { CommandLedger } from './command-ledger.ts';
import type { RefCommand } from './ref-command.ts';

/**
 * Settle or refuse the pending commands that alias others.
 *
 * @param refs every ref before the push
 * @param sayError shows a line in the pusher's terminal
 */
export function checkAliasedUpdates(
  ledger: CommandLedger,
  refs: readonly ResolvedRef[],
  sayError: (text: string) => void,
): void {
  const targets = new Map<string, string>();
  for (const ref of refs) if (ref.symbolicTarget !== undefined) targets.set(ref.name, ref.symbolicTarget);
  if (targets.size === 0) return;

  const commands = new Map<string, RefCommand>();
  for (const command of ledger.commands) commands.set(command.name, command);

  for (const command of ledger.pending()) {
    const target = finalTarget(command.name, targets);
    const other = target === command.name ? undefined : commands.get(target);
    if (other === undefined) continue;
    if (command.oldId === other.oldId && command.newId === other.newId) {
      ledger.settle(command);
      continue;
    }
    ledger.refuse(command, 'inconsistent aliased update');
    ledger.refuse(other, 'inconsistent aliased update');
    sayError(
      `refusing inconsistent update between symref '${command.name}' (${range(command)}) and` +
        ` its target '${other.name}' (${range(other)})`,
    );
  }
}

function finalTarget(name: string, targets: ReadonlyMap<string, string>): string {
  let target = name;
  for (let depth = 0; depth < 5; depth++) {
    // git's SYMREF_MAXDEPTH
    const next = targets.get(target);
    if (next === undefined) break;
    target = next;
  }
  return target;
}

function range({ oldId, newId }: RefCommand): string {
  return `${oldId.slice(0, 7)}..${newId.slice(0, 7)}`;
}
