/**
 * Long work on a whole pack rests every ten milliseconds, and notices there that nobody waits for it any more.
 *
 * @module
 */
import { yieldToOthers } from './byte-stream.ts';
import { throwIfAborted } from './errors.ts';

const TURN_MS = 10;

export class WorkTurn {
  readonly #signal: AbortSignal | undefined;
  #end = performance.now() + TURN_MS;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  /** Asked once for each unit of work, of a few milliseconds at most: then, and only then, await {@link rest}. */
  isOver(): boolean {
    return performance.now() >= this.#end;
  }

  /** Let others go on, then begin another turn. @throws {GitError} ABORTED */
  async rest(): Promise<void> {
    await yieldToOthers();
    throwIfAborted(this.#signal);
    this.#end = performance.now() + TURN_MS;
  }
}
