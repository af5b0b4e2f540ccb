/**
 * What `git rev-list wants --not haves` lists: commits reached from some and not from others.
 * Spec: git-rev-list(1).
 *
 * @module
 */
import type { ObjectId } from '../core/object-id.ts';
import type { ObjectKind } from '../core/object-kind.ts';
import type { Pace } from '../core/pace.ts';
import { type CommitTable, FIRST_FREE_FLAG } from './commit-table.ts';
import { DateQueue } from './date-queue.ts';
import { GrowingInt32 } from './growing-int32.ts';

const EXCLUDED = FIRST_FREE_FLAG;
const MET = FIRST_FREE_FLAG << 1;
const QUEUED = FIRST_FREE_FLAG << 2;
const EDGE = FIRST_FREE_FLAG << 3;
const CHAINED = FIRST_FREE_FLAG << 4;
/** Bits of {@link CommitTable.flags} that a user of this walk may use. */
export const FIRST_FLAG_AFTER_WALK = FIRST_FREE_FLAG << 5;

/**
 * Excluded commits older than everything included that are still looked at once only excluded ones are
 * queued: with skewed clocks one of them may reach an included commit. git's SLOP.
 */
const SLOP = 5;

/** An object that is named and is not there. */
export interface MissingObject {
  readonly id: ObjectId;
  readonly kind: ObjectKind;
  /** What names it; the object itself when it was asked for. */
  readonly referredBy: ObjectId;
}

export class CommitWalk {
  readonly #commits: CommitTable;
  readonly #queue: DateQueue;
  readonly #popped = new GrowingInt32();
  readonly #spread = new GrowingInt32();
  readonly #excludeOlderThan: number;
  /** Queued commits that are not excluded. */
  #includedQueued = 0;
  #oldestIncluded = Number.POSITIVE_INFINITY;
  #slop = SLOP;
  #missing: MissingObject | undefined;

  /** @param excludeOlderThan commits of an earlier date, and all they reach, are excluded: `--max-age` */
  constructor(commits: CommitTable, excludeOlderThan = Number.NEGATIVE_INFINITY) {
    this.#commits = commits;
    this.#queue = new DateQueue(commits);
    this.#excludeOlderThan = excludeOlderThan;
  }

  /** The first included commit that could not be read; the walk ended there. */
  get missing(): MissingObject | undefined {
    return this.#missing;
  }

  /** Commits taken from the queue as included so far; some may have turned out to be excluded. */
  get visitedCount(): number {
    return this.#popped.length;
  }

  /** Begin here. Include all starting points after excluding, or before: the order does not matter. */
  include(number: number): void {
    this.#enqueue(number, number);
  }

  /** What this commit reaches, itself included, is not wanted. That it is missing does not matter. */
  exclude(number: number): void {
    this.#markExcluded(number);
    this.#enqueueExcluded(number);
  }

  /**
   * As {@link exclude}, without reading the commit: the walk stops where it meets it, and does not learn
   * what it reaches.
   */
  stopAt(number: number): void {
    this.#markExcluded(number);
  }

  isExcluded(number: number): boolean {
    return ((this.#commits.flags[number] as number) & EXCLUDED) !== 0;
  }

  /**
   * Walk until every included commit has been found, or one is missing, or `most` have been visited, or the table holds
   * `mostMet`.
   *
   * @returns whether the walk is over
   * @throws {GitError} OBJECT_CORRUPT; ABORTED
   */
  async run(
    pace: Pace,
    most = Number.POSITIVE_INFINITY,
    mostMet = Number.POSITIVE_INFINITY,
  ): Promise<boolean> {
    while (this.#missing === undefined && this.#popped.length < most && this.#commits.size < mostMet) {
      if (!this.#step()) return true;
      if (pace.isDue()) await pace.rest();
    }
    return this.#missing !== undefined;
  }

  /** Numbers of the included commits, newest first. */
  included(): Int32Array {
    return this.#popped.values.slice(0, this.#popped.length).filter((number) => !this.isExcluded(number));
  }

  /**
   * The included commits in another order: each chain of first parents in one piece, newest first. Trees of
   * neighbours differ least in this order.
   */
  includedInChains(): Int32Array {
    const commits = this.#commits;
    const { values, length } = this.#popped;
    const chained = new GrowingInt32();
    for (let i = 0; i < length; i++) {
      let number = values[i] as number;
      while (((commits.flags[number] as number) & (EXCLUDED | CHAINED | MET)) === MET) {
        commits.flags[number] = (commits.flags[number] as number) | CHAINED;
        chained.push(number);
        const start = commits.parentStarts[number] as number;
        if (start === commits.parentEnds[number]) break;
        number = commits.parents[start] as number;
      }
    }
    return chained.values.slice(0, chained.length);
  }

  /**
   * Numbers of excluded commits next to included ones, in the order of these: what the two sides have in
   * common begins there. Each comes once, in the first call only; it may be missing.
   */
  edges(): Int32Array {
    const commits = this.#commits;
    const edges = new GrowingInt32();
    const { values, length } = this.#popped;
    for (let i = 0; i < length; i++) {
      const number = values[i] as number;
      if (this.isExcluded(number)) {
        if (this.#claimEdge(number)) edges.push(number);
        continue;
      }
      const end = commits.parentEnds[number] as number;
      for (let at = commits.parentStarts[number] as number; at < end; at++) {
        const parent = commits.parents[at] as number;
        if (this.isExcluded(parent) && this.#claimEdge(parent)) edges.push(parent);
      }
    }
    return edges.values.slice(0, edges.length);
  }

  #claimEdge(number: number): boolean {
    const flags = this.#commits.flags[number] as number;
    this.#commits.flags[number] = flags | EDGE;
    return (flags & EDGE) === 0;
  }

  /** Take one commit from the queue. @returns false when nothing more can be learned */
  #step(): boolean {
    const commits = this.#commits;
    const number = this.#queue.pop();
    if (number < 0) return false;
    commits.flags[number] = (commits.flags[number] as number) & ~QUEUED;
    if (!this.isExcluded(number)) {
      this.#includedQueued--;
      if ((commits.dates[number] as number) < this.#excludeOlderThan) this.#markExcluded(number);
    }

    const start = commits.parentStarts[number] as number;
    const end = commits.parentEnds[number] as number;
    if (!this.isExcluded(number)) {
      this.#popped.push(number);
      this.#oldestIncluded = Math.min(this.#oldestIncluded, commits.dates[number] as number);
      for (let at = start; at < end; at++) this.#enqueue(commits.parents[at] as number, number);
      return true;
    }

    for (let at = start; at < end; at++) {
      const parent = commits.parents[at] as number;
      this.#markExcluded(parent);
      this.#enqueueExcluded(parent);
    }
    if (this.#includedQueued > 0 || this.#queue.newestDate >= this.#oldestIncluded) this.#slop = SLOP;
    else this.#slop--;
    return this.#slop > 0;
  }

  #enqueue(number: number, referredBy: number): void {
    const commits = this.#commits;
    const flags = commits.flags[number] as number;
    if ((flags & (MET | EXCLUDED)) !== 0) return;
    if (!commits.load(number)) {
      this.#missing ??= {
        id: commits.idOf(number),
        kind: 'commit',
        referredBy: commits.idOf(referredBy),
      };
      return;
    }
    commits.flags[number] = (commits.flags[number] as number) | MET | QUEUED;
    this.#includedQueued++;
    this.#queue.push(number);
  }

  #enqueueExcluded(number: number): void {
    const commits = this.#commits;
    if (((commits.flags[number] as number) & MET) !== 0 || !commits.load(number)) return;
    commits.flags[number] = (commits.flags[number] as number) | MET | QUEUED;
    this.#queue.push(number);
  }

  /** Mark a commit, and what is known so far of what it reaches. */
  #markExcluded(first: number): void {
    const commits = this.#commits;
    const spread = this.#spread;
    spread.push(first);
    while (spread.length > 0) {
      const number = spread.pop();
      const flags = commits.flags[number] as number;
      if ((flags & EXCLUDED) !== 0) continue;
      commits.flags[number] = flags | EXCLUDED;
      if ((flags & QUEUED) !== 0) this.#includedQueued--;
      // A commit that nobody has read has an empty range here.
      const end = commits.parentEnds[number] as number;
      for (let at = commits.parentStarts[number] as number; at < end; at++) {
        spread.push(commits.parents[at] as number);
      }
    }
  }
}
