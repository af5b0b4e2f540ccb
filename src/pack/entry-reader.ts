/**
 * Reading entries of a scanned pack again, one at a time.
 *
 * @module
 */
import { GitError } from '../core/errors.ts';
import type { Inflater, Runtime } from '../core/runtime.ts';
import { createEntryHeader, parseEntryHeader } from './entry-header.ts';
import { PackPages, type ReadableFile } from './pack-pages.ts';

/** {@link open} an entry, look at its `header`, then {@link inflateInto} its data. */
export class EntryReader {
  readonly header = createEntryHeader();
  readonly #idBytes: number;
  readonly #inflater: Inflater;
  readonly #pages: PackPages;
  #offset = 0;

  constructor(file: ReadableFile, idBytes: number, runtime: Runtime) {
    this.#idBytes = idBytes;
    this.#inflater = runtime.createInflater();
    this.#pages = new PackPages(file);
  }

  /** Read the header of the entry at `offset`. @throws {GitError} STORAGE_FAILED when it is not there any more */
  open(offset: number): void {
    const pages = this.#pages;
    pages.locate(offset);
    if (!parseEntryHeader(pages.bytes, pages.start, pages.end, this.#idBytes, this.header)) {
      throw this.#changed(0);
    }
    this.#offset = offset;
  }

  /**
   * Inflate the open entry to `target[start, start + header.sizeBytes)`; the byte after it may be overwritten.
   *
   * @throws {GitError} STORAGE_FAILED when it has another size now than when it was scanned
   */
  inflateInto(target: Uint8Array, start: number): void {
    const { sizeBytes, headerBytes } = this.header;
    const inflater = this.#inflater;
    const pages = this.#pages;
    inflater.reset();
    let at = this.#offset + headerBytes;
    let made = 0;
    do {
      pages.locate(at);
      inflater.inflate(pages.bytes, pages.start, pages.end, target, start + made, start + sizeBytes + 1);
      at += inflater.consumed;
      made += inflater.produced;
      if (inflater.consumed === 0 && inflater.produced === 0) break;
    } while (!inflater.ended && made < sizeBytes);
    if (made !== sizeBytes) throw this.#changed(made);
  }

  /** The file has grown: forget what was read of it. */
  refresh(): void {
    this.#pages.clear();
  }

  /** Release native memory. */
  close(): void {
    this.#inflater.close();
  }

  #changed(got: number): GitError {
    const { sizeBytes } = this.header;
    return new GitError(
      'STORAGE_FAILED',
      `Cannot read pack back: the entry at ${this.#offset} had ${sizeBytes} bytes when it was received, got ${got}`,
      { offset: this.#offset },
    );
  }
}
