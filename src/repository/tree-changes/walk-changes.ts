/**
 * What commits brought, put together from what each of their trees has that its first parent's has not. Where that is known from
 * an earlier request, no tree is read at all.
 *
 * Nothing is left out: what the tree of a commit holds was brought by itself, or is in the tree of its first parent; and that
 * is a commit that is sent as well, or one of the edges, of which the receiver has everything.
 *
 * @module
 */
import type { Limits } from '../../core/limits.ts';
import type { Pace } from '../../core/pace.ts';
import type { ObjectReader } from '../../odb/object-database.ts';
import type { CommitTable } from '../commit-table.ts';
import type { ObjectTable } from '../object-table.ts';
import type { ChangedObjects } from './changed-objects.ts';
import { TreeChanges } from './tree-changes.ts';

/** For more commits than this the walk, which reads each tree once and keeps nothing, is as good. */
export const MOST_CHANGED_COMMITS = 4096;

export interface ChangesWalk {
  /** No history in it is cut. */
  readonly commits: CommitTable;
  /** Loaded commits whose objects are wanted; of each its first parent is one of them too, or an edge. */
  readonly included: Int32Array;
  /** Commits the receiver has; those that are missing are passed over. */
  readonly edges: Int32Array;
}

/**
 * Add the trees and blobs of the included commits that the trees of the edges do not hold to `found`, and what these hold to
 * `boundary`: those first that newer edges have and older ones have not.
 *
 * @returns false when not all of it could be read: the tables hold anything then
 * @throws {GitError} OBJECT_CORRUPT, PACK_CORRUPT, LIMIT_EXCEEDED, ABORTED
 */
export async function walkChanges(
  reader: ObjectReader,
  known: ChangedObjects,
  { commits, included, edges }: ChangesWalk,
  { found, boundary }: { readonly found: ObjectTable; readonly boundary: ObjectTable },
  limits: Limits,
  pace: Pace,
): Promise<boolean> {
  const edgesHere = edges.filter((number) => commits.load(number));
  if (
    !included.every(
      (number) => firstParent(commits, number) < 0 || commits.load(firstParent(commits, number)),
    )
  ) {
    return false;
  }
  const lookup = new Lookup(reader, known, commits, limits);
  edgesHere.sort((a, b) => (commits.dates[b] as number) - (commits.dates[a] as number));
  for (const [i, number] of edgesHere.entries()) {
    const older = edgesHere[i + 1] ?? -1;
    if (!lookup.find(older, number)) {
      // Others look things up while this one waits.
      if (!(await lookup.learn(older, number, pace)) || !lookup.find(older, number)) return false;
    }
    addAll(known, boundary);
    if (pace.isDue()) await pace.rest();
  }
  for (const number of included) {
    const parent = firstParent(commits, number);
    if (!lookup.find(parent, number)) {
      if (!(await lookup.learn(parent, number, pace)) || !lookup.find(parent, number)) return false;
    }
    addUnlessIn(boundary, known, found);
    if (pace.isDue()) await pace.rest();
  }
  known.settle();
  return true;
}

/** -1 for a root. */
function firstParent({ parents, parentStarts, parentEnds }: CommitTable, number: number): number {
  const start = parentStarts[number] as number;
  return start === parentEnds[number] ? -1 : (parents[start] as number);
}

/** Differences between the trees of loaded commits; an older one of -1 has none. */
class Lookup {
  readonly #known: ChangedObjects;
  readonly #treeIds: Uint8Array;
  readonly #idBytes: number;
  readonly #changes: TreeChanges;

  constructor(reader: ObjectReader, known: ChangedObjects, { treeIds, ids }: CommitTable, limits: Limits) {
    this.#known = known;
    this.#treeIds = treeIds;
    this.#idBytes = ids.idBytes;
    this.#changes = new TreeChanges(reader, limits);
  }

  /** See {@link ChangedObjects.find}. */
  find(older: number, newer: number): boolean {
    const ids = older < 0 ? undefined : this.#treeIds;
    return this.#known.find(ids, older * this.#idBytes, this.#treeIds, newer * this.#idBytes);
  }

  /** Read the trees, so that {@link find} knows. @returns false when they cannot be read */
  async learn(older: number, newer: number, pace: Pace): Promise<boolean> {
    const changes = this.#changes;
    const ids = older < 0 ? undefined : this.#treeIds;
    const oldAt = older * this.#idBytes;
    const newAt = newer * this.#idBytes;
    changes.begin(ids, oldAt, this.#treeIds, newAt);
    while (changes.step()) if (pace.isDue()) await pace.rest();
    if (changes.isFailed) return false;
    this.#known.add(ids, oldAt, this.#treeIds, newAt, changes.changes);
    return true;
  }
}

function addAll({ ids, kinds, nameHashes, start, end }: ChangedObjects, into: ObjectTable): void {
  const { idBytes } = into.table;
  for (let n = start; n < end; n++) into.add(ids, n * idBytes, kinds[n] as number, nameHashes[n] as number);
}

function addUnlessIn(
  boundary: ObjectTable,
  { ids, kinds, nameHashes, start, end }: ChangedObjects,
  into: ObjectTable,
): void {
  const { idBytes } = into.table;
  for (let n = start; n < end; n++) {
    if (boundary.find(ids, n * idBytes) >= 0) continue;
    into.add(ids, n * idBytes, kinds[n] as number, nameHashes[n] as number);
  }
}
