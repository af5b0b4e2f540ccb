/**
 * A small cache of pages of a pack: the entries of one delta family lie near each other, and one positioned read
 * serves many of them.
 *
 * @module
 */
import { GitError } from '../core/errors.ts';
import { MAX_ENTRY_HEADER_BYTES } from './entry-header.ts';
import type { RandomAccessFile } from './stored-pack.ts';

const PAGE_BYTES = 16 * 1024;
const MOST_PAGES = 256;
/** A small pack that is thin grows a little. */
const SPARE_PAGES = 4;
/** Each page is read a little beyond its end, so that an entry header is never cut. */
const SLOT_BYTES = PAGE_BYTES + MAX_ENTRY_HEADER_BYTES;

/** What is read of a file; a small one that says its size gets less memory. */
export type ReadableFile = Pick<RandomAccessFile, 'readInto'> & Partial<Pick<RandomAccessFile, 'sizeBytes'>>;

/** Up to 4 MiB of a file. {@link locate} says where in `bytes` a position is, and how much follows it there. */
export class PackPages {
  readonly bytes: Uint8Array;
  /** Set by {@link locate}: the asked position is at `bytes[start]`, and what follows is good up to `end`. */
  start = 0;
  end = 0;
  readonly #file: ReadableFile;
  readonly #pageInSlot: Float64Array;
  readonly #filled: Int32Array;

  constructor(file: ReadableFile) {
    const filePages = Math.ceil((file.sizeBytes ?? Number.POSITIVE_INFINITY) / PAGE_BYTES);
    const pages = Math.min(MOST_PAGES, filePages + SPARE_PAGES);
    this.#file = file;
    this.bytes = new Uint8Array(pages * SLOT_BYTES);
    this.#pageInSlot = new Float64Array(pages).fill(-1);
    this.#filled = new Int32Array(pages);
  }

  /** @throws {GitError} STORAGE_FAILED when the file ends before `position` */
  locate(position: number): void {
    const page = Math.floor(position / PAGE_BYTES);
    const slot = page % this.#filled.length;
    const slotStart = slot * SLOT_BYTES;
    if (this.#pageInSlot[slot] !== page) {
      this.#pageInSlot[slot] = -1;
      this.#filled[slot] = this.#file.readInto(page * PAGE_BYTES, this.bytes, slotStart, SLOT_BYTES);
      this.#pageInSlot[slot] = page;
    }
    this.start = slotStart + (position - page * PAGE_BYTES);
    this.end = slotStart + (this.#filled[slot] as number);
    if (this.start >= this.end) {
      throw new GitError('STORAGE_FAILED', `Cannot read pack back: it ends before ${position}`, { position });
    }
  }

  /** Forget everything: the file changed. */
  clear(): void {
    this.#pageInSlot.fill(-1);
  }
}
