/**
 * What earlier requests found reached from their wants: a bit an object, kept until memory is short or the packs change.
 *
 * What commits reach never changes: a set stays true whatever becomes of refs. It is of use to every request whose wants
 * reach all the commits it was learned from.
 *
 * @module
 */
import { type Evictable, type MemoryBudget, warmMemory } from '../../core/memory-budget.ts';
import { onePer } from '../../core/one-per.ts';
import type { Pace } from '../../core/pace.ts';
import type { Bitset } from '../../pack/bitset.ts';
import type { ReachabilityBitmaps } from '../../pack/reachability-bitmaps.ts';
import type { StoredPack } from '../../pack/stored-pack.ts';
import type { CommitTable } from '../commit-table.ts';
import { GrowingInt32 } from '../growing-int32.ts';
import type { IdTable } from '../id-table.ts';
import type { ObjectTable } from '../object-table.ts';
import { PackPositions } from './pack-positions.ts';

/** Sets kept of one repository; the one used longest ago makes room. */
const MOST_SETS = 8;
/** Commits walked to find out whether wants reach what a set was learned from. */
const MOST_WALKED = 20_000;
/** Objects outside packs that a set may have. */
const MOST_OUTSIDE = 20_000;

/** All that some commits reach. */
export interface LearnedSet {
  /** Raw ids of the commits it was learned from. */
  readonly tips: IdTable;
  /** It was learned from a commit that is not likely to be taken back: it is the last to make room. */
  readonly isSettled: boolean;
  /** By position; it may have fewer bits than there are positions now. */
  readonly positions: Bitset;
  /** What has no position: raw ids, kinds and name hashes. */
  readonly outside: {
    readonly count: number;
    readonly ids: Uint8Array;
    readonly kinds: Uint8Array;
    readonly nameHashes: Uint32Array;
  };
}

/** The sets that were learned in terms of the same positions. */
export class LearnedSets implements Evictable {
  /** The one used last is the last. */
  #sets: LearnedSet[] = [];
  readonly #budget: MemoryBudget;
  readonly #positions: PackPositions | undefined;

  /** @param positions counted among what is held; none when they are those of bitmaps */
  constructor(positions: PackPositions | undefined, budget: MemoryBudget = warmMemory) {
    this.#positions = positions;
    this.#budget = budget;
  }

  get bytes(): number {
    const held = this.#sets.reduce((sum, set) => sum + sizeOf(set), 0);
    return held + (this.#positions?.bytes ?? 0);
  }

  get count(): number {
    return this.#sets.length;
  }

  evict(): void {
    this.#sets = [];
    this.#positions?.forgetKinds();
  }

  /** Nobody will ask for them any more. */
  drop(): void {
    this.#budget.release(this);
    this.evict();
  }

  add(set: LearnedSet): void {
    if (set.outside.count > MOST_OUTSIDE) return;
    this.#sets = this.#sets.filter(({ tips }) => !areSame(tips, set.tips));
    this.#sets.push(set);
    if (this.#sets.length > MOST_SETS) {
      const oldest = this.#sets.findIndex(({ isSettled }) => !isSettled);
      this.#sets.splice(Math.max(0, oldest), 1);
    }
    this.#budget.register(this);
  }

  /** The set of all that one commit reaches, if it was learned from this one alone. */
  ofCommit(ids: Uint8Array, at: number): LearnedSet | undefined {
    const set = this.#sets.find(({ tips }) => tips.size === 1 && tips.find(ids, at) === 0);
    if (set !== undefined) this.#use(set);
    return set;
  }

  /**
   * The largest set whose commits are all reached from these.
   *
   * @param positionOf as the positions now are
   * @throws {GitError} OBJECT_CORRUPT; LIMIT_EXCEEDED; ABORTED
   */
  async reachedFrom(
    commits: CommitTable,
    numbers: readonly number[],
    positionOf: (ids: Uint8Array, at: number) => number,
    pace: Pace,
  ): Promise<LearnedSet | undefined> {
    const bySize = this.#sets
      .map((set) => ({ set, size: set.positions.count() + set.outside.count }))
      .sort((a, b) => b.size - a.size);
    for (const { set } of bySize) {
      if (!(await areTipsReached(set, commits, numbers, positionOf, pace))) continue;
      this.#use(set);
      return set;
    }
    return undefined;
  }

  #use(set: LearnedSet): void {
    this.#sets.splice(this.#sets.indexOf(set), 1);
    this.#sets.push(set);
    this.#budget.touch(this);
  }
}

/** Walk from the commits to the set, and see whether that meets all its tips. */
async function areTipsReached(
  { tips, positions }: LearnedSet,
  commits: CommitTable,
  numbers: readonly number[],
  positionOf: (ids: Uint8Array, at: number) => number,
  pace: Pace,
): Promise<boolean> {
  const met = new Uint8Array(tips.size);
  let left = tips.size;
  const seen = new Set<number>();
  const pending = new GrowingInt32();
  const meet = (number: number): void => {
    if (seen.has(number)) return;
    seen.add(number);
    const { ids, idBytes } = commits.ids;
    const tip = tips.find(ids, number * idBytes);
    if (tip >= 0) {
      if (met[tip] === 0) left--;
      met[tip] = 1;
      return;
    }
    const position = positionOf(ids, number * idBytes);
    if (position < 0 || position >= positions.size || !positions.has(position)) pending.push(number);
  };
  for (const number of numbers) {
    meet(number);
    if (pace.isDue()) await pace.rest();
  }
  // What is left to be met can only be found by walking on.
  for (let walked = 0; left > 0 && pending.length > 0 && walked < MOST_WALKED; walked++) {
    if (pace.isDue()) await pace.rest();
    const number = pending.pop();
    if (!commits.load(number)) continue;
    const end = commits.parentEnds[number] as number;
    for (let at = commits.parentStarts[number] as number; at < end; at++) meet(commits.parents[at] as number);
  }
  return left === 0;
}

/** Add a set to one of as many bits or more, and to the table what has no position. */
export function addLearned(set: LearnedSet, into: Bitset, outside: ObjectTable): void {
  const { words } = set.positions;
  for (let at = 0; at < words.length; at++)
    into.words[at] = (into.words[at] as number) | (words[at] as number);
  const { count, ids, kinds, nameHashes } = set.outside;
  const { idBytes } = set.tips;
  for (let i = 0; i < count; i++) {
    outside.add(ids, i * idBytes, kinds[i] as number, nameHashes[i] as number);
  }
}

function areSame(a: IdTable, b: IdTable): boolean {
  if (a.size !== b.size) return false;
  for (let n = 0; n < a.size; n++) if (b.find(a.ids, n * a.idBytes) < 0) return false;
  return true;
}

function sizeOf({ tips, positions, outside }: LearnedSet): number {
  const idBytes = tips.idBytes + 8;
  return tips.size * idBytes + positions.words.byteLength + outside.count * idBytes;
}

/** What was learned in terms of the positions of these bitmaps. */
export const setsOfBitmaps = onePer((_bitmaps: ReachabilityBitmaps) => new LearnedSets(undefined));

/** What was learned of a set of packs. */
export interface LearnedOfPacks {
  readonly positions: PackPositions;
  readonly sets: LearnedSets;
}

/** By the largest pack: several repositories may borrow it, and have other packs of their own. */
const ofPacks = new WeakMap<StoredPack, LearnedOfPacks[]>();
const MOST_SHARING = 8;

function largestOf(packs: readonly StoredPack[]): StoredPack {
  return packs.reduce((a, b) => (b.index.objectCount > a.index.objectCount ? b : a));
}

/** What was learned of these packs or of some of them, with positions for all; at least one pack. */
export function learnedOf(packs: readonly StoredPack[]): LearnedOfPacks {
  const largest = largestOf(packs);
  const sharing: LearnedOfPacks[] = [];
  for (const known of ofPacks.get(largest) ?? []) {
    if (known.positions.isStale) known.sets.drop();
    else sharing.push(known);
  }
  ofPacks.set(largest, sharing);
  const present = new Set(packs);
  let learned = sharing.find(({ positions }) => positions.fits(present));
  if (learned === undefined) {
    const positions = new PackPositions();
    learned = { positions, sets: new LearnedSets(positions) };
    sharing.push(learned);
    if (sharing.length > MOST_SHARING) sharing.shift()?.sets.drop();
  }
  learned.positions.extend(packs);
  return learned;
}
