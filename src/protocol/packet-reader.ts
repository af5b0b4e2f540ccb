/**
 * Packets of a request, then whatever follows them: a push sends its commands as packets and its pack as
 * bare bytes in the same stream.
 *
 * @module
 */
import type { ByteStream } from '../core/byte-stream.ts';
import { concatBytes } from '../core/bytes.ts';
import { GitError } from '../core/errors.ts';
import { decodePacket, type Packet } from './pkt-line.ts';

const NO_BYTES = new Uint8Array(0);

/** Reads one stream from front to back. Not for concurrent use. */
export class PacketReader {
  readonly #iterator: AsyncIterator<Uint8Array>;
  readonly #limitBytes: number;
  #buffer = NO_BYTES;
  #offset = 0;
  #ended = false;
  #packetBytes = 0;

  /** @param limitBytes how many bytes of packets (not of {@link rest}) are read before it refuses */
  constructor(stream: ByteStream, limitBytes: number) {
    this.#iterator = stream[Symbol.asyncIterator]();
    this.#limitBytes = limitBytes;
  }

  /**
   * The next packet if it has arrived already; its payload is valid until the next {@link fill}.
   *
   * @throws {GitError} PROTOCOL_VIOLATION, LIMIT_EXCEEDED
   */
  take(): Packet | undefined {
    const step = decodePacket(this.#buffer, this.#offset);
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
    const left = this.#buffer.subarray(this.#offset);
    this.#buffer =
      left.length === 0
        ? (step.value as Uint8Array<ArrayBuffer>)
        : (concatBytes(left, step.value) as Uint8Array<ArrayBuffer>);
    this.#offset = 0;
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
    if (this.#offset < this.#buffer.length) {
      throw new GitError('PROTOCOL_VIOLATION', 'Cannot read pkt-line: stream ended inside a packet', {
        pendingBytes: this.#buffer.length - this.#offset,
      });
    }
    return undefined;
  }

  /** Everything after the packets read so far. The reader must not be used for packets after it. */
  async *rest(): AsyncGenerator<Uint8Array, undefined> {
    try {
      if (this.#offset < this.#buffer.length) {
        const left = this.#buffer.subarray(this.#offset);
        this.#buffer = NO_BYTES;
        this.#offset = 0;
        yield left;
      }
      while (await this.fill()) {
        const chunk = this.#buffer;
        this.#buffer = NO_BYTES;
        if (chunk.length > 0) yield chunk;
      }
    } finally {
      await this.close();
    }
  }

  /** Tell the source that nothing more will be read. Safe to call twice. */
  async close(): Promise<void> {
    this.#ended = true;
    await this.#iterator.return?.();
  }
}
