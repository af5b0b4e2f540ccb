/**
 * Selecting by what is known of what commits reach: the wants' closure without the haves', as sets of bits.
 *
 * @module
 */
import type { Limits } from '../../core/limits.ts';
import { hexToBytes, type ObjectId } from '../../core/object-id.ts';
import { BLOB, COMMIT, TAG, TREE } from '../../core/object-kind.ts';
import type { Pace } from '../../core/pace.ts';
import type { ObjectReader } from '../../odb/object-database.ts';
import type { Bitset } from '../../pack/bitset.ts';
import type { CommitTable } from '../commit-table.ts';
import type { MissingObject } from '../commit-walk.ts';
import { GrowingInt32 } from '../growing-int32.ts';
import { IdTable } from '../id-table.ts';
import type { FilterBounds } from '../object-filter.ts';
import type { ObjectSelection } from '../object-selection.ts';
import { ObjectTable } from '../object-table.ts';
import { ObjectWalk } from '../object-walk.ts';
import type { SortedTips } from '../sorted-tips.ts';
import { peelObject } from '../tag.ts';
import type { KnownReach } from './known-reach.ts';
import { ReachedObjects } from './reached-objects.ts';
import { WalkedPositions } from './walked-positions.ts';

const OBJECTS_BETWEEN_CLOCKS = 256;
/** Commits on a line of first parents that may yet be taken back. */
const SETTLED_AFTER = 500;
/** Wanted commits whose lines of first parents are compared. */
const MOST_LINES = 8;

export interface ReachRequest {
  readonly wants: SortedTips;
  readonly haves: SortedTips;
  readonly filter: FilterBounds | undefined;
  /** Walking as many objects makes it worth while to remember what was found. */
  readonly leastLearned: number;
  readonly includeTags: readonly { readonly tagId: ObjectId; readonly peeledId: ObjectId }[];
}

/** Whether sets of whole closures can answer a filter: one for trees of some depth, or for paths, needs a walk. */
export function canAnswerFilter(filter: FilterBounds | undefined): boolean {
  if (filter === undefined) return true;
  return (
    filter.sparse === undefined && (filter.treeDepth === 0 || filter.treeDepth === Number.POSITIVE_INFINITY)
  );
}

/**
 * Select without listing what is known, or lies in packs.
 *
 * @param commits of a walk that has no cuts; its own flags are left alone
 * @returns the selection; what is missing; or `undefined` when what is known turns out not to fit the packs
 * @throws {GitError} OBJECT_CORRUPT; LIMIT_EXCEEDED; ABORTED
 */
export async function selectByReach(
  reader: ObjectReader,
  known: KnownReach,
  commits: CommitTable,
  request: ReachRequest,
  limits: Limits,
  pace: Pace,
): Promise<{ readonly selection: ObjectSelection } | { readonly missing: MissingObject } | undefined> {
  const reached = new ReachedObjects(
    known,
    commits,
    (covers) => new ObjectWalk(reader, commits, limits, { covers }),
  );
  const { held, wanted, objects } = reached;
  const { found, boundary } = objects;
  const { haves, wants } = request;
  const walked = new WalkedPositions(known, found);
  const tips = wants.commits.map((id) => commits.addId(id));
  if (haves.commits.length + haves.trees.length === 0) {
    await addAndLearn(reader, known, commits, reached, walked, tips, request.leastLearned, pace);
  } else {
    await addHaves(commits, reached, haves, pace);
    await reached.addWants(tips, pace);
  }
  await addOthers(known, reached, haves, wants, pace);
  if (reached.missing !== undefined) return { missing: reached.missing };

  await walked.update(pace);
  wanted.andNot(held);
  await applyFilter(reader, known, request, wanted, pace);
  // Much that is outside packs may find bases for deltas among what is in them, if all is listed.
  const isListed = request.filter === undefined && !reached.usesKnown && walked.hasManyOutside;
  const list = isListed ? found : new ObjectTable(reader.format, limits.maxPackObjects);
  if (!isListed) await takeWalked(reader, request, reached, walked, list, pace);
  await addTags(reader, known, request, wanted, list, pace);

  const stored = known.partsOf(wanted);
  if (stored === undefined) return undefined;
  const selection: ObjectSelection = {
    format: reader.format,
    count: list.size,
    stored,
    ids: list.table.ids,
    kinds: list.kinds,
    nameHashes: list.nameHashes,
    indexOf: (ids, at) => list.find(ids, at),
    receiverHas(ids, at) {
      const position = known.positionOf(ids, at);
      return (position >= 0 && held.has(position)) || boundary.find(ids, at) >= 0;
    },
    preferredBases: new Uint8Array(0),
    preferredBaseKinds: new Uint8Array(0),
    preferredBaseNameHashes: new Uint32Array(0),
  };
  return { selection };
}

/** Add what the wants reach, nothing being held, and remember it if finding out took a long walk. */
async function addAndLearn(
  reader: ObjectReader,
  known: KnownReach,
  commits: CommitTable,
  reached: ReachedObjects,
  walked: WalkedPositions,
  tips: readonly number[],
  leastLearned: number,
  pace: Pace,
): Promise<void> {
  const { objects } = reached;
  const { learned } = known;
  const union = await learned.reachedFrom(commits, tips, (ids, at) => known.positionOf(ids, at), pace);
  if (union !== undefined) reached.addSet(union);
  const before = objects.found.size;
  // What old commits reach together outlives a branch that is rewound or removed.
  const settled =
    union === undefined && known.noteKind !== undefined ? await settledCommit(commits, tips, pace) : -1;
  if (settled >= 0) {
    await reached.addWants([settled], pace);
    await learn(reader, known, commits, reached, walked, [settled], true, leastLearned + before, pace);
  }
  await reached.addWants(tips, pace);
  await learn(reader, known, commits, reached, walked, tips, false, leastLearned + before, pace);
}

async function learn(
  { format }: ObjectReader,
  known: KnownReach,
  commits: CommitTable,
  { wanted, objects, missing }: ReachedObjects,
  walked: WalkedPositions,
  tips: readonly number[],
  isSettled: boolean,
  leastWalked: number,
  pace: Pace,
): Promise<void> {
  if (missing !== undefined || objects.found.size < leastWalked) return;
  await walked.update(pace);
  const table = new IdTable(format, tips.length + 1);
  for (const tip of tips) table.add(commits.ids.ids, tip * format.idBytes);
  known.learned.add(walked.toSet(table, isSettled, wanted.clone()));
}

/**
 * A commit far enough back on the longest line of first parents that it is unlikely to be taken back; -1 when there is
 * none. Loads commits that the walk needs anyway.
 */
async function settledCommit(commits: CommitTable, tips: readonly number[], pace: Pace): Promise<number> {
  let settled = -1;
  let longest = 0;
  for (const tip of tips.slice(0, MOST_LINES)) {
    const line = new GrowingInt32();
    for (let number = tip; number >= 0 && commits.load(number); ) {
      if (pace.isDue()) await pace.rest();
      line.push(number);
      const start = commits.parentStarts[number] as number;
      number = start === commits.parentEnds[number] ? -1 : (commits.parents[start] as number);
    }
    if (line.length <= Math.max(longest, 2 * SETTLED_AFTER)) continue;
    longest = line.length;
    settled = line.values[SETTLED_AFTER] as number;
  }
  return settled;
}

async function addHaves(
  commits: CommitTable,
  reached: ReachedObjects,
  haves: SortedTips,
  pace: Pace,
): Promise<void> {
  await reached.addHaves(
    haves.commits.map((id) => commits.addId(id)),
    pace,
  );
  for (const id of haves.trees) await reached.objects.markBoundary(hexToBytes(id), 0, pace);
  await reached.takeHeld(pace);
}

/** What is wanted, and held, by name and is no commit. */
async function addOthers(
  known: KnownReach,
  { wanted, held, objects }: ReachedObjects,
  haves: SortedTips,
  wants: SortedTips,
  pace: Pace,
): Promise<void> {
  const { found, boundary } = objects;
  for (const [ids, kind, set, table] of [
    [haves.tags, TAG, held, boundary],
    [haves.blobs, BLOB, held, boundary],
    [wants.tags, TAG, wanted, found],
    [wants.blobs, BLOB, wanted, found],
  ] as const) {
    for (const id of ids) {
      const raw = hexToBytes(id);
      const position = known.positionOf(raw, 0);
      if (position >= 0) set.add(position);
      else if (boundary.find(raw, 0) < 0) table.add(raw, 0, kind, 0);
    }
  }
  for (const id of wants.trees) await objects.walkWanted(id, pace);
}

/** Take out of `wanted` what the filter keeps back; never what was asked for by name. */
async function applyFilter(
  reader: ObjectReader,
  known: KnownReach,
  { filter, wants }: ReachRequest,
  wanted: Bitset,
  pace: Pace,
): Promise<void> {
  if (filter === undefined) return;
  const named: number[] = [];
  for (const ids of [wants.commits, wants.tags, wants.trees, wants.blobs]) {
    for (const id of ids) {
      const position = known.positionOf(hexToBytes(id), 0);
      if (position >= 0 && wanted.has(position)) named.push(position);
    }
  }
  for (const kind of [COMMIT, TREE, BLOB]) if (!mayPass(filter, kind)) wanted.andNot(known.ofKind(kind));
  if (mayPass(filter, BLOB) && filter.blobLimitBytes < Number.POSITIVE_INFINITY) {
    await dropLargeBlobs(reader, known, wanted, filter.blobLimitBytes, pace);
  }
  for (const position of named) wanted.add(position);
}

async function dropLargeBlobs(
  reader: ObjectReader,
  known: KnownReach,
  wanted: Bitset,
  limitBytes: number,
  pace: Pace,
): Promise<void> {
  const blobs = wanted.clone();
  blobs.and(known.ofKind(BLOB));
  const id = new Uint8Array(reader.format.idBytes);
  for (let position = blobs.next(0); position >= 0; position = blobs.next(position + 1)) {
    if (pace.isDue()) await pace.rest();
    known.copyId(position, id, 0);
    if (isLarge(reader, id, 0, limitBytes)) wanted.delete(position);
  }
}

function isLarge(reader: ObjectReader, ids: Uint8Array, at: number, limitBytes: number): boolean {
  const header = reader.readHeaderRaw(ids, at);
  return header !== undefined && header.sizeBytes >= limitBytes;
}

/** Whether any object of this kind passes. */
function mayPass(filter: FilterBounds, kind: number): boolean {
  const { type, treeDepth, blobLimitBytes } = filter;
  if (kind === COMMIT) return type === 'any' || type === 'commit';
  if (treeDepth === 0) return false;
  if (kind === TREE) return type === 'any' || type === 'tree';
  return (type === 'any' || type === 'blob') && blobLimitBytes > 0;
}

/** Bring what was walked into the set, or into the list if it has no position. */
async function takeWalked(
  reader: ObjectReader,
  { filter, wants }: ReachRequest,
  { held, wanted, objects }: ReachedObjects,
  walked: WalkedPositions,
  list: ObjectTable,
  pace: Pace,
): Promise<void> {
  const { table, kinds, nameHashes } = objects.found;
  const { ids, idBytes } = table;
  const named = filter === undefined ? undefined : tableOf(reader, wants);
  for (let number = 0; number < table.size; number++) {
    if (number % OBJECTS_BETWEEN_CLOCKS === 0 && pace.isDue()) await pace.rest();
    const at = number * idBytes;
    const kind = kinds[number] as number;
    if (filter !== undefined && (named?.find(ids, at) ?? -1) < 0) {
      if (!mayPass(filter, kind)) continue;
      const { blobLimitBytes } = filter;
      if (kind === BLOB && blobLimitBytes < Number.POSITIVE_INFINITY) {
        if (isLarge(reader, ids, at, blobLimitBytes)) continue;
      }
    }
    const position = walked.at(number);
    if (position < 0) list.add(ids, at, kind, nameHashes[number] as number);
    else if (!held.has(position)) wanted.add(position);
  }
}

function tableOf({ format }: ObjectReader, { commits, tags, trees, blobs }: SortedTips): IdTable {
  const ids = [...commits, ...tags, ...trees, ...blobs];
  const table = new IdTable(format, ids.length + 1);
  for (const id of ids) table.add(hexToBytes(id), 0);
  return table;
}

async function addTags(
  reader: ObjectReader,
  known: KnownReach,
  { includeTags }: ReachRequest,
  wanted: Bitset,
  list: ObjectTable,
  pace: Pace,
): Promise<void> {
  const isSelected = (id: ObjectId): boolean => {
    const raw = hexToBytes(id);
    const position = known.positionOf(raw, 0);
    return (position >= 0 && wanted.has(position)) || list.find(raw, 0) >= 0;
  };
  for (const { tagId, peeledId } of includeTags) {
    if (pace.isDue()) await pace.rest();
    // A tag that is selected was asked for, and peeled then.
    if (isSelected(tagId) || !isSelected(peeledId)) continue;
    for (const id of peelObject(reader, tagId).tagIds) {
      const raw = hexToBytes(id);
      const position = known.positionOf(raw, 0);
      if (position >= 0) wanted.add(position);
      else list.add(raw, 0, TAG, 0);
    }
  }
}
