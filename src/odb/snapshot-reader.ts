/**
 * An object reader over packs and loose objects, whatever they are stored in.
 *
 * The order is git's: packs, then loose objects, then once more the packs that have come since, because an
 * object missing from the first two may just have been repacked.
 *
 * @module
 */
import { streamOf } from '../core/byte-stream.ts';
import { GitError, isGitError } from '../core/errors.ts';
import { bytesToHex, hexToBytes, type ObjectFormat, type ObjectId } from '../core/object-id.ts';
import { codeOfKind } from '../core/object-kind.ts';
import type { CommitGraph } from '../pack/commit-graph.ts';
import type { ObjectView, PackReader } from '../pack/pack-reader.ts';
import type { ReachabilityBitmaps } from '../pack/reachability-bitmaps.ts';
import type { StoredPack } from '../pack/stored-pack.ts';
import type { LooseObjects } from './loose-objects.ts';
import type { ObjectHeader, ObjectLocation, ObjectReader, RawObject } from './object-database.ts';

export interface SnapshotReaderOptions {
  readonly format: ObjectFormat;
  /** In search order. */
  readonly packs: readonly PackReader[];
  readonly loose: readonly LooseObjects[];
  /** Packs that are not among those given so far, from any process. Called on a miss. */
  readonly findNewPacks?: (() => readonly PackReader[]) | undefined;
  /** See {@link ObjectReader.bitmaps}: called when first asked for, before the release. */
  readonly openBitmaps?: (() => ReachabilityBitmaps | undefined) | undefined;
  /** See {@link ObjectReader.commitGraph}; as `openBitmaps`. */
  readonly openCommitGraph?: (() => CommitGraph | undefined) | undefined;
  readonly onRelease?: (() => void) | undefined;
}

/** `ObjectLocation.pack` of an object outside packs. */
const LOOSE = -1;

const EMPTY = new Uint8Array(0);

type FromPack<T> = (reader: PackReader, offset: number, into: ObjectView | undefined) => T;
type FromLoose<T> = (
  loose: LooseObjects,
  ids: Uint8Array,
  at: number,
  into: ObjectView | undefined,
) => T | undefined;

export class SnapshotReader implements ObjectReader {
  readonly format: ObjectFormat;
  readonly #packs: StoredPack[];
  readonly #readers: PackReader[];
  readonly #loose: readonly LooseObjects[];
  readonly #findNewPacks: (() => readonly PackReader[]) | undefined;
  /** Once called it is gone, and the field below has what it gave. */
  #openBitmaps: (() => ReachabilityBitmaps | undefined) | undefined;
  #bitmaps: ReachabilityBitmaps | undefined;
  #openCommitGraph: (() => CommitGraph | undefined) | undefined;
  #commitGraph: CommitGraph | undefined;
  readonly #onRelease: (() => void) | undefined;
  readonly #emptyTree: Uint8Array;
  /** Offset of the entry that {@link #nextPack} found. */
  #offset = 0;
  #released = false;

  constructor(options: SnapshotReaderOptions) {
    this.format = options.format;
    this.#readers = [...options.packs];
    this.#packs = options.packs.map((reader) => reader.pack);
    this.#loose = options.loose;
    this.#findNewPacks = options.findNewPacks;
    this.#openBitmaps = options.openBitmaps;
    this.#openCommitGraph = options.openCommitGraph;
    this.#onRelease = options.onRelease;
    this.#emptyTree = hexToBytes(options.format.emptyTreeId);
  }

  get packs(): readonly StoredPack[] {
    return this.#packs;
  }

  get bitmaps(): ReachabilityBitmaps | undefined {
    if (this.#openBitmaps !== undefined) {
      this.#checkReadable();
      this.#bitmaps = this.#openBitmaps();
      this.#openBitmaps = undefined;
    }
    return this.#bitmaps;
  }

  get commitGraph(): CommitGraph | undefined {
    if (this.#openCommitGraph !== undefined) {
      this.#checkReadable();
      this.#commitGraph = this.#openCommitGraph();
      this.#openCommitGraph = undefined;
    }
    return this.#commitGraph;
  }

  has(id: ObjectId): boolean {
    return this.hasRaw(this.#raw(id), 0);
  }

  hasRaw(ids: Uint8Array, at: number): boolean {
    return this.#find(ids, at) !== undefined;
  }

  storedInOrder(): (ids: Uint8Array, at: number) => boolean {
    this.#checkReadable();
    const loose = this.#loose.map((objects) => objects.hasInOrder());
    return (ids, at) => this.#nextPack(ids, at, 0) >= 0 || loose.some((has) => has(ids, at));
  }

  read(id: ObjectId): RawObject | undefined {
    return this.readRaw(this.#raw(id), 0);
  }

  readRaw(ids: Uint8Array, at: number): RawObject | undefined {
    return this.#attempt<RawObject>(ids, at, readPacked, readLoose, undefined) ?? this.#builtIn(ids, at);
  }

  viewRaw(ids: Uint8Array, at: number, into: ObjectView): boolean {
    if (this.#attempt<true>(ids, at, viewPacked, viewLoose, into) === true) return true;
    const builtIn = this.#builtIn(ids, at);
    if (builtIn !== undefined) fillView(builtIn, into);
    return builtIn !== undefined;
  }

  readHeader(id: ObjectId): ObjectHeader | undefined {
    return this.readHeaderRaw(this.#raw(id), 0);
  }

  readHeaderRaw(ids: Uint8Array, at: number): ObjectHeader | undefined {
    const found = this.#attempt<ObjectHeader>(ids, at, headerPacked, headerLoose, undefined);
    if (found !== undefined) return found;
    return this.#builtIn(ids, at) && { kind: 'tree', sizeBytes: 0 };
  }

  stream(id: ObjectId): ReturnType<ObjectReader['stream']> {
    const raw = this.#raw(id);
    const found = this.#attempt<NonNullable<ReturnType<ObjectReader['stream']>>>(
      raw,
      0,
      streamPacked,
      streamLoose,
      undefined,
    );
    if (found !== undefined) return found;
    return this.#builtIn(raw, 0) && { header: { kind: 'tree', sizeBytes: 0 }, content: streamOf() };
  }

  locate(ids: Uint8Array, at: number, into: ObjectLocation): boolean {
    const pack = this.#find(ids, at);
    if (pack === undefined) return false;
    into.pack = pack;
    into.offset = pack === LOOSE ? 0 : this.#offset;
    return true;
  }

  idsWithPrefix(prefix: string, most: number): ObjectId[] {
    const padded = prefix.length % 2 === 0 ? prefix : `${prefix}0`;
    const lowest = hexToBytes(padded); // refuses what is no hex
    this.#checkReadable();
    const found = new Set<ObjectId>();
    const id = new Uint8Array(this.format.idBytes);
    for (const { index } of this.#packs) {
      let taken = 0;
      for (let rank = index.lowerBound(lowest); rank < index.objectCount && taken < most; rank++, taken++) {
        index.copyId(rank, id, 0);
        const hex = bytesToHex(id);
        if (!hex.startsWith(prefix)) break;
        found.add(hex);
      }
    }
    for (const loose of this.#loose) for (const hex of loose.idsWithPrefix(prefix)) found.add(hex);
    return [...found].sort().slice(0, most);
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#onRelease?.();
  }

  /** @returns the number of a pack, LOOSE, or `undefined` when it is nowhere */
  #find(ids: Uint8Array, at: number): number | undefined {
    let pack = this.#nextPack(ids, at, 0);
    if (pack >= 0) return pack;
    if (this.#hasLoose(ids, at)) return LOOSE;
    const before = this.#readers.length;
    if (this.#refresh()) {
      pack = this.#nextPack(ids, at, before);
      if (pack >= 0) return pack;
    }
    return this.#isEmptyTree(ids, at) ? LOOSE : undefined;
  }

  /** Read from the first place that has the object; from the next one when the bytes there are broken. */
  #attempt<T>(
    ids: Uint8Array,
    at: number,
    fromPack: FromPack<T>,
    fromLoose: FromLoose<T>,
    into: ObjectView | undefined,
  ): T | undefined {
    let failure: GitError | undefined;
    let next = 0;
    for (let again = false; ; again = true) {
      for (let pack = this.#nextPack(ids, at, next); pack >= 0; pack = this.#nextPack(ids, at, pack + 1)) {
        try {
          return fromPack(this.#readers[pack] as PackReader, this.#offset, into);
        } catch (error) {
          failure ??= orThrow(error);
        }
      }
      next = this.#readers.length;
      for (const loose of again ? [] : this.#loose) {
        try {
          const found = fromLoose(loose, ids, at, into);
          if (found !== undefined) return found;
        } catch (error) {
          failure ??= withId(orThrow(error), bytesToHex(ids, at, this.format.idBytes));
        }
      }
      if (again || !this.#refresh()) break;
    }
    if (failure !== undefined) throw failure;
    return undefined;
  }

  /** The first pack from number `from` on that has the object, or -1. */
  #nextPack(ids: Uint8Array, at: number, from: number): number {
    const packs = this.#packs;
    for (let pack = from; pack < packs.length; pack++) {
      const { index } = packs[pack] as StoredPack;
      const rank = index.rankOf(ids, at);
      if (rank >= 0) {
        this.#offset = index.offsetOf(rank);
        return pack;
      }
    }
    return -1;
  }

  #hasLoose(ids: Uint8Array, at: number): boolean {
    for (const loose of this.#loose) if (loose.has(ids, at)) return true;
    return false;
  }

  /** @returns whether packs were added */
  #refresh(): boolean {
    this.#checkReadable();
    const added = this.#findNewPacks?.() ?? [];
    for (const reader of added) {
      this.#readers.push(reader);
      this.#packs.push(reader.pack);
    }
    return added.length > 0;
  }

  /** The empty tree is there without being stored: git writes commits of it and never the tree. */
  #builtIn(ids: Uint8Array, at: number): RawObject | undefined {
    return this.#isEmptyTree(ids, at) ? { kind: 'tree', data: EMPTY } : undefined;
  }

  #isEmptyTree(ids: Uint8Array, at: number): boolean {
    for (let i = 0; i < this.#emptyTree.length; i++) if (ids[at + i] !== this.#emptyTree[i]) return false;
    return true;
  }

  #raw(id: ObjectId): Uint8Array {
    const raw = hexToBytes(id);
    if (raw.length !== this.format.idBytes) {
      throw new GitError('INVALID_ARGUMENT', `Cannot look up object: ${id} is no ${this.format.name} id`, {
        id,
      });
    }
    return raw;
  }

  #checkReadable(): void {
    if (this.#released) {
      throw new GitError('INVALID_ARGUMENT', 'Cannot read objects: this reader was released');
    }
  }
}

const readPacked: FromPack<RawObject> = (reader, offset) => reader.readAt(offset);
const readLoose: FromLoose<RawObject> = (loose, ids, at) => loose.read(ids, at);

const headerPacked: FromPack<ObjectHeader> = (reader, offset) => reader.headerAt(offset);
const headerLoose: FromLoose<ObjectHeader> = (loose, ids, at) => loose.readHeader(ids, at);

const streamPacked: FromPack<NonNullable<ReturnType<ObjectReader['stream']>>> = (reader, offset) =>
  reader.streamAt(offset);
const streamLoose: FromLoose<NonNullable<ReturnType<ObjectReader['stream']>>> = (loose, ids, at) =>
  loose.stream(ids, at);

const viewPacked: FromPack<true> = (reader, offset, into) => {
  reader.viewAt(offset, into as ObjectView);
  return true;
};
const viewLoose: FromLoose<true> = (loose, ids, at, into) => {
  const object = loose.read(ids, at);
  if (object === undefined) return undefined;
  fillView(object, into as ObjectView);
  return true;
};

function fillView({ kind, data }: RawObject, into: ObjectView): void {
  into.bytes = data;
  into.start = 0;
  into.end = data.length;
  into.kind = codeOfKind(kind);
}

/** Broken bytes in one place leave the hope of a good copy in another, as in git. */
function orThrow(error: unknown): GitError {
  if (isGitError(error, 'PACK_CORRUPT', 'OBJECT_CORRUPT', 'STORAGE_FAILED')) return error;
  throw error;
}

function withId(error: GitError, id: ObjectId): GitError {
  if (error.detail.id !== undefined) return error;
  return new GitError(error.code, `${error.message} (${id})`, { ...error.detail, id }, error.cause);
}
