/**
 * Bytes put aside once, for several readers at their own pace.
 *
 * @module
 */
import { GitError } from '../../core/errors.ts';
import type { Limits } from '../../core/limits.ts';

/** A file that nobody else sees, and that is gone when it is closed or the process ends. */
export interface Spool {
  /** @throws {GitError} STORAGE_FAILED, when the disk is full among other things; nothing can be appended then */
  append(bytes: Uint8Array): Promise<void>;
  /** Copy `length` bytes at `position`, which have all been appended. @throws {GitError} STORAGE_FAILED */
  readInto(position: number, target: Uint8Array, targetOffset: number, length: number): void;
  /** Not while an append is under way. */
  close(): void;
}

/** @throws {GitError} STORAGE_FAILED where no file can be made */
export type CreateSpool = () => Promise<Spool>;

/** Bytes kept in memory before a file is made for them: most packs are stored packs and a few objects beside them. */
export const MOST_HELD_BYTES = 256 * 1024;
/** Spools open at the same time in one process: each takes a file descriptor. */
const MOST_SPOOLS = 64;

/** What all spools of a process hold together. */
export class SpoolUsage {
  #bytes = 0;
  #files = 0;

  /** @throws {GitError} LIMIT_EXCEEDED */
  addFile(): void {
    if (this.#files >= MOST_SPOOLS) throw exceeded(MOST_SPOOLS, 'spools');
    this.#files++;
  }

  /** @throws {GitError} LIMIT_EXCEEDED, and nothing is counted then */
  addBytes(count: number, mostBytes: number): void {
    if (this.#bytes + count > mostBytes) throw exceeded(mostBytes, 'spooled bytes');
    this.#bytes += count;
  }

  /** One file and its bytes are gone. */
  remove(bytes: number): void {
    this.#files--;
    this.#bytes -= bytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get files(): number {
    return this.#files;
  }
}

const EMPTY = new Uint8Array(0);

/** Bytes in memory while they are few, in a {@link Spool} from then on. */
export class SpooledBytes {
  readonly #create: CreateSpool | undefined;
  readonly #usage: SpoolUsage;
  readonly #limits: Limits;
  #held: Uint8Array = EMPTY;
  #length = 0;
  #spool: Spool | undefined;
  /** What was held is in the spool, and read from there: not before all of it is. */
  #isMoved = false;
  /** Bytes counted in `#usage`. */
  #spooledBytes = 0;

  constructor(create: CreateSpool | undefined, usage: SpoolUsage, limits: Limits) {
    this.#create = create;
    this.#usage = usage;
    this.#limits = limits;
  }

  get length(): number {
    return this.#length;
  }

  get heldBytes(): number {
    return this.#held.length;
  }

  /**
   * One at a time. After a failure nothing is sure to be readable: close it.
   *
   * @throws {GitError} LIMIT_EXCEEDED, STORAGE_FAILED
   */
  async append(bytes: Uint8Array): Promise<void> {
    if (this.#spool === undefined && this.#length + bytes.length <= MOST_HELD_BYTES) this.#hold(bytes);
    else await this.#write(bytes);
    this.#length += bytes.length;
  }

  /**
   * Copy `length` bytes at `position`, which have all been appended; more may be on their way.
   *
   * @throws {GitError} STORAGE_FAILED
   */
  readInto(position: number, target: Uint8Array, targetOffset: number, length: number): void {
    if (this.#isMoved) this.#spool?.readInto(position, target, targetOffset, length);
    else target.set(this.#held.subarray(position, position + length), targetOffset);
  }

  /** Not while an append is under way. Safe to call twice. */
  close(): void {
    this.#held = EMPTY;
    if (this.#spool === undefined) return;
    this.#spool.close();
    this.#spool = undefined;
    this.#usage.remove(this.#spooledBytes);
  }

  #hold(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#held.length) {
      const larger = new Uint8Array(Math.min(MOST_HELD_BYTES, 2 * length));
      larger.set(this.#held.subarray(0, this.#length));
      this.#held = larger;
    }
    this.#held.set(bytes, this.#length);
  }

  async #write(bytes: Uint8Array): Promise<void> {
    const spool = (this.#spool ??= await this.#open());
    if (!this.#isMoved) {
      if (this.#length > 0) await this.#append(spool, this.#held.subarray(0, this.#length));
      this.#isMoved = true;
      this.#held = EMPTY;
    }
    await this.#append(spool, bytes);
  }

  async #open(): Promise<Spool> {
    if (this.#create === undefined) throw exceeded(MOST_HELD_BYTES, 'bytes without a place for files');
    this.#usage.addFile();
    try {
      return await this.#create();
    } catch (error) {
      this.#usage.remove(0);
      throw error;
    }
  }

  async #append(spool: Spool, bytes: Uint8Array): Promise<void> {
    const { maxPackSpoolBytes, maxSpoolBytes } = this.#limits;
    if (this.#spooledBytes + bytes.length > maxPackSpoolBytes) {
      throw exceeded(maxPackSpoolBytes, 'bytes of one pack');
    }
    this.#usage.addBytes(bytes.length, maxSpoolBytes);
    this.#spooledBytes += bytes.length;
    await spool.append(bytes);
  }
}

function exceeded(limit: number, what: string): GitError {
  return new GitError('LIMIT_EXCEEDED', `Cannot spool: at most ${limit} ${what}`, { limit });
}
