/**
 * Large walks take turns. Each holds tables that grow with the repository; all share one thread, so that many at
 * once end no sooner than one after the other and only need their memory at the same time.
 *
 * @module
 */
import { throwIfAborted } from '../core/errors.ts';

/** Objects a walk may find before it needs a slot: some 2 MB of tables, a tenth of a second of work. */
const MOST_SMALL_WALK_OBJECTS = 20_000;
/**
 * Measured with clones of git/git: two walks in turns push each other's trees out of the caches, and both take more than
 * twice as long as one after the other.
 */
const SLOTS = 1;

/** A number of slots, handed out in the order they were asked for. */
export class WalkGate {
  #free: number;
  /** Those who wait, the first to come first: call one to hand it a slot. */
  readonly #waiting = new Set<() => void>();

  constructor(slots: number) {
    this.#free = slots;
  }

  /**
   * Wait for a slot. Whoever holds one must not ask for another: that is what rules out deadlock.
   *
   * @throws {GitError} ABORTED; no slot is held then
   */
  async enter(signal?: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    if (this.#free > 0) {
      this.#free--;
      return;
    }
    const isHeld = await new Promise<boolean>((resolve) => {
      const take = (): void => {
        signal?.removeEventListener('abort', giveUp);
        resolve(true);
      };
      const giveUp = (): void => {
        this.#waiting.delete(take);
        resolve(false);
      };
      signal?.addEventListener('abort', giveUp, { once: true });
      this.#waiting.add(take);
    });
    if (!isHeld) throwIfAborted(signal);
  }

  /** Give a slot back: it goes to whoever has waited longest. */
  leave(): void {
    for (const take of this.#waiting) {
      this.#waiting.delete(take);
      take();
      return;
    }
    this.#free++;
  }
}

/** The gate of every walk that is not given another: one for the process, since its memory and thread are shared. */
const PROCESS_GATE = new WalkGate(SLOTS);

/**
 * One walk's leave to be large. A small walk never asks for a slot and never waits. Dispose it when the tables of the
 * walk are dropped.
 */
export class WalkPermit implements Disposable {
  readonly #gate: WalkGate;
  #isHeld = false;

  constructor(gate: WalkGate = PROCESS_GATE) {
    this.#gate = gate;
  }

  /**
   * Called now and then as the walk grows: returns at once unless it has just become large.
   *
   * @param objects how many the walk has found so far
   * @throws {GitError} ABORTED
   */
  async admit(objects: number, signal?: AbortSignal): Promise<void> {
    if (this.#isHeld || objects <= MOST_SMALL_WALK_OBJECTS) return;
    await this.#gate.enter(signal);
    this.#isHeld = true;
  }

  /** Safe to call twice. */
  [Symbol.dispose](): void {
    if (this.#isHeld) this.#gate.leave();
    this.#isHeld = false;
  }
}
