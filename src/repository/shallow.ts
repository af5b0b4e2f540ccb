/**
 * Where history ends for a client that asked for a part of it.
 * Spec: gitprotocol-pack(5), "shallow-line" and "depth-request"; git-fetch(1), `--depth`.
 *
 * @module
 */
import type { Cancellable } from '../core/byte-stream.ts';
import { GitError } from '../core/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../core/limits.ts';
import type { ObjectId } from '../core/object-id.ts';
import { Pace } from '../core/pace.ts';
import type { ObjectReader } from '../odb/object-database.ts';
import { CommitTable, FIRST_FREE_FLAG } from './commit-table.ts';
import { CommitWalk, FIRST_FLAG_AFTER_WALK } from './commit-walk.ts';
import { GrowingInt32 } from './growing-int32.ts';
import { peelObject } from './tag.ts';

/** The depth that means all of history: git's INFINITE_DEPTH. */
export const INFINITE_DEPTH = 0x7fffffff;

/** How far to go: a number of commits from each want, or what rev-list would list. */
export type Deepen =
  /** 1 is the wants alone. */
  | { readonly depth: number }
  | {
      /** Committer date in seconds since 1970: older commits, and all they reach, are left out. */
      readonly since?: number | undefined;
      /** What these reach is left out. */
      readonly not?: readonly ObjectId[] | undefined;
    };

export interface DepthOptions extends Cancellable {
  /** `depth` counts from the client's present boundary; without one nothing changes. */
  readonly deepenRelative?: boolean | undefined;
  /** The repository's own shallow commits. */
  readonly repositoryShallow?: ReadonlySet<ObjectId> | undefined;
  readonly limits?: Limits | undefined;
}

export interface DepthResult {
  /** Commits that become shallow at the client; those that are already are left out. */
  readonly shallow: readonly ObjectId[];
  /** Shallow commits of the client whose parents it is to get. */
  readonly unshallow: readonly ObjectId[];
}

/**
 * Compute the new boundary.
 *
 * @param clientShallow the client's shallow commits; those that do not exist here are passed over
 * @throws {GitError} PROTOCOL_VIOLATION when `since` or `not` leave nothing;
 * OBJECT_MISSING with `detail.id`; OBJECT_CORRUPT; ABORTED
 */
export async function computeDepth(
  reader: ObjectReader,
  wants: readonly ObjectId[],
  deepen: Deepen,
  clientShallow: ReadonlySet<ObjectId>,
  options: DepthOptions = {},
): Promise<DepthResult> {
  const pace = new Pace(options.signal);
  if (!('depth' in deepen)) return depthByDate(reader, wants, deepen, clientShallow, options, pace);

  const { depth } = deepen;
  if (depth >= INFINITE_DEPTH && (options.repositoryShallow?.size ?? 0) === 0) {
    return { shallow: [], unshallow: [...clientShallow].filter((id) => reader.has(id)) };
  }
  let reach = depth >= INFINITE_DEPTH ? Number.POSITIVE_INFINITY : depth;
  if (options.deepenRelative === true) {
    const present = await levelOfBoundary(new LevelWalk(reader, wants, clientShallow, options), pace);
    if (present === undefined) return { shallow: [], unshallow: [] };
    reach += present;
  }
  return depthByLevel(new LevelWalk(reader, wants, clientShallow, options), reach, pace);
}

async function depthByLevel(walk: LevelWalk, reach: number, pace: Pace): Promise<DepthResult> {
  const shallow: ObjectId[] = [];
  const unshallow: ObjectId[] = [];
  for (let level = 1; walk.level.length > 0; level++) {
    for (let i = 0; i < walk.level.length; i++) {
      const number = walk.level.values[i] as number;
      const endsHere = level >= reach || walk.commits.isCut(number);
      const wasShallow = walk.isClientShallow(number);
      if (endsHere === wasShallow) continue;
      (endsHere ? shallow : unshallow).push(walk.commits.idOf(number));
    }
    if (level >= reach) break;
    await walk.descend(pace);
  }
  return { shallow, unshallow };
}

/** The level of the nearest shallow commit of the client; `undefined` when the wants reach none. */
async function levelOfBoundary(walk: LevelWalk, pace: Pace): Promise<number | undefined> {
  for (let level = 1; walk.level.length > 0; level++) {
    for (let i = 0; i < walk.level.length; i++) {
      if (walk.isClientShallow(walk.level.values[i] as number)) return level;
    }
    await walk.descend(pace);
  }
  return undefined;
}

const MET = FIRST_FREE_FLAG;
const CLIENT_SHALLOW = FIRST_FREE_FLAG << 1;

/** Commits by their distance from the wants, each at its smallest. */
class LevelWalk {
  readonly commits: CommitTable;
  /** Commits of the present level, all loaded. */
  level = new GrowingInt32();
  #next = new GrowingInt32();

  constructor(
    reader: ObjectReader,
    wants: readonly ObjectId[],
    clientShallow: ReadonlySet<ObjectId>,
    options: DepthOptions,
  ) {
    this.commits = new CommitTable(reader, options.limits ?? DEFAULT_LIMITS);
    for (const id of options.repositoryShallow ?? []) this.commits.cut(id);
    for (const id of clientShallow) {
      const number = this.commits.addId(id);
      this.commits.flags[number] = (this.commits.flags[number] as number) | CLIENT_SHALLOW;
    }
    for (const id of wantedCommits(reader, wants)) this.#meet(this.commits.addId(id));
    this.#turn();
  }

  isClientShallow(number: number): boolean {
    return ((this.commits.flags[number] as number) & CLIENT_SHALLOW) !== 0;
  }

  /** Go on to the parents of the present level that were not met before. */
  async descend(pace: Pace): Promise<void> {
    const { commits, level } = this;
    for (let i = 0; i < level.length; i++) {
      const number = level.values[i] as number;
      const end = commits.parentEnds[number] as number;
      for (let at = commits.parentStarts[number] as number; at < end; at++) {
        this.#meet(commits.parents[at] as number);
      }
      if (pace.isDue()) await pace.rest();
    }
    this.#turn();
  }

  #meet(number: number): void {
    const { commits } = this;
    if (((commits.flags[number] as number) & MET) !== 0) return;
    if (!commits.load(number)) throw missingCommit(commits.idOf(number));
    commits.flags[number] = (commits.flags[number] as number) | MET;
    this.#next.push(number);
  }

  #turn(): void {
    const passed = this.level;
    this.level = this.#next;
    this.#next = passed;
    passed.length = 0;
  }
}

const VISITED = FIRST_FLAG_AFTER_WALK;
const BOUNDARY = FIRST_FLAG_AFTER_WALK << 1;

async function depthByDate(
  reader: ObjectReader,
  wants: readonly ObjectId[],
  { since, not }: { readonly since?: number | undefined; readonly not?: readonly ObjectId[] | undefined },
  clientShallow: ReadonlySet<ObjectId>,
  options: DepthOptions,
  pace: Pace,
): Promise<DepthResult> {
  const commits = new CommitTable(reader, options.limits ?? DEFAULT_LIMITS);
  for (const id of options.repositoryShallow ?? []) commits.cut(id);
  const walk = new CommitWalk(commits, since);
  const starts = wantedCommits(reader, wants).map((id) => commits.addId(id));
  for (const number of starts) walk.include(number);
  for (const id of wantedCommits(reader, not ?? [])) walk.exclude(commits.addId(id));
  await walk.run(pace);
  if (walk.missing !== undefined) throw missingCommit(walk.missing.id);

  if (starts.every((number) => walk.isExcluded(number))) {
    throw new GitError('PROTOCOL_VIOLATION', 'no commits selected for shallow requests');
  }
  await visitUpToBoundary(commits, walk, starts, pace);
  const shallow: ObjectId[] = [];
  const unshallow: ObjectId[] = [];
  for (const number of walk.included()) {
    const flags = commits.flags[number] as number;
    if ((flags & VISITED) === 0) continue;
    const endsHere = (flags & BOUNDARY) !== 0;
    const id = commits.idOf(number);
    if (endsHere !== clientShallow.has(id)) (endsHere ? shallow : unshallow).push(id);
  }
  return { shallow, unshallow };
}

/**
 * Mark what the client gets: included commits, down to those with an excluded parent. git also names as
 * shallow what only another boundary commit leads to; the client never gets that, and a later fetch that
 * takes it for the client's own would leave it with holes.
 */
async function visitUpToBoundary(
  commits: CommitTable,
  walk: CommitWalk,
  starts: readonly number[],
  pace: Pace,
): Promise<void> {
  const pending = new GrowingInt32();
  const visit = (number: number): void => {
    const flags = commits.flags[number] as number;
    if ((flags & VISITED) !== 0 || walk.isExcluded(number)) return;
    commits.flags[number] = flags | VISITED;
    pending.push(number);
  };
  for (const number of starts) visit(number);
  while (pending.length > 0) {
    const number = pending.pop();
    const start = commits.parentStarts[number] as number;
    const end = commits.parentEnds[number] as number;
    let endsHere = commits.isCut(number);
    for (let at = start; at < end; at++) endsHere ||= walk.isExcluded(commits.parents[at] as number);
    if (endsHere) commits.flags[number] = (commits.flags[number] as number) | BOUNDARY;
    for (let at = start; at < end && !endsHere; at++) visit(commits.parents[at] as number);
    if (pace.isDue()) await pace.rest();
  }
}

/** Commits among the objects, tags peeled; others have no history. */
function wantedCommits(reader: ObjectReader, ids: readonly ObjectId[]): ObjectId[] {
  const commits: ObjectId[] = [];
  for (const id of ids) {
    const peeled = peelObject(reader, id);
    if (peeled.kind === undefined) throw missingCommit(peeled.id);
    if (peeled.kind === 'commit') commits.push(peeled.id);
  }
  return commits;
}

function missingCommit(id: ObjectId): GitError {
  return new GitError('OBJECT_MISSING', `Cannot walk history: ${id} is missing`, { id });
}
