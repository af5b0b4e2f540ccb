/**
 * The runtime without a platform: pako and @noble/hashes, for edge workers and as the reference that
 * faster runtimes are tested against.
 *
 * @module
 */
import { sha1 } from '@noble/hashes/legacy.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { deflate } from 'pako';
import type { ByteStream } from '../byte-stream.ts';
import { crc32OfTable } from '../crc32.ts';
import type { ObjectFormat } from '../object-id.ts';
import type { Runtime } from '../runtime.ts';
import { createPortableInflater } from './inflater.ts';

type ZlibLevel = -1 | 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;

export const portableRuntime: Runtime = {
  name: 'portable',
  createInflater: createPortableInflater,

  createHash(format: ObjectFormat) {
    const state = algorithm(format).create();
    return {
      update(bytes) {
        state.update(bytes);
      },
      digest: () => state.digest(),
    };
  },

  hashInto(format, bytes, start, end, target, targetOffset) {
    target.set(algorithm(format)(bytes.subarray(start, end)), targetOffset);
  },

  deflate: (bytes, level = -1) => deflate(bytes, { level: level as ZlibLevel }),

  // The platform's own stream has no level; what it writes is an ordinary zlib stream all the same.
  async *deflateStream(bytes: ByteStream) {
    const { readable, writable } = new CompressionStream('deflate');
    const writing = writeAll(bytes, writable);
    const reader = readable.getReader();
    try {
      for (let step = await reader.read(); !step.done; step = await reader.read()) yield step.value;
      await writing;
    } finally {
      await Promise.allSettled([reader.cancel(), writing]);
    }
  },

  crc32: crc32OfTable,
};

function algorithm(format: ObjectFormat): typeof sha1 | typeof sha256 {
  return format.name === 'sha1' ? sha1 : sha256;
}

async function writeAll(bytes: ByteStream, writable: WritableStream<BufferSource>): Promise<void> {
  const writer = writable.getWriter();
  try {
    for await (const chunk of bytes) await writer.write(chunk as Uint8Array<ArrayBuffer>);
    await writer.close();
  } catch (error) {
    await writer.abort(error);
    throw error;
  }
}
