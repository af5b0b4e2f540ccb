/**
 * Trees and blobs reached from root trees, less those reached from the trees of a boundary.
 *
 * @module
 */
import { GitError } from '../core/errors.ts';
import type { Limits } from '../core/limits.ts';
import { bytesToHex, hexToBytes, type ObjectId } from '../core/object-id.ts';
import { BLOB, TREE } from '../core/object-kind.ts';
import type { Pace } from '../core/pace.ts';
import type { ObjectReader } from '../odb/object-database.ts';
import { type CommitTable, emptyView } from './commit-table.ts';
import type { MissingObject } from './commit-walk.ts';
import { directoryNameHash, packNameHash } from './name-hash.ts';
import type { FilterBounds } from './object-filter.ts';
import { ObjectTable } from './object-table.ts';
import { pathKeyOf, ROOT_KEY } from './path-key.ts';
import { TreeScanner } from './tree-scanner.ts';
import { PendingTree, TreeStack } from './tree-stack.ts';

export interface ObjectWalkOptions {
  readonly filter?: FilterBounds | undefined;
  /** Blobs are looked for in the database; a missing one ends the walk. */
  readonly blobsMustExist?: boolean | undefined;
  /** Blobs are looked for in the database; a missing one is passed over. */
  readonly blobsMayBeMissing?: boolean | undefined;
  /**
   * Whether the object at `ids[at]` needs no walk: it is known to be reached, with all it reaches. Once true of an
   * object it stays so.
   */
  readonly covers?: ((ids: Uint8Array, at: number) => boolean) | undefined;
}

/** Referrers of trees: 0 and above are trees' own numbers; these are a tree asked for by name, and commit 0. */
const ITSELF = -1;
const FIRST_COMMIT_REFERRER = -2;

/**
 * First mark the boundary, then walk root trees: {@link found} then holds what is reached and not in it.
 * Order: the entries of a tree, then those of its first new subtree and all below that, and so on.
 */
export class ObjectWalk {
  /** What the walk reached. The caller may add objects of its own before. */
  readonly found: ObjectTable;
  /** What the other side has. The caller may add objects of its own. */
  readonly boundary: ObjectTable;
  /** Visited trees: `found`, unless the filter keeps trees back that must be walked nevertheless. */
  readonly #trees: ObjectTable;
  /** Blobs too large for the filter. */
  readonly #omittedBlobs: ObjectTable;
  readonly #reader: ObjectReader;
  readonly #commits: CommitTable;
  readonly #filter: FilterBounds | undefined;
  readonly #blobsMustExist: boolean;
  readonly #blobsMayBeMissing: boolean;
  readonly #covers: ((ids: Uint8Array, at: number) => boolean) | undefined;
  readonly #scanner: TreeScanner;
  readonly #view = emptyView();
  readonly #stack: TreeStack;
  readonly #tree = new PendingTree();
  /** With a depth filter: the smallest level each visited tree was seen at. */
  #treeDepths = new Int32Array(64);
  #missing: MissingObject | undefined;

  /** @param commits those whose trees are walked are in this table */
  constructor(reader: ObjectReader, commits: CommitTable, limits: Limits, options: ObjectWalkOptions = {}) {
    const { format } = reader;
    this.#commits = commits;
    this.#reader = reader;
    this.#filter = options.filter;
    this.#blobsMustExist = options.blobsMustExist ?? false;
    this.#blobsMayBeMissing = options.blobsMayBeMissing ?? false;
    this.#covers = options.covers;
    this.found = new ObjectTable(format, limits.maxPackObjects);
    this.boundary = new ObjectTable(format, limits.maxPackObjects);
    this.#trees =
      options.filter?.type === 'blob' ? new ObjectTable(format, limits.maxPackObjects) : this.found;
    this.#omittedBlobs = new ObjectTable(format, limits.maxPackObjects);
    this.#scanner = new TreeScanner(format.idBytes);
    this.#stack = new TreeStack(limits.maxTreeDepth);
  }

  /** The first object that could not be read; the walk ended there. */
  get missing(): MissingObject | undefined {
    return this.#missing;
  }

  /**
   * The other side has this tree and all it reaches. Trees that are missing here are passed over.
   *
   * @throws {GitError} OBJECT_CORRUPT; LIMIT_EXCEEDED; ABORTED
   */
  async markBoundary(treeIds: Uint8Array, at: number, pace: Pace): Promise<void> {
    if (this.#covers?.(treeIds, at) === true) return;
    const before = this.boundary.size;
    const number = this.boundary.add(treeIds, at, TREE, 0);
    if (number < before) return;
    this.#stack.push(number, 0, ROOT_KEY, 0, 0);
    while (this.#markNext()) if (pace.isDue()) await pace.rest();
  }

  /**
   * Walk the root trees of commits that are loaded, in this order.
   *
   * @returns false when an object is missing
   * @throws {GitError} OBJECT_CORRUPT; LIMIT_EXCEEDED; ABORTED
   */
  async walkRoots(commitNumbers: Int32Array, pace: Pace): Promise<boolean> {
    const { treeIds, ids } = this.#commits;
    for (let i = 0; i < commitNumbers.length && this.#missing === undefined; i++) {
      const number = commitNumbers[i] as number;
      const at = number * ids.idBytes;
      if (this.#isPassedOver(treeIds, at)) continue;
      this.#admit(TREE, treeIds, at, 0, FIRST_COMMIT_REFERRER - number, ROOT_KEY, 0);
      while (this.#walkNext()) if (pace.isDue()) await pace.rest();
    }
    return this.#missing === undefined;
  }

  /**
   * Walk a tree that was asked for by name: it passes the filter itself, and levels are counted from the
   * trees in it, as git does.
   *
   * @returns false when an object is missing
   * @throws {GitError} OBJECT_CORRUPT; LIMIT_EXCEEDED; ABORTED
   */
  async walkWanted(treeId: ObjectId, pace: Pace): Promise<boolean> {
    const id = hexToBytes(treeId);
    if (this.#missing !== undefined || this.#isPassedOver(id, 0)) return this.#missing === undefined;
    this.found.add(id, 0, TREE, 0);
    const number = this.#trees.add(id, 0, TREE, 0);
    this.#noteDepth(number, -1);
    this.#stack.push(number, ITSELF, ROOT_KEY, 0, -1);
    while (this.#walkNext()) if (pace.isDue()) await pace.rest();
    return this.#missing === undefined;
  }

  #markNext(): boolean {
    const tree = this.#tree;
    if (!this.#stack.pop(tree)) return false;
    const { boundary } = this;
    const view = this.#view;
    if (!this.#viewTree(boundary, tree.number)) return true;

    const scanner = this.#scanner;
    // At no depth at all: whatever the filter, what the boundary holds is never sent.
    scanner.scan(view.bytes, view.start, view.end, tree.pathKey, Number.NEGATIVE_INFINITY);
    const { data } = scanner;
    const { count } = scanner;
    for (let i = 0; i < count; i++) {
      const nameStart = scanner.nameStarts[i] as number;
      const idAt = scanner.idOffsets[i] as number;
      const kind = scanner.kinds[i] as number;
      if (this.#covers?.(data, idAt) === true) continue;
      const nameHash = packNameHash(data, nameStart, idAt - 1, tree.nameHash);
      const before = boundary.size;
      const number = boundary.add(data, idAt, kind, nameHash);
      if (number < before || kind !== TREE) continue;
      const pathKey = pathKeyOf(tree.pathKey, data, nameStart, idAt - 1);
      this.#stack.push(number, 0, pathKey, directoryNameHash(nameHash), tree.depth + 1);
    }
    return true;
  }

  #walkNext(): boolean {
    const tree = this.#tree;
    if (this.#missing !== undefined || !this.#stack.pop(tree)) return false;
    const { number, referrer, pathKey, nameHash } = tree;
    const trees = this.#trees;
    if (!this.#viewTree(trees, number)) {
      const referredBy = this.#referrerId(referrer, number);
      this.#missing = { id: idOf(trees, number), kind: 'tree', referredBy };
      return false;
    }

    const view = this.#view;
    const scanner = this.#scanner;
    const childDepth = tree.depth + 1;
    const stackLength = this.#stack.length;
    const scanDepth = this.#filter === undefined ? 0 : childDepth;
    scanner.scan(view.bytes, view.start, view.end, pathKey, scanDepth);
    const { data } = scanner;
    const { count } = scanner;
    for (let i = 0; i < count; i++) {
      const idAt = scanner.idOffsets[i] as number;
      if (this.#isPassedOver(data, idAt)) continue;
      const nameStart = scanner.nameStarts[i] as number;
      const kind = scanner.kinds[i] as number;
      const hash = packNameHash(data, nameStart, idAt - 1, nameHash);
      const key = kind === TREE ? pathKeyOf(pathKey, data, nameStart, idAt - 1) : 0;
      if (!this.#admit(kind, data, idAt, hash, number, key, childDepth)) return false;
    }
    this.#stack.reverseFrom(stackLength);
    return true;
  }

  #isPassedOver(ids: Uint8Array, at: number): boolean {
    if (this.boundary.size > 0 && this.boundary.find(ids, at) >= 0) return true;
    return this.#covers?.(ids, at) === true;
  }

  /** Take an object in that is not passed over. @returns false when it is missing */
  #admit(
    kind: number,
    ids: Uint8Array,
    at: number,
    nameHash: number,
    referrer: number,
    pathKey: number,
    depth: number,
  ): boolean {
    if (this.#filter !== undefined && !this.#passes(this.#filter, kind, ids, at, depth)) return true;
    if (this.#blobsMayBeMissing && kind !== TREE && !this.#reader.hasRaw(ids, at)) return true;
    const table = kind === TREE ? this.#trees : this.found;
    const before = table.size;
    const number = table.add(ids, at, kind, nameHash);
    if (number < before) {
      if (table.kinds[number] !== kind) throw kindConflict(idOf(table, number));
      if (kind !== TREE || this.#filter === undefined || depth >= (this.#treeDepths[number] as number)) {
        return true;
      }
    }
    if (kind === TREE) {
      if (this.#filter !== undefined) this.#noteDepth(number, depth);
      const hash = referrer < 0 ? nameHash : directoryNameHash(nameHash);
      this.#stack.push(number, referrer, pathKey, hash, depth);
    } else if (this.#blobsMustExist && !this.#reader.hasRaw(ids, at)) {
      this.#missing = { id: idOf(table, number), kind: 'blob', referredBy: idOf(this.#trees, referrer) };
      return false;
    }
    return true;
  }

  /** Whether to take an object in: to list it or, if it is a tree, to walk it at least. */
  #passes(filter: FilterBounds, kind: number, ids: Uint8Array, at: number, depth: number): boolean {
    if (depth >= filter.treeDepth) return false;
    const { type, blobLimitBytes } = filter;
    if (kind === TREE) return type === 'any' || type === 'tree' || type === 'blob';
    if ((type !== 'any' && type !== 'blob') || blobLimitBytes === 0) return false;
    if (blobLimitBytes === Number.POSITIVE_INFINITY || this.found.find(ids, at) >= 0) return true;
    if (this.#omittedBlobs.find(ids, at) >= 0) return false;
    const header = this.#reader.readHeaderRaw(ids, at);
    if (header === undefined || header.sizeBytes < blobLimitBytes) return true;
    this.#omittedBlobs.add(ids, at, BLOB, 0);
    return false;
  }

  #referrerId(referrer: number, treeNumber: number): ObjectId {
    if (referrer === ITSELF) return idOf(this.#trees, treeNumber);
    if (referrer < 0) return this.#commits.idOf(FIRST_COMMIT_REFERRER - referrer);
    return idOf(this.#trees, referrer);
  }

  #noteDepth(treeNumber: number, depth: number): void {
    if (treeNumber >= this.#treeDepths.length) {
      const longer = new Int32Array(Math.max(treeNumber + 1, this.#treeDepths.length * 2));
      longer.set(this.#treeDepths);
      this.#treeDepths = longer;
    }
    this.#treeDepths[treeNumber] = depth;
  }

  /** Fill #view. @returns false when the tree is missing */
  #viewTree(table: ObjectTable, number: number): boolean {
    const { ids, idBytes } = table.table;
    if (!this.#reader.viewRaw(ids, number * idBytes, this.#view)) return false;
    if (this.#view.kind !== TREE) throw kindConflict(idOf(table, number));
    return true;
  }
}

function idOf(table: ObjectTable, number: number): ObjectId {
  const { ids, idBytes } = table.table;
  return bytesToHex(ids, number * idBytes, idBytes);
}

function kindConflict(id: ObjectId): GitError {
  return new GitError('OBJECT_CORRUPT', `Cannot walk trees: ${id} is not of the kind its entry says`, { id });
}
