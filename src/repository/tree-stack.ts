/**
 * Trees that were found and are still to be read, with what their entries inherit: one column each.
 *
 * @module
 */
import { GitError } from '../core/errors.ts';

const COLUMNS = 5;

/** One tree of the stack; a single instance is filled again and again. */
export class PendingTree {
  /** Its number in the table it was found in. */
  number = 0;
  /** The number of what names it; see the walk for whose. */
  referrer = 0;
  pathKey = 0;
  /** Name hash that names in it carry on from. */
  nameHash = 0;
  depth = 0;
}

export class TreeStack {
  #values = new Int32Array(64 * COLUMNS);
  #length = 0;
  readonly #maxDepth: number;

  /** @param maxDepth directory levels below a root tree. git: core.maxTreeDepth */
  constructor(maxDepth: number) {
    this.#maxDepth = maxDepth;
  }

  get length(): number {
    return this.#length;
  }

  /** @throws {GitError} LIMIT_EXCEEDED when the tree lies too deep */
  push(number: number, referrer: number, pathKey: number, nameHash: number, depth: number): void {
    if (depth > this.#maxDepth) {
      throw new GitError('LIMIT_EXCEEDED', `Cannot walk trees: deeper than ${this.#maxDepth} levels`, {
        limit: this.#maxDepth,
      });
    }
    let at = this.#length * COLUMNS;
    if (at === this.#values.length) {
      const longer = new Int32Array(this.#values.length * 2);
      longer.set(this.#values);
      this.#values = longer;
    }
    const values = this.#values;
    values[at++] = number;
    values[at++] = referrer;
    values[at++] = pathKey;
    values[at++] = nameHash;
    values[at] = depth;
    this.#length++;
  }

  /** Take the tree on top. @returns false when there is none */
  pop(into: PendingTree): boolean {
    if (this.#length === 0) return false;
    const values = this.#values;
    let at = --this.#length * COLUMNS;
    into.number = values[at++] as number;
    into.referrer = values[at++] as number;
    into.pathKey = values[at++] as number;
    into.nameHash = (values[at++] as number) >>> 0;
    into.depth = values[at] as number;
    return true;
  }

  /** Turn the order of the trees pushed since the stack had `length`, so that the first comes off first. */
  reverseFrom(length: number): void {
    const values = this.#values;
    let low = length * COLUMNS;
    let high = (this.#length - 1) * COLUMNS;
    for (; low < high; low += COLUMNS, high -= COLUMNS) {
      for (let i = 0; i < COLUMNS; i++) {
        const value = values[low + i] as number;
        values[low + i] = values[high + i] as number;
        values[high + i] = value;
      }
    }
  }
}
