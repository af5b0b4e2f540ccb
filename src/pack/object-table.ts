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
import { growMemory, growsInPlace, type Memory, sharedMemory } from './growing-memory.ts';

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
const MAX_TABLE_OBJECTS = 0x8000000;

const FIRST_CAPACITY = 1024;

/** Addresses are reserved for no more rows than this; a larger table moves once it gets there. */
const MOST_RESERVED = 0x1000000;

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
   * Begin the row of one more entry, number `count`, which counts once `count` is raised.
   *
   * @param expected how many entries are to come in all; nothing is taken ahead for them
   * @throws {GitError} LIMIT_EXCEEDED beyond {@link MAX_TABLE_OBJECTS}
   */
  beginRow(offset: number, type: number, expected: number): void {
    const entry = this.count;
    if (entry === this.#capacity) {
      this.#grow(Math.min(this.#capacity * 2, Math.max(expected, entry + 1)), expected);
    }
    const { offsets, types, firstChild, nextSibling } = this.columns;
    offsets[entry] = offset;
    types[entry] = type;
    firstChild[entry] = NONE;
    nextSibling[entry] = NONE;
  }

  /** Whether other threads, given the columns as they are now, will find `capacity` rows in the same memory. */
  staysInPlace(capacity: number): boolean {
    const { columns } = this;
    return growsInPlace(columns.types.buffer, capacity) && growsInPlace(columns.offsets.buffer, capacity * 8);
  }

  /**
   * Make room for `capacity` rows in all: the columns stay the same arrays up to there.
   *
   * @throws {GitError} LIMIT_EXCEEDED beyond {@link MAX_TABLE_OBJECTS}
   */
  reserve(capacity: number): void {
    if (capacity > this.#capacity) this.#grow(capacity, capacity);
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

  #grow(capacity: number, expected: number): void {
    if (capacity > MAX_TABLE_OBJECTS) {
      throw new GitError('LIMIT_EXCEEDED', `Cannot index pack: at most ${MAX_TABLE_OBJECTS} objects fit`, {
        limit: MAX_TABLE_OBJECTS,
      });
    }
    const rows = Math.min(expected, MOST_RESERVED);
    const { columns } = this;
    const grown = (column: { readonly buffer: Memory }, bytes: number) =>
      growMemory(column.buffer, capacity * bytes, rows * bytes);
    this.columns = {
      idBytes: columns.idBytes,
      ids: new Uint8Array(grown(columns.ids, columns.idBytes), 0, capacity * columns.idBytes),
      offsets: new Float64Array(grown(columns.offsets, 8), 0, capacity),
      crcs: new Uint32Array(grown(columns.crcs, 4), 0, capacity),
      types: new Uint8Array(grown(columns.types, 1), 0, capacity),
      firstChild: new Int32Array(grown(columns.firstChild, 4), 0, capacity),
      nextSibling: new Int32Array(grown(columns.nextSibling, 4), 0, capacity),
    };
    this.#capacity = capacity;
  }
}

/** Views of all rows that the memory of `columns` has room for now; in another thread it may have grown. */
export function regrownColumns({ idBytes, ...columns }: ObjectColumns): ObjectColumns {
  const { ids, offsets, crcs, types, firstChild, nextSibling } = columns;
  const rows = nextSibling.buffer.byteLength / 4; // grows last
  return {
    idBytes,
    ids: new Uint8Array(ids.buffer, 0, rows * idBytes),
    offsets: new Float64Array(offsets.buffer, 0, rows),
    crcs: new Uint32Array(crcs.buffer, 0, rows),
    types: new Uint8Array(types.buffer, 0, rows),
    firstChild: new Int32Array(firstChild.buffer, 0, rows),
    nextSibling: new Int32Array(nextSibling.buffer, 0, rows),
  };
}

function createColumns(idBytes: number, capacity: number): ObjectColumns {
  return {
    idBytes,
    ids: new Uint8Array(sharedMemory(capacity * idBytes)),
    offsets: new Float64Array(sharedMemory(capacity * 8)),
    crcs: new Uint32Array(sharedMemory(capacity * 4)),
    types: new Uint8Array(sharedMemory(capacity)),
    firstChild: new Int32Array(sharedMemory(capacity * 4)),
    nextSibling: new Int32Array(sharedMemory(capacity * 4)),
  };
}
