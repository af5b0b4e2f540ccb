/**
 * What a push asks for one ref, and how it went.
 *
 * @module
 */
import type { ObjectId } from '../../core/object-id.ts';

/** One ref the client wants changed. */
export interface RefCommand {
  /** As sent: it may break the rules of check-ref-format until the pipeline has looked at it. */
  readonly name: string;
  /** What the client believes the ref holds; all zeros for "nothing". */
  readonly oldId: ObjectId;
  /** What it shall hold; all zeros to delete it. */
  readonly newId: ObjectId;
  readonly kind: 'create' | 'update' | 'delete';
}

/** What was changed in place of what a command asked for. */
export interface RefReport {
  /** Another ref than the command names. */
  readonly refName?: string | undefined;
  readonly oldId?: ObjectId | undefined;
  readonly newId?: ObjectId | undefined;
  readonly isForced?: boolean | undefined;
}

/**
 * The answer to one command. `reason` is one line for the user, in git's words where git has them. `reports` says
 * what was done in its place, when that is something else.
 */
export type RefCommandResult =
  | { readonly command: RefCommand; readonly ok: true; readonly reports?: readonly RefReport[] | undefined }
  | { readonly command: RefCommand; readonly ok: false; readonly reason: string };

/** Name the kind of a change from its two ids; both zero is a deletion, as git reads it. */
export function refCommand(name: string, oldId: ObjectId, newId: ObjectId): RefCommand {
  const kind = isZeroId(newId) ? 'delete' : isZeroId(oldId) ? 'create' : 'update';
  return { name, oldId, newId, kind };
}

/** @returns whether `id` is all zeros: "no object" */
export function isZeroId(id: ObjectId): boolean {
  for (let i = 0; i < id.length; i++) if (id.charCodeAt(i) !== 48) return false;
  return true;
}
