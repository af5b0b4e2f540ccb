/**
 * Which objects a fetch is to send: what the wants reach and the haves do not.
 * Spec: git-rev-list(1), `--objects`; git-pack-objects(1), `--thin`, `--shallow`, `--include-tag`.
 *
 * @module
 */
import type { Cancellable, ProgressListener } from '../core/byte-stream.ts';
import { GitError } from '../core/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../core/limits.ts';
import { bytesToHex, hexToBytes, type ObjectId } from '../core/object-id.ts';
import { BLOB, TAG } from '../core/object-kind.ts';
import { Pace } from '../core/pace.ts';
import type { ObjectReader } from '../odb/object-database.ts';
import { HeldObjects } from './bitmap-selection/held-objects.ts';
import { type KnownReach, reachOfBitmaps, reachOfPacks } from './bitmap-selection/known-reach.ts';
import { canAnswerFilter, selectByReach } from './bitmap-selection/select-by-reach.ts';
import { CommitFields } from './commit.ts';
import { CommitTable } from './commit-table.ts';
import { CommitWalk, type MissingObject } from './commit-walk.ts';
import { type FilterBounds, filterBounds, type ObjectFilter } from './object-filter.ts';
import type { ObjectSelection } from './object-selection.ts';
import { ObjectTable } from './object-table.ts';
import { ObjectWalk } from './object-walk.ts';
import { preferredBasesOf } from './preferred-bases.ts';
import { type SortedTips, sortTips } from './sorted-tips.ts';
import { readSparsePatterns } from './sparse-patterns.ts';
import { SparseWalk } from './sparse-walk.ts';
import type { ChangedObjects } from './tree-changes/changed-objects.ts';
import { MOST_CHANGED_COMMITS, walkChanges } from './tree-changes/walk-changes.ts';
import type { WalkPermit } from './walk-gate.ts';
import {
  addCommits,
  addExcludedCommits,
  addHeld,
  addUnlessIn,
  includeTags,
  MOST_MARKED_HAVES,
  markEdges,
  selectionOf,
} from './walked-objects.ts';

export interface SelectionRequest {
  /** Objects of any kind; tags are included and peeled. All must exist. */
  readonly wants: readonly ObjectId[];
  /** What the client has: the objects, and all they reach. Those that do not exist here are passed over. */
  readonly haves: readonly ObjectId[];
  /** Commits whose parents are not sent: the boundary of this answer, and the repository's own shallow commits. */
  readonly shallow?: ReadonlySet<ObjectId> | undefined;
  /** Commits whose parents the client lacks: that it has one does not imply that it has more. */
  readonly clientShallow?: ReadonlySet<ObjectId> | undefined;
  /** Commits the client had as shallow, whose parents are sent now. */
  readonly unshallow?: readonly ObjectId[] | undefined;
  readonly filter?: ObjectFilter | undefined;
  /** Annotated tags to send if what they peel to is sent. */
  readonly includeTags?: readonly { readonly tagId: ObjectId; readonly peeledId: ObjectId }[] | undefined;
  /** Collect bases for deltas among what the client has. */
  readonly thin: boolean;
  /** Leave out blobs that are missing here: the client gets them elsewhere. */
  readonly allowMissingBlobs?: boolean | undefined;
}

export interface SelectionOptions extends Cancellable {
  readonly limits?: Limits | undefined;
  readonly onProgress?: ProgressListener | undefined;
  /** Answer from bitmaps, where there are any. Default: true. */
  readonly useKnownReach?: boolean | undefined;
  /** What is known of this database's trees; without it they are all walked. */
  readonly changedObjects?: ChangedObjects | undefined;
  /** Objects to be walked by a clone before what they are is remembered. */
  readonly leastLearned?: number | undefined;
  /** Commits a fetch may meet before what is known of closures is asked for. */
  readonly mostWalkedCommits?: number | undefined;
  /** Asked for leave when many objects are found; the caller disposes it once the selection is dropped. */
  readonly permit?: WalkPermit | undefined;
}

/** Some ten milliseconds of reading commits: less than it may take to put sets of a large repository together. */
const MOST_WALKED_COMMITS = 5000;
/** Walking as many objects takes some ten milliseconds. */
const LEAST_LEARNED = 2000;

/**
 * Select what to send.
 *
 * Nothing the client lacks is left out. When clocks are skewed, or a file the client has comes back at
 * another time, something it has may be selected, as git does.
 *
 * @throws {GitError} OBJECT_MISSING with `detail.id`, when a want or what it reaches is missing;
 * OBJECT_CORRUPT; UNSUPPORTED for a sparse filter; LIMIT_EXCEEDED; ABORTED
 */
export async function selectObjects(
  reader: ObjectReader,
  request: SelectionRequest,
  options: SelectionOptions = {},
): Promise<ObjectSelection> {
  const limits = options.limits ?? DEFAULT_LIMITS;
  const filter = boundsOf(reader, request.filter);
  const commits = new CommitTable(reader, limits);
  const history = new CommitWalk(commits);
  const objects = new ObjectWalk(reader, commits, limits, {
    filter,
    blobsMayBeMissing: request.allowMissingBlobs,
  });
  let { found, boundary } = objects;
  const report = (done: number, finished: boolean): void =>
    options.onProgress?.({ title: 'Enumerating objects', done, finished });
  const pace = new Pace(options.signal, () => {
    report(Math.max(found.size, history.visitedCount), false);
    return options.permit?.admit(history.visitedCount + found.size + boundary.size, options.signal);
  });

  for (const cuts of [request.shallow, request.clientShallow, request.unshallow]) {
    for (const id of cuts ?? []) commits.cut(id);
  }
  const wants = await sortWants(reader, request, pace);
  const haves = await sortTips(
    reader,
    [...(request.unshallow ?? []), ...request.haves],
    () => undefined,
    pace,
  );
  const isCut = commits.cutCount > 0;

  // A set of all that is reached is worth its while when much is sent: for a clone, or once a walk has become long.
  const findKnown = (): KnownReach | undefined =>
    isCut ||
    wants.commits.length === 0 ||
    !canAnswerFilter(filter) ||
    request.allowMissingBlobs === true ||
    options.useKnownReach === false
      ? undefined
      : knownReach(reader, haves);
  let known = haves.commits.length === 0 ? findKnown() : undefined;
  if (known === undefined) {
    for (const id of wants.commits) history.include(commits.addId(id));
    await excludeHaves(haves, commits, history, objects, pace);
    const { mostWalkedCommits = MOST_WALKED_COMMITS } = options;
    if (!(await history.run(pace, Number.POSITIVE_INFINITY, mostWalkedCommits))) {
      known = findKnown();
      if (known === undefined) await history.run(pace);
    }
    throwIfMissing(history.missing);
  }
  if (known !== undefined) {
    const { includeTags = [] } = request;
    const { leastLearned = LEAST_LEARNED } = options;
    const answer = await selectByReach(
      reader,
      known,
      commits,
      { wants, haves, filter, includeTags, leastLearned },
      limits,
      pace,
    );
    if (answer !== undefined) {
      if ('missing' in answer) throw missingError(answer.missing);
      const count = countOf(answer.selection);
      report(count, true);
      options.onProgress?.({ title: 'Counting objects', done: count, total: count, finished: true });
      return answer.selection;
    }
    return selectObjects(reader, request, { ...options, useKnownReach: false });
  }

  const included = history.included();
  const includedInChains = history.includedInChains();
  const edges = history.edges();
  const addTips = (): void => {
    addCommits(commits, included, filter, new Set(wants.commits), found);
    for (const id of wants.tags) addUnlessIn(boundary, found, id, TAG);
    for (const id of wants.blobs) addUnlessIn(boundary, found, id, BLOB);
  };
  const { changedObjects } = options;
  let isFound = false;
  let preferredCount = 0;
  if (
    changedObjects !== undefined &&
    request.allowMissingBlobs !== true &&
    !isCut &&
    filter === undefined &&
    haves.commits.length > 0 &&
    wants.trees.length + haves.trees.length === 0 &&
    included.length <= MOST_CHANGED_COMMITS
  ) {
    found = new ObjectTable(reader.format, limits.maxPackObjects);
    boundary = new ObjectTable(reader.format, limits.maxPackObjects);
    addHeld(haves, boundary);
    addTips();
    const walk = { commits, included: includedInChains, edges };
    isFound = await walkChanges(reader, changedObjects, walk, { found, boundary }, limits, pace);
    preferredCount = boundary.size;
  }
  if (!isFound) {
    ({ found, boundary } = objects);
    // Where history is cut, no included commit need be next to an excluded one: the haves themselves are
    // marked then, as pack-objects --shallow does.
    preferredCount = await markEdges(commits, edges, objects, isCut ? haves.commits : [], pace);
    addTips();
    const trees =
      filter?.sparse === undefined ? objects : new SparseWalk(reader, commits, objects, filter, limits);
    for (const id of wants.trees) await trees.walkWanted(id, pace);
    await trees.walkRoots(includedInChains, pace);
    throwIfMissing(trees.missing);
  }

  await includeTags(reader, request.includeTags ?? [], found, pace);
  const bases = preferredBasesOf(found, boundary, request.thin ? preferredCount : 0);
  addExcludedCommits(commits, history, boundary);
  report(found.size, true);
  options.onProgress?.({ title: 'Counting objects', done: found.size, total: found.size, finished: true });
  const held = isCut || options.useKnownReach === false ? undefined : heldObjects(reader, commits, haves);
  return selectionOf(reader.format, found, boundary, held, bases);
}

function boundsOf(reader: ObjectReader, filter: ObjectFilter | undefined): FilterBounds | undefined {
  return filter && filterBounds(filter, (id) => readSparsePatterns(reader, id));
}

/** The wants by kind, tags peeled, and the parents of commits that are shallow no more. */
async function sortWants(reader: ObjectReader, request: SelectionRequest, pace: Pace): Promise<SortedTips> {
  const sorted = await sortTips(
    reader,
    request.wants,
    (id, { id: missing, expectedKind, tagIds }) => {
      throw missingError({ id: missing, kind: expectedKind, referredBy: tagIds.at(-1) ?? id });
    },
    pace,
  );
  const commits = new Set(sorted.commits);
  const fields = new CommitFields(reader.format);
  const { idBytes } = reader.format;
  for (const id of request.unshallow ?? []) {
    const raw = request.shallow?.has(id) ? undefined : reader.read(id);
    if (raw?.kind !== 'commit') continue;
    fields.read(raw.data);
    for (let i = 0; i < fields.parentCount; i++) {
      commits.add(bytesToHex(fields.parentIds, i * idBytes, idBytes));
    }
  }
  return { ...sorted, commits: [...commits] };
}

/** Exclude what the client has. */
async function excludeHaves(
  haves: SortedTips,
  commits: CommitTable,
  history: CommitWalk,
  objects: ObjectWalk,
  pace: Pace,
): Promise<void> {
  addHeld(haves, objects.boundary);
  for (const id of haves.commits) history.exclude(commits.addId(id));
  for (const id of haves.trees) await objects.markBoundary(hexToBytes(id), 0, pace);
}

/**
 * What is known of the repository without walking; `undefined` when it is of no use. What was learned of packs is for
 * clones only: few haves are such that it tells what they reach.
 */
function knownReach(reader: ObjectReader, haves: SortedTips): KnownReach | undefined {
  const { bitmaps, packs } = reader;
  const known = bitmaps === undefined ? undefined : reachOfBitmaps(reader, bitmaps);
  return known ?? (packs.length === 0 || haves.commits.length > 0 ? undefined : reachOfPacks(reader));
}

/** What bitmaps tell of what the haves reach, beyond the boundary; `undefined` when there are none. */
function heldObjects(reader: ObjectReader, commits: CommitTable, haves: SortedTips): HeldObjects | undefined {
  if (haves.commits.length === 0 || reader.bitmaps === undefined) return undefined;
  const known = reachOfBitmaps(reader, reader.bitmaps);
  if (known === undefined) return undefined;
  const tips = haves.commits.slice(0, MOST_MARKED_HAVES).map((id) => commits.addId(id));
  return new HeldObjects(known, commits, tips, reader.format);
}

function countOf({ count, stored = [] }: ObjectSelection): number {
  return stored.reduce((sum, part) => sum + part.count, count);
}

function throwIfMissing(missing: MissingObject | undefined): void {
  if (missing !== undefined) throw missingError(missing);
}

function missingError(missing: MissingObject): GitError {
  const { id, kind, referredBy } = missing;
  return new GitError('OBJECT_MISSING', `Cannot send history: bad ${kind} object ${id}`, {
    id,
    kind,
    referredBy,
  });
}
