/**
 * Spools as files without a name: unlinked as soon as they are open, so that nothing can be left behind.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, unlinkSync, write } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { GitError } from '../../core/errors.ts';
import { storageError } from '../../core/node/storage-error.ts';
import { readFully } from '../../pack/node/positioned-read.ts';
import type { CreateSpool, Spool } from '../pack-sharing/spool.ts';

const writeTo = promisify(write);

/** @param directory should exist; on a disk with room for the packs that are shared */
export function spoolsIn(directory: string): CreateSpool {
  return async () => new SpoolFile(directory);
}

class SpoolFile implements Spool {
  readonly #directory: string;
  readonly #fd: number;
  #length = 0;

  /** @throws {GitError} STORAGE_FAILED */
  constructor(directory: string) {
    this.#directory = directory;
    // Of all that begins with tmp_ in an objects directory, `git prune` removes what a crash may have left.
    const path = join(directory, `tmp_spool_${randomUUID()}`);
    try {
      this.#fd = openSync(path, 'wx+', 0o600);
    } catch (error) {
      throw storageError(error, 'create spool', directory);
    }
    try {
      unlinkSync(path);
    } catch (error) {
      closeSync(this.#fd);
      throw storageError(error, 'unlink spool', directory);
    }
  }

  async append(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length; ) {
        const { bytesWritten } = await writeTo(this.#fd, bytes, at, bytes.length - at, this.#length);
        at += bytesWritten;
        this.#length += bytesWritten;
      }
    } catch (error) {
      throw storageError(error, 'write spool', this.#directory);
    }
  }

  readInto(position: number, target: Uint8Array, targetOffset: number, length: number): void {
    if (readFully(this.#fd, this.#directory, position, target, targetOffset, length) === length) return;
    throw new GitError('STORAGE_FAILED', 'Cannot read spool: it is shorter than what was written', {
      path: this.#directory,
    });
  }

  close(): void {
    closeSync(this.#fd);
  }
}
