/**
 * packwire/pack: the pack format by itself. Runs wherever JavaScript does.
 *
 * @module
 */
export { portableRuntime } from './core/portable/runtime.ts';
export type { IncrementalHash, Inflater, Runtime } from './core/runtime.ts';
export { applyDelta, type DeltaSizes, readDeltaSizes } from './pack/delta.ts';
export { createDelta, type DeltaIndex, deltaIndexBytes, indexDeltaBase } from './pack/delta-create.ts';
export {
  createEntryHeader,
  type EntryHeader,
  MAX_ENTRY_HEADER_BYTES,
  parseEntryHeader,
  writeBaseDistance,
  writeTypeAndSize,
} from './pack/entry-header.ts';
export { ObjectChecker } from './pack/fsck/object-checker.ts';
export { type FsckRules, fsckRules, STRICT_FSCK_RULES } from './pack/fsck/rules.ts';
export { parsePackIndex } from './pack/idx-reader.ts';
export { type IndexedPack, type IndexPackOptions, indexPack } from './pack/index-pack.ts';
export { createMemoryFile } from './pack/memory-file.ts';
export { formatPackHeader, parsePackHeader } from './pack/pack-header.ts';
export type { PackIndex } from './pack/pack-index.ts';
export { PackReader } from './pack/pack-reader.ts';
export { createMemoryPackSink, type MemoryPackSink, type PackSink } from './pack/pack-sink.ts';
export type { RandomAccessFile, StoredPack } from './pack/stored-pack.ts';
export type { TaskPool } from './pack/task-pool.ts';
