/**
 * gzip of a stream, with the header that `git archive` writes: no name, no time, so that the same tree always gives the
 * same bytes.
 * Spec: RFC 1952.
 *
 * @module
 */
import type { ByteStream } from '../../core/byte-stream.ts';
import type { Runtime } from '../../core/runtime.ts';
import { deflateRawStream } from './raw-deflate.ts';

const DEFLATED = 8;
const UNIX = 3;

/** @param level as zlib's: -1 for its default, 0 for none, to 9 for the best */
export async function* gzip(
  runtime: Runtime,
  bytes: ByteStream,
  level: number,
): AsyncGenerator<Uint8Array, undefined> {
  const effort = level === 9 ? 2 : level === 0 || level === 1 ? 4 : 0;
  yield Uint8Array.of(0x1f, 0x8b, DEFLATED, 0, 0, 0, 0, 0, effort, UNIX);

  let crc = 0;
  let sizeBytes = 0;
  async function* counted(): AsyncGenerator<Uint8Array, undefined> {
    for await (const chunk of bytes) {
      crc = runtime.crc32(chunk, 0, chunk.length, crc);
      sizeBytes += chunk.length;
      yield chunk;
    }
  }
  yield* deflateRawStream(runtime, counted(), level);

  const trailer = new DataView(new ArrayBuffer(8));
  trailer.setUint32(0, crc, true);
  trailer.setUint32(4, sizeBytes % 2 ** 32, true);
  yield new Uint8Array(trailer.buffer);
}
