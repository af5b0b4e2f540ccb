/**
 * indexPack() with everything a test does not care about filled in.
 *
 * @module
 */
import type { ByteStream } from '../../src/core/byte-stream.ts';
import { concatBytes } from '../../src/core/bytes.ts';
import { DEFAULT_LIMITS, type Limits } from '../../src/core/limits.ts';
import { nodeRuntime } from '../../src/core/node/runtime.ts';
import { bytesToHex, type ObjectFormatName, objectFormatByName } from '../../src/core/object-id.ts';
import type { ObjectKind } from '../../src/core/object-kind.ts';
import { parsePackIndex } from '../../src/pack/idx-reader.ts';
import { type IndexedPack, type IndexPackOptions, indexPack } from '../../src/pack/index-pack.ts';
import { createMemoryFile } from '../../src/pack/memory-file.ts';
import { PackReader } from '../../src/pack/pack-reader.ts';
import { createMemoryPackSink, type MemoryPackSink } from '../../src/pack/pack-sink.ts';

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

/** The objects of a pack that was indexed into `sink`, in pack order, read through the index that came of it. */
export function* objectsIn(
  indexed: IndexedPack,
  sink: MemoryPackSink,
): Generator<{ id: string; kind: ObjectKind; data: Uint8Array }> {
  const { format, columns } = indexed.table;
  const index = parsePackIndex(concatBytes(...indexed.encodeIndex()), { format, packBytes: sink.sizeBytes });
  const pack = { name: 'tested', file: createMemoryFile(sink.bytes), index };
  const reader = new PackReader(pack, { runtime: nodeRuntime });
  for (let entry = 0; entry < indexed.objectCount; entry++) {
    const id = bytesToHex(columns.ids, entry * format.idBytes, format.idBytes);
    yield { id, ...reader.readAt(columns.offsets[entry] as number) };
  }
}
