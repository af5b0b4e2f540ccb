/**
 * Reading a multi-pack-index: one index over the objects of many packs, kept as the bytes of the file.
 * Spec: gitformat-pack(5), "multi-pack-index (MIDX) files have the following format".
 *
 * @module
 */
import { decodeLatin1, readUint32 } from '../core/bytes.ts';
import { GitError } from '../core/errors.ts';
import type { ObjectFormat } from '../core/object-id.ts';
import type { Runtime } from '../core/runtime.ts';
import { type Chunk, type Chunks, checkTrailer, readChunks, SortedIds } from './chunk-file.ts';

const SIGNATURE = 0x4d494458; // MIDX
const HEADER_BYTES = 12;
const LARGE = 0x80000000;
/** Packs by name, as git names them: `pack-<hex>.idx`. */
const PACK_NAME = /^(pack-[0-9a-f]+)\.(?:idx|pack)$/;

export interface MultiPackIndexOptions {
  readonly format: ObjectFormat;
  readonly runtime: Runtime;
}

/**
 * Version 1, and version 2, which differs in that packs may stand in any order.
 *
 * @throws {GitError} PACK_CORRUPT when the bytes are damaged; UNSUPPORTED for another version, another hash function,
 * or one that builds on others
 */
export function parseMultiPackIndex(bytes: Uint8Array, options: MultiPackIndexOptions): MultiPackIndex {
  return new MultiPackIndex(bytes, options);
}

/** Objects are numbered by id order: their *rank*. Packs are numbered as the file lists them. */
export class MultiPackIndex {
  readonly objectCount: number;
  /** Without extension. */
  readonly packNames: readonly string[];
  /** What the file ends with: its bitmaps and its reverse index name it. */
  readonly checksum: Uint8Array;
  readonly #bytes: Uint8Array;
  readonly #ids: SortedIds;
  readonly #offsetsAt: number;
  readonly #largeOffsets: Chunk | undefined;
  readonly #packOrder: Chunk | undefined;

  constructor(bytes: Uint8Array, { format, runtime }: MultiPackIndexOptions) {
    const { idBytes } = format;
    if (bytes.length < HEADER_BYTES + idBytes || readUint32(bytes, 0) !== SIGNATURE)
      throw corrupt('it is none');
    const [version, hashVersion, chunkCount, baseCount] = bytes.subarray(4, 8) as unknown as number[];
    if (version !== 1 && version !== 2) throw unsupported(`version ${version} is not known`);
    if (hashVersion !== format.hashVersion) throw unsupported(`its ids are not ${format.name}`);
    if (baseCount !== 0) throw unsupported('it builds on others');
    checkTrailer(bytes, format, runtime);
    const chunks = readChunks(bytes, { tableAt: HEADER_BYTES, count: chunkCount as number, format });

    this.#bytes = bytes;
    this.#ids = new SortedIds(bytes, required(chunks, 'OIDF'), required(chunks, 'OIDL'), idBytes);
    this.objectCount = this.#ids.count;
    this.packNames = readPackNames(bytes, required(chunks, 'PNAM'), readUint32(bytes, 8));
    this.checksum = bytes.subarray(bytes.length - idBytes);
    const offsets = required(chunks, 'OOFF');
    if (offsets.end - offsets.start !== 8 * this.objectCount) throw corrupt('its offsets have another size');
    this.#offsetsAt = offsets.start;
    this.#largeOffsets = chunks.get('LOFF');
    this.#packOrder = chunks.get('RIDX');
    if (this.#packOrder && this.#packOrder.end - this.#packOrder.start !== 4 * this.objectCount) {
      throw corrupt('its pack order has another size');
    }
  }

  get heldBytes(): number {
    return this.#bytes.length;
  }

  /** The rank of the id at `ids[at]`, or -1. */
  rankOf(ids: Uint8Array, at: number): number {
    return this.#ids.rankOf(ids, at);
  }

  copyId(rank: number, target: Uint8Array, targetOffset: number): void {
    this.#ids.copyId(rank, target, targetOffset);
  }

  /** Number of the pack the object is taken from: an index into {@link packNames} unless the file is broken. */
  packOf(rank: number): number {
    return readUint32(this.#bytes, this.#offsetsAt + 8 * rank);
  }

  /** @throws {GitError} PACK_CORRUPT when it names a 64-bit offset it does not have */
  offsetOf(rank: number): number {
    const short = readUint32(this.#bytes, this.#offsetsAt + 8 * rank + 4);
    const large = this.#largeOffsets;
    if (short < LARGE || large === undefined) return short;
    const at = large.start + 8 * (short - LARGE);
    if (at + 8 > large.end) throw corrupt('it names a 64-bit offset it does not have');
    return readUint32(this.#bytes, at) * 0x100000000 + readUint32(this.#bytes, at + 4);
  }

  /**
   * Ranks in the order of the pseudo-pack that bitmaps number (chunk RIDX), as 32-bit big-endian numbers in place;
   * `undefined` when the file does not have it.
   */
  packOrder(): Uint8Array | undefined {
    return this.#packOrder && this.#bytes.subarray(this.#packOrder.start, this.#packOrder.end);
  }
}

function readPackNames(bytes: Uint8Array, { start, end }: Chunk, count: number): string[] {
  const names: string[] = [];
  let at = start;
  while (names.length < count) {
    const nameEnd = bytes.indexOf(0, at);
    if (nameEnd < 0 || nameEnd >= end) throw corrupt('it names fewer packs than it has');
    const [, name] = PACK_NAME.exec(decodeLatin1(bytes, at, nameEnd)) ?? [];
    if (name === undefined) throw corrupt('a pack has no name of a pack', { pack: names.length });
    names.push(name);
    at = nameEnd + 1;
  }
  return names;
}

function required(chunks: Chunks, id: string): Chunk {
  const chunk = chunks.get(id);
  if (chunk === undefined) throw corrupt(`it has no chunk ${id}`);
  return chunk;
}

function corrupt(why: string, detail: Readonly<Record<string, number>> = {}): GitError {
  return new GitError('PACK_CORRUPT', `Cannot read multi-pack-index: ${why}`, detail);
}

function unsupported(why: string): GitError {
  return new GitError('UNSUPPORTED', `Cannot read multi-pack-index: ${why}`);
}
