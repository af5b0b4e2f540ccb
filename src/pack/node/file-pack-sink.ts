/**
 * A pack being received into a file, read back by positioned reads here and in worker threads.
 *
 * @module
 */
import { readSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { GitError } from '../../core/errors.ts';
import type { PackSink } from '../pack-sink.ts';

export interface FilePackSink extends PackSink {
  readonly path: string;
  /** Make what was written survive a power cut. */
  sync(): Promise<void>;
  /** The file stays. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * Create `path`, which must not exist.
 *
 * @param mode permissions, before umask; git makes packs read-only
 * @throws {GitError} STORAGE_FAILED
 */
export async function createFilePackSink(path: string, mode = 0o444): Promise<FilePackSink> {
  const file = await attempt(path, () => open(path, 'wx+', mode));
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

  async write(bytes: Uint8Array): Promise<void> {
    await this.overwrite(this.sizeBytes, bytes);
    this.sizeBytes += bytes.length;
  }

  async overwrite(position: number, bytes: Uint8Array): Promise<void> {
    for (let written = 0; written < bytes.length; ) {
      const at = written;
      const { bytesWritten } = await attempt(this.path, () =>
        this.#file.write(bytes, at, bytes.length - at, position + at),
      );
      written += bytesWritten;
    }
  }

  readInto(position: number, target: Uint8Array, targetOffset: number, length: number): number {
    return readFully(this.#file.fd, this.path, position, target, targetOffset, length);
  }

  async sync(): Promise<void> {
    await attempt(this.path, () => this.#file.sync());
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await attempt(this.path, () => this.#file.close());
  }
}

/** Positioned read of `length` bytes, or of what there is. @throws {GitError} STORAGE_FAILED */
export function readFully(
  fd: number,
  path: string,
  position: number,
  target: Uint8Array,
  targetOffset: number,
  length: number,
): number {
  let total = 0;
  try {
    while (total < length) {
      const read = readSync(fd, target, targetOffset + total, length - total, position + total);
      if (read === 0) break;
      total += read;
    }
  } catch (error) {
    throw storageFailed(path, error);
  }
  return total;
}

async function attempt<T>(path: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw storageFailed(path, error);
  }
}

function storageFailed(path: string, cause: unknown): GitError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new GitError('STORAGE_FAILED', `Cannot store pack: ${reason}`, { path }, cause);
}
