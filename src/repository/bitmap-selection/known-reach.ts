/**
 * What is known of what commits reach, without walking: from git's bitmaps, or from walks of earlier requests.
 *
 * @module
 */
import { BLOB, COMMIT, TAG, TREE } from '../../core/object-kind.ts';
import type { ObjectReader } from '../../odb/object-database.ts';
import { Bitset } from '../../pack/bitset.ts';
import type { BitmapLocation, ReachabilityBitmaps } from '../../pack/reachability-bitmaps.ts';
import type { StoredPack } from '../../pack/stored-pack.ts';
import type { SelectedEntries } from '../object-selection.ts';
import type { ObjectTable } from '../object-table.ts';
import { addLearned, type LearnedSets, learnedOf, setsOfBitmaps } from './learned-sets.ts';

const STORED_KINDS = [TREE, BLOB, COMMIT, TAG];

/** Objects of packs, numbered by *position*, and sets of them that some commits reach. */
export interface KnownReach {
  /** Positions are 0 to size - 1; not all of them need be in use. */
  readonly size: number;
  /** What is known of earlier requests, in the same positions. */
  readonly learned: LearnedSets;
  /** The one position of the object at `ids[at]`; -1 when it has none. */
  positionOf(ids: Uint8Array, at: number): number;
  /**
   * Add what the commit at `ids[at]` reaches, itself included, to `into`, and to `outside` what of that has no position.
   *
   * @returns false when that is not known, and nothing was added
   */
  addReachable(ids: Uint8Array, at: number, into: Bitset, outside: ObjectTable): boolean;
  /** Copy the raw id at a position in use to `target[targetOffset, …)`. */
  copyId(position: number, target: Uint8Array, targetOffset: number): void;
  /** Which objects of the known sets are of this kind. Shared: never write to it. */
  ofKind(kind: number): Bitset;
  /** Tell the kind of an object that is to be part of a set; absent where all kinds are known. */
  noteKind?(position: number, kind: number): void;
  /** The same set as entries of packs, `positions` itself among them perhaps; `undefined` when an index names none. */
  partsOf(positions: Bitset): SelectedEntries[] | undefined;
}

/** git's bitmaps; `undefined` when a pack they cover is not among those of the reader. */
export function reachOfBitmaps(reader: ObjectReader, bitmaps: ReachabilityBitmaps): KnownReach | undefined {
  const packs: number[] = [];
  for (const name of bitmaps.packNames) {
    const pack = reader.packs.findIndex((stored) => stored.name === name);
    if (pack < 0) return undefined;
    packs.push(pack);
  }
  return {
    size: bitmaps.objectCount,
    learned: setsOfBitmaps(bitmaps),
    positionOf: (ids, at) => bitmaps.positionOf(ids, at),
    addReachable(ids, at, into) {
      const position = bitmaps.positionOf(ids, at);
      return position >= 0 && bitmaps.orReachable(position, into);
    },
    copyId: (position, target, targetOffset) => bitmaps.copyId(position, target, targetOffset),
    ofKind: (kind) => bitmaps.ofKind(kind),
    partsOf: (positions) => bitmapParts(reader, bitmaps, packs, positions),
  };
}

/** What was learned of the packs of the reader, without bitmaps; there must be one at least. */
export function reachOfPacks({ packs }: ObjectReader): KnownReach {
  const { positions, sets } = learnedOf(packs);
  const view = positions.view(packs);
  return {
    size: positions.size,
    learned: sets,
    positionOf: (ids, at) => view.positionOf(ids, at),
    addReachable(ids, at, into, outside) {
      const set = sets.ofCommit(ids, at);
      if (set !== undefined) addLearned(set, into, outside);
      return set !== undefined;
    },
    copyId: (position, target, targetOffset) => view.copyId(position, target, targetOffset),
    ofKind: (kind) => positions.ofKind(kind),
    noteKind: (position, kind) => positions.noteKind(position, kind),
    partsOf: (wanted) => view.partsOf(wanted),
  };
}

function bitmapParts(
  reader: ObjectReader,
  bitmaps: ReachabilityBitmaps,
  packs: readonly number[],
  positions: Bitset,
): SelectedEntries[] | undefined {
  const [first = 0] = packs;
  if (packs.length === 1 && reader.packs[first]?.index.objectCount === bitmaps.objectCount) {
    // The positions of a single pack are its entries.
    const count = positions.count();
    const nameHashAt = (entry: number): number => bitmaps.nameHashAt(entry);
    const kindAt = (entry: number): number =>
      STORED_KINDS.find((kind) => bitmaps.ofKind(kind).has(entry)) ?? 0;
    return count === 0 ? [] : [{ pack: first, entries: positions, count, nameHashAt, kindAt }];
  }
  const parts = new Map<number, Bitset>();
  const location: BitmapLocation = { pack: 0, offset: 0 };
  let entries: Bitset | undefined;
  let lastPack = -1;
  let index = (reader.packs[first] as StoredPack).index;
  for (let position = positions.next(0); position >= 0; position = positions.next(position + 1)) {
    bitmaps.locate(position, location);
    if (entries === undefined || location.pack !== lastPack) {
      lastPack = location.pack;
      const pack = packs[lastPack] as number;
      index = (reader.packs[pack] as StoredPack).index;
      entries = parts.get(pack) ?? new Bitset(index.objectCount);
      parts.set(pack, entries);
    }
    const entry = index.entryAt(location.offset);
    if (entry < 0) return undefined;
    entries.add(entry);
  }
  return Array.from(parts, ([pack, bits]) => ({ pack, entries: bits, count: bits.count() }));
}
