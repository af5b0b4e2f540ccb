/**
 * What commits of a pack say, kept from one request to the next: where there is no commit-graph, most of what a small
 * fetch costs is inflating the same few thousand commits once more.
 *
 * @module
 */
import { type Evictable, warmMemory } from '../core/memory-budget.ts';
import { onePer } from '../core/one-per.ts';
import type { StoredPack } from '../pack/stored-pack.ts';
import type { CommitFields } from './commit.ts';

/** Commits kept of one pack, some 90 bytes each; then all are forgotten. */
const MOST_COMMITS = 32 * 1024;
/** Commits with more are not kept. */
const MOST_PARENTS = 15;
const FIRST_COMMITS = 1024;
const FIRST_BYTES_A_COMMIT = 3;
/** Slots of the hash table for each commit it may hold. */
const SLOTS_A_COMMIT = 2;

/** Found by the offset of the entry: a pack never changes, so what it says is right for as long as it is there. */
export class WarmCommits implements Evictable {
  /** After {@link find}: the raw ids of tree and parents are `ids[start, end)`, back to back, until the next {@link add}. */
  ids = new Uint8Array(0);
  start = 0;
  end = 0;
  /** After {@link find}: the committer date, as {@link CommitFields.date}. */
  date = 0;
  readonly #idBytes: number;
  #count = 0;
  /** Number of a commit and 1; 0 is free. */
  #slots = new Int32Array(0);
  #offsets = new Float64Array(0);
  #dates = new Float64Array(0);
  /** Where the ids of each commit begin, and behind them all the end. */
  #starts = new Uint32Array(1);

  constructor(idBytes: number) {
    this.#idBytes = idBytes;
  }

  get bytes(): number {
    const tables = [this.ids, this.#slots, this.#offsets, this.#dates, this.#starts];
    return tables.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  evict(): void {
    this.#reserve(0, 0);
  }

  /** @returns whether the commit at `offset` is known */
  find(offset: number): boolean {
    if (this.#count === 0) return false;
    const number = (this.#slots[this.#slotOf(offset)] as number) - 1;
    if (number < 0) return false;
    this.start = this.#starts[number] as number;
    this.end = this.#starts[number + 1] as number;
    this.date = this.#dates[number] as number;
    return true;
  }

  /** Keep what the commit at `offset`, which is not known, says. */
  add(offset: number, fields: CommitFields): void {
    const idBytes = this.#idBytes;
    if (fields.parentCount > MOST_PARENTS) return;
    if (this.#count === MOST_COMMITS) this.evict();
    if (this.#count === this.#offsets.length && !this.#grow()) return;
    const number = this.#count++;
    const start = this.#starts[number] as number;
    const parentBytes = fields.parentCount * idBytes;
    const end = start + idBytes + parentBytes;
    if (end > this.ids.length) {
      this.ids = copied(this.ids, new Uint8Array(2 * end));
      warmMemory.resize(this);
      // The budget may have asked for it all.
      if (this.#count === 0) return;
    }
    this.ids.set(fields.treeId, start);
    for (let i = 0; i < parentBytes; i++) this.ids[start + idBytes + i] = fields.parentIds[i] as number;
    this.#starts[number + 1] = end;
    this.#offsets[number] = offset;
    this.#dates[number] = fields.date;
    this.#slots[this.#slotOf(offset)] = number + 1;
  }

  /** It is used. */
  touch(): void {
    warmMemory.touch(this);
  }

  #slotOf(offset: number): number {
    const mask = this.#slots.length - 1;
    const mixed = Math.imul((offset % 0x100000000) | 0, 0x9e3779b1);
    let slot = (mixed ^ (mixed >>> 15)) & mask;
    for (;;) {
      const number = (this.#slots[slot] as number) - 1;
      if (number < 0 || this.#offsets[number] === offset) return slot;
      slot = (slot + 1) & mask;
    }
  }

  /** @returns whether the budget has room for it */
  #grow(): boolean {
    const capacity = Math.max(FIRST_COMMITS, 2 * this.#offsets.length);
    const bytes = Math.max(this.ids.length, FIRST_BYTES_A_COMMIT * FIRST_COMMITS * this.#idBytes);
    const { ids } = this;
    const [offsets, dates, starts, count] = [this.#offsets, this.#dates, this.#starts, this.#count];
    this.#reserve(capacity, bytes);
    copied(ids, this.ids);
    copied(offsets, this.#offsets);
    copied(dates, this.#dates);
    copied(starts, this.#starts);
    for (let number = 0; number < count; number++) {
      this.#slots[this.#slotOf(this.#offsets[number] as number)] = number + 1;
    }
    this.#count = count;
    warmMemory.register(this);
    return this.#offsets.length > 0;
  }

  /** Empty tables. */
  #reserve(capacity: number, idsBytes: number): void {
    this.#count = 0;
    this.ids = new Uint8Array(idsBytes);
    this.#slots = new Int32Array(SLOTS_A_COMMIT * capacity);
    this.#offsets = new Float64Array(capacity);
    this.#dates = new Float64Array(capacity);
    this.#starts = new Uint32Array(capacity + 1);
  }
}

const commitsOf = onePer(({ index }: StoredPack) => new WarmCommits(index.format.idBytes));

export function warmCommitsOf(pack: StoredPack): WarmCommits {
  const commits = commitsOf(pack);
  commits.touch();
  return commits;
}

function copied<Column extends Uint8Array | Uint32Array | Float64Array>(from: Column, to: Column): Column {
  to.set(from);
  return to;
}
