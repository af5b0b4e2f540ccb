/**
 * What decides the answer to a fetch, as one key: two requests with the same key get the same pack.
 *
 * Who asks is no part of it. What a client may see has been decided before: its wants were allowed, and hidden refs
 * show in the tags that are left.
 *
 * @module
 */
import type { Cancellable } from '../../core/byte-stream.ts';
import { encodeText, writeUint32 } from '../../core/bytes.ts';
import type { Limits } from '../../core/limits.ts';
import { bytesToHex, hexToBytes, type ObjectFormat, type ObjectId, SHA256 } from '../../core/object-id.ts';
import { Pace } from '../../core/pace.ts';
import type { IncrementalHash, Runtime } from '../../core/runtime.ts';
import { sortingByIds } from '../../pack/id-order.ts';
import type { SelectionRequest } from '../select-objects.ts';

export interface PackRequest extends SelectionRequest {
  /** Objects that are not sent although they are selected: the client can get them elsewhere. Each once. */
  readonly leaveOut?: readonly ObjectId[] | undefined;
}

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
 *
 * @throws {GitError} ABORTED
 */
export async function answerKey(
  format: ObjectFormat,
  runtime: Runtime,
  request: PackRequest,
  { limits, ofsDelta, signal }: AnswerOptions & Cancellable,
): Promise<string> {
  const hash = runtime.createHash(SHA256);
  const pace = new Pace(signal);
  const { filter, thin, allowMissingBlobs = false } = request;
  const choices = [format.name, filter ?? null, thin, allowMissingBlobs, ofsDelta, limits];
  const settings = encodeText(JSON.stringify(choices));
  hash.update(lengthOf(settings.length));
  hash.update(settings);
  const { wants, haves, shallow, clientShallow, unshallow, includeTags, leaveOut } = request;
  // What a tag peels to is written in the tag.
  const tagIds = includeTags?.map(({ tagId }) => tagId);
  for (const ids of [wants, haves, shallow, clientShallow, unshallow, tagIds, leaveOut]) {
    await addIds(hash, format, [...(ids ?? [])], pace);
  }
  return bytesToHex(hash.digest());
}

/** So few ids are sorted at once, as text. */
const MOST_SORTED_AT_ONCE = 1000;

async function addIds(
  hash: IncrementalHash,
  format: ObjectFormat,
  ids: readonly ObjectId[],
  pace: Pace,
): Promise<void> {
  hash.update(lengthOf(ids.length));
  if (ids.length > MOST_SORTED_AT_ONCE) hash.update(await sortedRaw(format, ids, pace));
  else if (ids.length > 0) hash.update(encodeText([...ids].sort().join('')));
}

async function sortedRaw(
  { idBytes }: ObjectFormat,
  ids: readonly ObjectId[],
  pace: Pace,
): Promise<Uint8Array> {
  const raw = new Uint8Array(ids.length * idBytes);
  for (const [n, id] of ids.entries()) {
    raw.set(hexToBytes(id), n * idBytes);
    if (pace.isDue()) await pace.rest();
  }
  const order = Int32Array.from(ids, (_, n) => n);
  for (const _ of sortingByIds(order, raw, idBytes)) if (pace.isDue()) await pace.rest();
  const sorted = new Uint8Array(raw.length);
  for (const [n, from] of order.entries()) {
    sorted.set(raw.subarray(from * idBytes, (from + 1) * idBytes), n * idBytes);
    if (pace.isDue()) await pace.rest();
  }
  return sorted;
}

function lengthOf(count: number): Uint8Array {
  const bytes = new Uint8Array(4);
  writeUint32(bytes, 0, count);
  return bytes;
}
