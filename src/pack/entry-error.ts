/**
 * Saying where in a pack something went wrong.
 *
 * @module
 */
import { GitError, isGitError } from '../core/errors.ts';

/** `error` with the offset of the entry it happened in, as `detail.offset`, when it is one of ours. */
export function atOffset(error: unknown, offset: number): unknown {
  if (!isGitError(error)) return error;
  const message = `${error.message} (entry at offset ${offset})`;
  return new GitError(error.code, message, { ...error.detail, offset }, error);
}
