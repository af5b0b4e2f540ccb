/**
 * One `objects` directory: its loose objects, its packs as they come and go, its list of alternates.
 *
 * Other processes add and remove packs at any time. Listing again is cheap and happens when the directory's
 * modification time changed, or is too recent to tell.
 *
 * @module
 */
import { readdirSync, readFileSync, type Stats, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { GitError, isGitError } from '../../core/errors.ts';
import { type Evictable, warmMemory } from '../../core/memory-budget.ts';
import { isAbsent, storageError } from '../../core/node/storage-error.ts';
import type { CommitGraph } from '../../pack/commit-graph.ts';
import type { ReachabilityBitmaps } from '../../pack/reachability-bitmaps.ts';
import { parseAlternates } from '../alternates.ts';
import { MultiPackBitmapFiles } from './bitmap-files.ts';
import { CommitGraphFiles } from './commit-graph-files.ts';
import { knownIndexBytes, shareIndexBytes } from './index-bytes.ts';
import { LooseDirectory } from './loose-directory.ts';
import { OpenPack, type OpenPackOptions } from './open-pack.ts';

/** Two changes within one tick of a file system's clock look like one. The kernel's ticks are 1 to 10 ms long. */
const RACY_MS = 50;

/** Some file systems keep whole seconds, or even seconds. */
const RACY_WHOLE_SECONDS_MS = 2100;

export interface ObjectDirectoryOptions extends Omit<OpenPackOptions, 'warn'> {
  /** Told once of each pack that cannot be used, of each alternate, and of each file beside them. */
  readonly onWarning?: ((warning: GitError) => void) | undefined;
}

interface Listing {
  readonly modifiedMs: number;
  /** False when the directory changed so shortly before that it may have changed again. */
  readonly settled: boolean;
}

export class ObjectDirectory implements Evictable {
  readonly path: string;
  readonly loose: LooseDirectory;
  readonly #options: ObjectDirectoryOptions;
  readonly #packDirectory: string;
  /** In search order: the newest first, where what is asked for most likely is. */
  #packs: OpenPack[] = [];
  readonly #modified = new Map<string, number>();
  /** Packs that cannot be used, with what their index file looked like then. */
  readonly #broken = new Map<string, string>();
  readonly #multiPackBitmaps: MultiPackBitmapFiles;
  readonly #commitGraph: CommitGraphFiles;
  /** Packs with a .bitmap file, as of the last listing. */
  #bitmapped: ReadonlySet<string> = new Set();
  #listing: Listing | undefined;
  #refreshing: Promise<void> | undefined;
  #holders = 0;
  #alternates:
    | { readonly seen: Stats; readonly settled: boolean; readonly paths: readonly string[] }
    | undefined;

  constructor(path: string, options: ObjectDirectoryOptions) {
    this.path = path;
    this.#options = options;
    this.#packDirectory = `${path}/pack`;
    this.loose = new LooseDirectory(path, options.format, options.runtime);
    const { format, runtime } = options;
    const auxiliary = { format, runtime, warn: (warning: GitError) => this.warn(warning) };
    this.#multiPackBitmaps = new MultiPackBitmapFiles(this.#packDirectory, auxiliary);
    this.#commitGraph = new CommitGraphFiles(path, auxiliary);
  }

  /** What its open packs hold: their indexes. */
  get bytes(): number {
    return this.#packs.reduce((sum, { indexBytes }) => sum + indexBytes, 0);
  }

  get isInUse(): boolean {
    return this.#holders > 0;
  }

  /** Keep what is open open until {@link letGo}: called before the first refresh of a reader. */
  hold(): void {
    this.#holders++;
  }

  letGo(): void {
    this.#holders--;
    warmMemory.touch(this);
  }

  /** As of the last refresh. */
  get packs(): readonly OpenPack[] {
    return this.#packs;
  }

  /**
   * See what packs there are now. Indexes of new ones are read without blocking.
   *
   * @throws {GitError} STORAGE_FAILED
   */
  async refresh(): Promise<void> {
    while (this.#refreshing !== undefined) await this.#refreshing; // it may have looked before we were called
    const listing = this.#look();
    if (listing === undefined) return;
    this.#refreshing = this.#loadNew(listing).finally(() => {
      this.#refreshing = undefined;
    });
    await this.#refreshing;
  }

  /** As {@link refresh}, blocking: for the synchronous reader that misses an object. */
  refreshNow(): void {
    const listing = this.#look();
    if (listing === undefined) return;
    for (const name of this.#list()) {
      this.#add(name, () => {
        const path = `${this.#packDirectory}/${name}.idx`;
        return knownIndexBytes(path) ?? readFileSync(path);
      });
    }
    this.#listing = listing;
    warmMemory.register(this);
  }

  /** Look again at the next refresh, whatever the times say. */
  forgetListing(): void {
    this.#listing = undefined;
  }

  /** Paths in `info/alternates`, as they stand there. */
  readAlternates(): readonly string[] {
    const path = `${this.path}/info/alternates`;
    const seen = this.#stat(path);
    if (seen === undefined) return [];
    const known = this.#alternates;
    if (
      known?.settled === true &&
      known.seen.mtimeMs === seen.mtimeMs &&
      known.seen.ino === seen.ino &&
      known.seen.size === seen.size
    ) {
      return known.paths;
    }
    const settled = isSettled(seen.mtimeMs);
    const content = this.#readIfThere(path);
    const paths = content === undefined ? [] : parseAlternates(content);
    this.#alternates = { seen, settled, paths };
    return paths;
  }

  /** @param directories paths of this one and its alternates: a chain of graphs may begin there */
  commitGraph(directories: readonly string[]): CommitGraph | undefined {
    return this.#commitGraph.current(directories);
  }

  /** The bitmaps of the multi-pack-index, when a reader has pinned all packs of it. */
  multiPackBitmaps(pinned: ReadonlySet<OpenPack>): ReachabilityBitmaps | undefined {
    const isPinned = (name: string): boolean =>
      this.#packs.some((pack) => pack.name === name && pinned.has(pack));
    return this.#multiPackBitmaps.current(isPinned, (name) => {
      this.refreshNow();
      return this.#packs.some((pack) => pack.name === name);
    });
  }

  /** Whether a pack of this directory has bitmaps, as of the last refresh. */
  hasBitmaps(pack: OpenPack): boolean {
    return this.#bitmapped.has(pack.name) && this.#packs.includes(pack);
  }

  /** Close every pack that no reader pins; the others follow when they are released. */
  close(): void {
    warmMemory.release(this);
    this.#multiPackBitmaps.close();
    this.#commitGraph.close();
    this.evict();
  }

  /** Packs are opened again by the next refresh. */
  evict(): void {
    for (const pack of this.#packs) pack.retire();
    this.#packs = [];
    this.#listing = undefined;
  }

  warn(warning: GitError): void {
    this.#options.onWarning?.(warning);
  }

  async #loadNew(listing: Listing): Promise<void> {
    for (const name of this.#list()) {
      const path = `${this.#packDirectory}/${name}.idx`;
      let idx: Uint8Array;
      try {
        idx = knownIndexBytes(path) ?? (await readFile(path));
      } catch (error) {
        if (isAbsent(error)) continue; // removed since we listed it
        throw storageError(error, 'read pack index', path);
      }
      this.#add(name, () => idx);
    }
    this.#listing = listing;
    warmMemory.register(this);
  }

  /** @returns what the directory looks like, or `undefined` when that is what we know already */
  #look(): Listing | undefined {
    const modifiedMs = this.#stat(this.#packDirectory)?.mtimeMs ?? 0;
    if (this.#listing?.settled === true && this.#listing.modifiedMs === modifiedMs) return undefined;
    return { modifiedMs, settled: isSettled(modifiedMs) };
  }

  /** Let go of packs that are gone. @returns the names of those that are new */
  #list(): string[] {
    const names = new Set(this.#readDirectory());
    this.#multiPackBitmaps.noteListing(names);
    const bitmapped = new Set<string>();
    const added: string[] = [];
    const identities = new Map<string, number>();
    for (const file of names) {
      if (!file.startsWith('pack-') || !file.endsWith('.idx')) continue;
      const name = file.slice(0, -'.idx'.length);
      if (!names.has(`${name}.pack`)) continue;
      const seen = this.#stat(`${this.#packDirectory}/${name}.pack`);
      if (seen === undefined) continue;
      identities.set(name, seen.ino);
      if (names.has(`${name}.bitmap`)) bitmapped.add(name);
      this.#modified.set(name, seen.mtimeMs);
    }
    this.#bitmapped = bitmapped;
    const kept: OpenPack[] = [];
    for (const pack of this.#packs) {
      if (identities.get(pack.name) === pack.file.inode) {
        kept.push(pack);
        identities.delete(pack.name);
      } else {
        pack.retire();
      }
    }
    this.#packs = kept;
    for (const name of identities.keys()) if (!this.#isKnownBroken(name)) added.push(name);
    return added;
  }

  #add(name: string, readIndex: () => Uint8Array): void {
    if (this.#packs.some((pack) => pack.name === name)) return; // a refresh beside us was faster
    const base = `${this.#packDirectory}/${name}`;
    let pack: OpenPack;
    try {
      const idx = readIndex();
      const plain = new Uint8Array(idx.buffer, idx.byteOffset, idx.length); // not a Buffer
      const { format, runtime } = this.#options;
      pack = new OpenPack(name, base, plain, { format, runtime, warn: (warning) => this.warn(warning) });
      shareIndexBytes(`${base}.idx`, plain);
    } catch (error) {
      if (isAbsent(error)) return; // removed since we listed it
      if (!isGitError(error, 'PACK_CORRUPT', 'UNSUPPORTED')) throw storageError(error, 'open pack', base);
      this.#broken.set(name, this.#indexIdentity(name));
      this.warn(
        new GitError(error.code, `Cannot use ${name}: ${error.message}`, { pack: name, path: base }, error),
      );
      return;
    }
    this.#packs.push(pack);
    const modified = this.#modified;
    this.#packs.sort(
      (a, b) => (modified.get(b.name) ?? 0) - (modified.get(a.name) ?? 0) || (a.name < b.name ? -1 : 1),
    );
  }

  #isKnownBroken(name: string): boolean {
    return this.#broken.has(name) && this.#broken.get(name) === this.#indexIdentity(name);
  }

  #indexIdentity(name: string): string {
    const seen = this.#stat(`${this.#packDirectory}/${name}.idx`);
    return seen === undefined ? '' : `${seen.ino} ${seen.size} ${seen.mtimeMs}`;
  }

  #readDirectory(): string[] {
    try {
      return readdirSync(this.#packDirectory);
    } catch (error) {
      if (isAbsent(error)) return [];
      throw storageError(error, 'list packs', this.#packDirectory);
    }
  }

  #readIfThere(path: string): Uint8Array | undefined {
    try {
      return readFileSync(path);
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw storageError(error, 'read alternates', path);
    }
  }

  #stat(path: string): Stats | undefined {
    try {
      return statSync(path, { throwIfNoEntry: false });
    } catch (error) {
      throw storageError(error, 'look at the object database', path);
    }
  }
}

/** @returns whether a change from now on would show as another time */
function isSettled(modifiedMs: number): boolean {
  const racyMs = modifiedMs % 1000 === 0 ? RACY_WHOLE_SECONDS_MS : RACY_MS;
  return Date.now() - modifiedMs > racyMs;
}
