/**
 * Gathering small fields into chunks, hashed on the way: how index files are written.
 *
 * @module
 */
import { writeUint32 } from '../core/bytes.ts';
import type { ObjectFormat } from '../core/object-id.ts';
import type { IncrementalHash, Runtime } from '../core/runtime.ts';

const CHUNK_BYTES = 64 * 1024;
/** More than any one field written between two looks at `isFull`. */
const SLACK_BYTES = 2048;

/** After each field, or few of them, {@link take} the chunk if it `isFull`; {@link finish} gives the last. */
export class ChunkWriter {
  readonly #hash: IncrementalHash;
  #chunk = new Uint8Array(CHUNK_BYTES + SLACK_BYTES);
  #length = 0;

  constructor(format: ObjectFormat, runtime: Runtime) {
    this.#hash = runtime.createHash(format);
  }

  get isFull(): boolean {
    return this.#length >= CHUNK_BYTES;
  }

  uint32(value: number): void {
    writeUint32(this.#chunk, this.#length, value);
    this.#length += 4;
  }

  /** `source[start, start + length)`: at most 2048 bytes. */
  bytes(source: Uint8Array, start: number, length: number): void {
    const chunk = this.#chunk;
    for (let i = 0; i < length; i++) chunk[this.#length++] = source[start + i] as number;
  }

  /** The chunk so far, which becomes the caller's. */
  take(): Uint8Array {
    const taken = this.#chunk.subarray(0, this.#length);
    this.#hash.update(taken);
    this.#chunk = new Uint8Array(CHUNK_BYTES + SLACK_BYTES);
    this.#length = 0;
    return taken;
  }

  /** The rest, with the hash of everything written at its end. */
  finish(): Uint8Array {
    this.#hash.update(this.#chunk.subarray(0, this.#length));
    const digest = this.#hash.digest();
    this.#chunk.set(digest, this.#length);
    return this.#chunk.subarray(0, this.#length + digest.length);
  }
}
