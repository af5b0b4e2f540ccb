/**
 * The files of an objects directory, read in pieces.
 *
 * @module
 */
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import type { Cancellable } from '../../core/byte-stream.ts';
import { GitError, throwIfAborted } from '../../core/errors.ts';
import { isAbsent, storageError } from '../../core/node/storage-error.ts';
import { type StoredFile, type StoredFiles, storedFileKind } from '../stored-files.ts';

const READ_BYTES = 64 * 1024;

export class ObjectDirectoryFiles implements StoredFiles {
  readonly #objectsDirectory: string;

  constructor(objectsDirectory: string) {
    this.#objectsDirectory = objectsDirectory;
  }

  async packNames(): Promise<readonly string[]> {
    const directory = `${this.#objectsDirectory}/pack`;
    try {
      const names = new Set(await readdir(directory));
      const packs: { readonly name: string; readonly modifiedMs: number }[] = [];
      for (const name of names) {
        if (storedFileKind(`pack/${name}`) !== 'pack' || !names.has(name.replace(/pack$/, 'idx'))) continue;
        const modifiedMs = await modificationTime(`${directory}/${name}`);
        if (modifiedMs !== undefined) packs.push({ name, modifiedMs });
      }
      packs.sort((a, b) => b.modifiedMs - a.modifiedMs || (a.name < b.name ? -1 : 1));
      return packs.map(({ name }) => name);
    } catch (error) {
      if (isAbsent(error)) return [];
      throw storageError(error, 'list packs', directory);
    }
  }

  async open(path: string): Promise<StoredFile | undefined> {
    if (storedFileKind(path) === undefined) return undefined;
    const absolute = `${this.#objectsDirectory}/${path}`;
    let handle: FileHandle | undefined;
    try {
      handle = await open(absolute, 'r');
      const found = await handle.stat();
      if (found.isFile()) {
        const { ino, size, mtimeMs } = found;
        const version = [ino, size, Math.round(mtimeMs * 1000)].map((n) => n.toString(36)).join('-');
        return new OpenFile(handle, absolute, { sizeBytes: size, modifiedMs: mtimeMs, version });
      }
      await handle.close();
      return undefined;
    } catch (error) {
      await handle?.close();
      if (isAbsent(error)) return undefined;
      throw storageError(error, 'open stored file', absolute);
    }
  }
}

/** `undefined` for a file that was removed since it was listed. */
async function modificationTime(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

class OpenFile implements StoredFile {
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly version: string;
  readonly #handle: FileHandle;
  readonly #path: string;

  constructor(
    handle: FileHandle,
    path: string,
    seen: Pick<StoredFile, 'sizeBytes' | 'modifiedMs' | 'version'>,
  ) {
    this.#handle = handle;
    this.#path = path;
    this.sizeBytes = seen.sizeBytes;
    this.modifiedMs = seen.modifiedMs;
    this.version = seen.version;
  }

  async *read(from: number, to: number, { signal }: Cancellable = {}): AsyncGenerator<Uint8Array, undefined> {
    for (let position = from; position < to; ) {
      throwIfAborted(signal);
      const length = Math.min(READ_BYTES, to - position);
      const bytesRead = await this.#readInto(new Uint8Array(length), length, position);
      position += bytesRead.length;
      yield bytesRead;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }

  async #readInto(target: Uint8Array, length: number, position: number): Promise<Uint8Array> {
    try {
      const { bytesRead } = await this.#handle.read(target, 0, length, position);
      if (bytesRead > 0) return target.subarray(0, bytesRead);
    } catch (error) {
      throw storageError(error, 'read stored file', this.#path);
    }
    throw new GitError('STORAGE_FAILED', 'Cannot read stored file: it has become shorter', {
      path: this.#path,
      position,
    });
  }
}
