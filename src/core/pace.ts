/**
 * Long walks share the thread: they rest every few milliseconds, and notice there that nobody waits any more.
 *
 * @module
 */
import { yieldToOthers } from './byte-stream.ts';
import { throwIfAborted } from './errors.ts';
import { turns } from './turns.ts';

export class Pace {
  readonly #signal: AbortSignal | undefined;
  readonly #onRest: (() => void | Promise<void>) | undefined;
  #turnEnd = turns.endOfRound();
  #turnsTaken = 0;

  /** @param onRest called at each rest, and waited for: for progress, and to let others go first */
  constructor(signal: AbortSignal | undefined, onRest?: () => void | Promise<void>) {
    this.#signal = signal;
    this.#onRest = onRest;
  }

  /** Asked once for each unit of work of some microseconds: then, and only then, await {@link rest}. */
  isDue(): boolean {
    return performance.now() >= this.#turnEnd;
  }

  /** @throws {GitError} ABORTED */
  async rest(): Promise<void> {
    throwIfAborted(this.#signal);
    await this.#onRest?.();
    await yieldToOthers(++this.#turnsTaken);
    throwIfAborted(this.#signal);
    this.#turnEnd = turns.endOfRound();
  }
}
