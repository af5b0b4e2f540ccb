/**
 * Objects that are stored one by one, outside packs: what an object reader asks of a directory or a map of them.
 *
 * @module
 */
import type { ByteStream } from '../core/byte-stream.ts';
import type { ObjectId } from '../core/object-id.ts';
import type { ObjectHeader, ObjectReader, RawObject } from './object-database.ts';

/** Synchronous; `undefined` and `false` say absent. Ids are raw, at `ids[at]`. */
export interface LooseObjects {
  has(ids: Uint8Array, at: number): boolean;
  /** See {@link ObjectReader.storedInOrder}. */
  hasInOrder(): (ids: Uint8Array, at: number) => boolean;
  /** @throws {GitError} OBJECT_CORRUPT, LIMIT_EXCEEDED, STORAGE_FAILED */
  read(ids: Uint8Array, at: number): RawObject | undefined;
  /** Throws as {@link read}. */
  readHeader(ids: Uint8Array, at: number): ObjectHeader | undefined;
  /** Throws as {@link read}, at once or while the content is read. */
  stream(
    ids: Uint8Array,
    at: number,
  ): { readonly header: ObjectHeader; readonly content: ByteStream } | undefined;
  /** Every id that begins with `prefix`, hex of two digits or more, in any order. */
  idsWithPrefix(prefix: string): ObjectId[];
}
