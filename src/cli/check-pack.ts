/**
 * Whether a pack and the index beside it agree: every object is read, its id computed, the index written anew and
 * compared. What `git index-pack --verify` does.
 *
 * @module
 */
import { readFile } from 'node:fs/promises';
import type { ProgressListener } from '../core/byte-stream.ts';
import { equalBytes } from '../core/bytes.ts';
import { GitError } from '../core/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../core/limits.ts';
import { nodeRuntime } from '../core/node/runtime.ts';
import type { ObjectFormat } from '../core/object-id.ts';
import { parsePackIndex } from '../pack/idx-reader.ts';
import { type IndexedPack, indexPack } from '../pack/index-pack.ts';
import type { TaskPool } from '../pack/task-pool.ts';
import { openPackFile, type PackFile, storageFailed } from './pack-file.ts';

export interface CheckPackOptions {
  readonly format: ObjectFormat;
  readonly limits?: Limits | undefined;
  readonly tasks?: TaskPool | undefined;
  readonly onProgress?: ProgressListener | undefined;
  /** Whether a `.rev` file beside the index is compared too. */
  readonly reverseIndex: boolean;
}

/**
 * Check the pack at `packPath` against `indexPath` and give what was found to `use` while the pack is open.
 *
 * @throws {GitError} PACK_CORRUPT when either is broken or they disagree; STORAGE_FAILED when one cannot be read
 */
export async function checkPack(
  packPath: string,
  indexPath: string,
  options: CheckPackOptions,
  use: (pack: IndexedPack, file: PackFile) => Promise<void> = async () => undefined,
): Promise<void> {
  const { format, limits = DEFAULT_LIMITS, tasks, onProgress } = options;
  await using file = await openPackFile(packPath);
  const pack = await indexPack(file.content, {
    format,
    runtime: nodeRuntime,
    limits,
    sink: file.sink,
    tasks,
    onProgress,
  });
  compareIndex(pack, await readWhole(indexPath), file, indexPath);
  if (options.reverseIndex) {
    const path = indexPath.replace(/\.idx$/, '.rev');
    const stored = await readIfThere(path);
    if (stored !== undefined && !sameBytes(pack.encodeReverseIndex(), stored))
      throw disagrees(path, file.path);
  }
  await use(pack, file);
}

const VERSION_2 = [0xff, 0x74, 0x4f, 0x63];

function compareIndex(pack: IndexedPack, stored: Uint8Array, file: PackFile, path: string): void {
  if (VERSION_2.every((byte, i) => stored[i] === byte)) {
    if (!sameBytes(pack.encodeIndex(), stored)) throw disagrees(path, file.path);
    return;
  }
  // Version 1 is never written here: compare what it answers.
  const index = parsePackIndex(stored, { format: pack.table.format, packBytes: file.sizeBytes });
  const { ids, offsets, idBytes } = pack.table.columns;
  if (index.objectCount !== pack.objectCount || !equalBytes(index.packChecksum, pack.checksum)) {
    throw disagrees(path, file.path);
  }
  for (let entry = 0; entry < pack.objectCount; entry++) {
    const rank = index.rankOf(ids, entry * idBytes);
    if (rank < 0 || index.offsetOf(rank) !== offsets[entry]) throw disagrees(path, file.path);
  }
}

function sameBytes(chunks: Iterable<Uint8Array>, stored: Uint8Array): boolean {
  let at = 0;
  for (const chunk of chunks) {
    if (!equalBytes(chunk, stored.subarray(at, at + chunk.length))) return false;
    at += chunk.length;
  }
  return at === stored.length;
}

function disagrees(path: string, packPath: string): GitError {
  return new GitError('PACK_CORRUPT', `'${path}' does not agree with '${packPath}'`, { path });
}

async function readWhole(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw storageFailed(`cannot read '${path}'`, error);
  }
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw storageFailed(`cannot read '${path}'`, error);
  }
}
