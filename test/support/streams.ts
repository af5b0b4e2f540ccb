/**
 * Streams for tests: any bytes in any chunking, and back.
 *
 * @module
 */
import type { ByteStream } from '../../src/core/byte-stream.ts';
import { concatBytes } from '../../src/core/bytes.ts';

/** `bytes` in chunks of the given sizes, taken in turn for ever; one chunk when there are none. */
export async function* chunked(bytes: Uint8Array, sizes: readonly number[] = []): AsyncGenerator<Uint8Array> {
  let offset = 0;
  for (let turn = 0; offset < bytes.length; turn++) {
    const size = sizes.length === 0 ? bytes.length : Math.max(1, sizes[turn % sizes.length] as number);
    yield bytes.slice(offset, offset + size);
    offset += size;
  }
}

/** Everything a stream yields, joined. */
export async function drain(stream: ByteStream): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk.slice());
  return concatBytes(...chunks);
}
