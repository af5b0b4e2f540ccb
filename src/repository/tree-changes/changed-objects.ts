/**
 * What trees have that other trees have not, kept from one request to the next: most of what a small fetch costs is
 * reading the same few hundred trees once more.
 *
 * It is told by ids alone, of objects that never change, so it is right for ever: whatever is pushed, repacked or
 * pruned meanwhile. Whether an object is still there has to be seen where it is used.
 *
 * @module
 */
import { type Evictable, warmMemory } from '../../core/memory-budget.ts';
import type { ObjectFormat } from '../../core/object-id.ts';
import { onePer } from '../../core/one-per.ts';
import type { ObjectDatabase } from '../../odb/object-database.ts';
import { IdTable } from '../id-table.ts';
import type { ObjectTable } from '../object-table.ts';

/** Objects kept of one repository, some 25 bytes each, 10 MB in all; then all are forgotten. */
const MOST_OBJECTS = 400_000;
/** Pairs of trees kept, some 60 bytes each; then all are forgotten. */
const MOST_PAIRS = 100_000;
const FIRST_OBJECTS = 4096;
const FIRST_PAIRS = 256;
const BYTES_A_SLOT = 8;

/** Found by pairs of trees: the new one, and the old one it is compared with, or none. */
export class ChangedObjects implements Evictable {
  /** After {@link find}: the objects are those numbered `[start, end)` in these columns, until the next {@link add}. */
  ids = new Uint8Array(0);
  kinds = new Uint8Array(0);
  nameHashes = new Uint32Array(0);
  start = 0;
  end = 0;
  readonly #format: ObjectFormat;
  #pairs: IdTable;
  readonly #key: Uint8Array;
  /** Where the objects of each pair begin, and behind them all the end. */
  #starts = new Uint32Array(FIRST_PAIRS + 1);
  #isCounted = false;

  constructor(format: ObjectFormat) {
    this.#format = format;
    this.#key = new Uint8Array(2 * format.idBytes);
    this.#pairs = this.#newPairs();
  }

  get bytes(): number {
    const { ids, kinds, nameHashes } = this;
    const keys = this.#pairs.ids.byteLength + BYTES_A_SLOT * this.#starts.length;
    return ids.byteLength + kinds.byteLength + nameHashes.byteLength + this.#starts.byteLength + keys;
  }

  evict(): void {
    this.#isCounted = false;
    this.#pairs = this.#newPairs();
    this.#starts = new Uint32Array(FIRST_PAIRS + 1);
    this.#reserve(0);
  }

  /**
   * @param oldIds `undefined`: compared with nothing, all that the new tree reaches
   * @returns whether it is known what `newIds[newAt]` has that the old tree has not
   */
  find(oldIds: Uint8Array | undefined, oldAt: number, newIds: Uint8Array, newAt: number): boolean {
    this.#setKey(oldIds, oldAt, newIds, newAt);
    const pair = this.#pairs.find(this.#key, 0);
    if (pair < 0) return false;
    this.start = this.#starts[pair] as number;
    this.end = this.#starts[pair + 1] as number;
    return true;
  }

  /** Keep it for the next time. */
  add(
    oldIds: Uint8Array | undefined,
    oldAt: number,
    newIds: Uint8Array,
    newAt: number,
    { size, table, kinds, nameHashes }: ObjectTable,
  ): void {
    // Somebody else may have been as fast.
    if (this.find(oldIds, oldAt, newIds, newAt)) return;
    if (this.#pairs.size === MOST_PAIRS || this.#used + size > MOST_OBJECTS) this.evict();
    const { idBytes } = this.#format;
    const start = this.#used;
    if (start + size > this.kinds.length) {
      this.#reserve(Math.min(MOST_OBJECTS, Math.max(FIRST_OBJECTS, 2 * (start + size))));
    }
    this.ids.set(table.ids.subarray(0, size * idBytes), start * idBytes);
    this.kinds.set(kinds.subarray(0, size), start);
    this.nameHashes.set(nameHashes.subarray(0, size), start);
    const pair = this.#pairs.add(this.#key, 0);
    if (pair + 1 === this.#starts.length) {
      const longer = new Uint32Array(2 * this.#starts.length);
      longer.set(this.#starts);
      this.#starts = longer;
    }
    this.#starts[pair + 1] = start + size;
  }

  /** It was used, and may have grown. */
  settle(): void {
    if (!this.#isCounted) this.#isCounted = warmMemory.register(this);
    else warmMemory.resize(this);
  }

  get #used(): number {
    return this.#starts[this.#pairs.size] as number;
  }

  #setKey(oldIds: Uint8Array | undefined, oldAt: number, newIds: Uint8Array, newAt: number): void {
    const { idBytes } = this.#format;
    const key = this.#key;
    for (let i = 0; i < idBytes; i++) {
      key[i] = newIds[newAt + i] as number;
      key[idBytes + i] = oldIds === undefined ? 0 : (oldIds[oldAt + i] as number);
    }
  }

  #newPairs(): IdTable {
    return new IdTable({ ...this.#format, idBytes: 2 * this.#format.idBytes }, MOST_PAIRS);
  }

  #reserve(objects: number): void {
    const { ids, kinds, nameHashes } = this;
    this.ids = new Uint8Array(objects * this.#format.idBytes);
    this.kinds = new Uint8Array(objects);
    this.nameHashes = new Uint32Array(objects);
    if (objects === 0) return;
    this.ids.set(ids);
    this.kinds.set(kinds);
    this.nameHashes.set(nameHashes);
  }
}

/** What is known of the trees of a database. */
export const changedObjectsOf = onePer(({ format }: ObjectDatabase) => new ChangedObjects(format));
