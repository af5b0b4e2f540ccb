/**
 * The frame that commit-graph and multi-pack-index files have in common: a header, a table of chunks, the chunks, and
 * the hash of all that.
 * Spec: gitformat-chunk(5).
 *
 * @module
 */
import { readUint32 } from '../core/bytes.ts';
import { GitError } from '../core/errors.ts';
import { compareIds, type ObjectFormat } from '../core/object-id.ts';
import type { Runtime } from '../core/runtime.ts';
import { FANOUT_BYTES, readFanout } from './fanout.ts';

/** Where one chunk lies: `bytes[start, end)` of its file. */
export interface Chunk {
  readonly start: number;
  readonly end: number;
}

/** By the four characters of their ids. */
export type Chunks = ReadonlyMap<string, Chunk>;

const ROW_BYTES = 12;

/**
 * The table of `count` chunks at `tableAt`. Chunks that nobody knows are listed like others.
 *
 * @throws {GitError} PACK_CORRUPT when they do not follow each other inside the file, or one comes twice
 */
export function readChunks(
  bytes: Uint8Array,
  {
    tableAt,
    count,
    format,
  }: { readonly tableAt: number; readonly count: number; readonly format: ObjectFormat },
): Chunks {
  const chunks = new Map<string, Chunk>();
  const chunksEnd = bytes.length - format.idBytes;
  const tableEnd = tableAt + ROW_BYTES * (count + 1);
  if (tableEnd > chunksEnd) throw corrupt('its table of chunks is cut off');
  for (let row = 0; row < count; row++) {
    const at = tableAt + ROW_BYTES * row;
    const start = readOffset(bytes, at + 4);
    const end = readOffset(bytes, at + ROW_BYTES + 4); // where the next one starts
    if (start < tableEnd || end < start || end > chunksEnd) {
      throw corrupt('its chunks do not follow each other', { row });
    }
    const id = String.fromCharCode(...bytes.subarray(at, at + 4));
    if (id === '\0\0\0\0' || chunks.has(id)) throw corrupt('a chunk comes twice or has no name', { row });
    chunks.set(id, { start, end });
  }
  if (readUint32(bytes, tableAt + ROW_BYTES * count) !== 0) throw corrupt('its table of chunks does not end');
  return chunks;
}

/**
 * Check the hash a file ends with. git does so only when told to; we do whenever we open one, because a flipped bit in
 * such a file would make us leave out objects without a word, and the hash runs at some GB a second.
 *
 * @throws {GitError} PACK_CORRUPT
 */
export function checkTrailer(bytes: Uint8Array, format: ObjectFormat, runtime: Runtime): void {
  const { idBytes } = format;
  const end = bytes.length - idBytes;
  const actual = new Uint8Array(idBytes);
  if (end < 0) throw corrupt('it is cut off');
  runtime.hashInto(format, bytes, 0, end, actual, 0);
  if (compareIds(actual, 0, bytes, end, idBytes) !== 0) throw corrupt('its checksum is wrong');
}

/** Sorted raw ids with a fan-out table before them, read in place. */
export class SortedIds {
  readonly count: number;
  readonly #bytes: Uint8Array;
  readonly #idsAt: number;
  readonly #idBytes: number;
  /** `#fanout[b]` counts the ids whose first byte is below `b`. */
  readonly #fanout: Uint32Array;

  /** @throws {GitError} PACK_CORRUPT when the chunks do not fit each other */
  constructor(bytes: Uint8Array, fanout: Chunk, ids: Chunk, idBytes: number) {
    if (fanout.end - fanout.start !== FANOUT_BYTES) throw corrupt('its fan-out table has another size');
    const counts = readFanout(bytes, fanout.start);
    if (counts === undefined) throw corrupt('its fan-out table descends');
    this.#fanout = counts;
    this.count = counts[256] as number;
    if (ids.end - ids.start !== this.count * idBytes) throw corrupt('its ids have another size');
    this.#bytes = bytes;
    this.#idsAt = ids.start;
    this.#idBytes = idBytes;
  }

  /** The rank of the id at `ids[at]`, or -1. */
  rankOf(ids: Uint8Array, at: number): number {
    const bytes = this.#bytes;
    const idBytes = this.#idBytes;
    const first = ids[at] as number;
    let low = this.#fanout[first] as number;
    let high = this.#fanout[first + 1] as number;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const candidate = this.#idsAt + middle * idBytes;
      let i = 1; // the fan-out settled byte 0
      while (i < idBytes && bytes[candidate + i] === ids[at + i]) i++;
      if (i === idBytes) return middle;
      if ((bytes[candidate + i] as number) < (ids[at + i] as number)) low = middle + 1;
      else high = middle;
    }
    return -1;
  }

  copyId(rank: number, target: Uint8Array, targetOffset: number): void {
    const bytes = this.#bytes;
    const from = this.#idsAt + rank * this.#idBytes;
    for (let i = 0; i < this.#idBytes; i++) target[targetOffset + i] = bytes[from + i] as number;
  }
}

/** The number at `offset`; past every file when it does not fit 2^53. */
function readOffset(bytes: Uint8Array, offset: number): number {
  return readUint32(bytes, offset) * 0x100000000 + readUint32(bytes, offset + 4);
}

function corrupt(why: string, detail: Readonly<Record<string, number>> = {}): GitError {
  return new GitError('PACK_CORRUPT', `Cannot read file: ${why}`, detail);
}
