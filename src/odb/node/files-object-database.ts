/**
 * The object database of an ordinary repository on disk, as git keeps it: loose objects, packs, alternates.
 * git may gc, repack and push beside it at any time.
 *
 * @module
 */
import { realpath, stat } from 'node:fs/promises';
import type { Cancellable } from '../../core/byte-stream.ts';
import { GitError, throwIfAborted } from '../../core/errors.ts';
import type { SharedPermissions } from '../../core/node/shared-permissions.ts';
import { isAbsent, storageError } from '../../core/node/storage-error.ts';
import type { ObjectFormat } from '../../core/object-id.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { TaskPool } from '../../pack/task-pool.ts';
import type { ObjectDatabase, ObjectReader, ObjectTransaction } from '../object-database.ts';
import { ALL_SHORT_CUTS, openSnapshot, type ShortCuts } from './files-snapshot.ts';
import type { ObjectDirectory } from './object-directory.ts';
import {
  acquireDirectory,
  acquireWithAlternates,
  releaseDirectory,
  retainDirectory,
} from './open-directories.ts';
import { beginQuarantine, type SyncOptions } from './quarantine.ts';
import { ObjectDirectoryFiles } from './stored-files.ts';

export interface FilesObjectDatabaseOptions {
  readonly format: ObjectFormat;
  readonly runtime: Runtime;
  /** Threads for incoming packs; without them everything runs in this one. */
  readonly tasks?: TaskPool | undefined;
  /** What is synced to disk before it is published: by default everything. */
  readonly fsync?: Partial<SyncOptions> | undefined;
  /** Who besides the owner may use what is written, whatever the umask says. */
  readonly shared?: SharedPermissions | undefined;
  /** Level of zlib for loose objects, -1 to 9. Default 1, as git's. */
  readonly looseCompression?: number | undefined;
  /** Which files besides packs are used; by default all. Answers are the same without, and take longer. */
  readonly shortCuts?: Partial<ShortCuts> | undefined;
  /** Told once of each pack, alternate or other file that cannot be used and is passed over. */
  readonly onWarning?: ((warning: GitError) => void) | undefined;
}

/**
 * Open the database in `objectsDirectory` (`<repository>/objects`).
 *
 * @throws {GitError} REPOSITORY_INVALID when there is no such directory; STORAGE_FAILED
 */
export async function openFilesObjectDatabase(
  objectsDirectory: string,
  options: FilesObjectDatabaseOptions,
): Promise<ObjectDatabase> {
  try {
    const path = await realpath(objectsDirectory);
    if ((await stat(path)).isDirectory()) return new FilesObjectDatabase(path, options);
  } catch (error) {
    if (!isAbsent(error)) throw storageError(error, 'open object database', objectsDirectory);
  }
  throw new GitError('REPOSITORY_INVALID', 'Cannot open object database: there is no such directory', {
    path: objectsDirectory,
  });
}

class FilesObjectDatabase implements ObjectDatabase {
  readonly format: ObjectFormat;
  readonly files: ObjectDirectoryFiles;
  readonly #path: string;
  readonly #options: FilesObjectDatabaseOptions;
  readonly #shortCuts: ShortCuts;
  /** Keeps packs open between readers. */
  #held: readonly ObjectDirectory[];
  #closed = false;

  constructor(path: string, options: FilesObjectDatabaseOptions) {
    this.format = options.format;
    this.files = new ObjectDirectoryFiles(path);
    this.#path = path;
    this.#options = options;
    this.#shortCuts = { ...ALL_SHORT_CUTS, ...options.shortCuts };
    this.#held = [acquireDirectory(path, options)];
  }

  async openReader({ signal }: Cancellable = {}): Promise<ObjectReader> {
    throwIfAborted(signal);
    const directories = this.#acquire();
    const release = () => releaseAll(directories);
    try {
      return await openSnapshot(this.format, directories, release, this.#shortCuts);
    } catch (error) {
      release();
      throw error;
    }
  }

  async begin({ signal }: Cancellable = {}): Promise<ObjectTransaction> {
    throwIfAborted(signal);
    const directories = this.#acquire();
    const release = () => releaseAll(directories);
    const { format, runtime, tasks, fsync, shared, looseCompression } = this.#options;
    try {
      return await beginQuarantine({
        format,
        runtime,
        tasks,
        fsync: { packs: true, packIndexes: true, looseObjects: true, ...fsync },
        shared,
        looseCompression,
        shortCuts: this.#shortCuts,
        objectsDirectory: this.#path,
        directories,
        release,
      });
    } catch (error) {
      release();
      throw error;
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    releaseAll(this.#held);
    this.#held = [];
  }

  /** The directories as they are linked now, for one reader or transaction. */
  #acquire(): ObjectDirectory[] {
    if (this.#closed) {
      throw new GitError('INVALID_ARGUMENT', 'Cannot use the object database: it was closed', {
        path: this.#path,
      });
    }
    const directories = acquireWithAlternates(this.#path, this.#options);
    for (const directory of directories) retainDirectory(directory);
    const before = this.#held;
    this.#held = directories;
    releaseAll(before);
    return directories;
  }
}

function releaseAll(directories: readonly ObjectDirectory[]): void {
  for (const directory of directories) releaseDirectory(directory);
}
