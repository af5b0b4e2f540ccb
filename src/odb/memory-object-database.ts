/**
 * An object database in memory: for tests, for small repositories that need no disk, and as the second
 * implementation that keeps the interface honest.
 *
 * @module
 */
import { type ByteStream, type Cancellable, streamOf } from '../core/byte-stream.ts';
import { concatBytes } from '../core/bytes.ts';
import { GitError, throwIfAborted } from '../core/errors.ts';
import { bytesToHex, type ObjectFormat, type ObjectId } from '../core/object-id.ts';
import type { ObjectKind } from '../core/object-kind.ts';
import type { Runtime } from '../core/runtime.ts';
import { parsePackIndex } from '../pack/idx-reader.ts';
import type { IndexedPack } from '../pack/index-pack.ts';
import { createMemoryFile } from '../pack/memory-file.ts';
import { PackReader } from '../pack/pack-reader.ts';
import { createMemoryPackSink, type MemoryPackSink, type PackSink } from '../pack/pack-sink.ts';
import { type IncomingStore, storeIncomingPack } from './incoming-pack.ts';
import { objectIdOf } from './loose-object.ts';
import type { LooseObjects } from './loose-objects.ts';
import type {
  ObjectDatabase,
  ObjectReader,
  ObjectTransaction,
  RawObject,
  WritePackOptions,
  WritePackResult,
} from './object-database.ts';
import { SnapshotReader } from './snapshot-reader.ts';

export interface MemoryObjectDatabaseOptions {
  readonly format: ObjectFormat;
  readonly runtime: Runtime;
}

/** An empty database. What it holds is lost when it is. */
export function createMemoryObjectDatabase(options: MemoryObjectDatabaseOptions): ObjectDatabase {
  return new MemoryObjectDatabase(options);
}

/** Objects and packs; a transaction has a store of its own. */
class MemoryStore implements LooseObjects {
  readonly packs: PackReader[] = [];
  readonly objects = new Map<ObjectId, RawObject>();
  readonly #idBytes: number;

  constructor(format: ObjectFormat) {
    this.#idBytes = format.idBytes;
  }

  has(ids: Uint8Array, at: number): boolean {
    return this.read(ids, at) !== undefined;
  }

  hasInOrder(): (ids: Uint8Array, at: number) => boolean {
    return (ids, at) => this.has(ids, at);
  }

  read(ids: Uint8Array, at: number): RawObject | undefined {
    return this.objects.size === 0 ? undefined : this.objects.get(bytesToHex(ids, at, this.#idBytes));
  }

  readHeader(ids: Uint8Array, at: number) {
    const object = this.read(ids, at);
    return object && { kind: object.kind, sizeBytes: object.data.length };
  }

  stream(ids: Uint8Array, at: number) {
    const object = this.read(ids, at);
    if (object === undefined) return undefined;
    const { kind, data } = object;
    return { header: { kind, sizeBytes: data.length }, content: streamOf(data) };
  }

  idsWithPrefix(prefix: string): ObjectId[] {
    return [...this.objects.keys()].filter((id) => id.startsWith(prefix));
  }
}

class MemoryObjectDatabase implements ObjectDatabase {
  readonly format: ObjectFormat;
  readonly #runtime: Runtime;
  readonly #store: MemoryStore;

  constructor({ format, runtime }: MemoryObjectDatabaseOptions) {
    this.format = format;
    this.#runtime = runtime;
    this.#store = new MemoryStore(format);
  }

  async openReader({ signal }: Cancellable = {}): Promise<ObjectReader> {
    throwIfAborted(signal);
    return readerOver(this.format, this.#store);
  }

  async begin({ signal }: Cancellable = {}): Promise<ObjectTransaction> {
    throwIfAborted(signal);
    return new MemoryTransaction(this.format, this.#runtime, this.#store);
  }

  async close(): Promise<void> {
    for (const pack of this.#store.packs) pack.release();
  }
}

class MemoryTransaction implements ObjectTransaction, IncomingStore {
  readonly format: ObjectFormat;
  readonly #runtime: Runtime;
  readonly #main: MemoryStore;
  readonly #own: MemoryStore;
  #ended = false;

  constructor(format: ObjectFormat, runtime: Runtime, main: MemoryStore) {
    this.format = format;
    this.#runtime = runtime;
    this.#main = main;
    this.#own = new MemoryStore(format);
  }

  async writePack(pack: ByteStream, options: WritePackOptions): Promise<WritePackResult> {
    this.#checkOpen();
    const bases = readerOver(this.format, this.#own, this.#main);
    try {
      return await storeIncomingPack(
        pack,
        { ...options, format: this.format, runtime: this.#runtime, bases },
        this,
      );
    } finally {
      bases.release();
    }
  }

  async writeObject(kind: ObjectKind, data: Uint8Array): Promise<ObjectId> {
    this.#checkOpen();
    const id = objectIdOf(this.format, kind, data, this.#runtime);
    await this.storeObject(id, { kind, data: data.slice() });
    return id;
  }

  async openReader({ signal }: Cancellable = {}): Promise<ObjectReader> {
    throwIfAborted(signal);
    return readerOver(this.format, this.#own, this.#main);
  }

  async commit(): Promise<void> {
    this.#checkOpen();
    this.#ended = true;
    for (const reader of this.#own.packs) {
      const known = this.#main.packs.some(({ pack }) => pack.name === reader.pack.name);
      if (!known) this.#main.packs.push(reader);
    }
    for (const [id, object] of this.#own.objects) {
      if (!this.#main.objects.has(id)) this.#main.objects.set(id, object);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true;
  }

  async createSink(): Promise<MemoryPackSink> {
    return createMemoryPackSink();
  }

  async keepPack(sink: PackSink, indexed: IndexedPack): Promise<void> {
    const bytes = (sink as MemoryPackSink).bytes.slice();
    const index = parsePackIndex(concatBytes(...indexed.encodeIndex()), {
      format: this.format,
      packBytes: bytes.length,
    });
    const pack = { name: `pack-${bytesToHex(indexed.checksum)}`, file: createMemoryFile(bytes), index };
    this.#own.packs.push(new PackReader(pack, { runtime: this.#runtime }));
  }

  async discardSink(): Promise<void> {}

  async storeObject(id: ObjectId, object: RawObject): Promise<void> {
    this.#own.objects.set(id, object);
  }

  #checkOpen(): void {
    if (this.#ended) {
      throw new GitError('INVALID_ARGUMENT', 'Cannot write objects: the transaction has ended');
    }
  }
}

function readerOver(format: ObjectFormat, ...stores: readonly MemoryStore[]): ObjectReader {
  const seen = new Set(stores.flatMap((store) => store.packs));
  return new SnapshotReader({
    format,
    packs: [...seen],
    loose: stores,
    findNewPacks() {
      const added = stores.flatMap((store) => store.packs).filter((pack) => !seen.has(pack));
      for (const pack of added) seen.add(pack);
      return added;
    },
  });
}
