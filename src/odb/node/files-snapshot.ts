/**
 * A reader over objects directories, with their packs pinned.
 *
 * @module
 */
import { GitError } from '../../core/errors.ts';
import type { ObjectFormat } from '../../core/object-id.ts';
import type { ObjectReader } from '../object-database.ts';
import { SnapshotReader } from '../snapshot-reader.ts';
import type { ObjectDirectory } from './object-directory.ts';
import type { OpenPack } from './open-pack.ts';

/** Packs may vanish between listing and pinning them, while another process repacks; not for ever. */
const MAX_ATTEMPTS = 10;

/**
 * @param directories in search order
 * @param onRelease called once, when the packs have been let go
 * @throws {GitError} STORAGE_FAILED
 */
export async function openSnapshot(
  format: ObjectFormat,
  directories: readonly ObjectDirectory[],
  onRelease: () => void,
): Promise<ObjectReader> {
  for (let attempt = 1; ; attempt++) {
    for (const directory of directories) await directory.refresh();
    const pinned = new Set<OpenPack>();
    if (pinAll(directories, pinned)) return readerOver(format, directories, pinned, onRelease);
    for (const pack of pinned) pack.unpin();
    if (attempt === MAX_ATTEMPTS) {
      throw new GitError('STORAGE_FAILED', 'Cannot read objects: packs keep vanishing', {
        path: directories[0]?.path ?? '',
      });
    }
    for (const directory of directories) directory.forgetListing();
  }
}

/** @returns false when a pack is gone */
function pinAll(directories: readonly ObjectDirectory[], pinned: Set<OpenPack>): boolean {
  for (const directory of directories) {
    for (const pack of directory.packs) {
      if (!pack.pin()) return false;
      pinned.add(pack);
    }
  }
  return true;
}

function readerOver(
  format: ObjectFormat,
  directories: readonly ObjectDirectory[],
  pinned: Set<OpenPack>,
  onRelease: () => void,
): ObjectReader {
  return new SnapshotReader({
    format,
    packs: Array.from(pinned, (pack) => pack.reader),
    loose: directories.map((directory) => directory.loose),
    findNewPacks() {
      const added: OpenPack[] = [];
      for (const directory of directories) {
        directory.refreshNow();
        for (const pack of directory.packs) {
          if (!pinned.has(pack) && pack.pin()) added.push(pack);
        }
      }
      for (const pack of added) pinned.add(pack);
      return added.map((pack) => pack.reader);
    },
    onRelease() {
      for (const pack of pinned) pack.unpin();
      pinned.clear();
      onRelease();
    },
  });
}
