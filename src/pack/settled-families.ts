/**
 * Which blobs' trees of deltas are complete while a pack is still arriving.
 *
 * git writes each blob with all its deltas behind it, family after family, after everything else. Once another whole
 * blob begins, the families before it can be resolved beside the scan. Nobody promises that order: a delta that comes
 * later after all is put aside (`late-deltas.ts`), and after some of these no more families are taken to be complete.
 * Spec: none; `compute_write_order` of git's pack-objects is what is relied on, for speed only.
 *
 * @module
 */
import { BLOB } from '../core/object-kind.ts';
import { NONE } from './object-table.ts';

/** Entries after the first blob before families are believed in: the newest objects stand mixed, at the front. */
const FIRST_ENTRIES = 1024;
/** Late deltas that are put up with, and one more for each so many entries. */
const LATE_DELTAS = 64;
const ENTRIES_PER_LATE_DELTA = 32;

/** Told of entries in the order of the pack. */
export class SettledFamilies {
  /** The first whole blob of the families; {@link NONE} as long as none begin. */
  start = NONE;
  /** Entries from `start` up to here are settled as the others were told: {@link settle}. */
  end = 0;
  /** Deltas that came after their family was settled, in the order of the pack. */
  readonly lateDeltas: number[] = [];
  /** Of each its base. */
  readonly lateBases: number[] = [];
  #reached = 0;
  #ended = false;

  /** A whole object of the pack. */
  addWhole(entry: number, type: number): void {
    if (this.#ended) return;
    if (type === BLOB) {
      if (this.start === NONE) this.start = entry;
      this.#reached = entry;
    } else if (this.#areBelievedIn) {
      this.#ended = true;
    } else {
      this.start = NONE;
    }
  }

  /** An object that will be made from another of the pack. @returns whether it is late, and not to be hung under it */
  addDelta(entry: number, base: number): boolean {
    if (!this.has(base)) return false;
    this.lateDeltas.push(entry);
    this.lateBases.push(base);
    const most = LATE_DELTAS + (this.end - this.start) / ENTRIES_PER_LATE_DELTA;
    if (this.lateDeltas.length > most) this.#ended = true;
    return true;
  }

  /** A delta names its base by id: it may turn out to be of any family. */
  addRefDelta(): void {
    this.#ended = true;
  }

  /** Where the entries end that could be settled now. */
  get reached(): number {
    return this.#areBelievedIn && !this.#ended ? this.#reached : this.end;
  }

  /** From now on the entries before `reached`, an earlier value of it, are settled. */
  settle(reached: number): void {
    this.end = Math.max(this.end, reached);
  }

  get #areBelievedIn(): boolean {
    return this.start !== NONE && this.#reached - this.start >= FIRST_ENTRIES;
  }

  /** Whether `entry` is settled. */
  has(entry: number): boolean {
    return entry < this.end && entry >= this.start;
  }
}
