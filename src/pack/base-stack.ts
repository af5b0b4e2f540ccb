/**
 * The objects a depth-first walk of deltas is in the middle of: the chain from a whole object down to the base at
 * hand, in one piece of memory that is used as a stack.
 *
 * The memory has a budget. When the chain needs more, some of the objects in it are dropped, to be made again from
 * their bases when the walk comes back to them. First go those with no more deltas to make, then every second one:
 * what is left stays spread over the chain, so that making one again takes few steps however deep it lies.
 *
 * @module
 */

import { OBJECT_HEADER_ROOM } from './object-header.ts';
import { NONE } from './object-table.ts';

/** An object that is not in memory at present. */
const DROPPED = -1;

const FIRST_DEPTH = 64;

/** Memory at first. A push of one commit needs no more; zeroing the whole budget would cost it several milliseconds. */
const FIRST_BYTES = 256 * 1024;

export class BaseStack {
  /** Holds every object of the chain; another array after {@link makeRoom}. */
  memory: Uint8Array;
  /** Objects in the chain; the last is the base at hand. */
  length = 0;
  /** Entry of each, its next delta to make, its size, and where its content is in `memory`. */
  entries = new Int32Array(FIRST_DEPTH);
  nextDelta = new Int32Array(FIRST_DEPTH);
  sizes = new Float64Array(FIRST_DEPTH);
  #starts = new Float64Array(FIRST_DEPTH);
  /** The end of what is in use. */
  #top = 0;
  readonly #budgetBytes: number;

  /** @param budgetBytes what is allocated at most; one base and one target that need more get more, for as long as they are needed */
  constructor(budgetBytes: number) {
    this.#budgetBytes = budgetBytes;
    this.memory = new Uint8Array(Math.min(FIRST_BYTES, budgetBytes));
  }

  /**
   * Make room for an object of `sizeBytes` and its header above everything that is kept.
   *
   * The object at `keep` is not dropped; others may be, and all may move.
   *
   * @returns where the content goes
   */
  makeRoom(sizeBytes: number, keep: number): number {
    const needed = OBJECT_HEADER_ROOM + sizeBytes + 1; // an inflater is given one byte more
    if (this.#top + needed > this.memory.length && !this.#growFor(needed)) this.#dropFor(needed, keep);
    return this.#top + OBJECT_HEADER_ROOM;
  }

  /** Put the object whose content {@link makeRoom} placed last on the chain. */
  push(entry: number, sizeBytes: number, firstDelta: number): void {
    if (this.length === this.entries.length) this.#deepen();
    const at = this.length++;
    this.entries[at] = entry;
    this.nextDelta[at] = firstDelta;
    this.sizes[at] = sizeBytes;
    this.restore(at);
  }

  /** Say that {@link makeRoom} placed the content of the dropped object `at` again. */
  restore(at: number): void {
    const start = this.#top + OBJECT_HEADER_ROOM;
    this.#starts[at] = start;
    this.#top = start + (this.sizes[at] as number);
  }

  /** Leave the last object of the chain. */
  pop(): void {
    const at = --this.length;
    const start = this.#starts[at] as number;
    if (start !== DROPPED) this.#top = start - OBJECT_HEADER_ROOM;
    if (at === 0 && this.memory.length > this.#budgetBytes) this.memory = new Uint8Array(this.#budgetBytes);
  }

  isDropped(at: number): boolean {
    return this.#starts[at] === DROPPED;
  }

  startOf(at: number): number {
    return this.#starts[at] as number;
  }

  /** @returns false when the whole budget is not enough */
  #growFor(needed: number): boolean {
    // In one step: pages that are not touched cost nothing, and doubling would leave as much behind as it takes.
    if (this.memory.length < this.#budgetBytes) this.#moveTo(this.#budgetBytes);
    return this.#top + needed <= this.memory.length;
  }

  #dropFor(needed: number, keep: number): void {
    for (let at = 0; at < this.length; at++) {
      if (this.nextDelta[at] === NONE && at !== keep) this.#starts[at] = DROPPED;
    }
    this.#compact(this.memory);
    while (this.#top + needed > this.memory.length && this.#dropEverySecond(keep)) this.#compact(this.memory);
    if (this.#top + needed > this.memory.length) this.#moveTo(this.#top + needed);
  }

  #moveTo(sizeBytes: number): void {
    const larger = new Uint8Array(sizeBytes);
    larger.set(this.memory.subarray(0, this.#top));
    this.memory = larger;
  }

  /** @returns whether anything was dropped */
  #dropEverySecond(keep: number): boolean {
    let dropped = false;
    let drop = true;
    for (let at = 0; at < this.length; at++) {
      if (this.#starts[at] === DROPPED || at === keep) continue;
      if (drop) {
        this.#starts[at] = DROPPED;
        dropped = true;
      }
      drop = !drop;
    }
    return dropped;
  }

  #compact(memory: Uint8Array): void {
    let top = 0;
    for (let at = 0; at < this.length; at++) {
      const start = this.#starts[at] as number;
      if (start === DROPPED) continue;
      const to = top + OBJECT_HEADER_ROOM;
      if (to !== start) memory.copyWithin(to, start, start + (this.sizes[at] as number));
      this.#starts[at] = to;
      top = to + (this.sizes[at] as number);
    }
    this.#top = top;
  }

  #deepen(): void {
    const length = this.entries.length * 2;
    const entries = new Int32Array(length);
    entries.set(this.entries);
    this.entries = entries;
    const nextDelta = new Int32Array(length);
    nextDelta.set(this.nextDelta);
    this.nextDelta = nextDelta;
    const sizes = new Float64Array(length);
    sizes.set(this.sizes);
    this.sizes = sizes;
    const starts = new Float64Array(length);
    starts.set(this.#starts);
    this.#starts = starts;
  }
}
