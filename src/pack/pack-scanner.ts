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
import { type HashBatch, type ObjectHasher, USUAL_BATCHED_BYTES } from '../core/object-hasher.ts';
import { bytesToHex, type ObjectFormat } from '../core/object-id.ts';
import { BLOB, OFS_DELTA, REF_DELTA } from '../core/object-kind.ts';
import type { IncrementalHash, Inflater, Runtime } from '../core/runtime.ts';
import { type DeltaSizes, readDeltaSizes } from './delta.ts';
import { atOffset } from './entry-error.ts';
import { createEntryHeader, MAX_ENTRY_HEADER_BYTES, parseEntryHeader } from './entry-header.ts';
import type { ObjectChecker } from './fsck/object-checker.ts';
import { HeavyTrees } from './heavy-trees.ts';
import type { ObjectEdges } from './object-edges.ts';
import { OBJECT_HEADER_ROOM, writeObjectHeader } from './object-header.ts';
import { NONE, ObjectTable } from './object-table.ts';
import { PACK_HEADER_BYTES, parsePackHeader } from './pack-header.ts';
import { PiecedObject } from './pieced-object.ts';
import { SettledFamilies } from './settled-families.ts';

/** Larger objects are hashed in pieces of this size. */
const PIECE_BYTES = 128 * 1024;
/** From this many objects on, hashing them in batches pays for the memory it takes. */
const BATCHES_FROM_OBJECTS = 2000;
/**
 * Inflated without a pause: some milliseconds of hashing. Of zeros, 64 KiB of a pack are a thousand times that; and who
 * waits meanwhile is everybody else.
 */
const TURN_INFLATED_BYTES = 1024 * 1024;
/** A share of the bytes from which on larger batches pay. */
const LARGE_SHARE = 0.1;

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
  /** Inflated bytes of all entries so far, as their headers declare them. */
  inflatedBytes = 0;
  /** Bytes of the largest object, deltas resolved. */
  largestObjectBytes = 0;
  /** Where the large objects to be made by deltas are. */
  readonly heavyTrees = new HeavyTrees();
  /** What of it may be resolved while the rest arrives. */
  readonly families = new SettledFamilies();
  /** The pack's own trailer; meaningful once `phase` is `done`. */
  readonly trailer: Uint8Array;
  /** Sees each whole object, when there is one. */
  edges: ObjectEdges | undefined;
  /** So does this one. */
  checker: ObjectChecker | undefined;

  readonly #format: ObjectFormat;
  readonly #runtime: Runtime;
  readonly #limits: Limits;
  readonly #inflater: Inflater;
  readonly #packHash: IncrementalHash;
  readonly #hasher: ObjectHasher;
  #batch: HashBatch | undefined;
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
  readonly #pieced = new PiecedObject();
  #objectHash: IncrementalHash | undefined;
  #resolvedBytes = 0;
  #largeBytes = 0;
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
    this.#hasher = hasher;
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

  /** Bytes of all objects to be made by deltas so far. */
  get resolvedBytes(): number {
    return this.#resolvedBytes;
  }

  /** Whether much of what deltas will make is in objects too large for a hasher's usual batch. */
  get isMuchLarge(): boolean {
    return this.#largeBytes > this.#resolvedBytes * LARGE_SHARE;
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
    if (this.declaredCount >= BATCHES_FROM_OBJECTS) {
      this.#batch = this.#hasher.createBatch(() => this.table.columns.ids);
    }
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
        this.#batch?.flush();
        this.#batch = undefined; // its memory is of no more use
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

    this.inflatedBytes += sizeBytes;
    this.#allow('inflated bytes of all objects', this.inflatedBytes, this.#limits.maxInflatedBytes);
    if (type === OFS_DELTA || type === REF_DELTA) {
      this.deltaCount++;
      this.#allow('bytes of a delta', sizeBytes, this.#limits.maxDeltaObjectBytes);
    } else {
      this.#allow('bytes of an object', sizeBytes, this.#limits.maxObjectBytes);
      if (sizeBytes > this.largestObjectBytes) this.largestObjectBytes = sizeBytes;
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
    const first = this.#inflated === this.#pieceBytes;
    if (type >= OFS_DELTA) {
      if (first) this.#readSizes();
    } else {
      this.#objectHash ??= this.#hasher.createHash();
      const start = first
        ? writeObjectHeader(this.#piece, OBJECT_HEADER_ROOM, type, sizeBytes)
        : OBJECT_HEADER_ROOM;
      const end = OBJECT_HEADER_ROOM + this.#pieceBytes;
      this.#objectHash.update(this.#piece.subarray(start, end));
      if (type !== BLOB) this.#seePiece(type, sizeBytes, end);
    }
    this.#pieceBytes = 0;
  }

  #finishEntry(): void {
    this.#inEntry = false;
    const { type, sizeBytes } = this.#header;
    const { ids, idBytes } = this.table.columns;
    const idAt = this.table.count * idBytes;
    const inOnePiece = this.#inflated === this.#pieceBytes;
    if (type >= OFS_DELTA) {
      if (inOnePiece) this.#readSizes();
    } else if (inOnePiece) {
      const start = writeObjectHeader(this.#piece, OBJECT_HEADER_ROOM, type, sizeBytes);
      const end = OBJECT_HEADER_ROOM + sizeBytes;
      if (this.#batch === undefined) this.#hasher.hashInto(this.#piece, start, end, ids, idAt);
      else this.#batch.add(this.#piece, start, end, idAt);
      if (type !== BLOB) this.#see(type, this.#piece, OBJECT_HEADER_ROOM, end);
    } else {
      this.#finishPiece();
      ids.set((this.#objectHash as IncrementalHash).digest(), idAt);
      this.#objectHash = undefined;
    }
  }

  /** Show an object that is whole to those who look at objects. */
  #see(type: number, bytes: Uint8Array, start: number, end: number): void {
    this.edges?.take(this.table.count, type, bytes, start, end);
    this.checker?.check(this.table.count, type, bytes, start, end);
  }

  #seePiece(type: number, sizeBytes: number, end: number): void {
    if (this.edges === undefined && this.checker === undefined) return;
    if (!PiecedObject.fits(sizeBytes)) {
      this.edges?.giveUp();
      this.checker?.refuse(sizeBytes);
      return;
    }
    const whole = this.#pieced.add(sizeBytes, this.#piece, OBJECT_HEADER_ROOM, end);
    if (whole !== undefined) this.#see(type, whole, 0, sizeBytes);
  }

  /** The delta's sizes stand at the start of the piece. They are summed before anything is resolved. */
  #readSizes(): void {
    const sizes = this.#sizes;
    readDeltaSizes(this.#piece, OBJECT_HEADER_ROOM, OBJECT_HEADER_ROOM + this.#pieceBytes, sizes);
    const limit = Math.min(this.#limits.maxDeltaObjectBytes, this.#limits.maxObjectBytes);
    this.#allow('bytes of an object made by a delta', sizes.targetBytes, limit);
    this.#allow("bytes of a delta's base", sizes.baseBytes, limit);
    this.#resolvedBytes += sizes.targetBytes;
    this.#allow('bytes of all objects made by deltas', this.#resolvedBytes, this.#limits.maxResolvedBytes);
    if (sizes.targetBytes > this.largestObjectBytes) this.largestObjectBytes = sizes.targetBytes;
    if (sizes.targetBytes > USUAL_BATCHED_BYTES) this.#largeBytes += sizes.targetBytes;
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

  #allow(what: string, value: number, limit: number): void {
    if (value <= limit) return;
    throw new GitError(
      'LIMIT_EXCEEDED',
      `Cannot read pack: at most ${limit} ${what} are allowed, got ${value}`,
      {
        limit,
        value,
      },
    );
  }
}
