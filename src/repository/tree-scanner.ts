/**
 * The entries of a tree that need looking at: those that are not the same, byte for byte, as an entry of
 * the tree that was scanned before at the same path.
 *
 * Successive versions of a directory differ in an entry or two, so that nearly all of a history's tree
 * entries (100 million in git/git) are skipped at the speed of comparing bytes, without a look-up. It is
 * always sound: whichever tree we compare with, its entries were all handed out before.
 *
 * @module
 */
import { TreeEntry } from './tree.ts';

/** Paths remembered; others that fall on the same slot take each other's place, which costs time only. */
const SLOT_COUNT = 8192;
/** Bytes of remembered trees before all are forgotten. */
const MAX_REMEMBERED_BYTES = 32 * 1024 * 1024;

interface ScannedTree {
  readonly data: Uint8Array;
  readonly view: DataView;
  /** Where each entry begins, and after the last of them the length of `data`. */
  readonly offsets: Int32Array;
  readonly entryCount: number;
  readonly depth: number;
}

export class TreeScanner {
  /** Entries found by the last {@link scan}; gitlinks are left out. */
  count = 0;
  /** Of each found entry: its kind code, and where its name and its raw id begin in the tree. */
  kinds = new Uint8Array(64);
  nameStarts = new Int32Array(64);
  idOffsets = new Int32Array(64);

  readonly #entry: TreeEntry;
  #entryAt = -1;
  #entryEnd = 0;
  readonly #otherEntry: TreeEntry;
  #slots: (ScannedTree | undefined)[] = new Array<ScannedTree | undefined>(SLOT_COUNT).fill(undefined);
  #rememberedBytes = 0;
  /** Entry offsets of the tree being scanned, once they are not those of the tree it is compared with. */
  #offsets = new Int32Array(1024);

  constructor(idBytes: number) {
    this.#entry = new TreeEntry(idBytes);
    this.#otherEntry = new TreeEntry(idBytes);
  }

  /**
   * Find the entries of a tree that no earlier tree of this path had. The caller must take note of every
   * one: they will not be found again.
   *
   * @param data content of a tree; kept, and must not change
   * @param pathKey any number that is the same for the same path
   * @param depth entries are skipped only when a tree of at most this depth had them
   * @throws {GitError} OBJECT_CORRUPT
   */
  scan(data: Uint8Array, pathKey: number, depth: number): void {
    this.count = 0;
    this.#entryAt = -1;
    const slot = pathKey & (SLOT_COUNT - 1);
    const known = this.#slots[slot];
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    if (known !== undefined && known.depth <= depth) this.#scanAgainst(data, view, known, slot, depth);
    else this.#remember(slot, data, view, this.#scanAll(data), depth);
  }

  /** @returns the number of entries; their offsets are in #offsets */
  #scanAll(data: Uint8Array): number {
    let at = 0;
    let entries = 0;
    while (at < data.length) {
      this.#writeOffset(entries++, at);
      at = this.#readEntry(data, at);
      this.#emit();
    }
    return entries;
  }

  #scanAgainst(data: Uint8Array, view: DataView, known: ScannedTree, slot: number, depth: number): void {
    const { offsets, entryCount } = known;
    let at = 0;
    /** The next entry of the known tree. */
    let entry = 0;
    /** Entries of this tree written to #offsets; -1 as long as those of the known tree serve. */
    let written = -1;

    while (at < data.length) {
      let equal = 0;
      if (entry < entryCount) {
        const knownAt = offsets[entry] as number;
        equal = equalBytesFrom(view, at, known.view, knownAt);
        const next = lastAtOrBefore(offsets, entry, entryCount, knownAt + equal);
        if (next > entry) {
          const shift = at - knownAt;
          if (written >= 0) written = this.#copyOffsets(offsets, entry, next, shift, written);
          const nextAt = offsets[next] as number;
          equal -= nextAt - knownAt;
          at = nextAt + shift;
          entry = next;
          if (at >= data.length) break;
        }
      }

      const end = this.#readEntry(data, at);
      if (entry < entryCount && at + equal < this.#entry.idAt) {
        const order = this.#compareNames(data, known, entry);
        if (written < 0) written = this.#copyOffsets(offsets, 0, entry, 0, 0);
        if (order > 0) {
          entry++; // removed: the known tree alone has it
          continue;
        }
        if (order === 0) entry++;
      } else if (entry < entryCount) {
        entry++; // the same mode and name, another id
      } else if (written < 0) {
        written = this.#copyOffsets(offsets, 0, entry, 0, 0);
      }
      this.#emit();
      if (written >= 0) this.#writeOffset(written++, at);
      at = end;
    }

    if (written < 0 && entry < entryCount) written = this.#copyOffsets(offsets, 0, entry, 0, 0);
    if (written >= 0) {
      this.#remember(slot, data, view, written, depth);
    } else {
      this.#slots[slot] = { data, view, offsets, entryCount, depth };
    }
  }

  #readEntry(data: Uint8Array, at: number): number {
    // A long name is not read again for each removed entry before it.
    if (this.#entryAt !== at) {
      this.#entryEnd = this.#entry.read(data, at);
      this.#entryAt = at;
    }
    return this.#entryEnd;
  }

  #emit(): void {
    const { kind, nameStart, idAt } = this.#entry;
    if (kind === 0) return;
    const index = this.count++;
    if (index === this.kinds.length) this.#growFound();
    this.kinds[index] = kind;
    this.nameStarts[index] = nameStart;
    this.idOffsets[index] = idAt;
  }

  /** Order of the name of the entry just read and that of an entry of the known tree. */
  #compareNames(data: Uint8Array, known: ScannedTree, index: number): number {
    const other = this.#otherEntry;
    other.read(known.data, known.offsets[index] as number);
    const { nameStart, nameEnd } = this.#entry;
    const length = Math.min(nameEnd - nameStart, other.nameEnd - other.nameStart);
    for (let i = 0; i < length; i++) {
      const difference = (data[nameStart + i] as number) - (known.data[other.nameStart + i] as number);
      if (difference !== 0) return difference;
    }
    return nameEnd - nameStart - (other.nameEnd - other.nameStart);
  }

  #copyOffsets(from: Int32Array, start: number, end: number, shift: number, to: number): number {
    const count = end - start;
    if (to + count > this.#offsets.length) this.#growOffsets(to + count);
    const offsets = this.#offsets;
    for (let i = 0; i < count; i++) offsets[to + i] = (from[start + i] as number) + shift;
    return to + count;
  }

  #writeOffset(index: number, offset: number): void {
    if (index === this.#offsets.length) this.#growOffsets(index + 1);
    this.#offsets[index] = offset;
  }

  #remember(slot: number, data: Uint8Array, view: DataView, entryCount: number, depth: number): void {
    this.#writeOffset(entryCount, data.length);
    const sizeBytes = data.length + 4 * entryCount;
    const replaced = this.#slots[slot];
    if (replaced !== undefined) this.#rememberedBytes -= replaced.data.length + 4 * replaced.entryCount;
    if (this.#rememberedBytes + sizeBytes > MAX_REMEMBERED_BYTES) {
      this.#slots.fill(undefined);
      this.#rememberedBytes = 0;
      if (sizeBytes > MAX_REMEMBERED_BYTES) return;
    }
    this.#rememberedBytes += sizeBytes;
    this.#slots[slot] = { data, view, offsets: this.#offsets.slice(0, entryCount + 1), entryCount, depth };
  }

  #growOffsets(needed: number): void {
    const longer = new Int32Array(Math.max(needed, this.#offsets.length * 2));
    longer.set(this.#offsets);
    this.#offsets = longer;
  }

  #growFound(): void {
    const capacity = this.kinds.length * 2;
    const kinds = new Uint8Array(capacity);
    kinds.set(this.kinds);
    this.kinds = kinds;
    const nameStarts = new Int32Array(capacity);
    nameStarts.set(this.nameStarts);
    this.nameStarts = nameStarts;
    const idOffsets = new Int32Array(capacity);
    idOffsets.set(this.idOffsets);
    this.idOffsets = idOffsets;
  }
}

/** How many bytes from here on are the same in both. */
function equalBytesFrom(a: DataView, aStart: number, b: DataView, bStart: number): number {
  const length = Math.min(a.byteLength - aStart, b.byteLength - bStart);
  let i = 0;
  for (const end = length - 15; i < end; i += 16) {
    if (
      a.getInt32(aStart + i, true) !== b.getInt32(bStart + i, true) ||
      a.getInt32(aStart + i + 4, true) !== b.getInt32(bStart + i + 4, true) ||
      a.getInt32(aStart + i + 8, true) !== b.getInt32(bStart + i + 8, true) ||
      a.getInt32(aStart + i + 12, true) !== b.getInt32(bStart + i + 12, true)
    ) {
      break;
    }
  }
  while (i < length && a.getUint8(aStart + i) === b.getUint8(bStart + i)) i++;
  return i;
}

/** The largest index in [start, end] whose offset is at most `offset`; that of `start` is. */
function lastAtOrBefore(offsets: Int32Array, start: number, end: number, offset: number): number {
  let low = start;
  let high = end;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((offsets[middle] as number) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}
