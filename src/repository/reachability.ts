/**
 * Whether refs reach an object: the question behind `allowReachableSHA1InWant`.
 *
 * @module
 */
import type { Cancellable } from '../core/byte-stream.ts';
import { DEFAULT_LIMITS, type Limits } from '../core/limits.ts';
import { hexToBytes, type ObjectId } from '../core/object-id.ts';
import { Pace } from '../core/pace.ts';
import type { ObjectReader } from '../odb/object-database.ts';
import { CommitTable, FIRST_FREE_FLAG } from './commit-table.ts';
import { DateQueue } from './date-queue.ts';
import { GrowingInt32 } from './growing-int32.ts';
import { peelObject } from './tag.ts';
import { TreeScanner } from './tree-scanner.ts';
import { TreeSearch } from './tree-search.ts';

export interface ReachabilityOptions extends Cancellable {
  /** The repository's own shallow commits. */
  readonly shallow?: ReadonlySet<ObjectId> | undefined;
  readonly limits?: Limits | undefined;
}

const MET = FIRST_FREE_FLAG;
const WANTED = FIRST_FREE_FLAG << 1;

/** Commits of history searched for each tip. With 1 or 16 either what is just behind HEAD or old releases take twice as long. */
const COMMITS_FOR_A_TIP = 2;

/**
 * The wants that no tip reaches, in the order given. Exact, whatever the dates of commits say: refusing a
 * commit takes a walk over all history, refusing a tree or blob a walk over all trees. Wanted trees and blobs
 * of the first tip are found before any other tip is read; those of other tips, and of history not long
 * before the newest, soon after.
 *
 * @param wants of any kind; what does not exist is unreachable
 * @param tips the one that most likely reaches the wants first: HEAD
 * @throws {GitError} OBJECT_CORRUPT; LIMIT_EXCEEDED; ABORTED
 */
export async function unreachableOf(
  reader: ObjectReader,
  wants: readonly ObjectId[],
  tips: readonly ObjectId[],
  options: ReachabilityOptions = {},
): Promise<ObjectId[]> {
  const { limits = DEFAULT_LIMITS } = options;
  const pace = new Pace(options.signal);
  /** Wants that are no tips, less those found to be reached and less trees and blobs. */
  const sought = new Set(wants);
  for (const tip of tips) sought.delete(tip);
  const objects = new TreeSearch(reader, limits);
  const soughtCommits: ObjectId[] = [];
  for (const id of sought) {
    const kind = reader.readHeader(id)?.kind;
    if (kind === 'commit') soughtCommits.push(id);
    else if (kind === 'tree' || kind === 'blob') {
      objects.seek(id);
      sought.delete(id);
    }
    if (pace.isDue()) await pace.rest();
  }

  const commits = new CommitTable(reader, limits, 'assumed');
  for (const id of options.shallow ?? []) commits.cut(id);
  for (const id of soughtCommits) flag(commits, commits.addId(id), WANTED);
  // Trees and blobs may be in any commit, however old.
  const history = new ReachWalk(
    commits,
    objects.leftCount === 0 ? leastGenerationOf(commits, soughtCommits) : Number.NEGATIVE_INFINITY,
  );
  const scanner = new TreeScanner(reader.format.idBytes);
  const tipCommits: number[] = [];
  for (const tip of tips) {
    if (sought.size === 0 && objects.leftCount === 0) return [];
    const { tagIds, id, kind } = peelObject(reader, tip);
    for (const tagId of tagIds) sought.delete(tagId);
    if (kind === 'commit') {
      const number = commits.addId(id);
      if (!history.start(number)) continue;
      const isFirst = tipCommits.push(number) === 1;
      if (isFirst) await objects.search(commits.treeIds, number * commits.ids.idBytes, scanner, pace);
    } else if (kind === 'tree') {
      await objects.search(hexToBytes(id), 0, scanner, pace);
    } else {
      objects.noteFound(id);
    }
    if (pace.isDue()) await pace.rest();
  }

  await history.run(soughtCommits.length, pace);
  for (const id of soughtCommits) if (history.hasReached(commits.addId(id))) sought.delete(id);
  await searchTrees(commits, tipCommits, history, objects, scanner, pace);
  return wants.filter((id) => sought.has(id) || objects.isLeft(id));
}

/** Search trees of tips and of history in turn, newest first, until every sought object was found. */
async function searchTrees(
  commits: CommitTable,
  tipCommits: number[],
  history: ReachWalk,
  objects: TreeSearch,
  tipScanner: TreeScanner,
  pace: Pace,
): Promise<void> {
  const { idBytes } = commits.ids;
  // Of its own: a tip is compared with the tip before it, not with what is far from it in time.
  const historyScanner = new TreeScanner(idBytes);
  tipCommits.sort((a, b) => (commits.dates[b] as number) - (commits.dates[a] as number));
  let tipsSearched = 0;
  for (let turn = 0; objects.leftCount > 0; turn++) {
    if (turn % COMMITS_FOR_A_TIP === 0 && tipsSearched < tipCommits.length) {
      const tip = tipCommits[tipsSearched++] as number;
      await objects.search(commits.treeIds, tip * idBytes, tipScanner, pace);
    }
    const number = history.next();
    if (number < 0) return; // the tips are in history too
    await objects.search(commits.treeIds, number * idBytes, historyScanner, pace);
    if (pace.isDue()) await pace.rest();
  }
}

/** Ancestors, newest first; missing ones are passed over. */
class ReachWalk {
  readonly #commits: CommitTable;
  readonly #queue: DateQueue;
  /** Commits taken from the queue by {@link run}, of which {@link next} has handed out some. */
  readonly #walked = new GrowingInt32();
  #handedOut = 0;
  #wantedCount = 0;
  readonly #leastGeneration: number;

  /** @param leastGeneration commits of a smaller one need not be met: nothing that is sought is behind them */
  constructor(commits: CommitTable, leastGeneration: number) {
    this.#commits = commits;
    this.#leastGeneration = leastGeneration;
    this.#queue = new DateQueue(commits);
  }

  /** @returns whether the commit is there and is met for the first time */
  start(number: number): boolean {
    const flags = this.#commits.flags[number] as number;
    if ((flags & MET) !== 0 || this.#commits.generationOf(number) < this.#leastGeneration) return false;
    if (!this.#commits.load(number)) return false;
    flag(this.#commits, number, MET);
    if ((flags & WANTED) !== 0) this.#wantedCount++;
    this.#queue.push(number);
    return true;
  }

  /** Walk until `most` wanted commits were met, or there are no more. */
  async run(most: number, pace: Pace): Promise<void> {
    while (this.#wantedCount < most) {
      const number = this.#step();
      if (number < 0) return;
      this.#walked.push(number);
      if (pace.isDue()) await pace.rest();
    }
  }

  /** Each reached commit once, newest first, walking on as needed; -1 after the last. */
  next(): number {
    if (this.#handedOut < this.#walked.length) return this.#walked.values[this.#handedOut++] as number;
    return this.#step();
  }

  hasReached(number: number): boolean {
    return ((this.#commits.flags[number] as number) & MET) !== 0;
  }

  /** Take the newest commit from the queue and put its parents in; -1 when there is none. */
  #step(): number {
    const commits = this.#commits;
    const number = this.#queue.pop();
    if (number < 0) return number;
    const end = commits.parentEnds[number] as number;
    for (let at = commits.parentStarts[number] as number; at < end; at++) {
      this.start(commits.parents[at] as number);
    }
    return number;
  }
}

function leastGenerationOf(commits: CommitTable, ids: readonly ObjectId[]): number {
  return ids.reduce(
    (least, id) => Math.min(least, commits.generationOf(commits.addId(id))),
    Number.POSITIVE_INFINITY,
  );
}

function flag(commits: CommitTable, number: number, bit: number): void {
  commits.flags[number] = (commits.flags[number] as number) | bit;
}
