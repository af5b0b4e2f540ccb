/**
 * The bytes of an archive on their way out: small writes gathered into chunks, all of them counted.
 *
 * @module
 */
import { GitError } from '../../core/errors.ts';

/** Six blocks of tar; fits one packet of side-band. */
const CHUNK_BYTES = 60 * 1024;
/** Left free before a chunk, so that side-band frames it where it lies. */
const HEADROOM_BYTES = 5;

export class ArchiveOutput {
  readonly #limitBytes: number;
  #chunk = emptyChunk();
  #chunkBytes = 0;
  readonly #full: Uint8Array[] = [];
  #sizeBytes = 0;

  /** @param limitBytes what the archive may come to, before it is compressed as a whole */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Bytes written so far. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Copies `bytes`. @throws {GitError} LIMIT_EXCEEDED */
  write(bytes: Uint8Array): void {
    this.#sizeBytes += bytes.length;
    if (this.#sizeBytes > this.#limitBytes) {
      throw new GitError('LIMIT_EXCEEDED', `archives of more than ${this.#limitBytes} bytes are not made`, {
        limitBytes: this.#limitBytes,
      });
    }
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + CHUNK_BYTES - this.#chunkBytes);
      this.#chunk.set(part, this.#chunkBytes);
      this.#chunkBytes += part.length;
      at += part.length;
      if (this.#chunkBytes === CHUNK_BYTES) this.#turnOver();
    }
  }

  /** The next full chunk; it belongs to the caller. */
  take(): Uint8Array | undefined {
    return this.#full.shift();
  }

  /** What is left, full or not, when nothing more is to be written. */
  takeLast(): Uint8Array | undefined {
    if (this.#full.length === 0 && this.#chunkBytes > 0) this.#turnOver();
    return this.take();
  }

  #turnOver(): void {
    this.#full.push(this.#chunk.subarray(0, this.#chunkBytes));
    this.#chunk = emptyChunk();
    this.#chunkBytes = 0;
  }
}

function emptyChunk(): Uint8Array {
  return new Uint8Array(HEADROOM_BYTES + CHUNK_BYTES).subarray(HEADROOM_BYTES);
}
