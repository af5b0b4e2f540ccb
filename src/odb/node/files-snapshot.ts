/**
 * A reader over objects directories, with their packs pinned.
 *
 * @module
 */
import { GitError } from '../../core/errors.ts';
import type { ObjectFormat } from '../../core/object-id.ts';
import type { CommitGraph } from '../../pack/commit-graph.ts';
import type { ReachabilityBitmaps } from '../../pack/reachability-bitmaps.ts';
import type { ObjectReader } from '../object-database.ts';
import { SnapshotReader } from '../snapshot-reader.ts';
import type { ObjectDirectory } from './object-directory.ts';
import type { OpenPack } from './open-pack.ts';

/** Packs may vanish between listing and pinning them, while another process repacks; not for ever. */
const MAX_ATTEMPTS = 10;

/** Which files a reader takes short cuts by. git: pack.useBitmaps, core.multiPackIndex, core.commitGraph. */
export interface ShortCuts {
  readonly bitmaps: boolean;
  readonly multiPackIndex: boolean;
  readonly commitGraph: boolean;
}

export const ALL_SHORT_CUTS: ShortCuts = { bitmaps: true, multiPackIndex: true, commitGraph: true };

/**
 * @param directories in search order
 * @param onRelease called once, when the packs have been let go
 * @throws {GitError} STORAGE_FAILED
 */
export async function openSnapshot(
  format: ObjectFormat,
  directories: readonly ObjectDirectory[],
  onRelease: () => void,
  shortCuts: ShortCuts = ALL_SHORT_CUTS,
): Promise<ObjectReader> {
  for (const directory of directories) directory.hold();
  const letGo = (): void => {
    for (const directory of directories) directory.letGo();
    onRelease();
  };
  try {
    const pinned = await pinPresent(directories);
    return readerOver(format, directories, pinned, letGo, shortCuts);
  } catch (error) {
    for (const directory of directories) directory.letGo(); // onRelease is the caller's then
    throw error;
  }
}

async function pinPresent(directories: readonly ObjectDirectory[]): Promise<Set<OpenPack>> {
  for (let attempt = 1; ; attempt++) {
    for (const directory of directories) await directory.refresh();
    const pinned = new Set<OpenPack>();
    if (pinAll(directories, pinned)) return pinned;
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
  shortCuts: ShortCuts,
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
    openBitmaps: shortCuts.bitmaps ? () => bestBitmaps(directories, pinned, shortCuts) : undefined,
    openCommitGraph: shortCuts.commitGraph ? () => firstCommitGraph(directories) : undefined,
    onRelease() {
      for (const pack of pinned) pack.unpin();
      pinned.clear();
      onRelease();
    },
  });
}

/** Those that cover most objects. */
function bestBitmaps(
  directories: readonly ObjectDirectory[],
  pinned: ReadonlySet<OpenPack>,
  { multiPackIndex }: ShortCuts,
): ReachabilityBitmaps | undefined {
  let best: ReachabilityBitmaps | undefined;
  for (const directory of multiPackIndex ? directories : []) {
    const bitmaps = directory.multiPackBitmaps(pinned);
    if (bitmaps !== undefined && bitmaps.objectCount > (best?.objectCount ?? 0)) best = bitmaps;
  }
  const countOf = (pack: OpenPack): number => pack.reader.pack.index.objectCount;
  const packs = [...pinned].filter((pack) => directories.some((directory) => directory.hasBitmaps(pack)));
  for (const pack of packs.sort((a, b) => countOf(b) - countOf(a))) {
    if (best !== undefined && countOf(pack) <= best.objectCount) break;
    const bitmaps = pack.bitmaps();
    if (bitmaps !== undefined) return bitmaps;
  }
  return best;
}

/** That of the repository itself, or of the first alternate that has one, as git takes it. */
function firstCommitGraph(directories: readonly ObjectDirectory[]): CommitGraph | undefined {
  const paths = directories.map((directory) => directory.path);
  for (const [n, directory] of directories.entries()) {
    const graph = directory.commitGraph(paths.slice(n));
    if (graph !== undefined) return graph;
  }
  return undefined;
}
