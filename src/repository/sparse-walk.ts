/**
 * Trees and blobs reached from root trees under a filter that looks at paths: one tree is walked again at each path
 * it is seen at.
 * Spec: git-rev-list(1), `--filter=sparse:oid`: all trees, and blobs at paths that are selected.
 *
 * @module
 */

import { decodeLatin1 } from '../core/bytes.ts';
import { GitError } from '../core/errors.ts';
import type { Limits } from '../core/limits.ts';
import { bytesToHex, hexToBytes, type ObjectId } from '../core/object-id.ts';
import { BLOB, TREE } from '../core/object-kind.ts';
import type { Pace } from '../core/pace.ts';
import type { ObjectReader } from '../odb/object-database.ts';
import { type CommitTable, emptyView } from './commit-table.ts';
import type { MissingObject } from './commit-walk.ts';
import { packNameHash } from './name-hash.ts';
import type { FilterBounds } from './object-filter.ts';
import { ObjectTable } from './object-table.ts';
import type { SparsePatterns } from './sparse-patterns.ts';
import { TreeEntry } from './tree.ts';

/** A tree to be read; made for trees only, and only while such a filter is served. */
interface Visit {
  /** In the table of trees. */
  readonly number: number;
  readonly referredBy: ObjectId;
  /** Ends with a slash, but for the root's; a character a byte. */
  readonly path: string;
  readonly depth: number;
  /** For each set of patterns whether they select what none of them matches. */
  readonly selected: readonly boolean[];
}

export class SparseWalk {
  readonly #reader: ObjectReader;
  readonly #commits: CommitTable;
  readonly #found: ObjectTable;
  readonly #boundary: ObjectTable;
  readonly #filter: FilterBounds;
  readonly #sparse: readonly SparsePatterns[];
  readonly #limits: Limits;
  readonly #trees: ObjectTable;
  /** Numbers of paths; trees that were walked there. */
  readonly #visited = new Map<string, Set<number>>();
  #visits = 0;
  readonly #view = emptyView();
  readonly #entry: TreeEntry;
  #missing: MissingObject | undefined;

  /** @param objects what is found, and what the other side has */
  constructor(
    reader: ObjectReader,
    commits: CommitTable,
    objects: { readonly found: ObjectTable; readonly boundary: ObjectTable },
    filter: FilterBounds,
    limits: Limits,
  ) {
    this.#reader = reader;
    this.#commits = commits;
    this.#found = objects.found;
    this.#boundary = objects.boundary;
    this.#filter = filter;
    this.#sparse = filter.sparse ?? [];
    this.#limits = limits;
    this.#trees = new ObjectTable(reader.format, limits.maxPackObjects);
    this.#entry = new TreeEntry(reader.format.idBytes);
  }

  /** The first object that could not be read; the walk ended there. */
  get missing(): MissingObject | undefined {
    return this.#missing;
  }

  /** @throws {GitError} OBJECT_CORRUPT; LIMIT_EXCEEDED; ABORTED */
  async walkRoots(commitNumbers: Int32Array, pace: Pace): Promise<void> {
    const { treeIds, ids } = this.#commits;
    for (const number of commitNumbers) {
      await this.#walk(treeIds, number * ids.idBytes, this.#commits.idOf(number), 0, pace);
    }
  }

  /** A tree asked for by name passes the filter itself. */
  async walkWanted(treeId: ObjectId, pace: Pace): Promise<void> {
    const id = hexToBytes(treeId);
    if (this.#boundary.find(id, 0) >= 0) return;
    this.#found.add(id, 0, TREE, 0);
    await this.#walk(id, 0, treeId, -1, pace);
  }

  async #walk(ids: Uint8Array, at: number, referredBy: ObjectId, depth: number, pace: Pace): Promise<void> {
    const stack: Visit[] = [];
    this.#come(stack, ids, at, { referredBy, path: '', depth, selected: this.#sparse.map(() => false) }, 0);
    for (let visit = stack.pop(); visit !== undefined && this.#missing === undefined; visit = stack.pop()) {
      this.#read(stack, visit);
      if (pace.isDue()) await pace.rest();
    }
  }

  #read(stack: Visit[], visit: Visit): void {
    const { ids, idBytes } = this.#trees.table;
    const id = bytesToHex(ids, visit.number * idBytes, idBytes);
    const view = this.#view;
    if (!this.#reader.viewRaw(ids, visit.number * idBytes, view)) {
      this.#missing = { id, kind: 'tree', referredBy: visit.referredBy };
      return;
    }
    if (view.kind !== TREE) {
      throw new GitError('OBJECT_CORRUPT', `Cannot walk trees: ${id} is not of the kind its entry says`, {
        id,
      });
    }
    const data = view.bytes.slice(view.start, view.end);
    const entry = this.#entry;
    const depth = visit.depth + 1;
    for (let at = 0; at < data.length; ) {
      at = entry.read(data, at, data.length);
      const { kind, idAt, nameStart, nameEnd } = entry;
      if (kind === 0) continue;
      const path = visit.path + decodeLatin1(data.subarray(nameStart, nameEnd));
      const nameHash = packNameHash(data, nameStart, nameEnd, 0);
      if (kind === BLOB) this.#takeBlob(data, idAt, path, depth, visit.selected, nameHash);
      else this.#come(stack, data, idAt, { ...visit, referredBy: id, path, depth }, nameHash);
    }
  }

  /** Come to a tree: send it, and read it if it was not read at this path before. */
  #come(stack: Visit[], ids: Uint8Array, at: number, parent: Omit<Visit, 'number'>, nameHash: number): void {
    const { path, depth } = parent;
    const { type, treeDepth } = this.#filter;
    if (depth >= treeDepth || this.#boundary.find(ids, at) >= 0) return;
    if (depth > this.#limits.maxTreeDepth) {
      throw new GitError(
        'LIMIT_EXCEEDED',
        `Cannot walk trees: deeper than ${this.#limits.maxTreeDepth} levels`,
      );
    }
    if (type === 'any' || type === 'tree') this.#found.add(ids, at, TREE, nameHash);
    const number = this.#trees.add(ids, at, TREE, 0);
    let here = this.#visited.get(path);
    if (here === undefined) {
      here = new Set();
      this.#visited.set(path, here);
    }
    if (here.has(number)) return;
    here.add(number);
    if (++this.#visits > this.#limits.maxPackObjects) {
      throw new GitError('LIMIT_EXCEEDED', 'Cannot walk trees: seen at too many paths');
    }
    const selected = this.#sparse.map(
      (patterns, i) => patterns.selects(path, true) ?? parent.selected[i] === true,
    );
    stack.push({ ...parent, number, path: path === '' ? '' : `${path}/`, selected });
  }

  #takeBlob(
    ids: Uint8Array,
    at: number,
    path: string,
    depth: number,
    selected: readonly boolean[],
    nameHash: number,
  ): void {
    const { type, treeDepth, blobLimitBytes } = this.#filter;
    if (depth >= treeDepth || (type !== 'any' && type !== 'blob') || blobLimitBytes === 0) return;
    if (this.#boundary.find(ids, at) >= 0 || this.#found.find(ids, at) >= 0) return;
    if (!this.#sparse.every((patterns, i) => patterns.selects(path, false) ?? selected[i])) return;
    if (blobLimitBytes !== Number.POSITIVE_INFINITY) {
      const header = this.#reader.readHeaderRaw(ids, at);
      if (header !== undefined && header.sizeBytes >= blobLimitBytes) return;
    }
    this.#found.add(ids, at, BLOB, nameHash);
  }
}
