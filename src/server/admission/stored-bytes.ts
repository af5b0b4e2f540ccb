/**
 * How much one repository or owner has stored, and what pushes that run are adding.
 *
 * @module
 */

/** Of the time between two measures, after one that pushes ran beside. */
const BLURRED_SHARE = 0.1;

/**
 * A count that pushes add to as they arrive. What was published while it measured may be counted twice until it measures
 * again, and what only measuring sees, as indexes and what other processes store, not before.
 */
export class StoredBytes {
  #measured = 0;
  #measuredAt = Number.NEGATIVE_INFINITY;
  /** Published since the measuring began that {@link #measured} comes from. */
  #added = 0;
  #arriving = 0;
  #measuring: Promise<void> | undefined;
  /** Whether pushes ran when it was measured last: what these have published by then is counted twice. */
  #isBlurred = false;
  /** Pushes that count here now. */
  users = 0;

  /** What is stored and arriving. */
  get bytes(): number {
    return this.#measured + this.#added + this.#arriving;
  }

  /** Measured less than `measureEveryMs` ago; a tenth of it where something may be counted twice. */
  isFresh(now: number, measureEveryMs: number): boolean {
    return now - this.#measuredAt < measureEveryMs * (this.#isBlurred ? BLURRED_SHARE : 1);
  }

  /**
   * Measure, or wait for whoever does already. What `measure` throws is thrown.
   *
   * @param measure bytes stored, without what pushes that run have written so far
   */
  async refresh(measure: () => Promise<number>, now: number): Promise<void> {
    this.#measuring ??= this.#measure(measure, now).finally(() => {
      this.#measuring = undefined;
    });
    await this.#measuring;
  }

  async #measure(measure: () => Promise<number>, now: number): Promise<void> {
    const addedBefore = this.#added;
    const isBlurred = this.users > 1; // more than the one it is measured for
    this.#measured = await measure();
    this.#added -= addedBefore;
    this.#measuredAt = now;
    this.#isBlurred = isBlurred;
  }

  arrive(sizeBytes: number): void {
    this.#arriving += sizeBytes;
  }

  /** What arrived is over. @param kept whether it is stored now */
  settle(sizeBytes: number, kept: boolean): void {
    this.#arriving -= sizeBytes;
    if (kept) this.#added += sizeBytes;
  }
}
