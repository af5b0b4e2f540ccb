/**
 * The seam to the platform: what every pack and object needs and each runtime does differently.
 * Implementations: `core/node` (node:zlib, node:crypto) and `core/portable` (WebAssembly or pako,
 * @noble/hashes).
 *
 * All members are synchronous and keep no reference to the arrays they are given, but that an inflater may keep the last
 * ones, if small, alive until it is given others or closed. An `Inflater` and an
 * `IncrementalHash` hold state and belong to one caller at a time.
 *
 * @module
 */
import type { ByteStream } from './byte-stream.ts';
import type { ObjectFormat } from './object-id.ts';
import type { DetectingSha1 } from './sha1/detecting-sha1.ts';

export interface Runtime {
  /** For logs and benchmarks: `node`, `portable`. */
  readonly name: string;
  createInflater(): Inflater;
  createHash(format: ObjectFormat): IncrementalHash;
  /** Hash of `bytes[start, end)`, its raw id written at `target[targetOffset]`. */
  hashInto(
    format: ObjectFormat,
    bytes: Uint8Array,
    start: number,
    end: number,
    target: Uint8Array,
    targetOffset: number,
  ): void;
  /**
   * SHA-1 that detects collision attacks, if the platform has one of its own; otherwise the one of `core/sha1` serves.
   */
  readonly detectingSha1?: DetectingSha1 | undefined;
  /** One whole zlib stream. `level` as zlib's: -1 default, 0 none to 9 best. */
  deflate(bytes: Uint8Array, level?: number): Uint8Array;
  /** One zlib stream of any size, made as it is read. */
  deflateStream(bytes: ByteStream, level?: number): ByteStream;
  /** CRC-32 (IEEE) of `bytes[start, end)` carried on from `seed` (0 at first); unsigned. */
  crc32(bytes: Uint8Array, start: number, end: number, seed: number): number;
  /**
   * Give back now what large work has left behind, where the platform can be asked to. Takes some ten milliseconds: for
   * the end of work on {@link LARGE_WORK_OBJECTS} objects or more.
   */
  collectGarbage?(): void;
  /** As {@link collectGarbage}, and room that is free with it: some tens of milliseconds, for when nobody works. */
  releaseMemory?(): void;
}

/** Work on so many objects leaves several MB of tables behind. */
export const LARGE_WORK_OBJECTS = 100_000;

/**
 * Inflates one zlib stream after another into the caller's memory, and says how much input each took:
 * entries of a pack lie back to back with no stored length.
 *
 * After {@link inflate} returns, `consumed` and `produced` count the bytes of that one call.
 * `ended` is true once the stream's own end and its checksum have been seen; the byte after it is
 * then at `inputStart + consumed`. Not ended means: give more input, or more room.
 */
export interface Inflater {
  /** Forget the present stream, whatever its state, and begin another. */
  reset(): void;
  /**
   * Go on with the present stream: read from `input[inputStart, inputEnd)`, write to
   * `output[outputStart, outputEnd)`.
   *
   * The end of a stream may be noticed only when a byte after it is offered; a pack always has one
   * (its trailer). Callers that expect `size` bytes give room for one more: a stream that fills it lies.
   *
   * @throws {GitError} PACK_CORRUPT when the bytes are no zlib stream or fail its checksum
   */
  inflate(
    input: Uint8Array,
    inputStart: number,
    inputEnd: number,
    output: Uint8Array,
    outputStart: number,
    outputEnd: number,
  ): void;
  readonly consumed: number;
  readonly produced: number;
  readonly ended: boolean;
  /** Release native memory. The inflater cannot be used after it. */
  close(): void;
}

export interface IncrementalHash {
  update(bytes: Uint8Array): void;
  /** The raw id; the hash cannot be used after it. */
  digest(): Uint8Array;
}
