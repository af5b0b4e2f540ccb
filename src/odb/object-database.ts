/**
 * The object database as everything above it sees it. Implementations: packed (files, memory).
 *
 * A request works on a snapshot: it opens an {@link ObjectReader}, which pins the packs of that moment
 * (a repack beside it cannot pull files away), and reads synchronously from what is local.
 *
 * @module
 */
import type { ByteStream, Cancellable, ProgressListener } from '../core/byte-stream.ts';
import type { Limits } from '../core/limits.ts';
import type { ObjectFormat, ObjectId } from '../core/object-id.ts';
import type { ObjectKind } from '../core/object-kind.ts';
import type { CommitGraph } from '../pack/commit-graph.ts';
import type { FsckFindings } from '../pack/fsck/findings.ts';
import type { FsckRules } from '../pack/fsck/rules.ts';
import type { ObjectView } from '../pack/pack-reader.ts';
import type { ReachabilityBitmaps } from '../pack/reachability-bitmaps.ts';
import type { StoredPack } from '../pack/stored-pack.ts';
import type { StoredFiles } from './stored-files.ts';

export interface RawObject {
  readonly kind: ObjectKind;
  /** The content without its `kind SP size NUL` header. Shared with caches: never write to it. */
  readonly data: Uint8Array;
}

export interface ObjectHeader {
  readonly kind: ObjectKind;
  readonly sizeBytes: number;
}

/**
 * Where an object's bytes are. One instance is filled again and again by {@link ObjectReader.locate}, so
 * that looking up a million objects allocates nothing.
 */
export interface ObjectLocation {
  /** Index into {@link ObjectReader.packs}; -1 for an object outside packs (loose). */
  pack: number;
  /** Byte offset of the entry in that pack; 0 for a loose object. */
  offset: number;
}

/**
 * A view of the objects at one moment. Members are synchronous, answer `undefined` or `false` for what is
 * absent, and throw for what is present but broken.
 *
 * Ids are given raw, as `ids[at, at + idBytes)`, by the hot paths, and in hex by {@link read} and friends.
 */
export interface ObjectReader {
  readonly format: ObjectFormat;
  /**
   * In the order they are searched: an object in several packs is always found in the first. A pack that another
   * process made meanwhile may be added at the end, when an object is looked for that no other holds.
   */
  readonly packs: readonly StoredPack[];
  /**
   * What the commits of one pack, or of many, reach: the bitmaps that cover most objects of this snapshot. Opened when
   * first asked for. `undefined` when there are none that can be used: history is walked then.
   */
  readonly bitmaps?: ReachabilityBitmaps | undefined;
  /**
   * What many commits of the history say, without reading them; not that they are there. Opened when first asked for.
   * `undefined` when there is none that can be used: commits are read then.
   */
  readonly commitGraph?: CommitGraph | undefined;

  has(id: ObjectId): boolean;
  hasRaw(ids: Uint8Array, at: number): boolean;
  /**
   * As {@link hasRaw} for a great many ids, most of them absent, which are asked for in rising order: does not look for
   * what others store meanwhile, nor anew for each id. A backend may leave it out.
   */
  storedInOrder?(): (ids: Uint8Array, at: number) => boolean;

  /** @throws {GitError} OBJECT_CORRUPT, PACK_CORRUPT, LIMIT_EXCEEDED when it is too large to hold */
  read(id: ObjectId): RawObject | undefined;
  readRaw(ids: Uint8Array, at: number): RawObject | undefined;
  /**
   * As {@link readRaw}, without a copy (twice as fast for trees): for parsing at once.
   *
   * @returns whether it exists; `into` is filled only then, and holds until anything else is read
   */
  viewRaw(ids: Uint8Array, at: number, into: ObjectView): boolean;
  /** Kind and size without the content; follows a delta chain to its end, inflating only headers. */
  readHeader(id: ObjectId): ObjectHeader | undefined;
  readHeaderRaw(ids: Uint8Array, at: number): ObjectHeader | undefined;
  /** The content in chunks: for objects larger than memory should hold. Small ones come as one chunk. */
  stream(id: ObjectId): { readonly header: ObjectHeader; readonly content: ByteStream } | undefined;

  /** Find the object without reading it. @returns whether it exists; `into` is filled only then */
  locate(ids: Uint8Array, at: number, into: ObjectLocation): boolean;
  /** Full ids that begin with this hex prefix (4 digits or more), at most `most` of them. */
  idsWithPrefix(prefix: string, most: number): ObjectId[];

  /** Let go of the pinned packs. Reading after it is a bug. Safe to call twice. */
  release(): void;
}

export interface ObjectDatabase {
  readonly format: ObjectFormat;
  /** A reader over what is stored now, packs made by other processes included. Cheap when nothing changed. */
  openReader(options?: Cancellable): Promise<ObjectReader>;
  /** Begin a quarantine: what is written is invisible to {@link openReader} until committed. */
  begin(options?: Cancellable): Promise<ObjectTransaction>;
  /** The files it is kept in, for clients of the dumb protocol. Absent when it is not kept in files: these get nothing. */
  readonly files?: StoredFiles | undefined;
  /** Free caches and file descriptors once the last reader is released. */
  close(): Promise<void>;
}

export interface WritePackOptions extends Cancellable {
  readonly limits: Limits;
  readonly onProgress?: ProgressListener | undefined;
  /**
   * Packs of fewer objects are unpacked into loose objects, as git's receive.unpackLimit does (100).
   * 0 keeps every pack.
   */
  readonly unpackLimit?: number | undefined;
  /**
   * Stop reading at the pack's trailer, for a peer that waits for an answer before it ends its stream.
   * Otherwise the stream is read to its end, and bytes after the trailer are refused.
   */
  readonly allowTrailingBytes?: boolean | undefined;
  /** Refuse objects that carry a SHA-1 collision attack. Default true. */
  readonly collisionDetection?: boolean | undefined;
  /**
   * Refuse objects that `git fsck --strict` finds wrong, by these rules. Absent: objects are not looked at. What is
   * called `.gitmodules` or `.gitattributes` is left to the caller: see {@link WritePackResult.findings}.
   */
  readonly fsck?: FsckRules | undefined;
}

export interface WritePackResult {
  /** Entries that arrived; those added to complete a thin pack not among them. */
  readonly objectCount: number;
  readonly deltaCount: number;
  /** Bases added to complete a thin pack. */
  readonly completedCount: number;
  /** Hex of the pack's own trailer; absent when it was unpacked into loose objects or was empty. */
  readonly packId?: string | undefined;
  /** What the check found that is no error, and the blobs it leaves to check; absent when there was none. */
  readonly findings?: FsckFindings | undefined;
  /**
   * True: every object of the pack `packId` parses, and all that they refer to is in it too, of the kind they say
   * (gitlinks apart). What is in the pack needs no walk to be known connected. A backend may leave it out.
   */
  readonly isSelfContained?: boolean | undefined;
}

/** The quarantine. Everything it holds appears at once, or never. */
export interface ObjectTransaction extends AsyncDisposable {
  readonly format: ObjectFormat;
  /**
   * Store a pack as it arrives.
   *
   * Reads `pack` once, chunk by chunk, to its end; memory use does not grow with the size of the pack.
   * Thin packs are completed from the database. A pack of no objects stores nothing.
   *
   * @throws {GitError} SHA1_COLLISION with `detail.id`; PACK_CORRUPT with `detail.offset`; OBJECT_MISSING with `detail.base`;
   * LIMIT_EXCEEDED; STORAGE_FAILED; ABORTED
   */
  writePack(pack: ByteStream, options: WritePackOptions): Promise<WritePackResult>;
  /** Store one object (loose); storing what exists already is no error. */
  writeObject(kind: ObjectKind, data: Uint8Array): Promise<ObjectId>;
  /** A reader over this transaction's own objects and, behind them, the database. */
  openReader(options?: Cancellable): Promise<ObjectReader>;
  /** For hooks that run git: `GIT_QUARANTINE_PATH`. Absent when the objects are not files. */
  readonly quarantinePath?: string | undefined;
  /** Publish everything at once. @throws {GitError} STORAGE_FAILED, and nothing is visible then */
  commit(): Promise<void>;
  // [Symbol.asyncDispose]() discards what was not committed. Safe to call twice. After a commit, call it once refs
  // hold the objects: until then a repack by another process is kept from dropping them (git's .keep files).
}
