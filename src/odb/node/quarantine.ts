/**
 * The quarantine of a push: a directory inside `objects/` that other processes do not look into, with the objects
 * directory as its alternate. Named as git names its own, so that `git gc` removes what a crash left behind.
 *
 * @module
 */
import { type FileHandle, mkdtemp, open, rename, rm, rmdir } from 'node:fs/promises';
import type { ByteStream, Cancellable } from '../../core/byte-stream.ts';
import { GitError, throwIfAborted } from '../../core/errors.ts';
import { type SharedPermissions, shareFile } from '../../core/node/shared-permissions.ts';
import { storing, systemCode } from '../../core/node/storage-error.ts';
import { bytesToHex, hexToBytes, type ObjectFormat, type ObjectId } from '../../core/object-id.ts';
import type { ObjectKind } from '../../core/object-kind.ts';
import { LARGE_WORK_OBJECTS, type Runtime } from '../../core/runtime.ts';
import type { IndexedPack } from '../../pack/index-pack.ts';
import { createFilePackSink, type FilePackSink } from '../../pack/node/file-pack-sink.ts';
import type { PackSink } from '../../pack/pack-sink.ts';
import type { TaskPool } from '../../pack/task-pool.ts';
import { type IncomingStore, storeIncomingPack } from '../incoming-pack.ts';
import { encodeLooseObject, objectIdOf } from '../loose-object.ts';
import type {
  ObjectReader,
  ObjectTransaction,
  RawObject,
  WritePackOptions,
  WritePackResult,
} from '../object-database.ts';
import { openSnapshot, type ShortCuts } from './files-snapshot.ts';
import { loosePath } from './loose-directory.ts';
import { ObjectDirectory } from './object-directory.ts';
import { freshen, makeDirectory, publish, removeKeeps } from './publish.ts';

/** What is synced to disk before it is published. */
export interface SyncOptions {
  /** git syncs them by default, and their indexes. */
  readonly packs: boolean;
  /** `.idx` and `.rev`. */
  readonly packIndexes: boolean;
  /** git does not by default; we do, since a push is acknowledged on the strength of them. */
  readonly looseObjects: boolean;
}

export interface QuarantineContext {
  readonly format: ObjectFormat;
  readonly runtime: Runtime;
  readonly tasks: TaskPool | undefined;
  readonly fsync: SyncOptions;
  readonly shared: SharedPermissions | undefined;
  readonly looseCompression: number | undefined;
  readonly shortCuts: ShortCuts;
  /** Where the objects go in the end. */
  readonly objectsDirectory: string;
  /** The objects directory and its alternates, acquired; let go with `release`. */
  readonly directories: readonly ObjectDirectory[];
  readonly release: () => void;
}

/** @throws {GitError} STORAGE_FAILED when the objects directory cannot be written */
export async function beginQuarantine(context: QuarantineContext): Promise<ObjectTransaction> {
  const { objectsDirectory } = context;
  const path = await storing('begin quarantine', objectsDirectory, () =>
    mkdtemp(`${objectsDirectory}/tmp_objdir-incoming-`),
  );
  return new Quarantine(path, context);
}

class Quarantine implements ObjectTransaction, IncomingStore {
  readonly format: ObjectFormat;
  readonly quarantinePath: string;
  readonly #context: QuarantineContext;
  readonly #own: ObjectDirectory;
  readonly #shards = new Map<string, Promise<unknown>>();
  readonly #openSinks = new Set<FilePackSink>();
  /** For looking up what is written; opened once, however many writes begin at the same time. */
  #reader: Promise<ObjectReader> | undefined;
  #keeps: readonly string[] = [];
  #state: 'open' | 'committed' | 'disposed' = 'open';
  #sinkCount = 0;

  constructor(path: string, context: QuarantineContext) {
    this.format = context.format;
    this.quarantinePath = path;
    this.#context = context;
    this.#own = new ObjectDirectory(path, context);
  }

  async writePack(pack: ByteStream, options: WritePackOptions): Promise<WritePackResult> {
    this.#checkOpen();
    const { format, runtime, tasks } = this.#context;
    const bases = await this.openReader(options);
    let result: WritePackResult;
    try {
      result = await storeIncomingPack(pack, { ...options, format, runtime, tasks, bases }, this);
    } finally {
      bases.release();
    }
    // The walk that checks the push comes next, and has large tables of its own.
    if (result.objectCount >= LARGE_WORK_OBJECTS) runtime.collectGarbage?.();
    return result;
  }

  async writeObject(kind: ObjectKind, data: Uint8Array): Promise<ObjectId> {
    this.#checkOpen();
    const id = objectIdOf(this.format, kind, data, this.#context.runtime);
    await this.storeObject(id, { kind, data });
    return id;
  }

  async openReader({ signal }: Cancellable = {}): Promise<ObjectReader> {
    throwIfAborted(signal);
    const { format, directories, shortCuts } = this.#context;
    return openSnapshot(format, [this.#own, ...directories], () => {}, shortCuts);
  }

  async commit(): Promise<void> {
    this.#checkOpen();
    this.#state = 'committed';
    const { objectsDirectory, fsync, shared } = this.#context;
    this.#keeps = await publish({
      quarantine: this.quarantinePath,
      objectsDirectory,
      syncDirectories: fsync.packs,
      shared,
    });
  }

  /** Removes the directory. Also lets the next repack have the packs: by now refs hold them. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state === 'disposed') return;
    this.#state = 'disposed';
    try {
      await removeKeeps(this.#keeps);
    } finally {
      await this.#discard();
      this.#context.release();
    }
  }

  async createSink(): Promise<FilePackSink> {
    const directory = `${this.quarantinePath}/pack`;
    await storing('store pack', directory, () => makeDirectory(directory)); // a small push makes no pack
    const sink = await createFilePackSink(`${directory}/tmp_pack_${++this.#sinkCount}`);
    this.#openSinks.add(sink);
    return sink;
  }

  async keepPack(sink: PackSink, indexed: IndexedPack): Promise<void> {
    const file = sink as FilePackSink;
    const { fsync, shared } = this.#context;
    if (fsync.packs) await file.sync();
    await storing('store pack', file.path, async () => shareFile(file.descriptor, shared));
    await this.#closeSink(file);
    const base = `${this.quarantinePath}/pack/pack-${bytesToHex(indexed.checksum)}`;
    await writeNew(`${base}.keep`, [new TextEncoder().encode(`receive-pack ${process.pid}\n`)], {
      sync: false,
      shared,
    });
    await storing('store pack', base, () => rename(file.path, `${base}.pack`));
    const written = { sync: fsync.packIndexes, shared };
    await writeNew(`${base}.rev`, indexed.encodeReverseIndex(), written);
    await writeNew(`${base}.idx`, indexed.encodeIndex(), written);
  }

  async discardSink(sink: PackSink): Promise<void> {
    const file = sink as FilePackSink;
    await this.#closeSink(file);
    await storing('discard pack', file.path, () => rm(file.path, { force: true }));
  }

  async storeObject(id: ObjectId, { kind, data }: RawObject): Promise<void> {
    if (await this.#freshenExisting(id)) return;
    const shard = id.slice(0, 2);
    const directory = `${this.quarantinePath}/${shard}`;
    let made = this.#shards.get(shard);
    if (made === undefined) {
      made = storing('store object', directory, () => makeDirectory(directory));
      this.#shards.set(shard, made);
    }
    await made;
    const { runtime, fsync, shared, looseCompression } = this.#context;
    const path = loosePath(this.quarantinePath, id);
    const file = encodeLooseObject(kind, data, runtime, looseCompression);
    await writeNew(path, [file], { sync: fsync.looseObjects, shared });
  }

  /** As git does: an object that is there is not written again, but must not be pruned now. */
  async #freshenExisting(id: ObjectId): Promise<boolean> {
    const reader = await (this.#reader ??= this.openReader());
    const raw = hexToBytes(id);
    const at = { pack: 0, offset: 0 };
    if (!reader.locate(raw, 0, at)) return false;
    return storing('freshen object', this.#context.objectsDirectory, async () => {
      const pack = reader.packs[at.pack];
      if (pack !== undefined) return freshen(pack.file.path as string);
      for (const directory of [this.#own, ...this.#context.directories]) {
        if (await freshen(loosePath(directory.path, id))) return true;
      }
      return false;
    });
  }

  async #closeSink(sink: FilePackSink): Promise<void> {
    this.#openSinks.delete(sink);
    await sink.close();
  }

  /** Remove the directory, and whatever holds its files open. */
  async #discard(): Promise<void> {
    const [reader] = await Promise.allSettled([this.#reader]);
    if (reader.status === 'fulfilled') reader.value?.release();
    this.#own.close();
    for (const sink of [...this.#openSinks]) await this.#closeSink(sink);
    await storing('remove quarantine', this.quarantinePath, () => removeTree(this.quarantinePath));
  }

  #checkOpen(): void {
    if (this.#state !== 'open') {
      throw new GitError('INVALID_ARGUMENT', 'Cannot write objects: the transaction has ended');
    }
  }
}

/** What was published has left nothing behind but the directory; looking through it takes longer than removing it. */
async function removeTree(path: string): Promise<void> {
  try {
    await rmdir(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    await rm(path, { recursive: true, force: true });
  }
}

interface WritingOptions {
  readonly sync: boolean;
  readonly shared: SharedPermissions | undefined;
}

/** Write a file, read-only as git's are. One that is there already has the same content: names are hashes. */
async function writeNew(
  path: string,
  chunks: Iterable<Uint8Array>,
  { sync, shared }: WritingOptions,
): Promise<void> {
  await storing('store object', path, async () => {
    let file: FileHandle;
    try {
      file = await open(path, 'wx', 0o444);
    } catch (error) {
      if (systemCode(error) === 'EEXIST') return;
      throw error;
    }
    try {
      for (const chunk of chunks) await file.writeFile(chunk);
      shareFile(file.fd, shared);
      if (sync) await file.sync();
    } catch (error) {
      await rm(path, { force: true }); // half a file must not be published
      throw error;
    } finally {
      await file.close();
    }
  });
}
