/**
 * The one error type of this library, and the reasons it gives.
 *
 * @module
 */

/** Stable, documented reasons. Switch on these; never on message text. */
export type ErrorCode =
  | 'PROTOCOL_VIOLATION' // the peer sent something the protocol forbids
  | 'PACK_CORRUPT' // bytes of a pack, index, bitmap or delta do not decode
  | 'OBJECT_CORRUPT' // a stored or sent object does not decode or has another id
  | 'SHA1_COLLISION' // a sent object is part of a SHA-1 collision attack, or differs from the stored one of its id
  | 'FSCK_FAILED' // a sent object is not what git would have written, and the rules do not let that pass
  | 'OBJECT_MISSING' // a named object is not in the database
  | 'NOT_OUR_REF' // a wanted object may not be had by this client
  | 'LIMIT_EXCEEDED' // a configured ceiling was reached
  | 'REF_CONFLICT' // a ref did not hold its expected value, or could not be locked
  | 'REF_INVALID' // a ref name breaks the rules of check-ref-format, or a ref file does not parse
  | 'REPOSITORY_NOT_FOUND' // no repository by that name, or it is not to be seen
  | 'REPOSITORY_INVALID' // a directory that is not a usable repository
  | 'ACCESS_DENIED' // the application's authorizer refused
  | 'UNSUPPORTED' // a valid request for something this server does not do
  | 'STORAGE_FAILED' // the disk or backend failed: full, read-only, I/O error
  | 'INVALID_ARGUMENT' // the caller of the library passed something impossible
  | 'OVERLOADED' // the server has too much to do; `retryAfterSeconds` of the detail says when to come again
  | 'RATE_LIMITED' // this client asks for too much; the same
  | 'ABORTED'; // the work was cancelled by its signal or deadline

export type ErrorDetail = Readonly<Record<string, string | number>>;

/** The one error type this library throws on purpose. Anything else is a bug. */
export class GitError extends Error {
  override readonly name = 'GitError';
  readonly code: ErrorCode;
  /** For logs and tests: ids, offsets in bytes, sizes in bytes. */
  readonly detail: ErrorDetail;

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.detail = detail;
  }
}

/** @returns whether `error` is a {@link GitError}, of one of `codes` when any are given */
export function isGitError(error: unknown, ...codes: readonly ErrorCode[]): error is GitError {
  return error instanceof GitError && (codes.length === 0 || codes.includes(error.code));
}

/** @throws {GitError} ABORTED when the signal has fired; its reason becomes the cause */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortError(signal);
}

/** The error for work ended by `signal`. A reason that already is a GitError is kept as it is. */
export function abortError(signal: AbortSignal): GitError {
  const reason: unknown = signal.reason;
  if (reason instanceof GitError) return reason;
  return new GitError('ABORTED', 'Stopped: the client went away or the deadline passed', {}, reason);
}
