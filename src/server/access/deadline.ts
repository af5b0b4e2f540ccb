/**
 * Questions that must have their answer in time: whoever is asked may hang, and those who wait may not.
 *
 * @module
 */
import { GitError } from '../../core/errors.ts';
import { untilAborted } from '../../repository/push/run-hooks.ts';

/** Milliseconds for one decision. More than an application is given for all its attempts by default. */
const DECISION_TIMEOUT_MS = 30_000;

interface Deadline {
  /** Default {@link DECISION_TIMEOUT_MS}. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * @param ask is given a signal that fires when nobody waits any more; one that goes on all the same is left to itself
 * @throws {GitError} OVERLOADED when there is no answer in time; ABORTED when `signal` fires; and what `ask` throws
 */
export async function answeredInTime<Answer>(
  ask: (signal: AbortSignal) => Promise<Answer>,
  { timeoutMs = DECISION_TIMEOUT_MS, signal }: Deadline = {},
): Promise<Answer> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(undecided(timeoutMs)), timeoutMs);
  const ended = signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]);
  try {
    return await untilAborted(ask(ended), ended);
  } finally {
    clearTimeout(timer);
  }
}

function undecided(timeoutMs: number): GitError {
  return new GitError('OVERLOADED', 'Cannot decide about access now: try again later', {
    timeoutMs,
    retryAfterSeconds: 5,
  });
}
