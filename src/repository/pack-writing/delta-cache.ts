/**
 * Deltas found by the search, kept until they are written: as many small ones as fit. The others are made again.
 *
 * @module
 */

const MOST_DELTA_BYTES = 32 * 1024;
const BUDGET_BYTES = 16 * 1024 * 1024;
const FIRST_BYTES = 64 * 1024;

/** Numbered as the encoded objects of the plan. */
export class DeltaCache {
  #bytes = new Uint8Array(0);
  #used = 0;
  /** Start of each delta in `#bytes`, and its length there: 0 for what is not kept. */
  readonly #starts: Uint32Array;
  readonly #lengths: Uint32Array;
  /** Length of each delta that is kept deflated; 0 for the others. */
  readonly #inflatedLengths: Uint32Array;

  constructor(count: number) {
    this.#starts = new Uint32Array(count);
    this.#lengths = new Uint32Array(count);
    this.#inflatedLengths = new Uint32Array(count);
  }

  get sizeBytes(): number {
    return this.#bytes.length + 3 * this.#starts.byteLength;
  }

  keep(number: number, delta: Uint8Array): void {
    this.#keep(number, delta);
  }

  /** @param inflatedBytes length of the delta, which is more than nothing */
  keepDeflated(number: number, deflated: Uint8Array, inflatedBytes: number): void {
    if (this.#keep(number, deflated)) this.#inflatedLengths[number] = inflatedBytes;
  }

  /** Length of the delta when it is kept deflated; otherwise 0. */
  inflatedBytes(number: number): number {
    return this.#inflatedLengths[number] as number;
  }

  /** A view of the delta, deflated if {@link inflatedBytes} says so; `undefined` when it was not kept. */
  get(number: number): Uint8Array | undefined {
    const length = this.#lengths[number] as number;
    if (length === 0) return undefined;
    const start = this.#starts[number] as number;
    return this.#bytes.subarray(start, start + length);
  }

  #keep(number: number, delta: Uint8Array): boolean {
    const end = this.#used + delta.length;
    if (delta.length > MOST_DELTA_BYTES || end > BUDGET_BYTES) return false;
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(Math.min(BUDGET_BYTES, Math.max(FIRST_BYTES, 2 * end)));
      larger.set(this.#bytes.subarray(0, this.#used));
      this.#bytes = larger;
    }
    this.#bytes.set(delta, this.#used);
    this.#starts[number] = this.#used;
    this.#lengths[number] = delta.length;
    this.#used = end;
    return true;
  }
}
