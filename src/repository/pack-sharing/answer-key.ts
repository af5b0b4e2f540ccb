/**
 * What decides the answer to a fetch, as one key: two requests with the same key get the same pack.
 *
 * Who asks is no part of it. What a client may see has been decided before: its wants were allowed, and hidden refs
 * show in the tags that are left.
 *
 * @module
 */
import { encodeText, writeUint32 } from '../../core/bytes.ts';
import type { Limits } from '../../core/limits.ts';
import { bytesToHex, hexToBytes, type ObjectFormat, type ObjectId, SHA256 } from '../../core/object-id.ts';
import type { IncrementalHash, Runtime } from '../../core/runtime.ts';
import { sortByIds } from '../../pack/id-order.ts';
import type { SelectionRequest } from '../select-objects.ts';

export interface AnswerOptions {
  readonly limits: Limits;
  /** The receiver reads OFS_DELTA entries. */
  readonly ofsDelta: boolean;
}

/**
 * A SHA-256 over everything that decides the answer, in hex. Clients choose what is hashed, so a weaker hash would
 * let one of them make its request look like another's.
 *
 * The order of wants, haves and shallow commits does not count.
 */
export function answerKey(
  format: ObjectFormat,
  runtime: Runtime,
  request: SelectionRequest,
  { limits, ofsDelta }: AnswerOptions,
): string {
  const hash = runtime.createHash(SHA256);
  const { filter, thin } = request;
  const settings = encodeText(JSON.stringify([format.name, filter ?? null, thin, ofsDelta, limits]));
  hash.update(lengthOf(settings.length));
  hash.update(settings);
  addIds(hash, format, request.wants);
  addIds(hash, format, request.haves);
  addIds(hash, format, request.shallow ?? []);
  addIds(hash, format, request.clientShallow ?? []);
  addIds(hash, format, request.unshallow ?? []);
  // What a tag peels to is written in the tag.
  addIds(
    hash,
    format,
    Array.from(request.includeTags ?? [], ({ tagId }) => tagId),
  );
  return bytesToHex(hash.digest());
}

function addIds(hash: IncrementalHash, { idBytes }: ObjectFormat, given: Iterable<ObjectId>): void {
  const ids = [...given];
  const raw = new Uint8Array(ids.length * idBytes);
  for (const [n, id] of ids.entries()) raw.set(hexToBytes(id), n * idBytes);
  const order = Int32Array.from(ids, (_, n) => n);
  sortByIds(order, raw, idBytes);
  const sorted = new Uint8Array(raw.length);
  for (const [n, from] of order.entries()) {
    sorted.set(raw.subarray(from * idBytes, (from + 1) * idBytes), n * idBytes);
  }
  hash.update(lengthOf(ids.length));
  hash.update(sorted);
}

function lengthOf(count: number): Uint8Array {
  const bytes = new Uint8Array(4);
  writeUint32(bytes, 0, count);
  return bytes;
}
