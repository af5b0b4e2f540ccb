/**
 * What is known of each entry of a pack being indexed, in typed arrays over shared memory: 41 bytes an object
 * with SHA-1, nothing on the JavaScript heap, and worker threads see the same memory.
 *
 * Entries are numbered in pack order. Deltas hang under their bases as trees: `firstChild` of a base, then
 * `nextSibling` from child to child.
 *
 * @module
 */
import { GitError } from '../core/errors.ts';
import type { ObjectFormat } from '../core/object-id.ts';

/** Ends a list of entries. */
export const NONE = -1;

/** Added to the type of an object that was made from a delta: it is no root of a tree. */
export const RESOLVED_DELTA = 8;

/** The columns. Plain data: cloned to a worker, the memory itself is shared. */
export interface ObjectColumns {
  readonly idBytes: number;
  /** Raw ids, entry after entry. A REF_DELTA that is not resolved yet keeps the id of its base here. */
  readonly ids: Uint8Array;
  /** Where each entry begins in the pack. Rising. */
  readonly offsets: Float64Array;
  /** CRC-32 of each packed entry, header included. */
  readonly crcs: Uint32Array;
  /** 1 to 4 for a whole object; 6 or 7 for a delta; {@link RESOLVED_DELTA} plus 1 to 4 once that is resolved. */
  readonly types: Uint8Array;
  readonly firstChild: Int32Array;
  readonly nextSibling: Int32Array;
}

/** 2^27: keeps every column below the 4 GiB an array may have. */
export const MAX_TABLE_OBJECTS = 0x8000000;

const FIRST_CAPACITY = 1024;

/** Columns that grow by doubling with what has arrived, never ahead of it. */
export class ObjectTable {
  readonly format: ObjectFormat;
  columns: ObjectColumns;
  count = 0;
  #capacity: number;

  constructor(format: ObjectFormat) {
    this.format = format;
    this.#capacity = FIRST_CAPACITY;
    this.columns = createColumns(format.idBytes, FIRST_CAPACITY);
  }

  /**
   * Make room for one more entry, which is then `count`.
   *
   * @param expected no more entries than this will ever come, so that the last doubling is no larger
   * @throws {GitError} LIMIT_EXCEEDED beyond {@link MAX_TABLE_OBJECTS}
   */
  ensureRoom(expected: number): void {
    if (this.count < this.#capacity) return;
    this.reserve(Math.min(this.#capacity * 2, Math.max(expected, this.count + 1)));
  }

  /**
   * Make room for `capacity` entries in all. The columns are other arrays after it.
   *
   * @throws {GitError} LIMIT_EXCEEDED beyond {@link MAX_TABLE_OBJECTS}
   */
  reserve(capacity: number): void {
    if (capacity <= this.#capacity) return;
    if (this.count >= MAX_TABLE_OBJECTS) {
      throw new GitError('LIMIT_EXCEEDED', `Cannot index pack: at most ${MAX_TABLE_OBJECTS} objects fit`, {
        limit: MAX_TABLE_OBJECTS,
      });
    }
    this.#capacity = Math.min(capacity, MAX_TABLE_OBJECTS);
    const grown = createColumns(this.format.idBytes, this.#capacity);
    grown.ids.set(this.columns.ids);
    grown.offsets.set(this.columns.offsets);
    grown.crcs.set(this.columns.crcs);
    grown.types.set(this.columns.types);
    grown.firstChild.set(this.columns.firstChild);
    grown.nextSibling.set(this.columns.nextSibling);
    this.columns = grown;
  }

  /** @returns the entry that begins exactly at `offset`, or {@link NONE} */
  entryAt(offset: number): number {
    const { offsets } = this.columns;
    let low = 0;
    let high = this.count - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const found = offsets[middle] as number;
      if (found === offset) return middle;
      if (found < offset) low = middle + 1;
      else high = middle - 1;
    }
    return NONE;
  }

  /** Hang the delta `child` under `base`, first in its list. */
  addChild(base: number, child: number): void {
    const { firstChild, nextSibling } = this.columns;
    nextSibling[child] = firstChild[base] as number;
    firstChild[base] = child;
  }
}

function createColumns(idBytes: number, capacity: number): ObjectColumns {
  return {
    idBytes,
    ids: new Uint8Array(sharedMemory(capacity * idBytes)),
    offsets: new Float64Array(sharedMemory(capacity * 8)),
    crcs: new Uint32Array(sharedMemory(capacity * 4)),
    types: new Uint8Array(sharedMemory(capacity)),
    firstChild: new Int32Array(sharedMemory(capacity * 4)).fill(NONE),
    nextSibling: new Int32Array(sharedMemory(capacity * 4)).fill(NONE),
  };
}

/** Memory that threads can share, where the platform has it; web pages without isolation do not. */
export function sharedMemory(sizeBytes: number): SharedArrayBuffer | ArrayBuffer {
  return typeof SharedArrayBuffer === 'undefined'
    ? new ArrayBuffer(sizeBytes)
    : new SharedArrayBuffer(sizeBytes);
}
