/**
 * The pack of a push, read from the request after its commands.
 *
 * @module
 */
import type { PacketReader } from '../packet-reader.ts';

/**
 * Bare bytes after the packets. Whoever stops reading does not close the request: the client has yet to hear
 * what became of its push. Read once.
 */
export class IncomingPack implements AsyncIterable<Uint8Array> {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #onBytes: ((sizeBytes: number) => void) | undefined;
  #isAwaited = false;
  #lastChunkMs = performance.now();

  /** @param onBytes told of each chunk before anything is done with it; what it throws is thrown to whoever reads */
  constructor(reader: PacketReader, onBytes?: (sizeBytes: number) => void) {
    this.#chunks = reader.rest();
    this.#onBytes = onBytes;
  }

  /** @returns whether the client is sending: a chunk is awaited, or came within the last `withinMs` */
  isArriving(withinMs: number): boolean {
    return this.#isAwaited || performance.now() - this.#lastChunkMs < withinMs;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return { next: () => this.#next() };
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    this.#isAwaited = true;
    try {
      const step = await this.#chunks.next();
      if (step.done !== true) this.#onBytes?.(step.value.length);
      return step;
    } finally {
      this.#isAwaited = false;
      this.#lastChunkMs = performance.now();
    }
  }
}
