/**
 * Scratch files beside a pack that is being indexed. They are made when they are first written, and found by name from
 * any thread; the directory of the pack is a quarantine, so a crash leaves nothing that is not removed with it.
 *
 * @module
 */
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { storageError } from '../../core/node/storage-error.ts';
import type { ScratchFile } from '../pack-sink.ts';
import { readFully } from './positioned-read.ts';

/** @param packPath where the pack is being written */
export function openScratchFile(packPath: string, name: string): ScratchFile {
  return new FileScratch(`${packPath}.${name}`);
}

class FileScratch implements ScratchFile {
  readonly #path: string;
  #fd: number | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  write(position: number, bytes: Uint8Array): void {
    try {
      this.#fd ??= openSync(this.#path, 'w+', 0o600);
      for (let written = 0; written < bytes.length; ) {
        written += writeSync(this.#fd, bytes, written, bytes.length - written, position + written);
      }
    } catch (error) {
      throw storageError(error, 'store pack', this.#path);
    }
  }

  readInto(position: number, target: Uint8Array, targetOffset: number, length: number): number {
    return readFully(this.#open(), this.#path, position, target, targetOffset, length);
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  remove(): void {
    this.close();
    rmSync(this.#path, { force: true });
  }

  #open(): number {
    try {
      this.#fd ??= openSync(this.#path, 'r');
      return this.#fd;
    } catch (error) {
      throw storageError(error, 'store pack', this.#path);
    }
  }
}
