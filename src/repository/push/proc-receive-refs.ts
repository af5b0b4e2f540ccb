/**
 * Which commands of a push go to the proc-receive hook in place of being carried out.
 * Spec: git-config(1), "receive.procReceiveRefs".
 *
 * @module
 */
import type { GitConfig } from '../git-config.ts';
import { isZeroId, type RefCommand } from './ref-command.ts';

interface RefPattern {
  readonly prefix: string;
  /** Of `a`, `d`, `m`: adding, deleting, changing. */
  readonly kinds: string;
  /** Matches what the prefix does not. */
  readonly isNegative: boolean;
}

/** @returns whether a command goes there; `undefined` when none does */
export function procReceiveRefs(
  config: GitConfig | undefined,
): ((command: RefCommand) => boolean) | undefined {
  const patterns = config?.getAll('receive.procReceiveRefs').map(parsePattern) ?? [];
  if (patterns.length === 0) return undefined;
  return (command) => patterns.some((pattern) => matches(pattern, command));
}

/** `ad:refs/for` for `a` and `d` only; without a colon everything counts. */
function parsePattern(text: string): RefPattern {
  const colon = text.indexOf(':');
  const modifiers = colon < 0 ? 'adm' : text.slice(0, colon);
  return {
    prefix: text.slice(colon + 1).replace(/\/+$/, ''),
    kinds: modifiers,
    isNegative: modifiers.includes('!'),
  };
}

function matches({ prefix, kinds, isNegative }: RefPattern, { name, oldId, newId }: RefCommand): boolean {
  const kind = isZeroId(oldId) ? 'a' : isZeroId(newId) ? 'd' : 'm';
  if (!kinds.includes(kind)) return false;
  const isBelow = name === prefix || name.startsWith(`${prefix}/`);
  return isBelow !== isNegative;
}
