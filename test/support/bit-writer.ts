/**
 * Writing streams of bits as deflate has them: numbers lowest bit first, codes first bit first. RFC 1951, section 3.1.1.
 *
 * @module
 */
export class BitWriter {
  readonly #bits: number[] = [];

  number(value: number, width: number): this {
    for (let i = 0; i < width; i++) this.#bits.push((value >> i) & 1);
    return this;
  }

  code(value: number, width: number): this {
    for (let i = width - 1; i >= 0; i--) this.#bits.push((value >> i) & 1);
    return this;
  }

  bytes(): Uint8Array {
    const bytes = new Uint8Array(Math.ceil(this.#bits.length / 8));
    for (const [i, bit] of this.#bits.entries()) bytes[i >> 3] = (bytes[i >> 3] as number) | (bit << (i & 7));
    return bytes;
  }
}
