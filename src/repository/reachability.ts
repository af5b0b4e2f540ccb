/**
 * Whether refs reach an object: the question behind `allowReachableSHA1InWant`.
 *
 * @module
 */
import type { Cancellable } from '../core/byte-stream.ts';
import { DEFAULT_LIMITS, type Limits } from '../core/limits.ts';
import { hexToBytes, type ObjectId } from '../core/object-id.ts';
import type { ObjectReader } from '../odb/object-database.ts';
import { CommitTable, FIRST_FREE_FLAG } from './commit-table.ts';
import { DateQueue } from './date-queue.ts';
import { GrowingInt32 } from './growing-int32.ts';
import { ObjectWalk } from './object-walk.ts';
import { Pace } from './pace.ts';
import { peelObject } from './tag.ts';

export interface ReachabilityOptions extends Cancellable {
  /** The repository's own shallow commits. */
  readonly shallow?: ReadonlySet<ObjectId> | undefined;
  readonly limits?: Limits | undefined;
}

const MET = FIRST_FREE_FLAG;
const WANTED = FIRST_FREE_FLAG << 1;

/**
 * The wants that no tip reaches, in the order given. Exact, whatever the dates of commits say: refusing a
 * commit takes a walk over all history, refusing a tree or blob a walk over all objects.
 *
 * @param wants of any kind; what does not exist is unreachable
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
  const sought = new Set(wants);
  for (const tip of tips) sought.delete(tip);
  const commits = new CommitTable(reader, limits);
  const soughtObjects = new Set<ObjectId>();
  const soughtCommits = new Set<ObjectId>();
  for (const id of sought) {
    const kind = reader.readHeader(id)?.kind;
    if (kind === 'commit') soughtCommits.add(id);
    else if (kind === 'tree' || kind === 'blob') soughtObjects.add(id);
    if (pace.isDue()) await pace.rest();
  }
  if (sought.size === 0) return [];

  for (const id of options.shallow ?? []) commits.cut(id);
  for (const id of soughtCommits) flag(commits, commits.addId(id), WANTED);
  const history = new ReachWalk(commits);
  const objects = new ObjectWalk(reader, commits, limits);
  for (const tip of tips) {
    const { tagIds, id, kind } = peelObject(reader, tip);
    for (const tagId of tagIds) sought.delete(tagId);
    sought.delete(id);
    if (kind === 'commit') history.start(commits.addId(id));
    else if (kind === 'tree' && soughtObjects.size > 0) await objects.markBoundary(hexToBytes(id), 0, pace);
    if (pace.isDue()) await pace.rest();
  }

  const mostSought = soughtObjects.size > 0 ? Number.POSITIVE_INFINITY : soughtCommits.size;
  await history.run(mostSought, pace);
  for (const id of soughtCommits) if (history.hasReached(commits.addId(id))) sought.delete(id);
  await searchTrees(commits, history.reached(), objects, soughtObjects, pace);
  for (const id of soughtObjects) if (objects.boundary.find(hexToBytes(id), 0) >= 0) sought.delete(id);
  return wants.filter((id) => sought.has(id));
}

/** Mark what the commits' trees hold, until every sought object was found. */
async function searchTrees(
  commits: CommitTable,
  reached: Int32Array,
  objects: ObjectWalk,
  sought: ReadonlySet<ObjectId>,
  pace: Pace,
): Promise<void> {
  const left = [...sought].map(hexToBytes);
  for (const number of reached) {
    while (left.length > 0 && objects.boundary.find(left.at(-1) as Uint8Array, 0) >= 0) left.pop();
    if (left.length === 0) return;
    await objects.markBoundary(commits.treeIds, number * commits.ids.idBytes, pace);
  }
}

/** All ancestors, newest first; missing ones are passed over. */
class ReachWalk {
  readonly #commits: CommitTable;
  readonly #queue: DateQueue;
  readonly #reached = new GrowingInt32();
  #wantedCount = 0;

  constructor(commits: CommitTable) {
    this.#commits = commits;
    this.#queue = new DateQueue(commits);
  }

  start(number: number): void {
    const flags = this.#commits.flags[number] as number;
    if ((flags & MET) !== 0 || !this.#commits.load(number)) return;
    flag(this.#commits, number, MET);
    if ((flags & WANTED) !== 0) this.#wantedCount++;
    this.#reached.push(number);
    this.#queue.push(number);
  }

  /** Walk until `most` wanted commits were met, or there are no more. */
  async run(most: number, pace: Pace): Promise<void> {
    const commits = this.#commits;
    while (this.#wantedCount < most) {
      const number = this.#queue.pop();
      if (number < 0) return;
      const end = commits.parentEnds[number] as number;
      for (let at = commits.parentStarts[number] as number; at < end; at++) {
        this.start(commits.parents[at] as number);
      }
      if (pace.isDue()) await pace.rest();
    }
  }

  hasReached(number: number): boolean {
    return ((this.#commits.flags[number] as number) & MET) !== 0;
  }

  reached(): Int32Array {
    return this.#reached.values.slice(0, this.#reached.length);
  }
}

function flag(commits: CommitTable, number: number, bit: number): void {
  commits.flags[number] = (commits.flags[number] as number) | bit;
}
