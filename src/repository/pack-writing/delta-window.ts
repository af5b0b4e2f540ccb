/**
 * The candidates at hand while deltas are searched: the last few of the order, with their content and the index
 * of their blocks once somebody asked for it.
 *
 * @module
 */
import { type DeltaIndex, deltaIndexBytes, indexDeltaBase } from '../../pack/delta-create.ts';

export interface WindowEntry {
  readonly candidate: number;
  /** Links of new deltas from this object to a whole one. */
  depth: number;
  /** Absent until read. */
  content: Uint8Array | undefined;
  index: DeltaIndex | undefined;
  /** Bytes of memory its content and index take. */
  heldBytes: number;
}

/** Oldest first. Bounded in entries and in bytes; the newest entry stays whatever its size. */
export class DeltaWindow {
  readonly entries: WindowEntry[] = [];
  readonly #mostEntries: number;
  readonly #mostBytes: number;
  #heldBytes = 0;

  constructor(mostEntries: number, mostBytes: number) {
    this.#mostEntries = mostEntries;
    this.#mostBytes = mostBytes;
  }

  push(candidate: number): WindowEntry {
    if (this.entries.length === this.#mostEntries) this.#removeOldest();
    const entry: WindowEntry = { candidate, depth: 0, content: undefined, index: undefined, heldBytes: 0 };
    this.entries.push(entry);
    return entry;
  }

  removeNewest(): void {
    this.#heldBytes -= this.entries.pop()?.heldBytes ?? 0;
  }

  /** Make an entry the second newest, if it is still here: the base just used is likely to serve the next object too. */
  keepLonger(entry: WindowEntry): void {
    const at = this.entries.indexOf(entry);
    if (at < 0) return;
    this.entries.splice(at, 1);
    this.entries.splice(this.entries.length - 1, 0, entry);
  }

  hold(entry: WindowEntry, content: Uint8Array): void {
    entry.content = content;
    this.#count(entry, content.length);
  }

  /** The index of an entry whose content is held. */
  indexOf(entry: WindowEntry, content: Uint8Array): DeltaIndex {
    if (entry.index === undefined) {
      entry.index = indexDeltaBase(content);
      this.#count(entry, deltaIndexBytes(content.length));
    }
    return entry.index;
  }

  /** Let go of the oldest until the budget is kept again. @returns how many went */
  shrink(): number {
    const before = this.entries.length;
    while (this.#heldBytes > this.#mostBytes && this.entries.length > 1) this.#removeOldest();
    return before - this.entries.length;
  }

  #removeOldest(): void {
    this.#heldBytes -= this.entries.shift()?.heldBytes ?? 0;
  }

  #count(entry: WindowEntry, bytes: number): void {
    entry.heldBytes += bytes;
    this.#heldBytes += bytes;
  }
}
