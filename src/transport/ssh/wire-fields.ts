/**
 * The field types of SSH messages, keys and certificates.
 * Spec: RFC 4251, section 5.
 *
 * @module
 */
import { GitError } from '../../core/errors.ts';

const decoder = new TextDecoder('utf-8', { fatal: true });

/** Reads one field after another. Fields are views of the bytes it was given. */
export class WireFields {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Bytes read so far. */
  get position(): number {
    return this.#at;
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** @throws {GitError} PROTOCOL_VIOLATION when fewer bytes are left, as all others */
  uint32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  uint64(): bigint {
    return this.#view.getBigUint64(this.#take(8));
  }

  uint8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  /** A length and so many bytes: `string`, and what it holds. */
  bytes(): Uint8Array {
    const length = this.uint32();
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** @throws {GitError} PROTOCOL_VIOLATION also when it is no UTF-8 */
  text(): string {
    const bytes = this.bytes();
    try {
      return decoder.decode(bytes);
    } catch (error) {
      throw new GitError('PROTOCOL_VIOLATION', 'Cannot read SSH data: text is not UTF-8', {}, error);
    }
  }

  /** An unsigned integer without leading zeros. @throws {GitError} PROTOCOL_VIOLATION also when it is negative */
  mpint(): Uint8Array {
    const bytes = this.bytes();
    if (((bytes[0] ?? 0) & 0x80) !== 0) throw malformed('a number is negative');
    return bytes[0] === 0 ? bytes.subarray(1) : bytes;
  }

  /** @throws {GitError} PROTOCOL_VIOLATION when something is left */
  end(): void {
    if (!this.atEnd) throw malformed('bytes are left over');
  }

  #take(length: number): number {
    const start = this.#at;
    if (length > this.#bytes.length - start) throw malformed('it is cut off');
    this.#at += length;
    return start;
  }
}

function malformed(why: string): GitError {
  return new GitError('PROTOCOL_VIOLATION', `Cannot read SSH data: ${why}`);
}
