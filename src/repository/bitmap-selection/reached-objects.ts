/**
 * What commits reach, as sets of positions: known closures are taken as they are, and only what no known closure
 * covers is walked.
 *
 * @module
 */
import { COMMIT } from '../../core/object-kind.ts';
import type { Pace } from '../../core/pace.ts';
import { Bitset } from '../../pack/bitset.ts';
import type { CommitTable } from '../commit-table.ts';
import { FIRST_FLAG_AFTER_WALK, type MissingObject } from '../commit-walk.ts';
import { DateQueue } from '../date-queue.ts';
import { GrowingInt32 } from '../growing-int32.ts';
import type { ObjectTable } from '../object-table.ts';
import type { ObjectWalk } from '../object-walk.ts';
import type { KnownReach } from './known-reach.ts';
import { addLearned, type LearnedSet } from './learned-sets.ts';

const OBJECTS_BETWEEN_CLOCKS = 256;
/** Commits that the haves, and the wants, have met. */
const HAVE_MET = FIRST_FLAG_AFTER_WALK;
const WANT_MET = FIRST_FLAG_AFTER_WALK << 1;

/**
 * First all haves, then all wants. What is reached is in {@link held} or {@link wanted}, or in the tables of the walk of
 * objects: `boundary` for the haves, `found` for the wants. An object of these tables may be in its set as well.
 */
export class ReachedObjects {
  /** What the haves reach, by position. */
  readonly held: Bitset;
  /** What the wants reach, by position; part of what is held may be in it. */
  readonly wanted: Bitset;
  readonly #known: KnownReach;
  readonly #commits: CommitTable;
  readonly #objects: ObjectWalk;
  readonly #queue: DateQueue;
  #missing: MissingObject | undefined;
  #usesKnown = false;

  /** @param objects made to stop at what {@link covers} */
  constructor(
    known: KnownReach,
    commits: CommitTable,
    makeWalk: (covers: (ids: Uint8Array, at: number) => boolean) => ObjectWalk,
  ) {
    this.#known = known;
    this.#commits = commits;
    this.held = new Bitset(known.size);
    this.wanted = new Bitset(known.size);
    this.#objects = makeWalk((ids, at) => this.#covers(ids, at));
    this.#queue = new DateQueue(commits);
  }

  get objects(): ObjectWalk {
    return this.#objects;
  }

  /** The first wanted object that could not be read; the walk ended there. */
  get missing(): MissingObject | undefined {
    return this.#missing ?? this.#objects.missing;
  }

  /** Whether anything was known without walking. */
  get usesKnown(): boolean {
    return this.#usesKnown;
  }

  /** Add what was learned to be reached from the wants. */
  addSet(set: LearnedSet): void {
    addLearned(set, this.wanted, this.#objects.found);
    this.#usesKnown = true;
  }

  /**
   * Take in what these commits reach. What of it is missing does not matter.
   *
   * @throws {GitError} OBJECT_CORRUPT; LIMIT_EXCEEDED; ABORTED
   */
  async addHaves(tips: readonly number[], pace: Pace): Promise<void> {
    const { boundary } = this.#objects;
    const walked = await this.#walkCommits(tips, HAVE_MET, this.held, boundary, pace);
    const { ids, treeIds } = this.#commits;
    for (let i = 0; i < walked.length; i++) {
      const number = walked.values[i] as number;
      const at = number * ids.idBytes;
      if (this.#covers(ids.ids, at)) continue;
      boundary.add(ids.ids, at, COMMIT, 0);
      await this.#objects.markBoundary(treeIds, at, pace);
    }
  }

  /** Bring what was walked from the haves into {@link held}, as far as it has positions; before the wants. */
  async takeHeld(pace: Pace): Promise<void> {
    const { ids, idBytes } = this.#objects.boundary.table;
    const { size } = this.#objects.boundary;
    for (let number = 0; number < size; number++) {
      if (number % OBJECTS_BETWEEN_CLOCKS === 0 && pace.isDue()) await pace.rest();
      const position = this.#known.positionOf(ids, number * idBytes);
      if (position < 0) continue;
      this.held.add(position);
      this.#usesKnown = true;
    }
  }

  /** As {@link addHaves}, once these are in. Then look whether something is {@link missing}. */
  async addWants(tips: readonly number[], pace: Pace): Promise<void> {
    const { found } = this.#objects;
    const walked = await this.#walkCommits(tips, WANT_MET, this.wanted, found, pace);
    if (this.#missing !== undefined) return;
    const { ids } = this.#commits;
    let left = 0;
    for (let i = 0; i < walked.length; i++) {
      if (pace.isDue()) await pace.rest();
      const number = walked.values[i] as number;
      const at = number * ids.idBytes;
      // A set that was taken in later may hold it.
      if (this.#covers(ids.ids, at)) continue;
      found.add(ids.ids, at, COMMIT, 0);
      walked.values[left++] = number;
    }
    await this.#objects.walkRoots(walked.values.subarray(0, left), pace);
  }

  /** @returns the commits that had to be read, newest first */
  async #walkCommits(
    tips: readonly number[],
    flag: number,
    into: Bitset,
    outside: ObjectTable,
    pace: Pace,
  ): Promise<GrowingInt32> {
    const commits = this.#commits;
    const walked = new GrowingInt32();
    for (const number of tips) {
      this.#meet(number, number, flag, into, outside);
      if (pace.isDue()) await pace.rest();
    }
    for (let number = this.#queue.pop(); number >= 0; number = this.#queue.pop()) {
      if (this.#missing !== undefined) break;
      if (pace.isDue()) await pace.rest();
      const { ids } = commits;
      if (this.#covers(ids.ids, number * ids.idBytes)) continue;
      walked.push(number);
      const end = commits.parentEnds[number] as number;
      for (let at = commits.parentStarts[number] as number; at < end; at++) {
        this.#meet(commits.parents[at] as number, number, flag, into, outside);
      }
    }
    return walked;
  }

  #meet(number: number, referredBy: number, flag: number, into: Bitset, outside: ObjectTable): void {
    const commits = this.#commits;
    const flags = commits.flags[number] as number;
    if ((flags & (HAVE_MET | flag)) !== 0) return;
    commits.flags[number] = flags | flag;
    const { ids, idBytes } = commits.ids;
    if (this.#covers(ids, number * idBytes)) return;
    if (this.#known.addReachable(ids, number * idBytes, into, outside)) {
      this.#usesKnown = true;
      return;
    }
    if (commits.load(number)) this.#queue.push(number);
    else if (flag === WANT_MET) {
      this.#missing ??= { id: commits.idOf(number), kind: 'commit', referredBy: commits.idOf(referredBy) };
    }
  }

  #covers(ids: Uint8Array, at: number): boolean {
    if (!this.#usesKnown) return false;
    const position = this.#known.positionOf(ids, at);
    return position >= 0 && (this.wanted.has(position) || this.held.has(position));
  }
}
