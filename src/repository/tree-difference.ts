/**
 * Whether a new tree is complete, given older trees that are: only what differs from them is looked at.
 *
 * @module
 */
import type { Limits } from '../core/limits.ts';
import { bytesToHex, compareIds, type ObjectId } from '../core/object-id.ts';
import { TREE } from '../core/object-kind.ts';
import type { ObjectReader } from '../odb/object-database.ts';
import { TreeEntry } from './tree.ts';

/** How much is left to do before one gives up. */
export interface ReadBudget {
  reads: number;
}

/** One pass over the entries of a tree, in order. */
class TreeCursor {
  readonly data: Uint8Array;
  readonly entry: TreeEntry;
  /** Where the entry in `entry` begins; the length of the tree when there is none. */
  at = 0;
  #next = 0;

  constructor(data: Uint8Array, idBytes: number) {
    this.data = data;
    this.entry = new TreeEntry(idBytes);
    this.advance();
  }

  get isOver(): boolean {
    return this.at >= this.data.length;
  }

  /** @throws {GitError} OBJECT_CORRUPT */
  advance(): void {
    this.at = this.#next;
    if (!this.isOver) this.#next = this.entry.read(this.data, this.at, this.data.length);
  }
}

export class TreeDifference {
  readonly #reader: ObjectReader;
  readonly #budget: ReadBudget;
  readonly #maxDepth: number;
  /** Trees that were found complete. */
  readonly #complete = new Set<ObjectId>();

  constructor(reader: ObjectReader, budget: ReadBudget, { maxTreeDepth }: Limits) {
    this.#reader = reader;
    this.#budget = budget;
    this.#maxDepth = maxTreeDepth;
  }

  /**
   * @param complete trees known to be complete, with all they reach
   * @returns false when something is missing, is not what its entry says, or the budget is used up
   * @throws {GitError} OBJECT_CORRUPT when a tree does not parse
   */
  isComplete(tree: ObjectId, complete: readonly ObjectId[], depth = 0): boolean {
    if (complete.includes(tree) || this.#complete.has(tree)) return true;
    const data = depth >= this.#maxDepth ? undefined : this.#read(tree);
    if (data === undefined) return false;
    const { idBytes } = this.#reader.format;
    const bases: TreeCursor[] = [];
    for (const id of complete) {
      const base = this.#read(id);
      if (base === undefined) return false;
      bases.push(new TreeCursor(base, idBytes));
    }
    if (!this.#entriesAreComplete(new TreeCursor(data, idBytes), bases, depth)) return false;
    this.#complete.add(tree);
    return true;
  }

  #entriesAreComplete(tree: TreeCursor, bases: readonly TreeCursor[], depth: number): boolean {
    const { entry, data } = tree;
    const { idBytes } = this.#reader.format;
    for (; !tree.isOver; tree.advance()) {
      if (entry.kind === 0) continue; // a gitlink: its commit is in another repository
      const known: ObjectId[] = [];
      if (isIn(bases, tree, idBytes, known)) continue;
      if (entry.kind === TREE) {
        if (!this.isComplete(bytesToHex(data, entry.idAt, idBytes), known, depth + 1)) return false;
      } else if (--this.#budget.reads < 0 || !this.#reader.hasRaw(data, entry.idAt)) {
        return false;
      }
    }
    return true;
  }

  #read(tree: ObjectId): Uint8Array | undefined {
    if (--this.#budget.reads < 0) return undefined;
    const object = this.#reader.read(tree);
    return object?.kind === 'tree' ? object.data : undefined;
  }
}

/**
 * Whether one of `bases` has the entry at hand: the same kind and id under its name. All advance in step, since
 * trees are in the order of names; one that is not only finds less.
 *
 * @param trees filled with the subtrees that the bases have under its name instead
 */
function isIn(bases: readonly TreeCursor[], tree: TreeCursor, idBytes: number, trees: ObjectId[]): boolean {
  for (const base of bases) {
    let order = 1;
    while (!base.isOver) {
      order = compareEntries(base, tree);
      if (order >= 0) break;
      base.advance();
    }
    if (base.isOver || order > 0 || base.entry.kind !== tree.entry.kind) continue;
    const { idAt } = base.entry;
    if (compareIds(base.data, idAt, tree.data, tree.entry.idAt, idBytes) === 0) return true;
    if (base.entry.kind === TREE) trees.push(bytesToHex(base.data, idAt, idBytes));
  }
  return false;
}

const SLASH = 0x2f;

/** git's order: as if the name of a directory ended with a slash. */
function compareEntries(a: TreeCursor, b: TreeCursor): number {
  const aLength = a.entry.nameEnd - a.entry.nameStart;
  const bLength = b.entry.nameEnd - b.entry.nameStart;
  const length = Math.min(aLength, bLength);
  for (let i = 0; i < length; i++) {
    const difference = (a.data[a.entry.nameStart + i] as number) - (b.data[b.entry.nameStart + i] as number);
    if (difference !== 0) return difference;
  }
  return nextByte(a, aLength, length) - nextByte(b, bLength, length);
}

function nextByte({ data, entry }: TreeCursor, nameLength: number, at: number): number {
  if (at < nameLength) return data[entry.nameStart + at] as number;
  return entry.kind === TREE ? SLASH : 0;
}
