/**
 * The `shallow` file of a repository of files, changed as git changes it: locked, and replaced as a whole.
 * Spec: gitrepository-layout(5), "shallow"; git's shallow.c.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { type FileHandle, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cancellable } from '../../core/byte-stream.ts';
import { throwIfAborted } from '../../core/errors.ts';
import { type SharedPermissions, shareFile } from '../../core/node/shared-permissions.ts';
import { storageError } from '../../core/node/storage-error.ts';
import type { ObjectFormat, ObjectId } from '../../core/object-id.ts';
import type { ShallowRoots, TemporaryShallowFile } from '../push/shallow-roots.ts';
import { parseShallowFile } from '../shallow-file.ts';
import { orAbsent } from './git-directory.ts';

/** Milliseconds to wait for one who holds the lock, and between two looks. */
const LOCK_TIMEOUT_MS = 1000;
const LOCK_WAIT_MS = 10;

export class FilesShallowRoots implements ShallowRoots {
  readonly #directory: string;
  readonly #format: ObjectFormat;
  readonly #fsync: boolean;
  readonly #shared: SharedPermissions | undefined;

  constructor(
    gitDirectory: string,
    format: ObjectFormat,
    { fsync, shared }: { readonly fsync: boolean; readonly shared: SharedPermissions | undefined },
  ) {
    this.#directory = gitDirectory;
    this.#format = format;
    this.#fsync = fsync;
    this.#shared = shared;
  }

  async add(roots: readonly ObjectId[], { signal }: Cancellable): Promise<void> {
    const path = join(this.#directory, 'shallow');
    const lockPath = `${path}.lock`;
    const lock = await acquire(lockPath, signal);
    try {
      try {
        await lock.writeFile(await this.#textWith(roots)); // read under the lock: nobody's are lost
        shareFile(lock.fd, this.#shared);
        if (this.#fsync) await lock.sync();
      } finally {
        await lock.close();
      }
      await rename(lockPath, path);
    } catch (error) {
      await rm(lockPath, { force: true });
      throw storageError(error, 'write the shallow file', path);
    }
  }

  async writeTemporary(roots: readonly ObjectId[]): Promise<TemporaryShallowFile> {
    const path = join(this.#directory, `shallow_${randomBytes(6).toString('hex')}`);
    const remove = (): Promise<void> => rm(path, { force: true });
    try {
      await writeFile(path, await this.#textWith(roots), { flag: 'wx' });
    } catch (error) {
      await remove();
      throw storageError(error, 'write a shallow file for hooks', path);
    }
    return { path, [Symbol.asyncDispose]: remove };
  }

  async #textWith(roots: readonly ObjectId[]): Promise<string> {
    const text = (await orAbsent(readFile(join(this.#directory, 'shallow'), 'utf8'))) ?? '';
    const ids = parseShallowFile(text, this.#format);
    for (const id of roots) ids.add(id);
    return [...ids].map((id) => `${id}\n`).join('');
  }
}

async function acquire(path: string, signal: AbortSignal | undefined): Promise<FileHandle> {
  for (const deadline = performance.now() + LOCK_TIMEOUT_MS; ; await sleep(LOCK_WAIT_MS)) {
    throwIfAborted(signal);
    try {
      return await open(path, 'wx', 0o666);
    } catch (error) {
      const isHeld = error instanceof Error && 'code' in error && error.code === 'EEXIST';
      if (!isHeld || performance.now() >= deadline) throw storageError(error, 'lock the shallow file', path);
    }
  }
}
