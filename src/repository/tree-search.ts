/**
 * Whether certain trees and blobs are among what root trees hold. Unlike a walk that lists objects it keeps
 * no blob but those it looks for, and ends as soon as all are found.
 *
 * @module
 */
import { GitError } from '../core/errors.ts';
import type { Limits } from '../core/limits.ts';
import { bytesToHex, hexToBytes, type ObjectId } from '../core/object-id.ts';
import { TREE } from '../core/object-kind.ts';
import type { Pace } from '../core/pace.ts';
import type { ObjectReader } from '../odb/object-database.ts';
import { emptyView } from './commit-table.ts';
import { IdTable } from './id-table.ts';
import { pathKeyOf, ROOT_KEY } from './path-key.ts';
import type { TreeScanner } from './tree-scanner.ts';
import { PendingTree, TreeStack } from './tree-stack.ts';

export class TreeSearch {
  readonly #reader: ObjectReader;
  readonly #sought: IdTable;
  /** By number in #sought: 1 when it was found. */
  #found = new Uint8Array(64);
  #leftCount = 0;
  /** Trees that were scanned or are on the stack. */
  readonly #visited: IdTable;
  readonly #stack: TreeStack;
  readonly #tree = new PendingTree();
  readonly #view = emptyView();

  constructor(reader: ObjectReader, limits: Limits) {
    this.#reader = reader;
    this.#sought = new IdTable(reader.format, limits.maxPackObjects);
    this.#visited = new IdTable(reader.format, limits.maxPackObjects);
    this.#stack = new TreeStack(limits.maxTreeDepth);
  }

  /** How many sought objects have not been found. */
  get leftCount(): number {
    return this.#leftCount;
  }

  /** Look for this tree or blob too; before the first search. */
  seek(id: ObjectId): void {
    const before = this.#sought.size;
    const number = this.#sought.add(hexToBytes(id), 0);
    if (number < before) return;
    if (number === this.#found.length) {
      const longer = new Uint8Array(number * 2);
      longer.set(this.#found);
      this.#found = longer;
    }
    this.#leftCount++;
  }

  /** Whether this object is sought and was not found. */
  isLeft(id: ObjectId): boolean {
    const number = this.#sought.find(hexToBytes(id), 0);
    return number >= 0 && this.#found[number] === 0;
  }

  /** This object is reached some other way than by a tree. */
  noteFound(id: ObjectId): void {
    this.#meet(hexToBytes(id), 0);
  }

  /**
   * Search a root tree, until nothing is left to be found. Trees that are missing are passed over.
   *
   * @param scanner used for this search alone; one for each series of trees that resemble one another
   * @throws {GitError} OBJECT_CORRUPT; LIMIT_EXCEEDED; ABORTED
   */
  async search(treeIds: Uint8Array, at: number, scanner: TreeScanner, pace: Pace): Promise<void> {
    if (this.#leftCount === 0) return;
    this.#enter(treeIds, at, ROOT_KEY, 0);
    while (this.#step(scanner)) if (pace.isDue()) await pace.rest();
  }

  #meet(ids: Uint8Array, at: number): void {
    const number = this.#sought.find(ids, at);
    if (number < 0 || this.#found[number] === 1) return;
    this.#found[number] = 1;
    this.#leftCount--;
  }

  #enter(ids: Uint8Array, at: number, pathKey: number, depth: number): void {
    const before = this.#visited.size;
    const number = this.#visited.add(ids, at);
    if (number < before) return;
    this.#meet(ids, at);
    this.#stack.push(number, 0, pathKey, 0, depth);
  }

  /** Look through one tree. @returns false when there is none, or nothing to look for */
  #step(scanner: TreeScanner): boolean {
    const tree = this.#tree;
    if (this.#leftCount === 0 || !this.#stack.pop(tree)) return false;
    const { ids, idBytes } = this.#visited;
    const view = this.#view;
    if (!this.#reader.viewRaw(ids, tree.number * idBytes, view)) return true;
    if (view.kind !== TREE) {
      const id = bytesToHex(ids, tree.number * idBytes, idBytes);
      throw new GitError('OBJECT_CORRUPT', `Cannot search trees: ${id} is no tree, as its entry says`, {
        id,
      });
    }

    scanner.scan(view.bytes, view.start, view.end, tree.pathKey, 0);
    const { data, count, kinds, idOffsets, nameStarts } = scanner;
    for (let i = 0; i < count; i++) {
      const idAt = idOffsets[i] as number;
      if (kinds[i] !== TREE) this.#meet(data, idAt);
      else {
        const pathKey = pathKeyOf(tree.pathKey, data, nameStarts[i] as number, idAt - 1);
        this.#enter(data, idAt, pathKey, tree.depth + 1);
      }
    }
    return true;
  }
}
