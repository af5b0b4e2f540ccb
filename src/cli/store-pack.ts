/**
 * Putting an indexed pack and the files beside it in their place, complete or not at all.
 *
 * @module
 */
import { link, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type SharedPermissions, shareFile } from '../core/node/shared-permissions.ts';
import type { IndexedPack } from '../pack/index-pack.ts';
import { openFile, storageFailed } from './pack-file.ts';

/** Where the files of one pack go; what is absent is not written. */
export interface PackPlaces {
  /** The received pack: moved from here … */
  readonly incoming?: { readonly path: string; readonly to: string } | undefined;
  readonly index: string;
  /** Who else may use the files. */
  readonly shared?: SharedPermissions | undefined;
  readonly reverseIndex?: string | undefined;
  readonly keep?: { readonly path: string; readonly message: string } | undefined;
}

/** git makes packs and indexes read-only. */
const READ_ONLY = 0o444;

/** A name in the directory of `path` that git's prune knows for a leftover: `tmp_…`. */
export function temporaryBeside(path: string, kind: 'pack' | 'idx' | 'rev'): string {
  return join(dirname(path), `tmp_${kind}_${process.pid}_${Math.random().toString(36).slice(2, 8)}`);
}

/**
 * Publish in git's order: `.keep`, `.pack`, `.rev`, and last the `.idx`, which makes the pack be seen. All is on
 * the disk before the first is renamed.
 *
 * @returns whether a `.keep` file was made: false when one was there already
 * @throws {GitError} STORAGE_FAILED; no temporary file is left then
 */
export async function publishPack(pack: IndexedPack, places: PackPlaces): Promise<boolean> {
  const temporaryIndex = temporaryBeside(places.index, 'idx');
  const temporaryReverse = temporaryBeside(places.index, 'rev');
  try {
    const { shared } = places;
    await writeDurably(temporaryIndex, pack.encodeIndex(), shared);
    if (places.reverseIndex !== undefined)
      await writeDurably(temporaryReverse, pack.encodeReverseIndex(), shared);
    const kept = places.keep !== undefined && (await writeKeep(places.keep.path, places.keep.message));
    if (places.incoming !== undefined) await moveIntoPlace(places.incoming.path, places.incoming.to);
    if (places.reverseIndex !== undefined) await replace(temporaryReverse, places.reverseIndex);
    await replace(temporaryIndex, places.index);
    return kept;
  } finally {
    await rm(temporaryIndex, { force: true });
    await rm(temporaryReverse, { force: true });
  }
}

async function writeDurably(
  path: string,
  chunks: Iterable<Uint8Array>,
  shared: SharedPermissions | undefined,
): Promise<void> {
  const file = await openFile(path, 'wx', READ_ONLY);
  try {
    for (const chunk of chunks) await file.writeFile(chunk);
    shareFile(file.fd, shared);
    await file.sync();
  } catch (error) {
    throw storageFailed(`cannot write '${path}'`, error);
  } finally {
    await file.close();
  }
}

async function writeKeep(path: string, message: string): Promise<boolean> {
  try {
    const file = await openFile(path, 'wx', 0o600);
    try {
      if (message !== '') await file.writeFile(`${message}\n`);
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** A pack of that name that is there already stays: it has the same content, and readers may have it open. */
async function moveIntoPlace(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') return replace(from, to); // a file system without hard links
  }
  await rm(from, { force: true });
}

async function replace(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    throw storageFailed(`cannot create '${to}'`, error);
  }
}

/** The system's code for a failed call, of the error itself or of its cause. */
function codeOf(error: unknown): unknown {
  if (!(error instanceof Error)) return undefined;
  return 'code' in error && error.code !== 'STORAGE_FAILED' ? error.code : codeOf(error.cause);
}
