/**
 * Pack files held open for positioned reads, within a bounded number of descriptors for the whole process.
 *
 * A pinned file keeps its descriptor, so that a repack may unlink it while a reader is at work. When there are more
 * pinned files than descriptors, the rest are opened as they are needed, like all that are not pinned.
 *
 * @module
 */
import { closeSync, fstatSync, openSync } from 'node:fs';
import { GitError } from '../../core/errors.ts';
import { isAbsent, storageError } from '../../core/node/storage-error.ts';
import { readFully } from '../../pack/node/positioned-read.ts';
import type { RandomAccessFile } from '../../pack/stored-pack.ts';

/** Descriptors that packs of all repositories may use together; Linux commonly allows a process 1,024. */
const MAX_OPEN_PACKS = 512;

/** Open files that nobody pinned: the first was used longest ago. */
const closable = new Set<PackFile>();
let openCount = 0;

export class PackFile implements RandomAccessFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly inode: number;
  #fd: number | undefined;
  #pins = 0;

  /**
   * Open `path`.
   *
   * @throws {GitError} STORAGE_FAILED; an absent file is thrown as the system reports it
   */
  constructor(path: string) {
    this.path = path;
    makeRoom();
    this.#fd = openSync(path, 'r');
    openCount++;
    closable.add(this);
    const { size, ino } = fstatSync(this.#fd);
    this.sizeBytes = size;
    this.inode = ino;
  }

  get isPinned(): boolean {
    return this.#pins > 0;
  }

  /** Keep the file readable whatever happens to its name, until {@link unpin}. @returns false when it is gone */
  pin(): boolean {
    if (this.#pins === 0 && this.#fd === undefined && makeRoom() && !this.#reopen()) return false;
    this.#pins++;
    closable.delete(this);
    return true;
  }

  unpin(): void {
    this.#pins--;
    if (this.#pins === 0 && this.#fd !== undefined) closable.add(this);
  }

  readInto(position: number, target: Uint8Array, targetOffset: number, length: number): number {
    if (this.#fd === undefined) {
      makeRoom();
      if (!this.#reopen()) throw gone(this.path);
      closable.add(this);
    } else if (closable.delete(this)) {
      closable.add(this); // used last now
    }
    return readFully(this.#fd as number, this.path, position, target, targetOffset, length);
  }

  close(): void {
    closable.delete(this);
    if (this.#fd === undefined) return;
    closeSync(this.#fd);
    this.#fd = undefined;
    openCount--;
  }

  /** @returns false when there is no such file any more, or another one under its name */
  #reopen(): boolean {
    let fd: number;
    try {
      fd = openSync(this.path, 'r');
    } catch (error) {
      if (isAbsent(error)) return false;
      throw storageError(error, 'open pack', this.path);
    }
    const { size, ino } = fstatSync(fd);
    if (size !== this.sizeBytes || ino !== this.inode) {
      closeSync(fd);
      return false;
    }
    this.#fd = fd;
    openCount++;
    return true;
  }
}

/** @returns whether one more file may be opened within the bound; closes the one unused for longest if it must */
function makeRoom(): boolean {
  if (openCount < MAX_OPEN_PACKS) return true;
  for (const file of closable) {
    file.close();
    return true;
  }
  return false;
}

function gone(path: string): GitError {
  return new GitError('STORAGE_FAILED', 'Cannot read pack: another process removed it', { path });
}
