/**
 * Saying where in a pack something went wrong.
 *
 * @module
 */
import { GitError, isGitError } from '../core/errors.ts';

/**
 * `error` with the offset of the entry it happened in, as `detail.offset`, when it is one of ours. A collision has the
 * object's id instead: it may be noticed entries later.
 */
export function atOffset(error: unknown, offset: number): unknown {
  if (!isGitError(error) || error.code === 'SHA1_COLLISION') return error;
  const message = `${error.message} (entry at offset ${offset})`;
  return new GitError(error.code, message, { ...error.detail, offset }, error);
}
