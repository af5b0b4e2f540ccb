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
  /** Refuse to delete the branch HEAD points at. Default true. */
  readonly denyDeleteCurrent?: boolean | undefined;
  /** Refuse to move a branch to a commit that does not contain its old one. Default false. */
  readonly denyNonFastForwards?: boolean | undefined;
  /** Refuse to change the branch HEAD points at: for a repository with a work tree. Default false. */
  readonly denyCurrentBranch?: boolean | undefined;
}

/** What {@link checkRefCommand} looks at. */
export interface RefPolicyContext {
  readonly policy: RefPolicy;
  /** Reads what was published. */
  readonly reader: ObjectReader;
  /** The ref HEAD points at, when HEAD is symbolic. */
  readonly currentBranch: string | undefined;
  /** Whether `oldId` is `newId` or in its history; both are commits. */
  isAncestor(oldId: string, newId: string): Promise<boolean>;
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
  { policy, reader, currentBranch, isAncestor }: RefPolicyContext,
): Promise<Refusal | undefined> {
  const { name, oldId, newId, kind } = command;
  const isBranch = name.startsWith(BRANCHES);

  if (name === currentBranch && policy.denyCurrentBranch === true) {
    return {
      reason: 'branch is currently checked out',
      error: `refusing to update checked out branch: ${name}`,
    };
  }
  if (kind === 'delete') {
    if (isZeroId(oldId)) return undefined;
    if (isBranch && policy.denyDeletes === true) {
      return { reason: 'deletion prohibited', error: `denying ref deletion for ${name}` };
    }
    if (name === currentBranch && policy.denyDeleteCurrent !== false) {
      return {
        reason: 'deletion of the current branch prohibited',
        error: `refusing to delete the current branch: ${name}`,
      };
    }
    return undefined;
  }

  const header = reader.readHeader(newId);
  if (header === undefined) {
    return { reason: 'bad pack', error: `unpack should have generated ${newId}, but it is not there` };
  }
  if (isBranch && header.kind !== 'commit') {
    return {
      reason: 'failed to update ref',
      error: `trying to write non-commit object ${newId} to branch '${name}'`,
    };
  }
  if (isBranch && kind === 'update' && policy.denyNonFastForwards === true) {
    if (reader.readHeader(oldId)?.kind !== 'commit')
      return { reason: 'bad ref', error: `bad old object for ${name}` };
    if (!(await isAncestor(oldId, newId))) {
      return {
        reason: 'non-fast-forward',
        error: `denying non-fast-forward ${name} (you should pull first)`,
      };
    }
  }
  return undefined;
}

/** `text` on one line without control characters, for messages that quote what a peer sent. */
export function printable(text: string): string {
  const line = text.replace(CONTROL_CHARACTERS, '?');
  return line.length > MAX_QUOTED_CHARACTERS ? `${line.slice(0, MAX_QUOTED_CHARACTERS)}…` : line;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is there to find
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f-\u009f]/g;
const MAX_QUOTED_CHARACTERS = 300;
