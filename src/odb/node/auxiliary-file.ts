/**
 * Files that only make things faster: bitmaps, multi-pack-index, commit-graph. One that is damaged, or that cannot be
 * read, is passed over with a warning.
 *
 * @module
 */
import { readFileSync, statSync } from 'node:fs';
import { GitError, isGitError } from '../../core/errors.ts';
import { type Evictable, warmMemory } from '../../core/memory-budget.ts';
import { isAbsent, storageError } from '../../core/node/storage-error.ts';

/** Larger files are passed over: they are read whole. Those of ten million objects have some 500 MB. */
const MAX_FILE_BYTES = 1024 * 1024 * 1024;

/**
 * The bytes of such a file.
 *
 * @throws {GitError} LIMIT_EXCEEDED when it is too large; what the system says, as it says it
 */
export function readAuxiliary(path: string): Uint8Array {
  const sizeBytes = statSync(path).size;
  if (sizeBytes > MAX_FILE_BYTES) {
    throw new GitError('LIMIT_EXCEEDED', `it is larger than ${MAX_FILE_BYTES} bytes`, { sizeBytes });
  }
  const bytes = readFileSync(path);
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length); // not a Buffer
}

/** What was made of a file. */
export interface ParsedFile {
  /** Bytes of memory it holds, at most. */
  readonly heldBytes: number;
}

export interface AuxiliaryFileOptions<Parsed> {
  readonly path: string;
  /** For the warning: `bitmaps`. */
  readonly what: string;
  /** May keep the bytes. @throws {GitError} PACK_CORRUPT, UNSUPPORTED when they are of no use */
  readonly parse: (bytes: Uint8Array) => Parsed;
  readonly warn: (warning: GitError) => void;
}

/** A file that is parsed when it is first asked for, and again when it has become another one. */
export class AuxiliaryFile<Parsed extends ParsedFile> implements Evictable {
  readonly #options: AuxiliaryFileOptions<Parsed>;
  /** What the file looked like when it was parsed or found to be of no use. */
  #identity: string | undefined;
  #parsed: Parsed | undefined;

  constructor(options: AuxiliaryFileOptions<Parsed>) {
    this.#options = options;
  }

  get bytes(): number {
    return this.#parsed?.heldBytes ?? 0;
  }

  /** @returns `undefined` when there is none, or none that can be used */
  current(): Parsed | undefined {
    const { path } = this.#options;
    try {
      const seen = statSync(path, { throwIfNoEntry: false });
      const identity = seen && `${seen.dev} ${seen.ino} ${seen.size} ${seen.mtimeMs} ${seen.ctimeMs}`;
      if (identity === this.#identity) {
        warmMemory.touch(this);
        return this.#parsed;
      }
      this.evict();
      warmMemory.release(this);
      this.#identity = identity;
      if (seen !== undefined) this.#parsed = this.#options.parse(readAuxiliary(path));
    } catch (error) {
      if (isAbsent(error)) return undefined; // another process is at it: look again next time
      this.#passOver(error);
    }
    const parsed = this.#parsed;
    if (parsed !== undefined) warmMemory.register(this);
    return parsed;
  }

  evict(): void {
    this.#parsed = undefined;
    this.#identity = undefined;
  }

  /** Forget it for good. */
  close(): void {
    this.evict();
    warmMemory.release(this);
  }

  #passOver(failure: unknown): void {
    const { path, what, warn } = this.#options;
    const error = storageError(failure, `read ${what}`, path);
    if (!isGitError(error, 'PACK_CORRUPT', 'UNSUPPORTED', 'LIMIT_EXCEEDED', 'STORAGE_FAILED')) throw error;
    warn(new GitError(error.code, `Cannot use ${what}: ${error.message}`, { ...error.detail, path }, error));
  }
}
