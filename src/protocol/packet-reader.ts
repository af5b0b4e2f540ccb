/**
 * Packets of a request, then whatever follows them: a push sends its commands as packets and its pack as
 * bare bytes in the same stream.
 *
 * @module
 */
import type { ByteStream } from '../core/byte-stream.ts';
import { GitError } from '../core/errors.ts';
import { decodePacket, type Packet } from './pkt-line.ts';

const NO_BYTES = new Uint8Array(0);
const MIN_OWN_BYTES = 1024;

/** Reads one stream from front to back. Not for concurrent use. */
export class PacketReader {
  readonly #iterator: AsyncIterator<Uint8Array>;
  readonly #limitBytes: number;
  /** Bytes not read yet: `#buffer[#offset, #end)`. */
  #buffer: Uint8Array = NO_BYTES;
  #offset = 0;
  #end = 0;
  /** Whether `#buffer` is ours to append to, or a chunk that belongs to its sender. */
  #owned = false;
  #ended = false;
  #packetBytes = 0;

  /** @param limitBytes how many bytes of packets (not of {@link rest}) one request may have */
  constructor(stream: ByteStream, limitBytes: number) {
    this.#iterator = stream[Symbol.asyncIterator]();
    this.#limitBytes = limitBytes;
  }

  /** Count the bytes of another request: the limit is for each of them. */
  beginRequest(): void {
    this.#packetBytes = 0;
  }

  /**
   * The next packet if it has arrived already; its payload is valid until the next {@link fill}.
   *
   * @throws {GitError} PROTOCOL_VIOLATION, LIMIT_EXCEEDED
   */
  take(): Packet | undefined {
    const arrived = this.#end === this.#buffer.length ? this.#buffer : this.#buffer.subarray(0, this.#end);
    const step = decodePacket(arrived, this.#offset);
    if (step === undefined) return undefined;
    this.#packetBytes += step.end - this.#offset;
    if (this.#packetBytes > this.#limitBytes) {
      throw new GitError(
        'LIMIT_EXCEEDED',
        `Cannot read the request: at most ${this.#limitBytes} bytes are allowed`,
        { limitBytes: this.#limitBytes },
      );
    }
    this.#offset = step.end;
    return step.packet;
  }

  /** Wait for more bytes. @returns false at the end of the stream */
  async fill(): Promise<boolean> {
    if (this.#ended) return false;
    const step = await this.#iterator.next();
    if (step.done) {
      this.#ended = true;
      return false;
    }
    if (this.#offset === this.#end) this.#adopt(step.value);
    else this.#append(step.value);
    return true;
  }

  /**
   * The next packet, waiting for it; `undefined` at the end of the stream.
   *
   * @throws {GitError} PROTOCOL_VIOLATION when the stream ends inside a packet
   */
  async next(): Promise<Packet | undefined> {
    for (;;) {
      const packet = this.take();
      if (packet !== undefined) return packet;
      if (!(await this.fill())) break;
    }
    if (this.#offset < this.#end) {
      throw new GitError('PROTOCOL_VIOLATION', 'Cannot read pkt-line: stream ended inside a packet', {
        pendingBytes: this.#end - this.#offset,
      });
    }
    return undefined;
  }

  /** Everything after the packets read so far. The reader must not be used for packets after it. */
  async *rest(): AsyncGenerator<Uint8Array, undefined> {
    try {
      do {
        const left = this.#buffer.subarray(this.#offset, this.#end);
        this.#adopt(NO_BYTES);
        if (left.length > 0) yield left;
      } while (await this.fill());
    } finally {
      await this.close();
    }
  }

  /** Tell the source that nothing more will be read. Safe to call twice. */
  async close(): Promise<void> {
    this.#ended = true;
    await this.#iterator.return?.();
  }

  #adopt(chunk: Uint8Array): void {
    this.#buffer = chunk;
    this.#offset = 0;
    this.#end = chunk.length;
    this.#owned = false;
  }

  /** Doubling makes a packet that arrives byte by byte cost its length, not the square of it. */
  #append(chunk: Uint8Array): void {
    const leftBytes = this.#end - this.#offset;
    const needBytes = leftBytes + chunk.length;
    if (!this.#owned || this.#end + chunk.length > this.#buffer.length) {
      const roomier = new Uint8Array(Math.max(2 * needBytes, MIN_OWN_BYTES));
      roomier.set(this.#buffer.subarray(this.#offset, this.#end));
      this.#buffer = roomier;
      this.#offset = 0;
      this.#end = leftBytes;
      this.#owned = true;
    }
    this.#buffer.set(chunk, this.#end);
    this.#end += chunk.length;
  }
}
