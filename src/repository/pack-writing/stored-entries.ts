/**
 * Copying the stored entries of one pack into the output. Neighbours that need no change are copied as one range.
 *
 * @module
 */
import { createEntryHeader, parseEntryHeader } from '../../pack/entry-header.ts';
import type { StoredPack } from '../../pack/stored-pack.ts';
import { writeOfsDelta, writeRefDelta } from './delta-headers.ts';
import { type EntryBytes, isSparse, LONG_SPARSE_RANGE_BYTES, openEntryWindows } from './entry-windows.ts';
import { entryCorrupt } from './pack-errors.ts';
import type { PackOutput } from './pack-output.ts';
import { ENCODE, KEEP_DELTA, REBASE_DELTA, THIN_DELTA } from './pack-plan.ts';
import { LONG_RANGE_BYTES, MOST_RANGE_BYTES, PackRange } from './pack-range.ts';
import { copyBaseId, type WritePlan } from './write-plan.ts';
import type { WrittenOffsets } from './written-offsets.ts';

export class StoredEntries {
  readonly #packs: readonly StoredPack[];
  readonly #pack: StoredPack;
  readonly #plan: WritePlan;
  readonly #ofsDelta: boolean;
  readonly #written: WrittenOffsets;
  readonly #windows: EntryBytes;
  readonly #range: PackRange;
  readonly #header = createEntryHeader();
  readonly #baseId: Uint8Array;
  readonly #end: number;
  #slot: number;

  /** @param written filled in here */
  constructor(
    packs: readonly StoredPack[],
    packNumber: number,
    plan: WritePlan,
    ofsDelta: boolean,
    written: WrittenOffsets,
  ) {
    const pack = packs[packNumber] as StoredPack;
    this.#packs = packs;
    this.#pack = pack;
    this.#plan = plan;
    this.#ofsDelta = ofsDelta;
    this.#written = written;
    const count = (plan.slotStarts[packNumber + 1] as number) - (plan.slotStarts[packNumber] as number);
    const share = count / pack.index.objectCount;
    this.#windows = openEntryWindows(pack.file, share);
    this.#range = new PackRange(
      pack.file,
      this.#windows,
      isSparse(share) ? LONG_SPARSE_RANGE_BYTES : LONG_RANGE_BYTES,
    );
    this.#baseId = new Uint8Array(plan.format.idBytes);
    this.#slot = plan.slotStarts[packNumber] as number;
    this.#end = plan.slotStarts[packNumber + 1] as number;
  }

  /**
   * Write until the output is full, the pack is through, or an entry has to be encoded.
   *
   * @returns `full`: take the chunk and call again; `done`; or the slot of the entry to encode, to call again after
   */
  fill(output: PackOutput): 'full' | 'done' | number {
    for (;;) {
      this.#range.copyInto(output);
      if (output.isFull) return 'full';
      if (this.#slot === this.#end) return 'done';
      if (this.#plan.actions[this.#slot] === ENCODE) return this.#slot++;
      this.#gatherRange(output);
    }
  }

  /** Begin a range with the entry at hand, behind a new header if it needs one, and let it grow over its neighbours. */
  #gatherRange(output: PackOutput): void {
    const { offsets, actions } = this.#plan;
    const { index } = this.#pack;
    const first = this.#slot++;
    const start = offsets[first] as number;
    let end = index.entryEnd(start);
    this.#written.set(first, output.position);
    const from = this.#isUnchanged(first) ? start : start + this.#writeHeader(first, output);

    const moved = output.position - from;
    let slot = this.#slot;
    while (
      slot < this.#end &&
      offsets[slot] === end &&
      actions[slot] !== ENCODE &&
      end - start < MOST_RANGE_BYTES
    ) {
      this.#written.set(slot, end + moved);
      if (!this.#isUnchanged(slot)) break;
      end = index.entryEnd(end);
      slot++;
    }
    this.#slot = slot;
    this.#range.begin(from, end);
  }

  /** Whether the entry can be copied with its header, written where `#written` says. */
  #isUnchanged(slot: number): boolean {
    const action = this.#plan.actions[slot];
    if (action === KEEP_DELTA) {
      const { offsets } = this.#plan;
      const base = this.#plan.bases[slot] as number;
      const distance = this.#written.get(slot) - this.#written.get(base);
      return distance === (offsets[slot] as number) - (offsets[base] as number);
    }
    return action !== REBASE_DELTA && action !== THIN_DELTA;
  }

  /** Write the entry's header with the base it has in this pack. @returns bytes of the stored header */
  #writeHeader(slot: number, output: PackOutput): number {
    const { bases, offsets, format } = this.#plan;
    const offset = offsets[slot] as number;
    const windows = this.#windows;
    const header = this.#header;
    windows.seek(offset);
    if (!parseEntryHeader(windows.bytes, windows.at, windows.end, format.idBytes, header)) {
      throw entryCorrupt(this.#pack.name, offset, 'its header is cut off');
    }

    const base = bases[slot] as number;
    if (base < 0) {
      const rank = this.#pack.index.rankAtOffset(offset - header.baseDistance);
      if (rank < 0) throw entryCorrupt(this.#pack.name, offset, 'its base is not in the index');
      this.#pack.index.copyId(rank, this.#baseId, 0);
      writeRefDelta(output, header.sizeBytes, this.#baseId, 0, format.idBytes);
    } else if (this.#ofsDelta && this.#written.get(base) > 0) {
      writeOfsDelta(output, header.sizeBytes, output.position - this.#written.get(base));
    } else {
      copyBaseId(this.#packs, this.#plan, base, this.#baseId);
      writeRefDelta(output, header.sizeBytes, this.#baseId, 0, format.idBytes);
    }
    return header.headerBytes;
  }
}
