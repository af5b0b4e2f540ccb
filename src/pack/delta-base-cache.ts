/**
 * Objects recently rebuilt from packs, kept because the next object is often a delta against them.
 *
 * One ring of bytes for the whole process: new objects overwrite the oldest, so memory is exactly the
 * budget and nothing is left to the garbage collector. A ring that nobody uses any more goes when its memory is wanted
 * for something else. The table that finds them is set-associative and
 * needs no deletion: an entry is dead once the ring has come round to its bytes.
 *
 * @module
 */

import { type Evictable, warmMemory } from '../core/memory-budget.ts';

/** git's core.deltaBaseCacheLimit is 96 MiB; half of it serves commit order as well ("read trees" bench). */
const DELTA_BASE_CACHE_BYTES = 20 * 1024 * 1024;

const WAYS = 4;
/** Bytes of objects expected for one table entry. */
const BYTES_PER_ENTRY = 512;

/** Finds by pack number and offset. Pack numbers are never used again, so dropped packs need no cleaning. */
export class DeltaBaseCache implements Evictable {
  /** After {@link find} or {@link add}: the object is `ring[start, start + length)`, until the next {@link add}. */
  start = 0;
  length = 0;
  /** Its kind code, 1 to 4. */
  kind = 0;
  readonly #budgetBytes: number;
  readonly #maxObjectBytes: number;
  readonly #sets: number;
  readonly #offsets: Float64Array;
  readonly #packs: Float64Array;
  /** Where the object lies, counted in bytes ever written: `position % budget` in the ring. */
  readonly #positions: Float64Array;
  readonly #lengths: Uint32Array;
  readonly #kinds: Uint8Array;
  #ring: Uint8Array | undefined;
  #head = 0;
  #headWhenAsked = -1;
  #isBeingReserved = false;

  constructor(budgetBytes: number = DELTA_BASE_CACHE_BYTES) {
    this.#budgetBytes = budgetBytes;
    // A base found is at most half a ring old (see find); a result of a quarter, after a gap of less than a
    // quarter at the ring's end, can then be written without touching it.
    this.#maxObjectBytes = Math.floor(budgetBytes / 4);
    this.#sets = Math.max(1, Math.floor(budgetBytes / BYTES_PER_ENTRY / WAYS));
    const entries = this.#sets * WAYS;
    this.#offsets = new Float64Array(entries);
    this.#packs = new Float64Array(entries).fill(-1);
    this.#positions = new Float64Array(entries);
    this.#lengths = new Uint32Array(entries);
    this.#kinds = new Uint8Array(entries);
  }

  /** The ring; objects are parts of it. Reserved on first use. */
  get ring(): Uint8Array {
    return this.#ring ?? this.#reserveRing();
  }

  /** What the ring takes, for the budget. */
  get bytes(): number {
    return this.#ring?.length ?? 0;
  }

  /** Whether it was written to since it was asked last. */
  get isInUse(): boolean {
    if (this.#isBeingReserved) return true;
    const isUsed = this.#head !== this.#headWhenAsked;
    this.#headWhenAsked = this.#head;
    return isUsed;
  }

  evict(): void {
    this.#ring = undefined;
    this.#packs.fill(-1);
  }

  #reserveRing(): Uint8Array {
    const ring = new Uint8Array(this.#budgetBytes);
    this.#ring = ring;
    this.#headWhenAsked = -1;
    // What makes room for it must not take it: somebody is about to write to it.
    this.#isBeingReserved = true;
    warmMemory.register(this);
    this.#isBeingReserved = false;
    return ring;
  }

  /** @returns whether an object of this size may be kept */
  fits(length: number): boolean {
    return length < this.#maxObjectBytes;
  }

  /** @returns whether the object is here; then {@link start}, {@link length} and {@link kind} tell of it */
  find(pack: number, offset: number): boolean {
    const first = this.#firstWay(pack, offset);
    for (let entry = first; entry < first + WAYS; entry++) {
      if (this.#offsets[entry] !== offset || this.#packs[entry] !== pack) continue;
      const age = this.#head - (this.#positions[entry] as number);
      if (age > this.#budgetBytes) return false;

      const length = this.#lengths[entry] as number;
      let start = (this.#positions[entry] as number) % this.#budgetBytes;
      if (age > this.#budgetBytes / 2) {
        // Used again: bring it to the front, so that it is overwritten last.
        const from = start;
        start = this.#reserve(length);
        this.ring.copyWithin(start, from, from + length);
        this.#positions[entry] = this.#head - length - 1;
      }
      this.start = start;
      this.length = length;
      this.kind = this.#kinds[entry] as number;
      return true;
    }
    return false;
  }

  /**
   * Make room for an object that {@link fits}; the caller writes it to `ring[start, start + length)`
   * before it calls anything else here; one byte after it may be written too. The object found last is not
   * overwritten.
   */
  add(pack: number, offset: number, kind: number, length: number): void {
    const start = this.#reserve(length);
    const first = this.#firstWay(pack, offset);
    let victim = first;
    for (let entry = first; entry < first + WAYS; entry++) {
      if (this.#offsets[entry] === offset && this.#packs[entry] === pack) {
        victim = entry;
        break;
      }
      if ((this.#positions[entry] as number) < (this.#positions[victim] as number)) victim = entry;
    }
    this.#offsets[victim] = offset;
    this.#packs[victim] = pack;
    this.#positions[victim] = this.#head - length - 1;
    this.#lengths[victim] = length;
    this.#kinds[victim] = kind;
    this.start = start;
    this.length = length;
    this.kind = kind;
  }

  /** Forget an object whose bytes turned out not to be written. */
  remove(pack: number, offset: number): void {
    const first = this.#firstWay(pack, offset);
    for (let entry = first; entry < first + WAYS; entry++) {
      if (this.#offsets[entry] === offset && this.#packs[entry] === pack) this.#packs[entry] = -1;
    }
  }

  /** @returns where `length` bytes and one more can be written */
  #reserve(length: number): number {
    let start = this.#head % this.#budgetBytes;
    if (start + length + 1 > this.#budgetBytes) {
      this.#head += this.#budgetBytes - start; // an object is never split: skip the ring's end
      start = 0;
    }
    this.#head += length + 1;
    return start;
  }

  #firstWay(pack: number, offset: number): number {
    // Mix the low 32 bits of the offset with the pack's number; offsets of neighbours differ in few bits.
    const mixed = Math.imul((offset % 0x100000000) ^ Math.imul(pack, 0x9e3779b1), 0x85ebca6b);
    return (((mixed ^ (mixed >>> 15)) >>> 0) % this.#sets) * WAYS;
  }
}
