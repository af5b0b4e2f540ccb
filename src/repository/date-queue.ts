/**
 * Commits by date, newest first: a binary heap of their numbers.
 *
 * @module
 */
import type { CommitTable } from './commit-table.ts';

/** Of equal dates, the commit that was met first comes first. */
export class DateQueue {
  readonly #commits: CommitTable;
  #heap = new Int32Array(64);
  #length = 0;

  constructor(commits: CommitTable) {
    this.#commits = commits;
  }

  get length(): number {
    return this.#length;
  }

  /** Date of the next commit; -1 when there is none. */
  get newestDate(): number {
    return this.#length === 0 ? -1 : (this.#commits.dates[this.#heap[0] as number] as number);
  }

  /** Add a commit that is loaded. */
  push(number: number): void {
    if (this.#length === this.#heap.length) {
      const longer = new Int32Array(this.#heap.length * 2);
      longer.set(this.#heap);
      this.#heap = longer;
    }
    const heap = this.#heap;
    let hole = this.#length++;
    while (hole > 0) {
      const above = (hole - 1) >> 1;
      if (!this.#isBefore(number, heap[above] as number)) break;
      heap[hole] = heap[above] as number;
      hole = above;
    }
    heap[hole] = number;
  }

  /** The newest commit, taken out; -1 when there is none. */
  pop(): number {
    if (this.#length === 0) return -1;
    const heap = this.#heap;
    const newest = heap[0] as number;
    const last = heap[--this.#length] as number;
    let hole = 0;
    while (true) {
      let below = 2 * hole + 1;
      if (below >= this.#length) break;
      if (below + 1 < this.#length && this.#isBefore(heap[below + 1] as number, heap[below] as number))
        below++;
      if (!this.#isBefore(heap[below] as number, last)) break;
      heap[hole] = heap[below] as number;
      hole = below;
    }
    heap[hole] = last;
    return newest;
  }

  #isBefore(a: number, b: number): boolean {
    const { dates } = this.#commits;
    const difference = (dates[b] as number) - (dates[a] as number);
    return difference < 0 || (difference === 0 && a < b);
  }
}
