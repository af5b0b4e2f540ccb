/**
 * A fixed number of bits in 32-bit words: sets of objects by their position.
 *
 * @module
 */

/** Bits are numbered from 0; bit i is bit `i & 31` of word `i >>> 5`. Bits at and after `size` stay clear. */
export class Bitset {
  /** How many bits there are. */
  readonly size: number;
  /** For loops over whole words. Whoever writes keeps the bits after `size` clear. */
  readonly words: Uint32Array;

  constructor(size: number) {
    this.size = size;
    this.words = new Uint32Array(Math.ceil(size / 32));
  }

  has(bit: number): boolean {
    return (((this.words[bit >>> 5] as number) >>> (bit & 31)) & 1) !== 0;
  }

  add(bit: number): void {
    const at = bit >>> 5;
    this.words[at] = (this.words[at] as number) | (1 << (bit & 31));
  }

  delete(bit: number): void {
    const at = bit >>> 5;
    this.words[at] = (this.words[at] as number) & ~(1 << (bit & 31));
  }

  /** Add what is in `other`, which has as many bits, as for all that follow. */
  or(other: Bitset): void {
    const { words } = this;
    const added = other.words;
    for (let at = 0; at < words.length; at++) words[at] = (words[at] as number) | (added[at] as number);
  }

  /** Keep only what is in `other` as well. */
  and(other: Bitset): void {
    const { words } = this;
    const kept = other.words;
    for (let at = 0; at < words.length; at++) words[at] = (words[at] as number) & (kept[at] as number);
  }

  /** Remove what is in `other`. */
  andNot(other: Bitset): void {
    const { words } = this;
    const removed = other.words;
    for (let at = 0; at < words.length; at++) words[at] = (words[at] as number) & ~(removed[at] as number);
  }

  /** Toggle what is in `other`. */
  xor(other: Bitset): void {
    const { words } = this;
    const toggled = other.words;
    for (let at = 0; at < words.length; at++) words[at] = (words[at] as number) ^ (toggled[at] as number);
  }

  clone(): Bitset {
    const copy = new Bitset(this.size);
    copy.words.set(this.words);
    return copy;
  }

  clear(): void {
    this.words.fill(0);
  }

  /** How many bits are set. */
  count(): number {
    const { words } = this;
    let count = 0;
    for (let at = 0; at < words.length; at++) {
      // The sums of 2, 4, 8 and then all bits of the word, side by side.
      let sums = words[at] as number;
      sums -= (sums >>> 1) & 0x55555555;
      sums = (sums & 0x33333333) + ((sums >>> 2) & 0x33333333);
      count += Math.imul((sums + (sums >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
    }
    return count;
  }

  /** The first set bit at or after `from`; -1 when there is none. */
  next(from: number): number {
    const { words } = this;
    let at = from >>> 5;
    if (at >= words.length) return -1;
    let word = (words[at] as number) & (-1 << (from & 31));
    while (word === 0) {
      if (++at === words.length) return -1;
      word = words[at] as number;
    }
    return 32 * at + 31 - Math.clz32(word & -word);
  }

  /** Set the bits from `from` on, up to and without `to`. */
  fill(from: number, to: number): void {
    if (from >= to) return;
    const { words } = this;
    const first = from >>> 5;
    const last = (to - 1) >>> 5;
    const firstMask = -1 << (from & 31);
    const lastMask = -1 >>> (31 - ((to - 1) & 31));
    if (first === last) {
      words[first] = (words[first] as number) | (firstMask & lastMask);
      return;
    }
    words[first] = (words[first] as number) | firstMask;
    words.fill(0xffffffff, first + 1, last);
    words[last] = (words[last] as number) | lastMask;
  }
}
