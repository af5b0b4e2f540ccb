/**
 * A pack being received into a file, read back by positioned reads here and in worker threads.
 *
 * @module
 */
import { type FileHandle, open } from 'node:fs/promises';
import { storing } from '../../core/node/storage-error.ts';
import type { PackSink, ScratchFile } from '../pack-sink.ts';
import { openScratchFile } from './file-scratch.ts';
import { readFully } from './positioned-read.ts';

export interface FilePackSink extends PackSink {
  readonly path: string;
  /** Of the open file. */
  readonly descriptor: number;
  /** Make what was written survive a power cut. */
  sync(): Promise<void>;
  /** The file stays. Safe to call twice. */
  close(): Promise<void>;
}

const WHAT = 'store pack';

/**
 * Create `path`, which must not exist.
 *
 * @param mode permissions, before umask; git makes packs read-only
 * @throws {GitError} STORAGE_FAILED
 */
export async function createFilePackSink(path: string, mode = 0o444): Promise<FilePackSink> {
  const file = await storing(WHAT, path, () => open(path, 'wx+', mode));
  return new OpenFile(path, file);
}

class OpenFile implements FilePackSink {
  readonly path: string;
  sizeBytes = 0;
  readonly #file: FileHandle;
  #closed = false;

  constructor(path: string, file: FileHandle) {
    this.path = path;
    this.#file = file;
  }

  get descriptor(): number {
    return this.#file.fd;
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.overwrite(this.sizeBytes, bytes);
    this.sizeBytes += bytes.length;
  }

  async overwrite(position: number, bytes: Uint8Array): Promise<void> {
    for (let written = 0; written < bytes.length; ) {
      const at = written;
      const { bytesWritten } = await storing(WHAT, this.path, () =>
        this.#file.write(bytes, at, bytes.length - at, position + at),
      );
      written += bytesWritten;
    }
  }

  readInto(position: number, target: Uint8Array, targetOffset: number, length: number): number {
    return readFully(this.#file.fd, this.path, position, target, targetOffset, length);
  }

  scratch(name: string): ScratchFile {
    return openScratchFile(this.path, name);
  }

  async sync(): Promise<void> {
    await storing(WHAT, this.path, () => this.#file.sync());
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await storing(WHAT, this.path, () => this.#file.close());
  }
}
