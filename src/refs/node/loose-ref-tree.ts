/**
 * All loose refs under `refs/`, kept from one listing to the next and brought up to date directory by directory.
 *
 * @module
 */
import { throwIfAborted } from '../../core/errors.ts';
import type { ObjectFormat } from '../../core/object-id.ts';
import { compareRefNames } from '../ref-name.ts';
import type { RefPrefixes } from '../ref-prefixes.ts';
import {
  holdsSameRefs,
  isUnchanged,
  type ListedRef,
  type LooseRefDirectory,
  readLooseRefDirectory,
} from './loose-ref-directory.ts';

export interface ListedLooseRef {
  readonly name: string;
  readonly ref: ListedRef;
}

const ROOT = 'refs/';
/** Rough: a ref with its name, its id, its file's identity and its places in maps and lists. */
const BYTES_PER_REF = 500;
const BYTES_PER_DIRECTORY = 700;

export class LooseRefTree {
  readonly #gitDirectory: string;
  readonly #format: ObjectFormat;
  readonly #directories = new Map<string, LooseRefDirectory>();
  #sorted: readonly ListedLooseRef[] | undefined;
  #refCount = 0;

  constructor(gitDirectory: string, format: ObjectFormat) {
    this.#gitDirectory = gitDirectory;
    this.#format = format;
  }

  /** Memory it takes, roughly. */
  get bytes(): number {
    return BYTES_PER_REF * this.#refCount + BYTES_PER_DIRECTORY * this.#directories.size;
  }

  /** As last seen, by name in byte order: the same array until a {@link refresh} finds something changed. */
  get refs(): readonly ListedLooseRef[] {
    this.#sorted ??= this.#sort();
    return this.#sorted;
  }

  /** The ref `name` as last seen. */
  find(name: string): ListedRef | undefined {
    return this.#directories.get(name.slice(0, name.lastIndexOf('/') + 1))?.files.get(name)?.ref;
  }

  /**
   * See what has become of the refs that `prefixes` select. What else is under `refs/` stays as it was.
   *
   * @throws {GitError} ABORTED; errors of the file system
   */
  async refresh(prefixes: RefPrefixes, signal: AbortSignal | undefined): Promise<void> {
    const pending = [ROOT];
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      if (!prefixes.reaches(name)) continue;
      const known = this.#directories.get(name);
      if (known !== undefined && isUnchanged(known)) {
        for (const directory of known.directories) pending.push(directory);
        continue;
      }
      throwIfAborted(signal);
      const found = await readLooseRefDirectory(this.#gitDirectory, name, this.#format, known, signal);
      this.#replace(name, found);
      for (const directory of found?.directories ?? []) pending.push(directory);
    }
  }

  clear(): void {
    this.#directories.clear();
    this.#sorted = undefined;
    this.#refCount = 0;
  }

  #replace(name: string, found: LooseRefDirectory | undefined): void {
    if (found === undefined) {
      this.#forget(name);
      return;
    }
    const known = this.#directories.get(name);
    if (known !== undefined && known.readAtMs > found.readAtMs) return; // another refresh began later and was faster
    const still = new Set(found.directories);
    for (const directory of known?.directories ?? []) if (!still.has(directory)) this.#forget(directory);
    this.#directories.set(name, found);
    this.#refCount += found.files.size - (known?.files.size ?? 0);
    if (known === undefined ? found.files.size > 0 : !holdsSameRefs(known, found)) this.#sorted = undefined;
  }

  /** The directory is gone, and with it all below. */
  #forget(name: string): void {
    const known = this.#directories.get(name);
    if (known === undefined) return;
    this.#directories.delete(name);
    this.#refCount -= known.files.size;
    if (known.files.size > 0) this.#sorted = undefined;
    for (const directory of known.directories) this.#forget(directory);
  }

  #sort(): ListedLooseRef[] {
    const refs: ListedLooseRef[] = [];
    for (const { files } of this.#directories.values()) {
      for (const [name, { ref }] of files) refs.push({ name, ref });
    }
    return refs.sort((a, b) => compareRefNames(a.name, b.name));
  }
}
