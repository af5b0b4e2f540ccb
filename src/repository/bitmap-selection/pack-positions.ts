/**
 * Positions for the objects of a set of packs that has no bitmaps: pack after pack, entry after entry.
 *
 * Packs may be added, behind the others, and never go: so a position once given out always means the same object. An
 * object of several packs has its position in the first.
 *
 * @module
 */
import { BLOB, COMMIT, TREE } from '../../core/object-kind.ts';
import { Bitset } from '../../pack/bitset.ts';
import type { PackIndex } from '../../pack/pack-index.ts';
import type { StoredPack } from '../../pack/stored-pack.ts';
import type { SelectedEntries } from '../object-selection.ts';

const LEARNED_KINDS = [COMMIT, TREE, BLOB] as const;

export class PackPositions {
  /** Held weakly: what is learned must not keep the indexes of packs that are gone. */
  readonly #packs: WeakRef<StoredPack>[] = [];
  /** Where the positions of each pack start; a multiple of 32, so that sets are put together from whole words. */
  readonly #starts: number[] = [];
  #size = 0;
  /** By place in LEARNED_KINDS: the objects of that kind, as far as they were learned. */
  #kinds: Bitset[] = LEARNED_KINDS.map(() => new Bitset(0));

  get size(): number {
    return this.#size;
  }

  /** Bytes of the sets of kinds. */
  get bytes(): number {
    return this.#kinds.reduce((sum, { words }) => sum + words.byteLength, 0);
  }

  /** Whether one of the packs was closed since. */
  get isStale(): boolean {
    return this.#packs.some((pack) => pack.deref() === undefined);
  }

  /** Whether every pack is still among these. */
  fits(packs: ReadonlySet<StoredPack>): boolean {
    return this.#packs.every((known) => {
      const pack = known.deref();
      return pack !== undefined && packs.has(pack);
    });
  }

  /** Take in the packs that are not known yet, the last ones first: these are the oldest. */
  extend(packs: readonly StoredPack[]): void {
    const known = new Set(this.#packs.map((pack) => pack.deref()));
    for (const pack of packs.toReversed()) {
      if (known.has(pack)) continue;
      this.#packs.push(new WeakRef(pack));
      this.#starts.push(this.#size);
      this.#size += 32 * Math.ceil(pack.index.objectCount / 32);
    }
  }

  noteKind(position: number, kind: number): void {
    this.#kindSet(kind).add(position);
  }

  ofKind(kind: number): Bitset {
    return this.#kindSet(kind);
  }

  forgetKinds(): void {
    this.#kinds = LEARNED_KINDS.map(() => new Bitset(0));
  }

  /** The positions as one request uses them. */
  view(packs: readonly StoredPack[]): PackPositionsView {
    const numbers = this.#packs.map((known) => packs.indexOf(known.deref() as StoredPack));
    return new PackPositionsView(packs, numbers, this.#starts);
  }

  #kindSet(kind: number): Bitset {
    const known = this.#kinds[kind - COMMIT] as Bitset;
    if (known.size === this.#size) return known;
    const grown = new Bitset(this.#size);
    grown.words.set(known.words);
    this.#kinds[kind - COMMIT] = grown;
    return grown;
  }
}

/** Lookups of one request, whose packs are pinned. */
export class PackPositionsView {
  readonly #indexes: readonly PackIndex[];
  readonly #numbers: readonly number[];
  readonly #starts: readonly number[];
  /** Of each pack that is asked for much: the entry of each rank. */
  readonly #entriesOfRanks: (Uint32Array | undefined)[] = [];
  readonly #lookups: number[];

  /** @param numbers of the packs in `packs` */
  constructor(packs: readonly StoredPack[], numbers: readonly number[], starts: readonly number[]) {
    this.#numbers = numbers;
    this.#indexes = numbers.map((number) => (packs[number] as StoredPack).index);
    this.#starts = starts.slice(0, numbers.length);
    this.#lookups = numbers.map(() => 0);
  }

  positionOf(ids: Uint8Array, at: number): number {
    const indexes = this.#indexes;
    for (let i = 0; i < indexes.length; i++) {
      const rank = (indexes[i] as PackIndex).rankOf(ids, at);
      if (rank >= 0) return (this.#starts[i] as number) + this.#entryOf(i, rank);
    }
    return -1;
  }

  copyId(position: number, target: Uint8Array, targetOffset: number): void {
    const i = this.#packOf(position);
    const index = this.#indexes[i] as PackIndex;
    const offset = index.entryStart(position - (this.#starts[i] as number));
    index.copyId(index.rankAtOffset(offset), target, targetOffset);
  }

  partsOf(positions: Bitset): SelectedEntries[] {
    const parts: SelectedEntries[] = [];
    for (const [i, start] of this.#starts.entries()) {
      const entries = new Bitset((this.#indexes[i] as PackIndex).objectCount);
      const first = start >>> 5;
      entries.words.set(positions.words.subarray(first, first + entries.words.length));
      const count = entries.count();
      if (count > 0) parts.push({ pack: this.#numbers[i] as number, entries, count });
    }
    return parts;
  }

  #packOf(position: number): number {
    let i = this.#starts.length - 1;
    while (i > 0 && (this.#starts[i] as number) > position) i--;
    return i;
  }

  /** Searching for an entry takes some hundred nanoseconds; for many of them a table is made. */
  #entryOf(i: number, rank: number): number {
    const table = this.#entriesOfRanks[i];
    if (table !== undefined) return table[rank] as number;
    const index = this.#indexes[i] as PackIndex;
    const lookups = (this.#lookups[i] as number) + 1;
    this.#lookups[i] = lookups;
    if (lookups > index.objectCount >> 3) this.#entriesOfRanks[i] = entriesOfRanks(index);
    return index.entryAt(index.offsetOf(rank));
  }
}

function entriesOfRanks(index: PackIndex): Uint32Array {
  const entries = new Uint32Array(index.objectCount);
  for (let entry = 0; entry < entries.length; entry++) {
    const rank = index.rankAtOffset(index.entryStart(entry));
    if (rank >= 0) entries[rank] = entry;
  }
  return entries;
}
