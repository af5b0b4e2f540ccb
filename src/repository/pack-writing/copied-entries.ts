/**
 * Copying many entries of a pack, but not all: in long ranges of stored bytes. Only a delta whose base has come to lie
 * at another distance gets a new header.
 *
 * @module
 */

import { OFS_DELTA, REF_DELTA } from '../../core/object-kind.ts';
import { Bitset } from '../../pack/bitset.ts';
import { createEntryHeader, parseEntryHeader } from '../../pack/entry-header.ts';
import type { StoredPack } from '../../pack/stored-pack.ts';
import type { CopiedRuns } from './copied-runs.ts';
import { writeOfsDelta, writeRefDelta } from './delta-headers.ts';
import { type EntryBytes, isSparse, openEntryWindows } from './entry-windows.ts';
import { entryCorrupt } from './pack-errors.ts';
import type { PackOutput } from './pack-output.ts';
import { LONG_RANGE_BYTES, MOST_RANGE_BYTES, PackRange } from './pack-range.ts';

export class CopiedEntries {
  readonly #pack: StoredPack;
  readonly #entries: Bitset;
  readonly #ofsDelta: boolean;
  readonly #runs: CopiedRuns;
  readonly #windows: EntryBytes;
  readonly #range: PackRange;
  readonly #header = createEntryHeader();
  readonly #baseId: Uint8Array;
  /** The entry to be copied next; -1 when there is none. */
  #next: number;
  /** The entry behind the last one copied. */
  #afterLast = -1;
  #deltaCount = 0;

  /**
   * @param entries as in a {@link CopiedPart}
   * @param ofsDelta the receiver reads OFS_DELTA; for one that does not, each becomes a REF_DELTA
   * @param runs filled in here
   */
  constructor(pack: StoredPack, entries: Bitset | undefined, ofsDelta: boolean, runs: CopiedRuns) {
    const copied = entries ?? everyEntry(pack);
    this.#pack = pack;
    this.#entries = copied;
    this.#ofsDelta = ofsDelta;
    this.#runs = runs;
    const share = copied.count() / copied.size;
    this.#windows = openEntryWindows(pack.file, share);
    this.#range = new PackRange(pack.file, this.#windows, isSparse(share) ? 0 : LONG_RANGE_BYTES);
    this.#baseId = new Uint8Array(pack.index.format.idBytes);
    this.#next = copied.next(0);
  }

  /** Deltas among the entries copied so far. */
  get deltaCount(): number {
    return this.#deltaCount;
  }

  /** Write until the output is full or the part is through. */
  fill(output: PackOutput): 'full' | 'done' {
    for (;;) {
      this.#range.copyInto(output);
      if (output.isFull) return 'full';
      if (this.#next < 0) return 'done';
      this.#gatherRange(output);
    }
  }

  /** Begin a range with the next entry, behind a new header if it needs one, and let it grow over its neighbours. */
  #gatherRange(output: PackOutput): void {
    const { index } = this.#pack;
    const entries = this.#entries;
    const runs = this.#runs;
    let entry = this.#next;
    const start = index.entryStart(entry);
    let from = start;
    let moved = output.position - start;
    if (entry !== this.#afterLast) runs.add(start, moved);
    const isChanged = this.#look(start, moved);
    let end = index.entryStart(++entry);
    if (isChanged) {
      from += this.#writeHeader(start, output);
      moved = output.position - from;
      runs.add(end, moved);
    }
    while (
      entry < entries.size &&
      entries.has(entry) &&
      end - start < MOST_RANGE_BYTES &&
      !this.#look(end, moved)
    ) {
      end = index.entryStart(++entry);
    }
    this.#afterLast = entry;
    this.#next = entries.next(entry);
    this.#range.begin(from, end);
  }

  /**
   * Look at an entry that would be moved by `moved` if it were copied as it is. It is counted unless it needs another
   * header; then it is when that is written.
   *
   * @returns whether it needs another header
   */
  #look(offset: number, moved: number): boolean {
    const windows = this.#windows;
    windows.seek(offset);
    const { bytes } = windows;
    let at = windows.at;
    const type = ((bytes[at] as number) >> 4) & 7;
    if (type === REF_DELTA) this.#deltaCount++;
    if (type !== OFS_DELTA) return false;
    if (!this.#ofsDelta) return true;
    // The window holds a whole header from any entry on.
    while ((bytes[at] as number) >= 0x80) at++;
    let byte = bytes[++at] as number;
    let distance = byte & 0x7f;
    while (byte >= 0x80) {
      byte = bytes[++at] as number;
      distance = (distance + 1) * 128 + (byte & 0x7f);
    }
    const base = offset - distance;
    if (base < this.#runs.lastStart && this.#runs.movedAt(base) !== moved) return true;
    this.#deltaCount++;
    return false;
  }

  /** Write the entry's header anew. @returns bytes of the stored header */
  #writeHeader(offset: number, output: PackOutput): number {
    const { index, name } = this.#pack;
    const windows = this.#windows;
    const header = this.#header;
    windows.seek(offset);
    const { idBytes } = index.format;
    if (!parseEntryHeader(windows.bytes, windows.at, windows.end, idBytes, header)) {
      throw entryCorrupt(name, offset, 'its header is cut off');
    }
    const base = offset - header.baseDistance;
    if (this.#ofsDelta) {
      writeOfsDelta(output, header.sizeBytes, output.position - base - this.#runs.movedAt(base));
    } else {
      const rank = index.rankAtOffset(base);
      if (rank < 0) throw entryCorrupt(name, offset, 'its base is not in the index');
      index.copyId(rank, this.#baseId, 0);
      writeRefDelta(output, header.sizeBytes, this.#baseId, 0, idBytes);
    }
    this.#deltaCount++;
    return header.headerBytes;
  }
}

function everyEntry({ index }: StoredPack): Bitset {
  const entries = new Bitset(index.objectCount);
  entries.fill(0, index.objectCount);
  return entries;
}
