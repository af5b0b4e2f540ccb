/**
 * A list of numbers in one typed array that doubles when it is full.
 *
 * @module
 */
export class GrowingInt32 {
  /** Longer than `length`; replaced as the list grows. */
  values = new Int32Array(64);
  length = 0;

  push(value: number): void {
    if (this.length === this.values.length) {
      const longer = new Int32Array(this.values.length * 2);
      longer.set(this.values);
      this.values = longer;
    }
    this.values[this.length++] = value;
  }

  /** The last number, taken off. The list must not be empty. */
  pop(): number {
    return this.values[--this.length] as number;
  }
}
