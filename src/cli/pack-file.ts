/**
 * A pack that is a file already: read from front to back while it is indexed, and looked back into.
 *
 * @module
 */
import { type FileHandle, open } from 'node:fs/promises';
import type { ByteStream } from '../core/byte-stream.ts';
import { GitError } from '../core/errors.ts';
import { readFully } from '../pack/node/positioned-read.ts';
import type { PackSink } from '../pack/pack-sink.ts';

/** A pack file opened for reading. */
export interface PackFile extends AsyncDisposable {
  readonly path: string;
  readonly sizeBytes: number;
  /** All of it, once. */
  readonly content: ByteStream;
  /** Takes the same bytes that {@link content} gives without writing them, and reads them from the file. */
  readonly sink: PackSink;
}

const CHUNK_BYTES = 256 * 1024;

/** @throws {GitError} STORAGE_FAILED when it cannot be opened */
export async function openPackFile(path: string): Promise<PackFile> {
  const file = await openFile(path);
  const { size: sizeBytes } = await file.stat();
  let takenBytes = 0;
  return {
    path,
    sizeBytes,
    content: chunksOfFile(file),
    sink: {
      path,
      get sizeBytes() {
        return takenBytes;
      },
      async write(bytes) {
        takenBytes += bytes.length;
      },
      async overwrite() {
        throw new GitError(
          'INVALID_ARGUMENT',
          'Cannot complete a thin pack in place: read it from standard input',
        );
      },
      readInto: (position, target, targetOffset, length) =>
        readFully(file.fd, path, position, target, targetOffset, length),
    },
    [Symbol.asyncDispose]: () => file.close(),
  };
}

async function* chunksOfFile(file: FileHandle): AsyncGenerator<Uint8Array, undefined> {
  for (let position = 0; ; ) {
    const chunk = new Uint8Array(CHUNK_BYTES);
    const { bytesRead } = await file.read(chunk, 0, chunk.length, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield bytesRead === chunk.length ? chunk : chunk.subarray(0, bytesRead);
  }
}

/** @throws {GitError} STORAGE_FAILED, with the system's reason */
export async function openFile(path: string, flags = 'r', mode?: number): Promise<FileHandle> {
  try {
    return await open(path, flags, mode);
  } catch (error) {
    throw storageFailed(`cannot open '${path}'`, error);
  }
}

/** What a system call said, as an error of ours. */
export function storageFailed(attempt: string, cause: unknown): GitError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new GitError('STORAGE_FAILED', `${attempt}: ${reason}`, {}, cause);
}
