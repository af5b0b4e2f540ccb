/**
 * Objects found by a walk: id, kind and name hash of each, numbered in the order they were found.
 *
 * @module
 */
import type { ObjectFormat } from '../core/object-id.ts';
import { IdTable } from './id-table.ts';

export class ObjectTable {
  readonly table: IdTable;
  /** Kind codes; longer than `size`, replaced as the table grows. So is the next. */
  kinds = new Uint8Array(64);
  nameHashes = new Uint32Array(64);

  constructor(format: ObjectFormat, mostObjects: number) {
    this.table = new IdTable(format, mostObjects);
  }

  get size(): number {
    return this.table.size;
  }

  find(ids: Uint8Array, at: number): number {
    return this.table.find(ids, at);
  }

  /**
   * The number of an object; kind and hash are kept only when it is new: its number is then the size
   * before the call.
   *
   * @throws {GitError} LIMIT_EXCEEDED
   */
  add(ids: Uint8Array, at: number, kind: number, nameHash: number): number {
    const before = this.table.size;
    const number = this.table.add(ids, at);
    if (number < before) return number;
    if (number === this.kinds.length) this.#grow();
    this.kinds[number] = kind;
    this.nameHashes[number] = nameHash;
    return number;
  }

  #grow(): void {
    const kinds = new Uint8Array(this.kinds.length * 2);
    kinds.set(this.kinds);
    this.kinds = kinds;
    const nameHashes = new Uint32Array(this.nameHashes.length * 2);
    nameHashes.set(this.nameHashes);
    this.nameHashes = nameHashes;
  }
}
