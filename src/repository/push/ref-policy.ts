/**
 * The rules a ref update must pass besides the hooks: names, kinds, deletions, fast-forwards.
 * Spec: git-config(1), "receive.denyDeletes", "receive.denyDeleteCurrent", "receive.denyNonFastForwards".
 *
 * @module
 */
import type { ObjectReader } from '../../odb/object-database.ts';
import { isValidRefName } from '../../refs/ref-name.ts';
import { isZeroId, type RefCommand } from './ref-command.ts';

/** git's settings of the same names, with git's defaults for a bare repository. */
export interface RefPolicy {
  /** Refuse to delete branches. Default false. */
  readonly denyDeletes?: boolean | undefined;
  /** Refuse to delete the branch HEAD points at. Default: the repository's receive.denyDeleteCurrent, true. */
  readonly denyDeleteCurrent?: boolean | undefined;
  /** Refuse to move a branch to a commit that does not contain its old one. Default false. */
  readonly denyNonFastForwards?: boolean | undefined;
  /**
   * Refuse to change the branch HEAD points at, whether or not it is checked out. Default false. One that is checked
   * out is the business of the repository's receive.denyCurrentBranch.
   */
  readonly denyCurrentBranch?: boolean | undefined;
}

/** `unconfigured` refuses, and tells the pusher how to have it otherwise. */
export type DenyAction = 'ignore' | 'warn' | 'refuse' | 'unconfigured';
export type CheckedOutAction = DenyAction | 'updateInstead';

/** The policy of one push. */
export interface EffectiveRefPolicy {
  readonly denyDeletes: boolean;
  readonly denyNonFastForwards: boolean;
  readonly denyDeleteCurrent: DenyAction;
  readonly denyCurrentBranch: boolean;
  /** What becomes of updates to a branch that a work tree has checked out. */
  readonly checkedOut: CheckedOutAction;
}

/** What {@link checkRefCommand} looks at. */
export interface RefPolicyContext {
  readonly policy: EffectiveRefPolicy;
  /** Reads what was published. */
  readonly reader: ObjectReader;
  /** The ref HEAD points at, when HEAD is symbolic. */
  readonly currentBranch: string | undefined;
  /** Whether a work tree has the ref checked out. */
  readonly isCheckedOut: boolean;
  /** Whether `oldId` is `newId` or in its history; both are commits. */
  isAncestor(oldId: string, newId: string): Promise<boolean>;
  /** Shows a line in the pusher's terminal. */
  warn(text: string): void;
}

/** Why a command is refused: `reason` for the report, `error` for the user's terminal. */
export interface Refusal {
  readonly reason: string;
  readonly error: string;
}

const BRANCHES = 'refs/heads/';

/** Names that must not reach hooks or storage. A deletion may name a one-level ref, so that it can be cleaned up. */
export function checkRefName(command: RefCommand): Refusal | undefined {
  const { name, kind } = command;
  if (name.startsWith('refs/') && (name.indexOf('/', 5) > 0 || kind === 'delete') && isValidRefName(name)) {
    return undefined;
  }
  return {
    reason: 'funny refname',
    error: `refusing to update funny ref '${printable(name)}' remotely`,
  };
}

/** The checks of one command after its objects are in place, in git's order. */
export async function checkRefCommand(
  command: RefCommand,
  context: RefPolicyContext,
): Promise<Refusal | undefined> {
  const { kind, oldId } = command;
  const refusal = checkCurrentBranch(command, context);
  if (refusal !== undefined) return refusal;
  if (kind === 'delete') return isZeroId(oldId) ? undefined : checkDeletion(command, context);
  return checkNewValue(command, context);
}

function checkCurrentBranch(
  { name }: RefCommand,
  { policy, currentBranch, isCheckedOut, warn }: RefPolicyContext,
): Refusal | undefined {
  const { denyCurrentBranch, checkedOut } = policy;
  const refuses = checkedOut === 'refuse' || checkedOut === 'unconfigured';
  if ((name === currentBranch && denyCurrentBranch) || (isCheckedOut && refuses)) {
    const advice = checkedOut === 'unconfigured' && !denyCurrentBranch ? `\n${CURRENT_BRANCH_ADVICE}` : '';
    return {
      reason: 'branch is currently checked out',
      error: `refusing to update checked out branch: ${name}${advice}`,
    };
  }
  if (isCheckedOut && checkedOut === 'warn') warn('updating the current branch');
  return undefined;
}

function checkDeletion(
  { name }: RefCommand,
  { policy, currentBranch, isCheckedOut, warn }: RefPolicyContext,
): Refusal | undefined {
  if (name.startsWith(BRANCHES) && policy.denyDeletes) {
    return { reason: 'deletion prohibited', error: `denying ref deletion for ${name}` };
  }
  const action = policy.denyDeleteCurrent;
  if ((name !== currentBranch && !isCheckedOut) || action === 'ignore') return undefined;
  if (action === 'warn') {
    warn('deleting the current branch');
    return undefined;
  }
  const advice = action === 'unconfigured' ? `\n${DELETE_CURRENT_ADVICE}` : '';
  return {
    reason: 'deletion of the current branch prohibited',
    error: `refusing to delete the current branch: ${name}${advice}`,
  };
}

async function checkNewValue(
  { name, oldId, newId, kind }: RefCommand,
  { policy, reader, isAncestor }: RefPolicyContext,
): Promise<Refusal | undefined> {
  const isBranch = name.startsWith(BRANCHES);
  const header = reader.readHeader(newId);
  if (header === undefined) {
    return { reason: 'bad pack', error: `unpack should have generated ${newId}, but it is not there` };
  }
  if (isBranch && kind === 'update' && policy.denyNonFastForwards) {
    if (header.kind !== 'commit' || reader.readHeader(oldId)?.kind !== 'commit')
      return { reason: 'bad ref', error: `bad sha1 objects for ${name}` };
    if (!(await isAncestor(oldId, newId))) {
      return {
        reason: 'non-fast-forward',
        error: `denying non-fast-forward ${name} (you should pull first)`,
      };
    }
  }
  if (isBranch && header.kind !== 'commit') {
    return {
      reason: 'invalid new value provided',
      error: `trying to write non-commit object ${newId} to branch '${name}'`,
    };
  }
  return undefined;
}

const CURRENT_BRANCH_ADVICE = `A branch that is checked out is not updated by a push unless the receiving repository says so: its
files and index would not match it any more. 'receive.denyCurrentBranch' there can be 'updateInstead', to
bring them along; 'warn' or 'ignore', to leave them behind; or 'refuse', to go on like this without these lines.`;

const DELETE_CURRENT_ADVICE = `Without the branch HEAD points at, clones would have nothing to check out.
'receive.denyDeleteCurrent' in the receiving repository can be 'warn' or 'ignore', to allow it; or 'refuse', to go on
like this without these lines.`;

/** `text` on one line without control characters, for messages that quote what a peer sent. */
export function printable(text: string): string {
  const line = text.replace(CONTROL_CHARACTERS, '?');
  return line.length > MAX_QUOTED_CHARACTERS ? `${line.slice(0, MAX_QUOTED_CHARACTERS)}…` : line;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is there to find
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f-\u009f]/g;
const MAX_QUOTED_CHARACTERS = 300;
