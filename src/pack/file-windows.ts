/**
 * Blocks of files kept in memory, so that reading one object is not one system call. All files of the
 * process share one byte budget; the block not used for longest makes room (clock algorithm).
 *
 * @module
 */
import { GitError } from '../core/errors.ts';
import type { RandomAccessFile } from './stored-pack.ts';

/**
 * Bytes of one block. Larger ones copy more than a delta chain needs, smaller ones read more often: the entries of a
 * fetch lie all over a pack, and copying 64 KiB takes four times as long as asking for it.
 */
const BLOCK_BYTES = 16 * 1024;

/**
 * Read past the end of each block, so that what begins in it (an entry's header) is not cut in two.
 * At least this many bytes are found from any position, or all to the end of the file.
 */
const WINDOW_OVERLAP_BYTES = 64;

/** Bytes that all open files may hold in blocks together. */
const WINDOW_BUDGET_BYTES = 8 * 1024 * 1024;

const NONE = -1;

/** The shared blocks. One instance serves the process; tests make their own. */
export class WindowPool {
  readonly #slots: Uint8Array[] = [];
  readonly #lengths: number[] = [];
  readonly #owners: (FileWindows | undefined)[] = [];
  readonly #blocks: number[] = [];
  readonly #used: boolean[] = [];
  readonly #maxSlots: number;
  /** Bytes of each block. */
  readonly blockBytes: number;
  #hand = 0;

  constructor(budgetBytes: number = WINDOW_BUDGET_BYTES, blockBytes: number = BLOCK_BYTES) {
    this.blockBytes = blockBytes;
    this.#maxSlots = Math.max(2, Math.floor(budgetBytes / blockBytes));
  }

  /** @internal the bytes of `slot` */
  bytesOf(slot: number): Uint8Array {
    this.#used[slot] = true;
    return this.#slots[slot] as Uint8Array;
  }

  /** @internal how many of them are content */
  lengthOf(slot: number): number {
    return this.#lengths[slot] as number;
  }

  /** @internal Read `block` of `file` into some slot, taking it from another file when the budget is spent. */
  fill(owner: FileWindows, file: RandomAccessFile, block: number): number {
    const slot = this.#freeSlot();
    const bytes = this.#slots[slot] as Uint8Array;
    this.#lengths[slot] = file.readInto(block * this.blockBytes, bytes, 0, bytes.length);
    this.#owners[slot] = owner;
    this.#blocks[slot] = block;
    return slot;
  }

  /** @internal Give a slot back. */
  release(slot: number): void {
    this.#owners[slot] = undefined;
    this.#used[slot] = false;
  }

  #freeSlot(): number {
    const slots = this.#slots;
    if (slots.length < this.#maxSlots) {
      slots.push(new Uint8Array(this.blockBytes + WINDOW_OVERLAP_BYTES));
      this.#used.push(false);
      return slots.length - 1;
    }
    for (;;) {
      this.#hand = (this.#hand + 1) % slots.length;
      if (this.#used[this.#hand] === true) {
        this.#used[this.#hand] = false;
        continue;
      }
      this.#owners[this.#hand]?.forgetBlock(this.#blocks[this.#hand] as number);
      this.#owners[this.#hand] = undefined; // reading into it may fail
      return this.#hand;
    }
  }
}

const sharedPool = new WindowPool();

/**
 * The windows of one file. {@link seek} makes `bytes[at, end)` the content from a position on; they stay
 * valid until the next seek on any file.
 */
export class FileWindows {
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  end = 0;
  readonly #file: RandomAccessFile;
  readonly #pool: WindowPool;
  /** Slot of each block, or NONE. */
  readonly #slotOf: Int32Array;

  constructor(file: RandomAccessFile, pool: WindowPool = sharedPool) {
    this.#file = file;
    this.#pool = pool;
    const blocks = file.bytes === undefined ? Math.ceil(file.sizeBytes / pool.blockBytes) : 0;
    this.#slotOf = new Int32Array(blocks).fill(NONE);
  }

  /**
   * @throws {GitError} PACK_CORRUPT when the file ends before `position`; STORAGE_FAILED
   */
  seek(position: number): void {
    const whole = this.#file.bytes;
    if (whole !== undefined) {
      if (position >= whole.length) throw pastEnd(position, whole.length);
      this.bytes = whole;
      this.at = position;
      this.end = whole.length;
      return;
    }
    if (position >= this.#file.sizeBytes) throw pastEnd(position, this.#file.sizeBytes);
    const { blockBytes } = this.#pool;
    const block = Math.floor(position / blockBytes);
    let slot = this.#slotOf[block] as number;
    if (slot === NONE) {
      slot = this.#pool.fill(this, this.#file, block);
      this.#slotOf[block] = slot;
    }
    this.bytes = this.#pool.bytesOf(slot);
    this.at = position - block * blockBytes;
    this.end = this.#pool.lengthOf(slot);
    // A file that became shorter under us.
    if (this.at >= this.end) throw pastEnd(position, block * blockBytes + this.end);
  }

  /** @internal the pool took this block's slot */
  forgetBlock(block: number): void {
    this.#slotOf[block] = NONE;
  }

  /** Give every block back. The windows may be used again. */
  release(): void {
    for (const slot of this.#slotOf) if (slot !== NONE) this.#pool.release(slot);
    this.#slotOf.fill(NONE);
    this.bytes = new Uint8Array(0);
    this.at = 0;
    this.end = 0;
  }
}

function pastEnd(position: number, sizeBytes: number): GitError {
  return new GitError(
    'PACK_CORRUPT',
    `Cannot read pack: it has ${sizeBytes} bytes, position ${position} is past its end`,
    {
      offset: position,
      sizeBytes,
    },
  );
}
