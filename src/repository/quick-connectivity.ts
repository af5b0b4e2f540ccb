/**
 * The connectivity of an ordinary push: a few commits on top of refs, each changing a few files.
 *
 * {@link checkConnectivity} asks of every object whether any ref reaches it, which takes all refs and the whole
 * trees of the commits that were there. Here new trees are compared with their parents' instead, and one read for
 * each changed directory is enough. What is not as simple as that is left to the walk.
 *
 * @module
 */
import type { Limits } from '../core/limits.ts';
import { bytesToHex, hexToBytes, type ObjectId } from '../core/object-id.ts';
import { COMMIT } from '../core/object-kind.ts';
import type { ObjectReader } from '../odb/object-database.ts';
import { CommitFields } from './commit.ts';
import { emptyView } from './commit-table.ts';
import { peelObject } from './tag.ts';
import { type ReadBudget, TreeDifference } from './tree-difference.ts';

/** Objects looked at before the walk takes over: some milliseconds. */
const MOST_READS = 200;

interface Commit {
  readonly tree: ObjectId;
  readonly parents: readonly ObjectId[];
}

/**
 * Whether all that `newTips` reach is there, as far as that is quickly found.
 *
 * @param trusted commits that refs point at: complete
 * @returns false when {@link checkConnectivity} has to say: something is missing, or this is no simple push
 * @throws {GitError} OBJECT_CORRUPT, PACK_CORRUPT, LIMIT_EXCEEDED: the walk would meet the same
 */
export function isQuicklyConnected(
  reader: ObjectReader,
  newTips: readonly ObjectId[],
  trusted: ReadonlySet<ObjectId>,
  limits: Limits,
): boolean {
  const budget: ReadBudget = { reads: MOST_READS };
  const commits = new CommitReader(reader, budget);
  const found = new Map<ObjectId, Commit>();
  const pending: ObjectId[] = [];
  for (const tip of newTips) {
    if (trusted.has(tip)) continue;
    budget.reads--;
    const { id, kind } = peelObject(reader, tip);
    if (kind !== 'commit') return false;
    pending.push(id);
  }
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    if (trusted.has(id) || found.has(id)) continue;
    const commit = commits.read(id);
    if (commit === undefined) return false;
    found.set(id, commit);
    for (const parent of commit.parents) pending.push(parent);
  }
  const trees = new TreeDifference(reader, budget, limits);
  for (const { tree, parents } of found.values()) {
    const complete: ObjectId[] = [];
    for (const id of parents) {
      const parent = found.get(id) ?? commits.read(id);
      if (parent === undefined) return false;
      complete.push(parent.tree); // also when it is new: then it is looked at in its turn
    }
    if (!trees.isComplete(tree, complete)) return false;
  }
  return true;
}

class CommitReader {
  readonly #reader: ObjectReader;
  readonly #budget: ReadBudget;
  readonly #fields: CommitFields;
  readonly #view = emptyView();

  constructor(reader: ObjectReader, budget: ReadBudget) {
    this.#reader = reader;
    this.#budget = budget;
    this.#fields = new CommitFields(reader.format);
  }

  /** @returns `undefined` when it is missing, is no commit, or the budget is used up */
  read(id: ObjectId): Commit | undefined {
    const view = this.#view;
    if (--this.#budget.reads < 0 || !this.#reader.viewRaw(hexToBytes(id), 0, view) || view.kind !== COMMIT) {
      return undefined;
    }
    const fields = this.#fields;
    fields.read(view.bytes, view.start, view.end);
    const { idBytes } = this.#reader.format;
    const parents: ObjectId[] = [];
    for (let i = 0; i < fields.parentCount; i++)
      parents.push(bytesToHex(fields.parentIds, i * idBytes, idBytes));
    return { tree: bytesToHex(fields.treeId), parents };
  }
}
