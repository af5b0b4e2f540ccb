/**
 * Waiting for work that others wait for as well.
 *
 * @module
 */
import { abortError, throwIfAborted } from '../../core/errors.ts';

/**
 * The outcome of `work`, unless the signal fires first: then only this wait ends, and the work goes on.
 *
 * @throws {GitError} ABORTED; what `work` throws
 */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  throwIfAborted(signal);
  if (signal === undefined) return work;
  let onAbort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(abortError(signal));
  });
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
