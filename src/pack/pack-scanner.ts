/**
 * Reading a pack as it arrives: entry after entry, in any chunking.
 * Spec: gitformat-pack(5).
 *
 * Every entry is inflated once, to find its end and to check its declared size. Whole objects are hashed on the
 * way; of a delta only its two sizes are read, and the place of its base. Nothing of an entry is kept but its row
 * in the table. Synchronous: the caller waits for chunks, and writes them down.
 *
 * @module
 */
import { equalBytes } from '../core/bytes.ts';
import { GitError } from '../core/errors.ts';
import type { Limits } from '../core/limits.ts';
import type { ObjectHasher } from '../core/object-hasher.ts';
import { bytesToHex, type ObjectFormat } from '../core/object-id.ts';
import { OFS_DELTA, REF_DELTA } from '../core/object-kind.ts';
import type { IncrementalHash, Inflater, Runtime } from '../core/runtime.ts';
import { type DeltaSizes, readDeltaSizes } from './delta.ts';
import { atOffset } from './entry-error.ts';
import { createEntryHeader, MAX_ENTRY_HEADER_BYTES, parseEntryHeader } from './entry-header.ts';
import { HeavyTrees } from './heavy-trees.ts';
import { OBJECT_HEADER_ROOM } from './object-header.ts';
import { NONE, ObjectTable } from './object-table.ts';
import { PACK_HEADER_BYTES, parsePackHeader } from './pack-header.ts';
import { PackSums } from './pack-sums.ts';
import { SettledFamilies } from './settled-families.ts';
import { WholeObjects } from './whole-objects.ts';

/** Larger objects are hashed in pieces of this size. */
const PIECE_BYTES = 128 * 1024;
/**
 * Inflated without a pause: some milliseconds of hashing. Of zeros, 64 KiB of a pack are a thousand times that; and who
 * waits meanwhile is everybody else.
 */
const TURN_INFLATED_BYTES = 1024 * 1024;

export type ScanPhase = 'header' | 'entries' | 'trailer' | 'done';

export class PackScanner {
  readonly table: ObjectTable;
  phase: ScanPhase = 'header';
  /** Entries the header declares. Believed only as far as they arrive. */
  declaredCount = 0;
  /** Bytes of header and entries so far; the trailer begins here once the entries are over. */
  bodyBytes = 0;
  deltaCount = 0;
  refDeltaCount = 0;
  /** What the entries so far come to. */
  readonly sums: PackSums;
  /** The whole objects among them. */
  readonly objects: WholeObjects;
  /** Where the large objects to be made by deltas are. */
  readonly heavyTrees = new HeavyTrees();
  /** What of it may be resolved while the rest arrives. */
  readonly families = new SettledFamilies();
  /** The pack's own trailer; meaningful once `phase` is `done`. */
  readonly trailer: Uint8Array;

  readonly #format: ObjectFormat;
  readonly #runtime: Runtime;
  readonly #limits: Limits;
  readonly #inflater: Inflater;
  readonly #packHash: IncrementalHash;
  /** What a header, or the trailer, has of its bytes in earlier chunks. */
  readonly #carry = new Uint8Array(MAX_ENTRY_HEADER_BYTES);
  #carried = 0;

  readonly #header = createEntryHeader();
  readonly #sizes: DeltaSizes = { baseBytes: 0, targetBytes: 0, instructions: 0 };
  readonly #piece = new Uint8Array(OBJECT_HEADER_ROOM + PIECE_BYTES + 1);
  /** Inside the data of the entry that begins at #entryOffset, which is number `table.count`. */
  #inEntry = false;
  #entryOffset = PACK_HEADER_BYTES;
  #crc = 0;
  #inflated = 0;
  #pieceBytes = 0;
  /** The base of the entry, where it is one of the pack. */
  #base = NONE;
  /** Inflated since {@link scan} was called last. */
  #turnInflated = 0;

  /** @param hasher gives the ids of whole objects */
  constructor(format: ObjectFormat, runtime: Runtime, limits: Limits, hasher: ObjectHasher) {
    this.#format = format;
    this.#runtime = runtime;
    this.#limits = limits;
    this.table = new ObjectTable(format);
    this.trailer = new Uint8Array(format.idBytes);
    this.#inflater = runtime.createInflater();
    this.#packHash = runtime.createHash(format);
    this.sums = new PackSums(limits);
    this.objects = new WholeObjects(this.table, hasher);
  }

  /**
   * Take in `chunk[start, end)`. Bytes after the trailer are not looked at.
   *
   * `bodyBytes` grows by what of it was header and entries: those are to be written down, the trailer not yet.
   *
   * @returns where it stopped: `end`, just past the trailer, or after so much work that others should have their turn:
   * then it wants to be called again with the rest
   * @throws {GitError} PACK_CORRUPT, UNSUPPORTED or LIMIT_EXCEEDED, with `detail.offset`; the scan cannot go on
   */
  scan(chunk: Uint8Array, start: number, end: number): number {
    const chunkOffset = this.bodyBytes - start;
    this.#turnInflated = 0;
    let at = start;
    if (this.phase === 'header') at = this.#takePackHeader(chunk, at, end);
    if (this.phase === 'entries') {
      try {
        at = this.#takeEntries(chunk, at, end, chunkOffset);
      } catch (error) {
        throw atOffset(error, this.#entryOffset);
      }
    }
    if (at > start) {
      this.#packHash.update(chunk.subarray(start, at));
      this.bodyBytes += at - start;
    }
    if (this.phase === 'trailer') at = this.#takeTrailer(chunk, at, end);
    return at;
  }

  /** Whether the trailer has been seen, and is right. */
  get isDone(): boolean {
    return this.phase === 'done';
  }

  /** @throws {GitError} PACK_CORRUPT, always: for a stream that ended before the pack did */
  failTruncated(): never {
    const offset = this.bodyBytes + (this.phase === 'trailer' ? this.#carried : 0);
    const { count } = this.table;
    throw new GitError(
      'PACK_CORRUPT',
      this.phase === 'header'
        ? `Cannot read pack: expected a header of ${PACK_HEADER_BYTES} bytes, got ${offset}`
        : `Cannot read pack: it ends at ${offset}, after ${count} of ${this.declaredCount} objects`,
      { offset, objectCount: count, declaredCount: this.declaredCount },
    );
  }

  /** Release native memory. */
  close(): void {
    this.#inflater.close();
  }

  #takePackHeader(chunk: Uint8Array, start: number, end: number): number {
    const taken = Math.min(end - start, PACK_HEADER_BYTES - this.#carried);
    this.#carry.set(chunk.subarray(start, start + taken), this.#carried);
    this.#carried += taken;
    if (this.#carried < PACK_HEADER_BYTES) return end;
    this.#carried = 0;
    try {
      this.declaredCount = parsePackHeader(this.#carry);
    } catch (error) {
      throw atOffset(error, 0);
    }
    if (this.declaredCount > this.#limits.maxPackObjects) {
      throw new GitError(
        'LIMIT_EXCEEDED',
        `Cannot read pack: at most ${this.#limits.maxPackObjects} objects are allowed, it declares ${this.declaredCount}`,
        { offset: 8, limit: this.#limits.maxPackObjects, declaredCount: this.declaredCount },
      );
    }
    this.phase = this.declaredCount === 0 ? 'trailer' : 'entries';
    this.objects.expect(this.declaredCount);
    return start + taken;
  }

  #takeEntries(chunk: Uint8Array, start: number, end: number, chunkOffset: number): number {
    let at = start;
    while (at < end) {
      const from = at;
      if (!this.#inEntry) {
        if (this.#carried === 0) this.#entryOffset = chunkOffset + at;
        at = this.#takeEntryHeader(chunk, at, end);
        if (!this.#inEntry) return at;
      }
      at = this.#inflateEntry(chunk, at, end);
      this.#crc = this.#runtime.crc32(chunk, from, at, this.#crc);
      if (this.#inEntry) return at;

      const { table } = this;
      table.columns.crcs[table.count++] = this.#crc;
      this.#crc = 0;
      if (table.count === this.declaredCount) {
        this.objects.finish();
        this.phase = 'trailer';
        return at;
      }
      if (this.#turnInflated >= TURN_INFLATED_BYTES) return at;
    }
    return at;
  }

  /** Starts the entry if the header is complete; otherwise keeps what there is of it and returns `end`. */
  #takeEntryHeader(chunk: Uint8Array, start: number, end: number): number {
    const header = this.#header;
    const { idBytes } = this.#format;
    if (this.#carried === 0 && parseEntryHeader(chunk, start, end, idBytes, header)) {
      this.#beginEntry(chunk, start + header.headerBytes);
      return start + header.headerBytes;
    }
    const before = this.#carried;
    const added = Math.min(end - start, this.#carry.length - before);
    this.#carry.set(chunk.subarray(start, start + added), before);
    this.#carried += added;
    if (!parseEntryHeader(this.#carry, 0, this.#carried, idBytes, header)) {
      this.#crc = this.#runtime.crc32(chunk, start, end, this.#crc);
      return end;
    }
    this.#carried = 0;
    this.#beginEntry(this.#carry, header.headerBytes);
    return start + header.headerBytes - before;
  }

  /** Fill the row of entry `table.count`; the header, a base's id last, ends at `bytes[headerEnd]`. */
  #beginEntry(bytes: Uint8Array, headerEnd: number): void {
    const { table } = this;
    const { type, sizeBytes, baseDistance } = this.#header;
    const { idBytes } = this.#format;
    const entry = table.count;
    table.beginRow(this.#entryOffset, type, this.declaredCount);
    const { columns } = table;

    if (type === OFS_DELTA || type === REF_DELTA) {
      this.deltaCount++;
      this.sums.addDelta(sizeBytes);
    } else {
      this.sums.addWhole(sizeBytes);
      this.heavyTrees.addWhole(entry, sizeBytes);
      this.families.addWhole(entry, type);
    }
    this.#base = NONE;
    if (type === OFS_DELTA) {
      const baseOffset = this.#entryOffset - baseDistance;
      const base = baseDistance === 0 ? NONE : table.entryAt(baseOffset);
      if (base === NONE) {
        throw new GitError(
          'PACK_CORRUPT',
          `Cannot read delta: no entry begins at its base offset ${baseOffset}`,
          {
            baseOffset,
          },
        );
      }
      if (!this.families.addDelta(entry, base)) table.addChild(base, entry);
      this.#base = base;
    } else if (type === REF_DELTA) {
      this.refDeltaCount++;
      this.families.addRefDelta();
      for (let i = 0; i < idBytes; i++) {
        columns.ids[entry * idBytes + i] = bytes[headerEnd - idBytes + i] as number;
      }
    }
    this.#inEntry = true;
    this.#inflated = 0;
    this.#pieceBytes = 0;
    this.#inflater.reset();
  }

  /** Inflate on until the entry, the input or the turn ends. @returns how far the input was taken */
  #inflateEntry(chunk: Uint8Array, start: number, end: number): number {
    const { sizeBytes } = this.#header;
    const inflater = this.#inflater;
    let at = start;
    for (;;) {
      // One byte more than declared: an entry that fills it lies.
      const room = Math.min(PIECE_BYTES - this.#pieceBytes, sizeBytes - this.#inflated + 1);
      const to = OBJECT_HEADER_ROOM + this.#pieceBytes;
      inflater.inflate(chunk, at, end, this.#piece, to, to + room);
      at += inflater.consumed;
      this.#pieceBytes += inflater.produced;
      this.#inflated += inflater.produced;
      this.#turnInflated += inflater.produced;
      if (this.#inflated > sizeBytes) throw this.#lyingSize('more');
      if (inflater.ended) {
        if (this.#inflated < sizeBytes) throw this.#lyingSize(`${this.#inflated}`);
        this.#finishEntry();
        return at;
      }
      if (this.#pieceBytes === PIECE_BYTES) {
        this.#finishPiece();
        if (this.#turnInflated >= TURN_INFLATED_BYTES && at < end) return at;
      } else if (at === end) return at;
      else if (inflater.consumed === 0 && inflater.produced === 0)
        throw this.#lyingSize('a stream that stalls');
    }
  }

  #finishPiece(): void {
    const { type, sizeBytes } = this.#header;
    const end = OBJECT_HEADER_ROOM + this.#pieceBytes;
    if (type < OFS_DELTA) {
      this.objects.takePiece(this.table.count, type, sizeBytes, this.#piece, OBJECT_HEADER_ROOM, end);
    } else if (this.#inflated === this.#pieceBytes) {
      this.#readSizes();
    }
    this.#pieceBytes = 0;
  }

  #finishEntry(): void {
    this.#inEntry = false;
    const { type, sizeBytes } = this.#header;
    const entry = this.table.count;
    const inOnePiece = this.#inflated === this.#pieceBytes;
    if (type >= OFS_DELTA) {
      if (inOnePiece) this.#readSizes();
    } else if (inOnePiece) {
      this.objects.take(entry, type, this.#piece, OBJECT_HEADER_ROOM, OBJECT_HEADER_ROOM + sizeBytes);
    } else {
      this.#finishPiece();
      this.objects.finishPieces(entry);
    }
  }

  /** The delta's sizes stand at the start of the piece. They are summed before anything is resolved. */
  #readSizes(): void {
    const sizes = this.#sizes;
    readDeltaSizes(this.#piece, OBJECT_HEADER_ROOM, OBJECT_HEADER_ROOM + this.#pieceBytes, sizes);
    this.sums.addMade(sizes.baseBytes, sizes.targetBytes);
    if (this.#base !== NONE) this.heavyTrees.addDelta(this.table.count, this.#base, sizes.targetBytes);
  }

  #takeTrailer(chunk: Uint8Array, start: number, end: number): number {
    const taken = Math.min(end - start, this.trailer.length - this.#carried);
    this.trailer.set(chunk.subarray(start, start + taken), this.#carried);
    this.#carried += taken;
    if (this.#carried === this.trailer.length) {
      const computed = this.#packHash.digest();
      if (!equalBytes(computed, this.trailer)) {
        const trailer = bytesToHex(this.trailer);
        throw new GitError(
          'PACK_CORRUPT',
          `Cannot read pack: its bytes hash to ${bytesToHex(computed)}, its trailer says ${trailer}`,
          { offset: this.bodyBytes, trailer, computed: bytesToHex(computed) },
        );
      }
      this.phase = 'done';
    }
    return start + taken;
  }

  #lyingSize(got: string): GitError {
    const { sizeBytes } = this.#header;
    return new GitError(
      'PACK_CORRUPT',
      `Cannot read pack entry: it declares ${sizeBytes} bytes, got ${got}`,
      {
        sizeBytes,
      },
    );
  }
}
