/**
 * indexPack() with everything a test does not care about filled in.
 *
 * @module
 */
import type { ByteStream } from '../../src/core/byte-stream.ts';
import { DEFAULT_LIMITS, type Limits } from '../../src/core/limits.ts';
import { nodeRuntime } from '../../src/core/node/runtime.ts';
import { type ObjectFormatName, objectFormatByName } from '../../src/core/object-id.ts';
import { type IndexedPack, type IndexPackOptions, indexPack } from '../../src/pack/index-pack.ts';
import { createMemoryPackSink } from '../../src/pack/pack-sink.ts';

export interface IngestOptions extends Partial<Omit<IndexPackOptions, 'limits' | 'format'>> {
  readonly limits?: Partial<Limits>;
  readonly format?: ObjectFormatName;
}

export function ingest(input: ByteStream, options: IngestOptions = {}): Promise<IndexedPack> {
  return indexPack(input, {
    runtime: nodeRuntime,
    sink: createMemoryPackSink(),
    ...options,
    format: objectFormatByName(options.format ?? 'sha1'),
    limits: { ...DEFAULT_LIMITS, ...options.limits },
  });
}
