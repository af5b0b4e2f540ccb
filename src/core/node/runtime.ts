/**
 * The runtime on Node: node:zlib and node:crypto.
 *
 * @module
 */
import { createHash, hash } from 'node:crypto';
import { Readable } from 'node:stream';
import zlib from 'node:zlib';
import type { ByteStream } from '../byte-stream.ts';
import { crc32OfTable } from '../crc32.ts';
import type { ObjectFormat } from '../object-id.ts';
import type { IncrementalHash, Runtime } from '../runtime.ts';
import { collectGarbage, releaseMemory } from './collect-garbage.ts';
import { createNodeInflater } from './inflater.ts';

/** `zlib.crc32` came with Node 20.15 and 22.2; below this many bytes the table wins over the call. */
const NATIVE_CRC_FROM_BYTES = 100;

export const nodeRuntime: Runtime = {
  name: 'node',
  createInflater: createNodeInflater,

  createHash(format: ObjectFormat): IncrementalHash {
    const state = createHash(format.name);
    return {
      update(bytes) {
        state.update(bytes);
      },
      digest: () => new Uint8Array(state.digest()),
    };
  },

  hashInto(format, bytes, start, end, target, targetOffset) {
    // A latin1 string is the cheapest result the binding can hand over ("hash" in npm run bench).
    const digest = hash(format.name, bytes.subarray(start, end), 'latin1' as 'hex');
    for (let i = 0; i < digest.length; i++) target[targetOffset + i] = digest.charCodeAt(i);
  },

  deflate: (bytes, level = -1) => zlib.deflateSync(bytes, { level }),

  deflateStream(bytes: ByteStream, level = -1): ByteStream {
    return Readable.from(bytes, { objectMode: false }).compose(zlib.createDeflate({ level })) as ByteStream;
  },

  crc32(bytes, start, end, seed) {
    if (end - start < NATIVE_CRC_FROM_BYTES) return crc32OfTable(bytes, start, end, seed);
    return zlib.crc32(bytes.subarray(start, end), seed);
  },

  collectGarbage,
  releaseMemory,
};
