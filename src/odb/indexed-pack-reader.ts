/**
 * Reading the objects of a pack that has been indexed and not been stored yet.
 *
 * @module
 */
import { concatBytes } from '../core/bytes.ts';
import type { ObjectFormat } from '../core/object-id.ts';
import type { Runtime } from '../core/runtime.ts';
import { parsePackIndex } from '../pack/idx-reader.ts';
import type { IndexedPack } from '../pack/index-pack.ts';
import { PackReader } from '../pack/pack-reader.ts';
import type { RandomAccessFile } from '../pack/stored-pack.ts';
import type { ObjectReader } from './object-database.ts';
import { SnapshotReader } from './snapshot-reader.ts';

/** Holds the whole index, 28 bytes an object and more. The caller releases it, and keeps `file` open until then. */
export function indexedPackReader(
  pack: IndexedPack,
  file: RandomAccessFile,
  { format, runtime }: { readonly format: ObjectFormat; readonly runtime: Runtime },
): ObjectReader {
  const index = parsePackIndex(concatBytes(...pack.encodeIndex()), { format, packBytes: pack.sizeBytes });
  const reader = new PackReader({ name: 'indexed', file, index }, { runtime });
  return new SnapshotReader({ format, packs: [reader], loose: [], onRelease: () => reader.release() });
}
