/**
 * One pack of a pack directory, open: file, index, and the readers that pin it.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { equalBytes } from '../../core/bytes.ts';
import { GitError } from '../../core/errors.ts';
import { isAbsent, storageError } from '../../core/node/storage-error.ts';
import type { ObjectFormat } from '../../core/object-id.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { StoredBitmaps } from '../../pack/bitmap-reader.ts';
import { parsePackIndex } from '../../pack/idx-reader.ts';
import { PACK_HEADER_BYTES, parsePackHeader } from '../../pack/pack-header.ts';
import type { PackIndex } from '../../pack/pack-index.ts';
import { PackReader } from '../../pack/pack-reader.ts';
import type { ReachabilityBitmaps } from '../../pack/reachability-bitmaps.ts';
import type { AuxiliaryFile } from './auxiliary-file.ts';
import { packBitmapFile } from './bitmap-files.ts';
import { PackFile } from './pack-file.ts';

export interface OpenPackOptions {
  readonly format: ObjectFormat;
  readonly runtime: Runtime;
  /** Told of a file beside the pack that cannot be used. */
  readonly warn?: ((warning: GitError) => void) | undefined;
}

export class OpenPack {
  readonly name: string;
  readonly file: PackFile;
  readonly reader: PackReader;
  /** Bytes of its index, which it holds. */
  readonly indexBytes: number;
  readonly #bitmaps: AuxiliaryFile<StoredBitmaps>;
  #retired = false;

  /**
   * @param base path of the pack without `.pack`
   * @param idx the bytes of its .idx file, which it keeps
   * @throws {GitError} PACK_CORRUPT when the index does not parse or belongs to another pack; STORAGE_FAILED; an
   * absent file is thrown as the system reports it
   */
  constructor(name: string, base: string, idx: Uint8Array, { format, runtime, warn }: OpenPackOptions) {
    this.name = name;
    this.indexBytes = idx.length;
    this.file = new PackFile(`${base}.pack`);
    try {
      const index = parsePackIndex(idx, {
        format,
        packBytes: this.file.sizeBytes,
        loadReverseIndex: () => readIfThere(`${base}.rev`),
      });
      checkPack(this.file, index, name);
      this.reader = new PackReader({ name, file: this.file, index }, { runtime });
      this.#bitmaps = packBitmapFile(base, name, index, {
        format,
        runtime,
        warn: (warning) => warn?.(warning),
      });
    } catch (error) {
      this.file.close();
      throw error;
    }
  }

  /** What its .bitmap file says, looked for at each call; `undefined` without one that can be used. */
  bitmaps(): ReachabilityBitmaps | undefined {
    return this.#bitmaps.current();
  }

  /** Keep it readable until {@link unpin}, even when its files are removed. @returns false when they are gone */
  pin(): boolean {
    return this.file.pin();
  }

  unpin(): void {
    this.file.unpin();
    if (this.#retired && !this.file.isPinned) this.#close();
  }

  /** Close it once nobody pins it. */
  retire(): void {
    this.#retired = true;
    if (!this.file.isPinned) this.#close();
  }

  #close(): void {
    this.#bitmaps.close();
    this.reader.release();
    this.file.close();
  }
}

/** What git checks when it opens a pack: that header and trailer are those its index was made for. */
function checkPack(file: PackFile, index: PackIndex, name: string): void {
  const { idBytes } = index.format;
  const header = new Uint8Array(PACK_HEADER_BYTES);
  const trailer = new Uint8Array(idBytes);
  const trailerAt = file.sizeBytes - idBytes;
  if (trailerAt < PACK_HEADER_BYTES) throw corrupt(name, 'it is cut off');
  file.readInto(0, header, 0, PACK_HEADER_BYTES);
  file.readInto(trailerAt, trailer, 0, idBytes);
  const count = parsePackHeader(header);
  if (count !== index.objectCount) {
    throw corrupt(name, `it has ${count} objects, its index ${index.objectCount}`);
  }
  if (!equalBytes(trailer, index.packChecksum)) throw corrupt(name, 'its index belongs to another pack');
}

function readIfThere(path: string): Uint8Array | undefined {
  try {
    return new Uint8Array(readFileSync(path));
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw storageError(error, 'read reverse index', path);
  }
}

function corrupt(name: string, why: string): GitError {
  return new GitError('PACK_CORRUPT', `Cannot use ${name}: ${why}`, { pack: name });
}
