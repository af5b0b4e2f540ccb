/**
 * Reading objects out of one finished pack: whole entries, and deltas followed to their base.
 * Spec: gitformat-pack(5), "Pack file entry".
 *
 * Everything is synchronous and iterative. One inflater serves each runtime, one cache of bases and one set
 * of file windows serve the process.
 *
 * @module
 */
import type { ByteStream } from '../core/byte-stream.ts';
import { type ErrorDetail, GitError, isGitError } from '../core/errors.ts';
import { DEFAULT_LIMITS } from '../core/limits.ts';
import { kindOfCode, type ObjectKind, OFS_DELTA, REF_DELTA, TREE } from '../core/object-kind.ts';
import type { Runtime } from '../core/runtime.ts';
import { applyDelta, type DeltaSizes, readDeltaSizes } from './delta.ts';
import { DeltaBaseCache } from './delta-base-cache.ts';
import { DeltaChain } from './delta-chain.ts';
import { createEntryHeader, parseEntryHeader } from './entry-header.ts';
import { EntryInflater, isScratch, STREAM_CHUNK_BYTES } from './entry-inflater.ts';
import type { WindowPool } from './file-windows.ts';
import { PACK_HEADER_BYTES } from './pack-header.ts';
import type { StoredPack } from './stored-pack.ts';

/** The largest object held in memory as a whole; larger ones are streamed. */
export const MAX_HELD_OBJECT_BYTES = DEFAULT_LIMITS.maxDeltaObjectBytes;

/** Bytes that one byte of a deflate stream can become, at most: 258 for two bits. */
export const MAX_INFLATION = 1032;

/** Inflated bytes that hold a delta's two sizes, of at most ten bytes each. */
const DELTA_SIZES_BYTES = 20;

export interface PackReaderOptions {
  readonly runtime: Runtime;
  /** The process's own when absent. */
  readonly baseCache?: DeltaBaseCache | undefined;
  readonly windowPool?: WindowPool | undefined;
}

/** One object, as far as a pack tells: {@link PackReader.readAt}. */
export interface PackedObject {
  readonly kind: ObjectKind;
  /** Never write to it. */
  readonly data: Uint8Array;
}

export interface PackedObjectHeader {
  readonly kind: ObjectKind;
  readonly sizeBytes: number;
}

/** An object's content as a part of some larger array; filled by {@link PackReader.viewAt}. */
export interface ObjectView {
  /** The content is `bytes[start, end)`. Never write to it. */
  bytes: Uint8Array;
  start: number;
  end: number;
  /** Kind code, 1 to 4 (core/object-kind). */
  kind: number;
}

let sharedBaseCache: DeltaBaseCache | undefined;
let lastPackNumber = 0;

const header = createEntryHeader();
const deltaSizes: DeltaSizes = { baseBytes: 0, targetBytes: 0, instructions: 0 };
/** The object resolved last. */
const found = { bytes: new Uint8Array(0) as Uint8Array, start: 0, length: 0, code: 0 };

const chain = new DeltaChain();

/** Reads one pack. Holds no file open itself: the pack's owner does. */
export class PackReader {
  readonly pack: StoredPack;
  readonly #number = ++lastPackNumber;
  readonly #entries: EntryInflater;
  readonly #bases: DeltaBaseCache;
  readonly #idBytes: number;
  readonly #entriesEnd: number;
  /** Where the zlib stream of the entry read last starts. */
  #streamAt = 0;

  constructor(pack: StoredPack, options: PackReaderOptions) {
    this.pack = pack;
    this.#entries = new EntryInflater(pack.file, options.runtime, options.windowPool);
    this.#bases = options.baseCache ?? (sharedBaseCache ??= new DeltaBaseCache());
    this.#idBytes = pack.index.format.idBytes;
    this.#entriesEnd = pack.file.sizeBytes - this.#idBytes;
  }

  /**
   * The object whose entry starts at `offset`.
   *
   * @throws {GitError} PACK_CORRUPT with `detail.offset`; LIMIT_EXCEEDED when it, or a base of it, is
   * larger than {@link MAX_HELD_OBJECT_BYTES}; STORAGE_FAILED
   */
  readAt(offset: number): PackedObject {
    try {
      this.#resolve(offset);
    } catch (error) {
      throw this.#placed(error, offset);
    }
    const { bytes, start, length, code } = found;
    return {
      kind: kindOf(code),
      data: ownsWhole(bytes, length) ? bytes : bytes.slice(start, start + length),
    };
  }

  /**
   * As {@link readAt}, without a copy: for parsing at once. The view holds until anything is read from any pack.
   */
  viewAt(offset: number, into: ObjectView): void {
    try {
      this.#resolve(offset);
    } catch (error) {
      throw this.#placed(error, offset);
    }
    into.bytes = found.bytes;
    into.start = found.start;
    into.end = found.start + found.length;
    into.kind = found.code;
  }

  /** Kind and size of the object, inflating no more than the first bytes of a delta. Throws as {@link readAt}. */
  headerAt(offset: number): PackedObjectHeader {
    try {
      return this.#readHeader(offset);
    } catch (error) {
      throw this.#placed(error, offset);
    }
  }

  /**
   * The object in chunks. Whole entries are inflated as they are read, so they may have any size; a delta's
   * result is held. Throws as {@link readAt}, at once or while the content is read.
   */
  streamAt(offset: number): { readonly header: PackedObjectHeader; readonly content: ByteStream } {
    const objectHeader = this.headerAt(offset);
    this.#parseEntry(offset);
    const whole = kindOfCode(header.type) !== undefined;
    if (whole && objectHeader.sizeBytes > STREAM_CHUNK_BYTES) {
      return {
        header: objectHeader,
        content: this.#chunks(offset, this.#streamAt, header.sizeBytes),
      };
    }
    const { data } = this.readAt(offset);
    return { header: objectHeader, content: inChunks(data) };
  }

  /** Give the memory of its windows back. */
  release(): void {
    this.#entries.windows.release();
  }

  /** Leave the object in `found`. */
  #resolve(offset: number): void {
    const bases = this.#bases;
    const pack = this.#number;
    let depth = 0;
    let at = offset;

    // Down the chain, to a whole object or one we still have.
    for (;;) {
      if (bases.find(pack, at)) {
        setFound(bases.ring, bases.start, bases.length, bases.kind);
        break;
      }
      this.#parseEntry(at);
      if (header.type !== OFS_DELTA && header.type !== REF_DELTA) {
        // Only what is likely to be a base is worth remembering.
        this.#inflateObject(at, depth > 0 || header.type === TREE);
        break;
      }
      this.#pushDelta(depth++, at);
      at = this.#baseOf(at);
    }

    // And up again, applying deltas.
    const code = found.code;
    for (let link = depth - 1; link >= 0; link--) {
      const deltaBytes = chain.sizes[link] as number;
      const delta = this.#entries.toScratch(chain.streams[link] as number, deltaBytes);
      readDeltaSizes(delta, 0, deltaBytes, deltaSizes);
      const { baseBytes, targetBytes, instructions } = deltaSizes;
      if (baseBytes !== found.length) {
        throw corrupt(`a delta is for a base of ${baseBytes} bytes, its base has ${found.length}`);
      }
      checkHeld(targetBytes);
      const entry = chain.entries[link] as number;
      const keep = bases.fits(targetBytes);
      if (keep) bases.add(pack, entry, code, targetBytes);
      const target = keep ? bases.ring : new Uint8Array(targetBytes);
      const start = keep ? bases.start : 0;
      try {
        applyDelta(
          found.bytes,
          found.start,
          baseBytes,
          delta,
          instructions,
          deltaBytes,
          target,
          start,
          targetBytes,
        );
      } catch (error) {
        bases.remove(pack, entry);
        throw error;
      }
      setFound(target, start, targetBytes, code);
    }
  }

  /** Leave the whole object whose header was just parsed in `found`. */
  #inflateObject(offset: number, isBase: boolean): void {
    const { type, sizeBytes } = header;
    checkHeld(sizeBytes);
    this.#checkFits(offset, sizeBytes);
    const bases = this.#bases;
    if (isBase && bases.fits(sizeBytes)) {
      bases.add(this.#number, offset, type, sizeBytes);
      const { ring, start } = bases;
      try {
        this.#entries.into(this.#streamAt, sizeBytes, ring, start);
      } catch (error) {
        bases.remove(this.#number, offset);
        throw error;
      }
      setFound(ring, start, sizeBytes, type);
    } else if (isBase || sizeBytes >= STREAM_CHUNK_BYTES) {
      const room = new Uint8Array(sizeBytes + 1);
      this.#entries.into(this.#streamAt, sizeBytes, room, 0);
      setFound(room.subarray(0, sizeBytes), 0, sizeBytes, type);
    } else {
      setFound(this.#entries.toScratch(this.#streamAt, sizeBytes), 0, sizeBytes, type);
    }
  }

  #readHeader(offset: number): PackedObjectHeader {
    if (this.#bases.find(this.#number, offset)) {
      return { kind: kindOf(this.#bases.kind), sizeBytes: this.#bases.length };
    }
    this.#parseEntry(offset);
    let sizeBytes = header.sizeBytes;
    let isDelta = header.type === OFS_DELTA || header.type === REF_DELTA;
    if (isDelta) {
      const start = this.#entries.beginning(this.#streamAt, Math.min(DELTA_SIZES_BYTES, sizeBytes));
      readDeltaSizes(start, 0, start.length, deltaSizes);
      sizeBytes = deltaSizes.targetBytes;
      this.#parseEntry(offset);
    }
    let at = offset;
    for (let depth = 0; isDelta; ) {
      this.#pushDelta(depth++, at);
      at = this.#baseOf(at);
      if (this.#bases.find(this.#number, at)) return { kind: kindOf(this.#bases.kind), sizeBytes };
      this.#parseEntry(at);
      isDelta = header.type === OFS_DELTA || header.type === REF_DELTA;
    }
    return { kind: kindOf(header.type), sizeBytes };
  }

  /** Fill `header` and `#streamAt` from the entry at `offset`; the windows stay there. */
  #parseEntry(offset: number): void {
    if (offset < PACK_HEADER_BYTES || offset >= this.#entriesEnd) {
      throw corrupt('no entry can start there', { offset });
    }
    const { windows } = this.#entries;
    windows.seek(offset);
    if (!parseEntryHeader(windows.bytes, windows.at, windows.end, this.#idBytes, header)) {
      throw corrupt('the pack ends inside an entry', { offset });
    }
    this.#streamAt = offset + header.headerBytes;
  }

  #pushDelta(depth: number, at: number): void {
    checkHeld(header.sizeBytes);
    this.#checkFits(at, header.sizeBytes);
    chain.set(depth, at, this.#streamAt, header.sizeBytes);
  }

  /** A damaged header is no reason to take memory for what the rest of the pack cannot hold. */
  #checkFits(offset: number, sizeBytes: number): void {
    if (sizeBytes > MAX_INFLATION * (this.#entriesEnd - this.#streamAt)) {
      throw corrupt('an entry declares more bytes than the rest of the pack can hold', { offset, sizeBytes });
    }
  }

  /** Where the base of the delta whose header was just parsed starts. */
  #baseOf(at: number): number {
    if (header.type === OFS_DELTA) {
      const base = at - header.baseDistance;
      if (header.baseDistance === 0 || base < PACK_HEADER_BYTES) {
        throw corrupt('a delta names a base outside the pack', { offset: at });
      }
      return base;
    }
    const { windows } = this.#entries;
    const { index } = this.pack;
    const rank = index.rankOf(windows.bytes, windows.at + header.headerBytes - this.#idBytes);
    if (rank < 0) throw corrupt('the base of a delta is not in the pack', { offset: at });
    return index.offsetOf(rank);
  }

  async *#chunks(offset: number, streamAt: number, sizeBytes: number): AsyncGenerator<Uint8Array> {
    try {
      yield* this.#entries.chunks(streamAt, sizeBytes);
    } catch (error) {
      throw this.#placed(error, offset);
    }
  }

  /** The same error, with the pack's name and the place where reading began. */
  #placed(error: unknown, offset: number): unknown {
    if (!isGitError(error, 'PACK_CORRUPT', 'LIMIT_EXCEEDED')) return error;
    const detail: ErrorDetail = { ...error.detail, pack: this.pack.name, offset };
    return new GitError(
      error.code,
      `Cannot read object at ${offset} of ${this.pack.name}: ${reason(error)}`,
      detail,
      error,
    );
  }
}

function setFound(bytes: Uint8Array, start: number, length: number, code: number): void {
  found.bytes = bytes;
  found.start = start;
  found.length = length;
  found.code = code;
}

/** @returns whether the array was made for this object alone */
function ownsWhole(bytes: Uint8Array, length: number): boolean {
  return bytes.length === length && !isScratch(bytes);
}

async function* inChunks(data: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < data.length; at += STREAM_CHUNK_BYTES) {
    yield data.subarray(at, Math.min(data.length, at + STREAM_CHUNK_BYTES));
  }
}

function kindOf(code: number): ObjectKind {
  return kindOfCode(code) as ObjectKind; // parseEntryHeader let only 1 to 4, 6 and 7 through
}

function checkHeld(sizeBytes: number): void {
  if (sizeBytes > MAX_HELD_OBJECT_BYTES) {
    throw new GitError(
      'LIMIT_EXCEEDED',
      `Cannot hold object: at most ${MAX_HELD_OBJECT_BYTES} bytes are held, it takes ${sizeBytes}`,
      { limitBytes: MAX_HELD_OBJECT_BYTES, sizeBytes },
    );
  }
}

function reason(error: GitError): string {
  return error.message.replace(/^Cannot [^:]*: /, '');
}

function corrupt(why: string, detail: ErrorDetail = {}): GitError {
  return new GitError('PACK_CORRUPT', `Cannot read pack: ${why}`, detail);
}
