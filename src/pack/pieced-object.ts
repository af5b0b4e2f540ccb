/**
 * Putting an object together that comes in pieces, for those who have to see it whole.
 *
 * @module
 */

/** Larger objects are not put together: blobs never are, and nothing else grows so large by itself. */
const MOST_BYTES = 32 * 1024 * 1024;

export class PiecedObject {
  #bytes = new Uint8Array(0);
  #length = 0;

  /** Whether an object of this size can be put together. */
  static fits(sizeBytes: number): boolean {
    return sizeBytes <= MOST_BYTES;
  }

  /**
   * The next piece of an object of `sizeBytes`, `bytes[start, end)`: copied. Memory grows with what has come.
   *
   * @returns the whole object with its last piece, the caller's to keep
   */
  add(sizeBytes: number, bytes: Uint8Array, start: number, end: number): Uint8Array | undefined {
    const needed = this.#length + end - start;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.min(sizeBytes, Math.max(needed, this.#bytes.length * 2)));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes.set(bytes.subarray(start, end), this.#length);
    this.#length = needed;
    if (needed < sizeBytes) return undefined;
    const whole = this.#bytes;
    this.#bytes = new Uint8Array(0);
    this.#length = 0;
    return whole;
  }
}
