/**
 * Moving a quarantine's files into the objects directory, in an order that never shows half a pack.
 *
 * Everything moves by rename within one file system, after it was written and synced: what can fail then is little,
 * and a crash between two renames leaves objects that nothing refers to, which `git gc` removes.
 *
 * @module
 */
import type { Dirent } from 'node:fs';
import { access, mkdir, open, readdir, rename, rm, rmdir, utimes } from 'node:fs/promises';
import { type SharedPermissions, shareDirectory } from '../../core/node/shared-permissions.ts';
import { isAbsent, storing, systemCode } from '../../core/node/storage-error.ts';

const SHARD = /^[0-9a-f]{2}$/;
const PACK_FILE = /^(pack-[0-9a-f]+)\.([a-z]+)$/;

/** A pack is found by its .idx, so that comes last; what says to keep it comes first. */
const PACK_ORDER = ['keep', 'pack', 'rev'];
const INDEX = 'idx';

/** Directories of loose objects published at the same time: most of it is waiting. */
const SHARDS_AT_ONCE = 8;

const WHAT = 'publish objects';

export interface PublishOptions {
  readonly quarantine: string;
  readonly objectsDirectory: string;
  /** Sync the pack directory, so that a pack's name survives a power cut as its content does. */
  readonly syncDirectories: boolean;
  /** Who may use directories that are made. */
  readonly shared: SharedPermissions | undefined;
}

/**
 * Publish all loose objects and packs of the quarantine. Objects and packs that exist already stay as they are, and
 * count as recent from now on.
 *
 * @returns the .keep files that were put in place, to be removed when refs hold the packs
 * @throws {GitError} STORAGE_FAILED
 */
export async function publish(options: PublishOptions): Promise<string[]> {
  const { quarantine, objectsDirectory, syncDirectories, shared } = options;
  const shards = (await list(quarantine)).filter((entry) => entry.isDirectory() && SHARD.test(entry.name));
  for (let at = 0; at < shards.length; at += SHARDS_AT_ONCE) {
    const some = shards.slice(at, at + SHARDS_AT_ONCE);
    await settled(
      some.map(({ name }) => publishShard(`${quarantine}/${name}`, `${objectsDirectory}/${name}`, shared)),
    );
  }
  const packs = packsAmong((await list(`${quarantine}/pack`)).map((entry) => entry.name));
  if (packs.size === 0) return [];

  const target = `${objectsDirectory}/pack`;
  await storing(WHAT, target, () => makeDirectory(target, shared));
  const keeps: string[] = [];
  try {
    for (const [name, extensions] of packs) {
      await publishPack(`${quarantine}/pack/${name}`, `${target}/${name}`, extensions, keeps);
    }
    if (syncDirectories) await syncDirectory(target);
  } catch (error) {
    await removeKeeps(keeps);
    throw error;
  }
  return keeps;
}

/** Let the next repack have the packs. */
export async function removeKeeps(keeps: readonly string[]): Promise<void> {
  for (const path of keeps) await storing('let go of pack', path, () => rm(path, { force: true }));
}

/** As Promise.all, but waits for the others too: nothing runs on behind a failure. */
async function settled(promises: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(promises)) {
    if (outcome.status === 'rejected') throw outcome.reason;
  }
}

/** Make a directory, unless it is there; never those above it, which may have been removed on purpose. */
export async function makeDirectory(path: string, shared?: SharedPermissions): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
    return;
  }
  shareDirectory(path, shared);
}

/** Make a file count as recent, so that no prune takes it. @returns false when that is not possible */
export async function freshen(path: string): Promise<boolean> {
  const now = new Date();
  try {
    await utimes(path, now, now);
    return true;
  } catch (error) {
    // Absent, or in an alternate that we may not write to: the object is then stored once more, as git does.
    if (isAbsent(error) || ['EACCES', 'EPERM', 'EROFS'].includes(systemCode(error))) return false;
    throw error;
  }
}

async function publishShard(
  source: string,
  target: string,
  shared: SharedPermissions | undefined,
): Promise<void> {
  let isEmptied = true;
  for (const { name } of await list(source)) {
    const to = `${target}/${name}`;
    await storing(WHAT, to, async () => {
      if (await freshen(to)) isEmptied = false;
      else await moveInto(target, `${source}/${name}`, to, shared);
    });
  }
  if (isEmptied) await storing(WHAT, source, () => removeEmpty(source));
}

/** Whatever came in meanwhile is discarded with the quarantine. */
async function removeEmpty(directory: string): Promise<void> {
  try {
    await rmdir(directory);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST'].includes(systemCode(error))) throw error;
  }
}

/** Most directories of loose objects are there already. */
async function moveInto(
  directory: string,
  from: string,
  to: string,
  shared: SharedPermissions | undefined,
): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    await makeDirectory(directory, shared);
    await rename(from, to);
  }
}

async function publishPack(
  source: string,
  target: string,
  extensions: readonly string[],
  keeps: string[],
): Promise<void> {
  const published: string[] = [];
  try {
    for (const extension of extensions) {
      const to = `${target}.${extension}`;
      await storing(WHAT, to, async () => {
        if (extension === 'keep') {
          // One that is there already is someone else's, who will remove it.
          if (await exists(to)) return;
          keeps.push(to);
        } else if (await exists(`${target}.${INDEX}`)) {
          await freshen(to); // the very same pack: its name is the hash of its content
          return;
        }
        await rename(`${source}.${extension}`, to);
        if (extension !== 'keep') published.push(to);
      });
    }
  } catch (error) {
    // Without its index nobody has seen the pack. If it has one now, someone else published the same.
    if (!(await exists(`${target}.${INDEX}`))) {
      for (const path of published) await rm(path, { force: true });
    }
    throw error;
  }
}

/** The extensions of each complete pack, in the order they are to be published. */
function packsAmong(names: readonly string[]): Map<string, string[]> {
  const packs = new Map<string, string[]>();
  for (const file of names) {
    const [, name, extension] = PACK_FILE.exec(file) ?? [];
    if (name === undefined || extension === undefined) continue;
    const extensions = packs.get(name) ?? [];
    extensions.push(extension);
    packs.set(name, extensions);
  }
  for (const [name, extensions] of packs) {
    if (!extensions.includes('pack') || !extensions.includes(INDEX)) packs.delete(name);
    extensions.sort((a, b) => orderOf(a) - orderOf(b));
  }
  return packs;
}

function orderOf(extension: string): number {
  if (extension === INDEX) return PACK_ORDER.length + 1;
  const order = PACK_ORDER.indexOf(extension);
  return order < 0 ? PACK_ORDER.length : order;
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (isAbsent(error)) return false;
    throw error;
  }
}

async function list(directory: string): Promise<Dirent[]> {
  try {
    return await readdir(directory, { withFileTypes: true });
  } catch (error) {
    if (isAbsent(error)) return [];
    return storing(WHAT, directory, () => Promise.reject(error as Error));
  }
}

async function syncDirectory(path: string): Promise<void> {
  await storing(WHAT, path, async () => {
    await using directory = await open(path, 'r');
    await directory.sync();
  });
}
