/**
 * Where the copied entries of one pack lie in the pack being written: runs of them were moved by the same distance.
 *
 * @module
 */
export class CopiedRuns {
  /** Offset in the stored pack from which on entries were moved by the distance at the same place. */
  #starts = new Float64Array(16);
  #moved = new Float64Array(16);
  #count = 0;

  /** Where the last run starts; 0 before the first. */
  get lastStart(): number {
    return this.#count === 0 ? 0 : (this.#starts[this.#count - 1] as number);
  }

  /** From `start` on, behind all earlier ones, entries lie at their own offset plus `moved`. */
  add(start: number, moved: number): void {
    const count = this.#count;
    if (count > 0 && this.#moved[count - 1] === moved) return;
    if (count === this.#starts.length) {
      this.#starts = twiceAsLong(this.#starts);
      this.#moved = twiceAsLong(this.#moved);
    }
    this.#starts[count] = start;
    this.#moved[count] = moved;
    this.#count = count + 1;
  }

  /** By how much the entry at `offset` was moved; NaN when it is not written yet. */
  movedAt(offset: number): number {
    const starts = this.#starts;
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((starts[middle] as number) <= offset) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? Number.NaN : (this.#moved[low - 1] as number);
  }
}

function twiceAsLong(from: Float64Array): Float64Array<ArrayBuffer> {
  const to = new Float64Array(2 * from.length);
  to.set(from);
  return to;
}
