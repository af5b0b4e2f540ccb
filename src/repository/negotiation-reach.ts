/**
 * When a fetch has found enough in common: every wanted commit reaches a common one.
 * Spec: gitprotocol-pack(5), "ready"; the rule is upload-pack's own.
 *
 * @module
 */
import type { Cancellable } from '../core/byte-stream.ts';
import { DEFAULT_LIMITS, type Limits } from '../core/limits.ts';
import type { ObjectId } from '../core/object-id.ts';
import { Pace } from '../core/pace.ts';
import type { ObjectReader } from '../odb/object-database.ts';
import { CommitTable, FIRST_FREE_FLAG } from './commit-table.ts';
import { GrowingInt32 } from './growing-int32.ts';
import type { IdTable } from './id-table.ts';
import { peelObject } from './tag.ts';

export interface ReachOptions extends Cancellable {
  /** Commits whose parents are not to be followed. */
  readonly shallow?: ReadonlySet<ObjectId> | undefined;
  readonly limits?: Limits | undefined;
}

/** Reaches a common commit. */
const REACHES = FIRST_FREE_FLAG;
/** Commits looked at before it pays to ask the commit-graph where common ones lie. */
const LONG_SEARCH = 256;
/** Was looked at; once its search is over and it is not REACHES, it reaches none. */
const SEARCHED = FIRST_FREE_FLAG << 1;

/**
 * Whether every wanted commit is a common one, or reaches one through commits that are no older than the
 * oldest common one (a wanted one may be older). The bound in time keeps the search short; with skewed clocks the
 * answer may be "not yet". Tags are peeled; what peels to no commit need not reach anything.
 *
 * @param common the commits the client has, and their parents
 * @param oldestDate earliest committer date among the commits the client has named, in seconds since 1970
 * @throws {GitError} OBJECT_CORRUPT; LIMIT_EXCEEDED; ABORTED
 */
export async function allWantsReach(
  reader: ObjectReader,
  wants: readonly ObjectId[],
  common: IdTable,
  oldestDate: number,
  options: ReachOptions = {},
): Promise<boolean> {
  const commits = new CommitTable(reader, options.limits ?? DEFAULT_LIMITS, 'assumed');
  for (const id of options.shallow ?? []) commits.cut(id);
  const search = new ReachSearch(commits, common, oldestDate);
  const pace = new Pace(options.signal);
  for (const want of wantedCommits(reader, commits, wants)) {
    if (!(await search.reaches(want, pace))) return false;
  }
  return true;
}

/** Numbers of the wanted commits, the oldest first as git takes them: an older one that reaches helps a younger. */
function wantedCommits(reader: ObjectReader, commits: CommitTable, wants: readonly ObjectId[]): number[] {
  const numbers: number[] = [];
  for (const id of wants) {
    const peeled = peelObject(reader, id);
    if (peeled.kind !== 'commit') continue;
    const number = commits.addId(peeled.id);
    commits.load(number);
    numbers.push(number);
  }
  return numbers.sort((a, b) => (commits.dates[a] as number) - (commits.dates[b] as number));
}

class ReachSearch {
  readonly #commits: CommitTable;
  readonly #common: IdTable;
  readonly #oldestDate: number;
  #enteredCount = 0;
  /** No commit of a smaller generation reaches a common one. */
  #leastGeneration = Number.NEGATIVE_INFINITY;
  /** Commits being looked at, each followed by the place of its next parent. */
  readonly #path = new GrowingInt32();

  constructor(commits: CommitTable, common: IdTable, oldestDate: number) {
    this.#commits = commits;
    this.#common = common;
    this.#oldestDate = oldestDate;
  }

  /** Depth first, each commit once for all wants together. */
  async reaches(want: number, pace: Pace): Promise<boolean> {
    const commits = this.#commits;
    if (this.#isGoal(want)) return true;
    const path = this.#path;
    path.length = 0;
    if (!this.#enter(want)) return false;
    while (path.length > 0) {
      const number = path.values[path.length - 2] as number;
      const at = path.values[path.length - 1] as number;
      if (at === commits.parentEnds[number]) {
        path.length -= 2;
        continue;
      }
      path.values[path.length - 1] = at + 1;
      const parent = commits.parents[at] as number;
      if (this.#isGoal(parent)) {
        for (let i = 0; i < path.length; i += 2) this.#flag(path.values[i] as number, REACHES);
        return true;
      }
      if (this.#mayReach(parent)) this.#enter(parent);
      if (pace.isDue()) await pace.rest();
    }
    return false;
  }

  #isGoal(number: number): boolean {
    const commits = this.#commits;
    if (((commits.flags[number] as number) & REACHES) !== 0) return true;
    return this.#common.find(commits.ids.ids, number * commits.ids.idBytes) >= 0;
  }

  #mayReach(number: number): boolean {
    const commits = this.#commits;
    if (!commits.load(number) || (commits.dates[number] as number) < this.#oldestDate) return false;
    return commits.generationOf(number) >= this.#leastGeneration;
  }

  /** @returns false when it was searched before, in vain, or is missing */
  #enter(number: number): boolean {
    const commits = this.#commits;
    if (((commits.flags[number] as number) & SEARCHED) !== 0 || !commits.load(number)) return false;
    this.#flag(number, SEARCHED);
    if (++this.#enteredCount === LONG_SEARCH) this.#leastGeneration = commits.leastGenerationOf(this.#common);
    this.#path.push(number);
    this.#path.push(commits.parentStarts[number] as number);
    return true;
  }

  #flag(number: number, bit: number): void {
    this.#commits.flags[number] = (this.#commits.flags[number] as number) | bit;
  }
}
