/**
 * What a walk found for a fetch, in tables: the objects that are sent, and the boundary of what the client has.
 *
 * @module
 */
import { hexToBytes, type ObjectFormat, type ObjectId } from '../core/object-id.ts';
import { BLOB, COMMIT, TAG } from '../core/object-kind.ts';
import type { Pace } from '../core/pace.ts';
import type { ObjectReader } from '../odb/object-database.ts';
import type { HeldObjects } from './bitmap-selection/held-objects.ts';
import type { CommitTable } from './commit-table.ts';
import type { CommitWalk } from './commit-walk.ts';
import type { FilterBounds } from './object-filter.ts';
import type { ObjectSelection } from './object-selection.ts';
import type { ObjectTable } from './object-table.ts';
import type { ObjectWalk } from './object-walk.ts';
import type { PreferredBases } from './preferred-bases.ts';
import type { SortedTips } from './sorted-tips.ts';
import { peelObject } from './tag.ts';

/** Edges whose trees give preferred bases: git takes as many as its delta window. */
const MOST_BASE_EDGES = 10;
/** Haves whose trees are marked when a shallow history hides where the two sides meet. */
export const MOST_MARKED_HAVES = 1000;

/** What the client has of itself, beside commits and trees. */
export function addHeld({ tags, blobs }: SortedTips, boundary: ObjectTable): void {
  for (const id of tags) boundary.add(hexToBytes(id), 0, TAG, 0);
  for (const id of blobs) boundary.add(hexToBytes(id), 0, BLOB, 0);
}

/** Mark the trees where the two sides meet. @returns how much of the boundary is good for preferred bases */
export async function markEdges(
  commits: CommitTable,
  historyEdges: Int32Array,
  objects: ObjectWalk,
  haveCommits: readonly ObjectId[],
  pace: Pace,
): Promise<number> {
  const edges = [...historyEdges];
  for (const id of haveCommits.slice(0, MOST_MARKED_HAVES)) edges.push(commits.addId(id));
  let preferredCount = 0;
  for (const [i, number] of edges.entries()) {
    if (commits.load(number)) {
      await objects.markBoundary(commits.treeIds, number * commits.ids.idBytes, pace);
    }
    if (i < MOST_BASE_EDGES) preferredCount = objects.boundary.size;
  }
  return preferredCount;
}

/** The commits that are sent: all of them, or under a filter for other kinds those that are wanted themselves. */
export function addCommits(
  commits: CommitTable,
  included: Int32Array,
  filter: FilterBounds | undefined,
  wanted: ReadonlySet<ObjectId>,
  found: ObjectTable,
): void {
  const { idBytes } = commits.ids;
  const isEvery = filter === undefined || filter.type === 'any' || filter.type === 'commit';
  for (const number of included) {
    if (!isEvery && !wanted.has(commits.idOf(number))) continue;
    found.add(commits.ids.ids, number * idBytes, COMMIT, 0);
  }
}

export function addUnlessIn(boundary: ObjectTable, found: ObjectTable, id: ObjectId, kind: number): void {
  const raw = hexToBytes(id);
  if (boundary.find(raw, 0) < 0) found.add(raw, 0, kind, 0);
}

/** Tags of what is sent, where the client asked for them. */
export async function includeTags(
  reader: ObjectReader,
  tags: readonly { readonly tagId: ObjectId; readonly peeledId: ObjectId }[],
  found: ObjectTable,
  pace: Pace,
): Promise<void> {
  for (const { tagId, peeledId } of tags) {
    if (found.find(hexToBytes(peeledId), 0) < 0) continue;
    for (const id of peelObject(reader, tagId).tagIds) found.add(hexToBytes(id), 0, TAG, 0);
    if (pace.isDue()) await pace.rest();
  }
}

/** What the walk learned the client has: delta bases, and no part of the boundary that walks look up. */
export function addExcludedCommits(commits: CommitTable, history: CommitWalk, boundary: ObjectTable): void {
  const { idBytes } = commits.ids;
  for (let number = 0; number < commits.size; number++) {
    if (history.isExcluded(number)) boundary.add(commits.ids.ids, number * idBytes, COMMIT, 0);
  }
}

export function selectionOf(
  format: ObjectFormat,
  found: ObjectTable,
  boundary: ObjectTable,
  held: HeldObjects | undefined,
  bases: PreferredBases,
): ObjectSelection {
  return {
    format,
    count: found.size,
    ids: found.table.ids,
    kinds: found.kinds,
    nameHashes: found.nameHashes,
    indexOf: (ids, at) => found.find(ids, at),
    receiverHas: (ids, at) => boundary.find(ids, at) >= 0 || held?.has(ids, at) === true,
    keepsStored: held !== undefined,
    ...bases,
  };
}
