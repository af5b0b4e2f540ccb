/**
 * Deflated bytes without the frame of zlib, which archives do not have.
 * Spec: RFC 1950 for the frame, RFC 1951 for what is in it.
 *
 * @module
 */
import type { ByteStream } from '../../core/byte-stream.ts';
import { concatBytes } from '../../core/bytes.ts';
import type { Runtime } from '../../core/runtime.ts';

const HEADER_BYTES = 2;
const TRAILER_BYTES = 4;

/** `level` as zlib's: -1 for its default. */
export function deflateRaw(runtime: Runtime, bytes: Uint8Array, level: number): Uint8Array {
  return runtime.deflate(bytes, level).subarray(HEADER_BYTES, -TRAILER_BYTES);
}

/** As {@link deflateRaw} for bytes of any number. */
export async function* deflateRawStream(
  runtime: Runtime,
  bytes: ByteStream,
  level: number,
): AsyncGenerator<Uint8Array, undefined> {
  let toSkip = HEADER_BYTES;
  /** The last bytes seen: they are the trailer if no more come. */
  let held: Uint8Array = new Uint8Array(0);
  for await (const chunk of runtime.deflateStream(bytes, level)) {
    const skipped = Math.min(toSkip, chunk.length);
    toSkip -= skipped;
    const joined = concatBytes(held, chunk.subarray(skipped));
    const end = Math.max(0, joined.length - TRAILER_BYTES);
    held = joined.slice(end);
    if (end > 0) yield joined.subarray(0, end);
  }
}
