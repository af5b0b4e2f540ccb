/**
 * Pushes from shallow clones: at which commits the history of a new tip would have to end here, too.
 * Spec: git's shallow.c, "assign_shallow_commits_to_refs"; git-config(1), "receive.shallowUpdate".
 *
 * @module
 */
import type { Cancellable } from '../../core/byte-stream.ts';
import type { Limits } from '../../core/limits.ts';
import type { ObjectId } from '../../core/object-id.ts';
import { Pace } from '../../core/pace.ts';
import type { ObjectReader } from '../../odb/object-database.ts';
import { CommitTable } from '../commit-table.ts';
import { CommitWalk } from '../commit-walk.ts';
import { unreachableOf } from '../reachability.ts';
import { peelObject } from '../tag.ts';

/** Where a repository keeps the commits whose parents are absent on purpose, for those who change it. */
export interface ShallowRoots {
  /**
   * Add some, all or none.
   *
   * @throws {GitError} STORAGE_FAILED; ABORTED
   */
  add(roots: readonly ObjectId[], options: Cancellable): Promise<void>;
  /** A file with those of the repository and these, for programs that are to see both before they are added. */
  writeTemporary(roots: readonly ObjectId[]): Promise<TemporaryShallowFile>;
}

export interface TemporaryShallowFile extends AsyncDisposable {
  readonly path: string;
}

/** What a search for roots looks at. */
export interface RootSearch extends Cancellable {
  readonly reader: ObjectReader;
  /** What refs hold, as far as it is present. */
  readonly trusted: ReadonlySet<ObjectId>;
  /** Where history ends here already. */
  readonly shallowHere: ReadonlySet<ObjectId>;
  readonly limits: Limits;
}

/**
 * @param tip the new value of a ref
 * @param shallow where the pusher's own history ends
 * @returns those of `shallow` that the tip reaches and no ref does
 * @throws {GitError} OBJECT_CORRUPT; LIMIT_EXCEEDED; ABORTED
 */
export async function neededRoots(
  tip: ObjectId,
  shallow: readonly ObjectId[],
  search: RootSearch,
): Promise<readonly ObjectId[]> {
  const { reader, shallowHere, trusted, limits, signal } = search;
  const candidates = [...new Set(shallow)].filter(
    (id) => !shallowHere.has(id) && reader.readHeader(id)?.kind === 'commit',
  );
  if (candidates.length === 0) return [];
  const met = await rootsMet(tip, candidates, search);
  if (met.length === 0) return [];
  // Where the walk ended, it did not see what lies behind: of a commit that refs reach all is here.
  return unreachableOf(reader, met, [...trusted], { shallow: shallowHere, limits, signal });
}

/** Those of `candidates` that `tip` reaches without passing through what is trusted. */
async function rootsMet(
  tip: ObjectId,
  candidates: readonly ObjectId[],
  { reader, shallowHere, trusted, limits, signal }: RootSearch,
): Promise<ObjectId[]> {
  const pace = new Pace(signal);
  const commits = new CommitTable(reader, limits);
  const walk = new CommitWalk(commits);
  for (const ids of [shallowHere, candidates]) for (const id of ids) commits.cut(id);
  for (const id of trusted) {
    const { id: commit, kind } = peelObject(reader, id);
    if (kind === 'commit') walk.exclude(commits.addId(commit));
    if (pace.isDue()) await pace.rest();
  }
  const { id: commit, kind } = peelObject(reader, tip);
  if (kind === 'commit') walk.include(commits.addId(commit));
  await walk.run(pace); // a commit that is missing is found again, and said, by the check of connectivity
  const included = new Set(walk.included());
  return candidates.filter((id) => included.has(commits.findId(id)));
}
