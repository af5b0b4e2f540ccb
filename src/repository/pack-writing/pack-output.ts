/**
 * The pack as it is written: bytes collected into chunks, counted and hashed on the way out.
 *
 * @module
 */
import type { ObjectFormat } from '../../core/object-id.ts';
import type { IncrementalHash, Runtime } from '../../core/runtime.ts';
import { MAX_ENTRY_HEADER_BYTES } from '../../pack/entry-header.ts';
import type { RandomAccessFile } from '../../pack/stored-pack.ts';
import { packEndsEarly } from './pack-errors.ts';

/** What one side-band-64k packet carries: 65520 less the length and the band. */
export const CHUNK_BYTES = 65515;
/** Bytes free in front of each chunk, for the length and the band: the packet is made without moving the chunk. */
export const HEADROOM_BYTES = 5;

/** Room for a chunk of `sizeBytes`, with its headroom before it in its buffer. */
export function newChunk(sizeBytes: number = CHUNK_BYTES): Uint8Array<ArrayBuffer> {
  return new Uint8Array(HEADROOM_BYTES + sizeBytes).subarray(HEADROOM_BYTES);
}

/** `length` bytes at `fileOffset` of a stored pack come next in the pack being written, from `position` on. */
export type CopyListener = (
  file: RandomAccessFile,
  fileOffset: number,
  position: number,
  length: number,
) => void;

/**
 * Everything is synchronous: fill until {@link isFull}, then {@link take} the chunk and hand it on. A chunk counts
 * as full as soon as an entry header would not fit, so that a header is never split.
 */
export class PackOutput {
  #chunk = newChunk();
  #length = 0;
  #taken = 0;
  readonly #hash: IncrementalHash;
  readonly #onCopy: CopyListener | undefined;

  /** @param onCopy told of what {@link appendFile} takes in, before it is taken */
  constructor(runtime: Runtime, format: ObjectFormat, onCopy?: CopyListener) {
    this.#hash = runtime.createHash(format);
    this.#onCopy = onCopy;
  }

  /** Bytes of the pack so far: where the next one will lie. */
  get position(): number {
    return this.#taken + this.#length;
  }

  get isFull(): boolean {
    return this.#length > CHUNK_BYTES - MAX_ENTRY_HEADER_BYTES;
  }

  /** The chunk being filled, for {@link claim}ed writing. */
  get chunk(): Uint8Array {
    return this.#chunk;
  }

  /** Where in {@link chunk} the next byte goes. */
  get length(): number {
    return this.#length;
  }

  /** Up to this index of {@link chunk} has been written by the caller. */
  claim(length: number): void {
    this.#length = length;
  }

  /** Take in as much of `bytes[start, end)` as there is room for. @returns where it stopped */
  append(bytes: Uint8Array, start: number, end: number): number {
    const stop = Math.min(end, start + CHUNK_BYTES - this.#length);
    this.#chunk.set(bytes.subarray(start, stop), this.#length);
    this.#length += stop - start;
    return stop;
  }

  /**
   * Take in as much of the file's bytes `[start, end)` as there is room for, read straight into the chunk.
   *
   * @returns where it stopped
   * @throws {GitError} PACK_CORRUPT when the file ends before; STORAGE_FAILED
   */
  appendFile(file: RandomAccessFile, start: number, end: number): number {
    const length = Math.min(end - start, CHUNK_BYTES - this.#length);
    if (file.readInto(start, this.#chunk, this.#length, length) !== length) throw packEndsEarly(file, end);
    this.#onCopy?.(file, start, this.position, length);
    this.#length += length;
    return start + length;
  }

  /** The chunk, hashed; it belongs to the caller now. Empty when nothing was written since the last one. */
  take(): Uint8Array {
    const taken = this.#chunk.subarray(0, this.#length);
    if (taken.length === 0) return taken;
    this.#hash.update(taken);
    this.#taken += taken.length;
    this.#chunk = newChunk();
    this.#length = 0;
    return taken;
  }

  /** The pack's trailer: the hash of everything taken. Nothing can be written after it. */
  trailer(): Uint8Array {
    return this.#hash.digest();
  }
}
