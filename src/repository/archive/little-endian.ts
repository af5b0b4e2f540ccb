/**
 * Little-endian records that grow: what zip is made of.
 *
 * @module
 */
import { growBytes } from '../../core/growing-bytes.ts';

const FIRST_BYTES = 256;

export class LittleEndianBytes {
  #bytes: Uint8Array = new Uint8Array(FIRST_BYTES);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** What was put so far; holds until more is put. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): this {
    this.#length = 0;
    return this;
  }

  put16(...values: readonly number[]): this {
    for (const value of values) this.#put(value, 2);
    return this;
  }

  put32(...values: readonly number[]): this {
    for (const value of values) this.#put(value, 4);
    return this;
  }

  /** @param values up to 2^53 */
  put64(...values: readonly number[]): this {
    for (const value of values) this.#put(value, 8);
    return this;
  }

  put8(value: number): this {
    this.#put(value, 1);
    return this;
  }

  putBytes(bytes: Uint8Array): this {
    this.#makeRoom(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  #put(value: number, width: number): void {
    this.#makeRoom(width);
    let left = value;
    for (let i = 0; i < width; i++) {
      this.#bytes[this.#length++] = left % 256;
      left = Math.floor(left / 256);
    }
  }

  #makeRoom(more: number): void {
    const need = this.#length + more;
    if (need > this.#bytes.length)
      this.#bytes = growBytes(this.#bytes, Math.max(need, 2 * this.#bytes.length));
  }
}
