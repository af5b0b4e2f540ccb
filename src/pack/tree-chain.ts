/**
 * The trees of a chain of deltas, and which of their entries are new.
 *
 * Neighbouring versions of a tree share nearly all entries. What a delta copies in whole entries was seen with its
 * base, so only the others need a look. The places where entries begin are carried along the chain: without them a
 * delta could copy from the middle of an entry and hide one.
 *
 * Synchronous, and nothing is allocated for an object.
 *
 * @module
 */
import { zeroByteAt } from './zero-byte.ts';

/** Entries of trees whose places are remembered, of one chain of deltas together: 1 MB. */
const MOST_PLACES = 262_144;
const FIRST_PLACES = 4096;
const FIRST_LEVELS = 64;
const FIRST_RUNS = 64;

const COPY = 0x80;
const DEFAULT_COPY_BYTES = 0x10000;
/** The NUL behind a name comes no earlier in an entry: a digit, a space and a letter are before it. */
const SHORTEST_NAME_END = 3;

/** The places of a tree are not remembered. */
const UNKNOWN = -1;

/** The tree that was taken last, while its places are known. */
export class TreeChain {
  /** `places[first, last)` are where its entries begin, from its own beginning on; `places[last]` is its end. */
  places: Int32Array = new Int32Array(FIRST_PLACES);
  first = 0;
  last = 0;
  /**
   * Entries that were not copied as a whole, in pairs: from where in `places`, up to where. Behind each pair but the
   * last comes an entry that was copied, and whose neighbour before it is another than in the base. Pairs may be empty.
   */
  newEntries: Int32Array = new Int32Array(2 * FIRST_RUNS);
  /** Numbers in `newEntries`. */
  newEnd = 0;
  readonly #idBytes: number;
  /** Of each level: where its places begin, and end; {@link UNKNOWN} when they are not known. */
  #levelStarts: Int32Array = new Int32Array(FIRST_LEVELS);
  #levelEnds: Int32Array = new Int32Array(FIRST_LEVELS);
  /** The bytes looked at last. */
  #viewed: Uint8Array = new Uint8Array(0);
  #view = new DataView(this.#viewed.buffer);
  #used = 0;

  constructor(idBytes: number) {
    this.#idBytes = idBytes;
  }

  /** A whole tree is the root of a tree of deltas: level 0. */
  begin(bytes: Uint8Array, start: number, end: number): void {
    this.#look(bytes);
    this.#used = 0;
    let at = start;
    while (at >= 0 && at < end) at = this.#addEntry(bytes, at, start, end);
    this.#keepLevel(0, 0, at >= 0 && this.#addPlace(end - start));
  }

  /**
   * Take a tree that was made from a delta. Afterwards it stands at level `base + 1`.
   *
   * @param base level of the tree it was made from, which was taken before
   * @param instructions `delta[instructions, deltaEnd)` are the instructions that made `bytes[start, end)`
   * @returns whether its places are known: not when those of its base are not, it does not parse, or they are too many
   */
  take(
    base: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    delta: Uint8Array,
    instructions: number,
    deltaEnd: number,
  ): boolean {
    const baseStart = this.#levelStarts[base] as number;
    const baseEnd = this.#levelEnds[base] as number;
    if (baseStart === UNKNOWN) {
      this.#keepLevel(base + 1, UNKNOWN, false);
      return false;
    }
    this.#look(bytes);
    this.#used = baseEnd;
    const isKnown =
      this.#follow(bytes, start, end, baseStart, baseEnd, delta, instructions, deltaEnd) &&
      this.#addPlace(end - start);
    this.#keepLevel(base + 1, baseEnd, isKnown);
    this.first = baseEnd;
    this.last = this.#used - 1;
    return isKnown;
  }

  #keepLevel(level: number, start: number, isKnown: boolean): void {
    if (level >= this.#levelStarts.length) {
      this.#levelStarts = longer(this.#levelStarts);
      this.#levelEnds = longer(this.#levelEnds);
    }
    this.#levelStarts[level] = isKnown ? start : UNKNOWN;
    this.#levelEnds[level] = this.#used;
  }

  /**
   * `at` is where an entry of the tree begins, always: an entry is skipped only when the delta copies it as a whole,
   * from where an entry of the base begins.
   *
   * @returns whether all places were found
   */
  #follow(
    bytes: Uint8Array,
    start: number,
    end: number,
    baseStart: number,
    baseEnd: number,
    delta: Uint8Array,
    instructions: number,
    deltaEnd: number,
  ): boolean {
    let at = start;
    let to = start;
    let newStart = this.#used;
    this.newEnd = 0;
    for (let i = instructions; i < deltaEnd && at < end; ) {
      const instruction = delta[i++] as number;
      let copied = 0;
      if (instruction & COPY) {
        let from = 0;
        let size = 0;
        if (instruction & 0x01) from = delta[i++] as number;
        if (instruction & 0x02) from |= (delta[i++] as number) << 8;
        if (instruction & 0x04) from |= (delta[i++] as number) << 16;
        if (instruction & 0x08) from += (delta[i++] as number) * 0x1000000;
        if (instruction & 0x10) size = delta[i++] as number;
        if (instruction & 0x20) size |= (delta[i++] as number) << 8;
        if (instruction & 0x40) size |= (delta[i++] as number) << 16;
        if (size === 0) size = DEFAULT_COPY_BYTES;
        to += size;
        copied = from + size;
      } else {
        i += instruction;
        to += instruction;
      }
      while (at < to) {
        if ((instruction & COPY) !== 0) {
          const from = copied - (to - at);
          const first = lastAtMost(this.places, baseStart, baseEnd, from);
          const last = this.places[first] === from ? lastAtMost(this.places, first, baseEnd, copied) : first;
          if (last > first) {
            this.#addNew(newStart);
            if (!this.#copyPlaces(first, last, at - start - from)) return false;
            at += (this.places[last] as number) - from;
            newStart = this.#used;
            continue;
          }
        }
        at = this.#addEntry(bytes, at, start, end);
        if (at < 0) return false;
      }
    }
    this.#addNew(newStart);
    return true;
  }

  /** Note that the entries from `start` up to here are new. */
  #addNew(start: number): void {
    if (this.newEnd === this.newEntries.length) this.newEntries = longer(this.newEntries);
    this.newEntries[this.newEnd++] = start;
    this.newEntries[this.newEnd++] = this.#used;
  }

  #copyPlaces(first: number, last: number, shift: number): boolean {
    const count = last - first;
    if (!this.#makePlaces(count)) return false;
    const { places } = this;
    const used = this.#used;
    if (shift === 0) places.copyWithin(used, first, last);
    else for (let i = 0; i < count; i++) places[used + i] = (places[first + i] as number) + shift;
    this.#used = used + count;
    return true;
  }

  /** The entry at `at` is one of the tree. @returns where it ends, or -1 */
  #addEntry(bytes: Uint8Array, at: number, start: number, end: number): number {
    if (!this.#addPlace(at - start)) return -1;
    const nameEnd = zeroByteAt(bytes, this.#view, at + SHORTEST_NAME_END, end);
    const entryEnd = nameEnd + 1 + this.#idBytes;
    return entryEnd > end ? -1 : entryEnd;
  }

  #addPlace(place: number): boolean {
    if (!this.#makePlaces(1)) return false;
    this.places[this.#used++] = place;
    return true;
  }

  /** @returns false when there are too many already */
  #makePlaces(count: number): boolean {
    const needed = this.#used + count;
    if (needed <= this.places.length) return true;
    if (needed > MOST_PLACES) return false;
    const grown = new Int32Array(Math.min(MOST_PLACES, Math.max(needed, this.places.length * 2)));
    grown.set(this.places);
    this.places = grown;
    return true;
  }

  #look(bytes: Uint8Array): void {
    if (this.#viewed === bytes) return;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#viewed = bytes;
  }
}

/** The last index in `[start, end)` whose place is at most `place`; that of `start` counts in any case. */
function lastAtMost(places: Int32Array, start: number, end: number, place: number): number {
  let low = start;
  let high = end - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((places[middle] as number) <= place) low = middle;
    else high = middle - 1;
  }
  return low;
}

function longer(array: Int32Array): Int32Array {
  const grown = new Int32Array(array.length * 2);
  grown.set(array);
  return grown;
}
