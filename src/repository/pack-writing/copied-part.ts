/**
 * What is sent of a pack as it is stored: all its entries, or many of them.
 *
 * @module
 */
import type { Bitset } from '../../pack/bitset.ts';
import type { PackIndex } from '../../pack/pack-index.ts';
import type { StoredPack } from '../../pack/stored-pack.ts';

/**
 * Entries that are sent with the instructions they are stored with. What an OFS_DELTA of a part has for a base is in
 * the same part; the base of a REF_DELTA is there too, or in a part before, or at the receiver.
 */
export interface CopiedPart {
  /** Index into the packs of the reader. */
  readonly pack: number;
  /** By number of the entry; `undefined` for all entries. Never written to: plans are shared. */
  readonly entries: Bitset | undefined;
  readonly count: number;
}

/** Looks objects up in the parts that are copied. */
export class CopiedObjects {
  /** Where the object found last lies. */
  pack = -1;
  offset = 0;
  readonly #indexes: readonly PackIndex[];
  readonly #parts: readonly CopiedPart[];

  constructor(packs: readonly StoredPack[], parts: readonly CopiedPart[]) {
    this.#parts = parts;
    this.#indexes = parts.map(({ pack }) => (packs[pack] as StoredPack).index);
  }

  /** Find an object by its id. @returns whether it is in a part; {@link pack} and {@link offset} hold only then */
  find(ids: Uint8Array, at: number): boolean {
    for (let i = 0; i < this.#parts.length; i++) {
      const index = this.#indexes[i] as PackIndex;
      const rank = index.rankOf(ids, at);
      if (rank < 0) continue;
      const { pack, entries } = this.#parts[i] as CopiedPart;
      const offset = index.offsetOf(rank);
      if (entries !== undefined && !hasEntry(entries, index.entryAt(offset))) continue;
      this.pack = pack;
      this.offset = offset;
      return true;
    }
    return false;
  }
}

function hasEntry(entries: Bitset, entry: number): boolean {
  return entry >= 0 && entries.has(entry);
}
