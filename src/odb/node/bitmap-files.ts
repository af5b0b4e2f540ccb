/**
 * The bitmaps of an objects directory: those of single packs, and those of its multi-pack-index.
 * Spec: gitformat-bitmap(5), gitformat-pack(5).
 *
 * @module
 */
import { GitError } from '../../core/errors.ts';
import { isAbsent } from '../../core/node/storage-error.ts';
import { bytesToHex, type ObjectFormat } from '../../core/object-id.ts';
import type { Runtime } from '../../core/runtime.ts';
import { multiPackBitmapObjects, packOrderOfRevFile } from '../../pack/bitmap-multi-pack.ts';
import { type BitmapObjects, packBitmapObjects } from '../../pack/bitmap-objects.ts';
import { readBitmaps, type StoredBitmaps } from '../../pack/bitmap-reader.ts';
import { type MultiPackIndex, parseMultiPackIndex } from '../../pack/multi-pack-index.ts';
import type { PackIndex } from '../../pack/pack-index.ts';
import { AuxiliaryFile, readAuxiliary } from './auxiliary-file.ts';

export interface BitmapFilesOptions {
  readonly format: ObjectFormat;
  readonly runtime: Runtime;
  readonly warn: (warning: GitError) => void;
}

/**
 * The bitmaps of one pack.
 *
 * @param base path of the pack without `.pack`
 */
export function packBitmapFile(
  base: string,
  name: string,
  index: PackIndex,
  options: BitmapFilesOptions,
): AuxiliaryFile<StoredBitmaps> {
  return bitmapFile(`${base}.bitmap`, () => packBitmapObjects(name, index), options);
}

function bitmapFile(
  path: string,
  objects: () => BitmapObjects,
  { format, runtime, warn }: BitmapFilesOptions,
): AuxiliaryFile<StoredBitmaps> {
  const onWarning = (warning: GitError): void =>
    warn(new GitError(warning.code, warning.message, { ...warning.detail, path }, warning));
  return new AuxiliaryFile({
    path,
    what: 'bitmaps',
    parse: (bytes) => readBitmaps(bytes, objects(), { format, runtime, onWarning }),
    warn,
  });
}

const MULTI_PACK_INDEX = 'multi-pack-index';
/** Where git keeps chains of them, which are not read here. */
const CHAIN_DIRECTORY = 'multi-pack-index.d';

/** The multi-pack-index of a pack directory, as far as its bitmaps go. */
export class MultiPackBitmapFiles {
  readonly #packDirectory: string;
  readonly #options: BitmapFilesOptions;
  readonly #indexFile: AuxiliaryFile<MultiPackIndex>;
  /** Of the index that was current last. */
  #bitmaps: { readonly index: MultiPackIndex; readonly file: AuxiliaryFile<StoredBitmaps> } | undefined;
  #isListed = false;
  #hasWarnedOfChain = false;
  /** The index that was warned of because its packs are gone. */
  #stale: MultiPackIndex | undefined;

  constructor(packDirectory: string, options: BitmapFilesOptions) {
    this.#packDirectory = packDirectory;
    this.#options = options;
    this.#indexFile = new AuxiliaryFile({
      path: `${packDirectory}/${MULTI_PACK_INDEX}`,
      what: MULTI_PACK_INDEX,
      parse: (bytes) => parseMultiPackIndex(bytes, options),
      warn: options.warn,
    });
  }

  /** The pack directory was listed: files that it does not name are not looked for. */
  noteListing(names: ReadonlySet<string>): void {
    this.#isListed = names.has(MULTI_PACK_INDEX) && namesMultiPackBitmap(names);
    if (names.has(CHAIN_DIRECTORY) && !this.#hasWarnedOfChain) {
      this.#hasWarnedOfChain = true;
      const path = `${this.#packDirectory}/${CHAIN_DIRECTORY}`;
      this.#options.warn(new GitError('UNSUPPORTED', 'Cannot use a chain of multi-pack-indexes', { path }));
    }
  }

  /**
   * @param isPinned whether a reader holds the pack of that name
   * @param isThere whether it is there at all, as far as can be seen now
   * @returns `undefined` unless every pack of the index is pinned
   */
  current(
    isPinned: (name: string) => boolean,
    isThere: (name: string) => boolean,
  ): StoredBitmaps | undefined {
    const index = this.#isListed ? this.#indexFile.current() : undefined;
    if (index === undefined) return undefined;
    if (!index.packNames.every(isPinned)) {
      const gone = index.packNames.find((name) => !isThere(name));
      if (gone !== undefined && this.#stale !== index) {
        this.#stale = index;
        const detail = { pack: gone, path: this.#packDirectory };
        this.#options.warn(
          new GitError('PACK_CORRUPT', `Cannot use ${MULTI_PACK_INDEX}: ${gone} is gone`, detail),
        );
      }
      return undefined;
    }
    if (this.#bitmaps?.index !== index) {
      this.#bitmaps?.file.close();
      this.#bitmaps = { index, file: this.#bitmapFileOf(index) };
    }
    return this.#bitmaps.file.current();
  }

  close(): void {
    this.#bitmaps?.file.close();
    this.#bitmaps = undefined;
    this.#indexFile.close();
  }

  #bitmapFileOf(index: MultiPackIndex): AuxiliaryFile<StoredBitmaps> {
    const base = `${this.#packDirectory}/${MULTI_PACK_INDEX}-${bytesToHex(index.checksum)}`;
    const objects = (): BitmapObjects =>
      multiPackBitmapObjects(index, index.packOrder() ?? this.#readPackOrder(`${base}.rev`, index));
    return bitmapFile(`${base}.bitmap`, objects, this.#options);
  }

  #readPackOrder(path: string, index: MultiPackIndex): Uint8Array {
    try {
      return packOrderOfRevFile(readAuxiliary(path), index, this.#options.format);
    } catch (error) {
      if (!isAbsent(error)) throw error;
      throw new GitError('PACK_CORRUPT', 'Cannot read bitmaps: the order of their objects is missing', {
        path,
      });
    }
  }
}

function namesMultiPackBitmap(names: ReadonlySet<string>): boolean {
  for (const name of names) if (name.startsWith(MULTI_PACK_INDEX) && name.endsWith('.bitmap')) return true;
  return false;
}
