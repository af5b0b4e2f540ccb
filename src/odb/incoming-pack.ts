/**
 * Taking in a pack: index it as it arrives, then keep it or unpack it into loose objects.
 *
 * Like git (receive.unpackLimit) we unpack packs of few objects, so that a busy repository does not fill with
 * tiny packs. Unlike git, one that is large in bytes is kept all the same: unpacking would only inflate and
 * deflate it again.
 *
 * @module
 */
import type { ByteStream } from '../core/byte-stream.ts';
import { concatBytes } from '../core/bytes.ts';
import { throwIfAborted } from '../core/errors.ts';
import { bytesToHex, type ObjectFormat, type ObjectId } from '../core/object-id.ts';
import type { Runtime } from '../core/runtime.ts';
import { parsePackIndex } from '../pack/idx-reader.ts';
import { type IndexedPack, indexPack } from '../pack/index-pack.ts';
import { createMemoryFile } from '../pack/memory-file.ts';
import { PACK_HEADER_BYTES, parsePackHeader } from '../pack/pack-header.ts';
import { PackReader } from '../pack/pack-reader.ts';
import { createMemoryPackSink, type MemoryPackSink, type PackSink } from '../pack/pack-sink.ts';
import type { TaskPool } from '../pack/task-pool.ts';
import type { ObjectReader, RawObject, WritePackOptions, WritePackResult } from './object-database.ts';
import { compareWithStored } from './stored-copies.ts';

/** git's receive.unpackLimit. */
const DEFAULT_UNPACK_LIMIT = 100;

/** A pack of more bytes is kept, however few objects it has. */
const UNPACK_MAX_PACK_BYTES = 1024 * 1024;

/** So is one with a larger object in it. */
const UNPACK_MAX_OBJECT_BYTES = 4 * 1024 * 1024;

/** Loose objects stored at the same time: a disk takes several at once, and they are synced one by one. */
const STORE_AT_ONCE = 8;

/** Where a backend puts what comes in. All members throw STORAGE_FAILED. */
export interface IncomingStore {
  createSink(): Promise<PackSink>;
  /** The sink holds the finished pack; its index comes with it. */
  keepPack(sink: PackSink, indexed: IndexedPack): Promise<void>;
  /** The sink will not be used any more. */
  discardSink(sink: PackSink): Promise<void>;
  storeObject(id: ObjectId, object: RawObject): Promise<void>;
}

export interface IncomingPackContext extends WritePackOptions {
  readonly format: ObjectFormat;
  readonly runtime: Runtime;
  readonly tasks?: TaskPool | undefined;
  /** For the bases of a thin pack. */
  readonly bases: ObjectReader;
}

/** Store the pack that `input` brings. Throws as {@link indexPack}. */
export async function storeIncomingPack(
  input: ByteStream,
  context: IncomingPackContext,
  store: IncomingStore,
): Promise<WritePackResult> {
  const { bases, unpackLimit = DEFAULT_UNPACK_LIMIT, ...rest } = context;
  const { objectCount, stream } = await peekObjectCount(input);
  const sink = objectCount < Math.max(1, unpackLimit) ? new SpillingSink(store) : await store.createSink();
  let kept = false;
  try {
    const indexed = await indexPack(stream, {
      ...rest,
      sink,
      findSelfContained: !(sink instanceof SpillingSink), // a small push is quickly walked
      thinBases: { read: (ids, at) => bases.readRaw(ids, at) },
    });
    indexed.findings?.throwIfError();
    const { deltaCount, completedCount, findings } = indexed;
    const result = {
      objectCount: indexed.objectCount - completedCount,
      deltaCount,
      completedCount,
      findings,
    };
    if (indexed.objectCount === 0) return result;
    if (context.collisionDetection !== false)
      await compareWithStored(indexed, sink, { ...context, stored: bases });

    if (sink instanceof SpillingSink) {
      const pack = sink.inMemory;
      if (pack !== undefined && indexed.largestObjectBytes <= UNPACK_MAX_OBJECT_BYTES) {
        await unpack(pack, indexed, context, store);
        return result;
      }
      await store.keepPack(await sink.spill(), indexed);
    } else {
      await store.keepPack(sink, indexed);
    }
    kept = true;
    const { isSelfContained } = indexed;
    return { ...result, packId: bytesToHex(indexed.checksum), isSelfContained };
  } finally {
    const written = sink instanceof SpillingSink ? sink.spilled : sink;
    if (!kept && written !== undefined) await store.discardSink(written);
  }
}

async function unpack(
  pack: MemoryPackSink,
  indexed: IndexedPack,
  { format, runtime, signal, onProgress }: IncomingPackContext,
  store: IncomingStore,
): Promise<void> {
  const index = parsePackIndex(concatBytes(...indexed.encodeIndex()), { format, packBytes: pack.sizeBytes });
  const reader = new PackReader({ name: 'incoming', file: createMemoryFile(pack.bytes), index }, { runtime });
  const { ids, idBytes, offsets } = indexed.table.columns;
  const total = indexed.objectCount - indexed.completedCount; // the bases come last, and are there already
  let storing: Promise<void>[] = [];
  for (let entry = 0; entry < total; entry++) {
    const id = bytesToHex(ids, entry * idBytes, idBytes);
    storing.push(store.storeObject(id, reader.readAt(offsets[entry] as number)));
    if (storing.length < STORE_AT_ONCE && entry + 1 < total) continue;
    await allOf(storing);
    storing = [];
    throwIfAborted(signal);
    onProgress?.({ title: 'Unpacking objects', done: entry + 1, total, finished: entry + 1 === total });
  }
}

/** As Promise.all, but waits for the others too: nothing runs on behind a failure. */
async function allOf(promises: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(promises)) {
    if (outcome.status === 'rejected') throw outcome.reason;
  }
}

/** How many objects the pack declares, and the same stream from its beginning. */
async function peekObjectCount(input: ByteStream): Promise<{ objectCount: number; stream: ByteStream }> {
  const chunks = input[Symbol.asyncIterator]();
  let start: Uint8Array = new Uint8Array(0);
  while (start.length < PACK_HEADER_BYTES) {
    const next = await chunks.next();
    if (next.done) break; // too short: the indexer says so
    start = start.length === 0 ? next.value : concatBytes(start, next.value);
  }
  const objectCount = start.length < PACK_HEADER_BYTES ? 0 : parsePackHeader(start);
  return { objectCount, stream: resumed(start, chunks) };
}

async function* resumed(start: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    if (start.length > 0) yield start;
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

/** A pack in memory until it is larger than that is good for; then in the store's own sink. */
class SpillingSink implements PackSink {
  readonly #store: IncomingStore;
  readonly #memory = createMemoryPackSink();
  #spilled: PackSink | undefined;

  constructor(store: IncomingStore) {
    this.#store = store;
  }

  get sizeBytes(): number {
    return (this.#spilled ?? this.#memory).sizeBytes;
  }

  get path(): string | undefined {
    return this.#spilled?.path;
  }

  /** The pack, while it is in memory. */
  get inMemory(): MemoryPackSink | undefined {
    return this.#spilled === undefined ? this.#memory : undefined;
  }

  get spilled(): PackSink | undefined {
    return this.#spilled;
  }

  /** Move the pack to a sink of the store. */
  async spill(): Promise<PackSink> {
    if (this.#spilled === undefined) {
      this.#spilled = await this.#store.createSink();
      await this.#spilled.write(this.#memory.bytes);
    }
    return this.#spilled;
  }

  async write(bytes: Uint8Array): Promise<void> {
    const fits =
      this.#spilled === undefined && this.#memory.sizeBytes + bytes.length <= UNPACK_MAX_PACK_BYTES;
    await (fits ? this.#memory : await this.spill()).write(bytes);
  }

  overwrite(position: number, bytes: Uint8Array): Promise<void> {
    return (this.#spilled ?? this.#memory).overwrite(position, bytes);
  }

  readInto(position: number, target: Uint8Array, targetOffset: number, length: number): number {
    return (this.#spilled ?? this.#memory).readInto(position, target, targetOffset, length);
  }
}
