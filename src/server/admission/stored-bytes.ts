/**
 * How much one repository or owner has stored, and what pushes that run are adding.
 *
 * @module
 */

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
  /** Pushes that count here now. */
  users = 0;

  /** What is stored and arriving. */
  get bytes(): number {
    return this.#measured + this.#added + this.#arriving;
  }

  isFresh(now: number, measureEveryMs: number): boolean {
    return now - this.#measuredAt < measureEveryMs;
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
    this.#measured = await measure();
    this.#added -= addedBefore;
    this.#measuredAt = now;
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
