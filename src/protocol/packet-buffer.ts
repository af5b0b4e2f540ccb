/**
 * Many short packets gathered into chunks of about 64 KiB: one chunk a wait, not one a line.
 *
 * @module
 */
import { GitError } from '../core/errors.ts';
import { MAX_PACKET_BYTES, MAX_PAYLOAD_BYTES } from './pkt-line.ts';

const FULL_BYTES = 64 * 1024;
const PREFIX_BYTES = 4;
const ZERO = 48; // '0'
const FIRST_BYTES = 512;

const encoder = new TextEncoder();

/** Append packets; when {@link isFull}, {@link take} what there is and send it. */
export class PacketBuffer {
  readonly #inBands: boolean;
  #bytes: Uint8Array = new Uint8Array(FIRST_BYTES);
  #length = 0;

  /** @param inBands put each line on band 1, as `sideband-all` has it */
  constructor({ inBands = false }: { readonly inBands?: boolean } = {}) {
    this.#inBands = inBands;
  }

  /** True once a chunk is worth sending. Adding more is allowed, and makes the chunk larger. */
  get isFull(): boolean {
    return this.#length >= FULL_BYTES;
  }

  /** Bytes appended since the last {@link take}. */
  get sizeBytes(): number {
    return this.#length;
  }

  /**
   * Append one data packet holding `line` in UTF-8, as it is: with the newline, if it wants one.
   *
   * @throws {GitError} INVALID_ARGUMENT when it does not fit one packet
   */
  line(line: string): this {
    const prefixBytes = this.#inBands ? PREFIX_BYTES + 1 : PREFIX_BYTES;
    this.#reserve(prefixBytes + 3 * line.length); // a UTF-16 unit is at most three bytes of UTF-8
    const start = this.#length + prefixBytes;
    const { written } = encoder.encodeInto(line, this.#bytes.subarray(start));
    const packetBytes = written + prefixBytes;
    if (packetBytes > MAX_PACKET_BYTES) {
      throw new GitError(
        'INVALID_ARGUMENT',
        `Cannot write pkt-line: at most ${MAX_PAYLOAD_BYTES} bytes fit, got ${written}`,
      );
    }
    this.#writeLength(packetBytes);
    if (this.#inBands) this.#bytes[start - 1] = 1;
    this.#length = start + written;
    return this;
  }

  flush(): this {
    return this.#marker(0);
  }

  delimiter(): this {
    return this.#marker(1);
  }

  /** Everything appended since the last call; the caller owns it. Empty when there is nothing. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#bytes = new Uint8Array(this.#length >= FULL_BYTES ? FULL_BYTES + MAX_PACKET_BYTES : FIRST_BYTES);
    this.#length = 0;
    return taken;
  }

  #marker(length: number): this {
    this.#reserve(PREFIX_BYTES);
    this.#writeLength(length);
    this.#length += PREFIX_BYTES;
    return this;
  }

  #writeLength(length: number): void {
    for (let digit = 0, shift = 12; digit < PREFIX_BYTES; digit++, shift -= 4) {
      const value = (length >> shift) & 15;
      this.#bytes[this.#length + digit] = value < 10 ? ZERO + value : ZERO + 39 + value;
    }
  }

  #reserve(sizeBytes: number): void {
    if (this.#length + sizeBytes <= this.#bytes.length) return;
    const roomier = new Uint8Array(2 * (this.#length + sizeBytes));
    roomier.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = roomier;
  }
}
