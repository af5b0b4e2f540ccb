/**
 * What becomes of the whole objects of a pack while it is scanned: each is hashed, and shown to those who look at objects.
 *
 * Nearly all come in one piece, and many of them are hashed at a time; large ones are hashed piece by piece, and held for
 * nobody but those who have to see a tree, commit or tag whole.
 *
 * @module
 */
import type { HashBatch, ObjectHasher } from '../core/object-hasher.ts';
import { BLOB } from '../core/object-kind.ts';
import type { IncrementalHash } from '../core/runtime.ts';
import type { ObjectChecker } from './fsck/object-checker.ts';
import type { ObjectEdges } from './object-edges.ts';
import { writeObjectHeader } from './object-header.ts';
import type { ObjectTable } from './object-table.ts';
import { PiecedObject } from './pieced-object.ts';

/** From this many objects on, hashing them in batches pays for the memory it takes. */
const BATCHES_FROM_OBJECTS = 2000;

/** Entries are numbers in the table, their types kind codes (core/object-kind). Ids go to the table. */
export class WholeObjects {
  /** Sees each object but blobs, when there is one. */
  edges: ObjectEdges | undefined;
  /** So does this one. */
  checker: ObjectChecker | undefined;
  readonly #table: ObjectTable;
  readonly #hasher: ObjectHasher;
  #batch: HashBatch | undefined;
  /** Of the object that comes in pieces. */
  #hash: IncrementalHash | undefined;
  readonly #pieced = new PiecedObject();

  constructor(table: ObjectTable, hasher: ObjectHasher) {
    this.#table = table;
    this.#hasher = hasher;
  }

  /** The pack declares so many entries. */
  expect(count: number): void {
    if (count < BATCHES_FROM_OBJECTS) return;
    this.#batch = this.#hasher.createBatch(() => this.#table.columns.ids);
  }

  /** All entries have come: write the ids that are missing. */
  finish(): void {
    this.#batch?.flush();
    this.#batch = undefined; // its memory is of no more use
  }

  /** An object in one piece, `bytes[start, end)`. Overwrites the OBJECT_HEADER_ROOM bytes before it. */
  take(entry: number, type: number, bytes: Uint8Array, start: number, end: number): void {
    const from = writeObjectHeader(bytes, start, type, end - start);
    const { ids, idBytes } = this.#table.columns;
    const idAt = entry * idBytes;
    if (this.#batch === undefined) this.#hasher.hashInto(bytes, from, end, ids, idAt);
    else this.#batch.add(bytes, from, end, idAt);
    if (type !== BLOB) this.#see(entry, type, bytes, start, end);
  }

  /** The next piece of an object of `sizeBytes`, `bytes[start, end)`. Overwrites as {@link take}. */
  takePiece(
    entry: number,
    type: number,
    sizeBytes: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    let from = start;
    if (this.#hash === undefined) {
      this.#hash = this.#hasher.createHash();
      from = writeObjectHeader(bytes, start, type, sizeBytes);
    }
    this.#hash.update(bytes.subarray(from, end));
    if (type !== BLOB) this.#seePiece(entry, type, sizeBytes, bytes, start, end);
  }

  /** That was its last piece. */
  finishPieces(entry: number): void {
    const { ids, idBytes } = this.#table.columns;
    ids.set((this.#hash as IncrementalHash).digest(), entry * idBytes);
    this.#hash = undefined;
  }

  #see(entry: number, type: number, bytes: Uint8Array, start: number, end: number): void {
    this.edges?.take(entry, type, bytes, start, end);
    this.checker?.check(entry, type, bytes, start, end);
  }

  #seePiece(
    entry: number,
    type: number,
    sizeBytes: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    if (this.edges === undefined && this.checker === undefined) return;
    if (!PiecedObject.fits(sizeBytes)) {
      this.edges?.giveUp();
      this.checker?.refuse(sizeBytes);
      return;
    }
    const whole = this.#pieced.add(sizeBytes, bytes, start, end);
    if (whole !== undefined) this.#see(entry, type, whole, 0, sizeBytes);
  }
}
