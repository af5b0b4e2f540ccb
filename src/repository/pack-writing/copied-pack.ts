/**
 * Copying a pack of which every entry is sent: no entry changes, so its bytes are moved as they are.
 *
 * @module
 */
import { OFS_DELTA } from '../../core/object-kind.ts';
import { PACK_HEADER_BYTES } from '../../pack/pack-header.ts';
import type { StoredPack } from '../../pack/stored-pack.ts';
import type { PackOutput } from './pack-output.ts';
import type { PackPlan } from './pack-plan.ts';

export class CopiedPack {
  readonly #pack: StoredPack;
  readonly #offsets: Float64Array;
  readonly #end: number;
  #position: number;
  #at = PACK_HEADER_BYTES;
  readonly #entriesEnd: number;
  #deltaCount = 0;

  /** @param written as for stored entries; filled in at once */
  constructor(
    pack: StoredPack,
    packNumber: number,
    plan: PackPlan,
    written: Float64Array,
    output: PackOutput,
  ) {
    this.#pack = pack;
    this.#offsets = plan.offsets;
    this.#position = plan.packStarts[packNumber] as number;
    this.#end = plan.packStarts[packNumber + 1] as number;
    this.#entriesEnd = pack.index.entryEnd(plan.offsets[this.#end - 1] as number);
    const moved = output.position - PACK_HEADER_BYTES;
    for (let i = this.#position; i < this.#end; i++) written[i] = (plan.offsets[i] as number) + moved;
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
    let position = this.#position;
    for (; position < this.#end; position++) {
      const offset = this.#offsets[position] as number;
      if (offset >= this.#at) break;
      if ((((chunk[offset + shift] as number) >> 4) & 7) >= OFS_DELTA) this.#deltaCount++;
    }
    this.#position = position;
  }
}
