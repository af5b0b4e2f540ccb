/**
 * How services ask for room: once, never longer than the client stays, and with what is given always given back.
 *
 * @module
 */
import { isGitError } from '../core/errors.ts';
import { untilAborted } from '../repository/pack-sharing/until-aborted.ts';
import type { Admit, Pass, Work } from './admission.ts';
import type { ServiceMode } from './service.ts';

/** Leave from nobody: there is none to ask. */
const UNBOUNDED: Pass = { release: () => undefined };

/**
 * @returns the pass, which the caller releases
 * @throws {GitError} what `admit` throws; ABORTED as soon as `signal` fires: leave that is given later goes back at once
 */
export async function admitWork(
  admit: Admit | undefined,
  work: Work,
  signal: AbortSignal | undefined,
): Promise<Pass> {
  if (admit === undefined) return UNBOUNDED;
  const asked = admit(work, { signal });
  try {
    return await untilAborted(asked, signal);
  } catch (error) {
    if (signal?.aborted) {
      asked.then(
        (pass) => pass.release(),
        () => undefined, // nobody is there to be told
      );
    }
    throw error;
  }
}

/**
 * Whether a refusal to admit is for the carrier to tell: HTTP has a status for it, and `Retry-After`, as long as nothing
 * has been answered. Elsewhere the service tells it in the protocol.
 */
export function isToldByCarrier(error: unknown, mode: ServiceMode): boolean {
  return mode === 'stateless' && isGitError(error, 'OVERLOADED', 'RATE_LIMITED');
}
