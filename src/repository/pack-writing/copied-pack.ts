/**
 * Copying a pack of which every entry is sent: no entry changes, so its bytes are moved as they are.
 *
 * @module
 */
import { OFS_DELTA } from '../../core/object-kind.ts';
import { PACK_HEADER_BYTES } from '../../pack/pack-header.ts';
import type { StoredPack } from '../../pack/stored-pack.ts';
import type { CopiedRuns } from './copied-runs.ts';
import { entryCorrupt } from './pack-errors.ts';
import type { PackOutput } from './pack-output.ts';

export class CopiedPack {
  readonly #pack: StoredPack;
  readonly #entriesEnd: number;
  /** Bytes up to here are copied. */
  #at = PACK_HEADER_BYTES;
  /** Start of the next entry to be looked at. */
  #entry = PACK_HEADER_BYTES;
  #deltaCount = 0;

  /**
   * @param position where the first entry will lie
   * @param runs filled in here
   */
  constructor(pack: StoredPack, position: number, runs: CopiedRuns) {
    this.#pack = pack;
    runs.add(PACK_HEADER_BYTES, position - PACK_HEADER_BYTES);
    this.#entriesEnd = pack.file.sizeBytes - pack.index.format.idBytes;
  }

  /** Deltas among the entries copied so far. */
  get deltaCount(): number {
    return this.#deltaCount;
  }

  /** Write until the output is full or the pack is through. */
  fill(output: PackOutput): 'full' | 'done' {
    while (this.#at < this.#entriesEnd) {
      if (output.isFull) return 'full';
      const chunkStart = output.length;
      const start = this.#at;
      this.#at = output.appendFile(this.#pack.file, start, this.#entriesEnd);
      this.#countDeltas(output.chunk, chunkStart - start);
    }
    return 'done';
  }

  /** @param shift what to add to an offset in the pack to get its place in the chunk */
  #countDeltas(chunk: Uint8Array, shift: number): void {
    const { index, name } = this.#pack;
    let entry = this.#entry;
    while (entry < this.#at) {
      if ((((chunk[entry + shift] as number) >> 4) & 7) >= OFS_DELTA) this.#deltaCount++;
      const end = index.entryEnd(entry);
      if (end <= entry) throw entryCorrupt(name, entry, 'the index names it twice');
      entry = end;
    }
    this.#entry = entry;
  }
}
