/**
 * Reading .bitmap files, version 1, whatever they number: which objects are of which kind, and where the bitmap of
 * each chosen commit is. The bytes are kept compressed, as they are in the file.
 * Spec: gitformat-bitmap(5).
 *
 * @module
 */
import { equalBytes } from '../core/bytes.ts';
import { GitError } from '../core/errors.ts';
import type { ObjectFormat } from '../core/object-id.ts';
import { BLOB, COMMIT, TAG, TREE } from '../core/object-kind.ts';
import type { Runtime } from '../core/runtime.ts';
import { Bitset } from './bitset.ts';
import { checkTrailer } from './chunk-file.ts';
import { endOfEwah, toggleEwah } from './ewah.ts';

const SIGNATURE = 0x4249544d; // BITM
/** Signature, version, flags, number of entries; then the checksum of what it belongs to. */
const HEADER_BYTES = 12;
const FULL_DAG = 0x1;
const NAME_HASH_CACHE = 0x4;
const LOOKUP_TABLE = 0x10;
const PSEUDO_MERGES = 0x20; // skipped: nothing of ours is stored behind them
const KNOWN_FLAGS = FULL_DAG | NAME_HASH_CACHE | LOOKUP_TABLE | PSEUDO_MERGES;

/** Rank of the commit, how many entries before it the one is that it differs from, flags. */
const ENTRY_HEADER_BYTES = 6;
const LOOKUP_ROW_BYTES = 16;
const NO_ROW = 0xffffffff;
const MOST_XOR_OFFSET = 160; // MAX_XOR_OFFSET in git

/** Kinds in the order of their bitmaps. */
const KINDS = [COMMIT, TREE, BLOB, TAG] as const;

export interface BitmapFileOptions {
  readonly format: ObjectFormat;
  readonly runtime: Runtime;
  readonly objectCount: number;
  /** Trailer of the pack or multi-pack-index that it must belong to. */
  readonly checksum: Uint8Array;
}

/** In the order of the file, or of its lookup table. */
interface Entries {
  readonly ranks: Uint32Array;
  /** Where each begins in the file. */
  readonly starts: Uint32Array;
  /** The entry each differs from; -1 when it stands for itself. */
  readonly bases: Int32Array;
}

/**
 * @throws {GitError} PACK_CORRUPT when the bytes are damaged or belong to something else; UNSUPPORTED for another
 * version or unknown flags
 */
export function parseBitmapFile(bytes: Uint8Array, options: BitmapFileOptions): BitmapFile {
  return new BitmapFile(bytes, options);
}

export class BitmapFile {
  /** Objects of each kind by position; at the kind's code. */
  readonly #ofKind: readonly Bitset[];
  readonly #view: DataView;
  readonly #entries: Entries;
  readonly #objectCount: number;
  /** -1 when there is no cache. */
  readonly #nameHashesAt: number;

  constructor(bytes: Uint8Array, { format, runtime, objectCount, checksum }: BitmapFileOptions) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const { idBytes } = format;
    const headerEnd = HEADER_BYTES + idBytes;
    if (bytes.length < headerEnd + idBytes || view.getUint32(0) !== SIGNATURE) throw corrupt('it is none');
    const version = view.getUint16(4);
    if (version !== 1) throw unsupported(`version ${version} is not known`);
    const flags = view.getUint16(6);
    if ((flags & ~KNOWN_FLAGS) !== 0 || (flags & FULL_DAG) === 0) throw unsupported(`its flags are ${flags}`);
    checkTrailer(bytes, format, runtime);
    if (!equalBytes(bytes.subarray(HEADER_BYTES, headerEnd), checksum))
      throw corrupt('it belongs to other packs');

    const entryCount = view.getUint32(8);
    let end = bytes.length - idBytes;
    if ((flags & NAME_HASH_CACHE) !== 0) end -= 4 * objectCount;
    this.#nameHashesAt = (flags & NAME_HASH_CACHE) !== 0 ? end : -1;
    if ((flags & LOOKUP_TABLE) !== 0) end -= LOOKUP_ROW_BYTES * entryCount;
    if (end < headerEnd) throw corrupt('its tables do not fit into it');

    this.#view = view;
    this.#objectCount = objectCount;
    const ofKind: Bitset[] = [];
    let at = headerEnd;
    for (const kind of KINDS) {
      const bits = new Bitset(objectCount);
      const next = endOfEwah(view, at, end);
      if (next < 0 || !toggleEwah(view, at, bits))
        throw corrupt('a bitmap of kinds does not parse', { kind });
      ofKind[kind] = bits;
      at = next;
    }
    checkKinds(ofKind, objectCount);
    this.#ofKind = ofKind;
    // An entry is 18 bytes at least: no count makes us reserve more memory than the file takes.
    if (entryCount > (end - at) / ENTRY_HEADER_BYTES) throw corrupt('its entries do not fit into it');
    this.#entries =
      (flags & LOOKUP_TABLE) !== 0
        ? readLookupTable(view, { tableAt: end, entryCount, entriesAt: at, entriesEnd: end, objectCount })
        : scanEntries(view, { entryCount, entriesAt: at, entriesEnd: end, objectCount });
  }

  get entryCount(): number {
    return this.#entries.ranks.length;
  }

  /** Bytes it holds: the file's, and the bitmaps of kinds. */
  get heldBytes(): number {
    return this.#view.byteLength + 12 * this.entryCount + this.#objectCount / 2;
  }

  ofKind(kind: number): Bitset {
    return this.#ofKind[kind] ?? new Bitset(this.#objectCount);
  }

  /** The rank of the commit that an entry, 0 to `entryCount - 1`, is for. */
  rankOfEntry(entry: number): number {
    return this.#entries.ranks[entry] as number;
  }

  /** The entry whose bits an entry is stored as the difference from; -1 when it is stored whole. No circle of them. */
  baseOf(entry: number): number {
    return this.#entries.bases[entry] as number;
  }

  /**
   * Toggle the stored bits of an entry in `into`: of it and of all its bases, they make what its commit reaches.
   *
   * @returns false when they do not parse; `into` is then of no use
   */
  toggle(entry: number, into: Bitset): boolean {
    return toggleEwah(this.#view, (this.#entries.starts[entry] as number) + ENTRY_HEADER_BYTES, into);
  }

  /** git's hash of a path at which the object of this rank was seen; 0 without a cache. */
  nameHashOf(rank: number): number {
    return this.#nameHashesAt < 0 ? 0 : this.#view.getUint32(this.#nameHashesAt + 4 * rank);
  }
}

/** Every object is of one kind: a cheap check that the file fits what it claims to belong to. */
function checkKinds(ofKind: readonly Bitset[], objectCount: number): void {
  const all = new Bitset(objectCount);
  let count = 0;
  for (const kind of KINDS) {
    const bits = ofKind[kind] as Bitset;
    all.or(bits);
    count += bits.count();
  }
  if (count !== objectCount || all.count() !== objectCount) throw corrupt('its kinds do not add up');
}

interface EntryBounds {
  readonly entryCount: number;
  readonly entriesAt: number;
  readonly entriesEnd: number;
  readonly objectCount: number;
}

/** Without a lookup table: hop from entry to entry. */
function scanEntries(
  view: DataView,
  { entryCount, entriesAt, entriesEnd, objectCount }: EntryBounds,
): Entries {
  const ranks = new Uint32Array(entryCount);
  const starts = new Uint32Array(entryCount);
  const bases = new Int32Array(entryCount);
  let at = entriesAt;
  for (let entry = 0; entry < entryCount; entry++) {
    if (entriesEnd - at < ENTRY_HEADER_BYTES) throw corrupt('an entry is cut off', { entry });
    const xorOffset = view.getUint8(at + 4);
    ranks[entry] = view.getUint32(at);
    starts[entry] = at;
    bases[entry] = xorOffset === 0 ? -1 : entry - xorOffset;
    if (xorOffset > Math.min(entry, MOST_XOR_OFFSET) || (ranks[entry] as number) >= objectCount) {
      throw corrupt('an entry names what it cannot', { entry });
    }
    at = endOfEwah(view, at + ENTRY_HEADER_BYTES, entriesEnd);
    if (at < 0) throw corrupt('an entry is cut off', { entry });
  }
  return { ranks, starts, bases };
}

/** With a lookup table, sorted by rank, entries are looked at only when they are asked for. */
function readLookupTable(
  view: DataView,
  { tableAt, entryCount, entriesAt, entriesEnd, objectCount }: EntryBounds & { readonly tableAt: number },
): Entries {
  const ranks = new Uint32Array(entryCount);
  const starts = new Uint32Array(entryCount);
  const bases = new Int32Array(entryCount);
  let previous = -1;
  for (let row = 0; row < entryCount; row++) {
    const at = tableAt + LOOKUP_ROW_BYTES * row;
    const rank = view.getUint32(at);
    const start = view.getUint32(at + 4) * 0x100000000 + view.getUint32(at + 8);
    const base = view.getUint32(at + 12);
    if (rank <= previous || rank >= objectCount) throw corrupt('its lookup table is out of order', { row });
    if (start < entriesAt || start > entriesEnd - ENTRY_HEADER_BYTES || view.getUint32(start) !== rank) {
      throw corrupt('its lookup table points elsewhere', { row });
    }
    if (base !== NO_ROW && base >= entryCount)
      throw corrupt('its lookup table names a row it has not', { row });
    if (endOfEwah(view, start + ENTRY_HEADER_BYTES, entriesEnd) < 0)
      throw corrupt('an entry is cut off', { row });
    ranks[row] = rank;
    starts[row] = start;
    bases[row] = base === NO_ROW ? -1 : base;
    previous = rank;
  }
  // A base is written before what differs from it: so no chain of them comes back to where it began.
  for (let row = 0; row < entryCount; row++) {
    const base = bases[row] as number;
    if (base >= 0 && (starts[base] as number) >= (starts[row] as number)) {
      throw corrupt('an entry differs from a later one', { row });
    }
  }
  return { ranks, starts, bases };
}

function corrupt(why: string, detail: Readonly<Record<string, number>> = {}): GitError {
  return new GitError('PACK_CORRUPT', `Cannot read bitmaps: ${why}`, detail);
}

function unsupported(why: string): GitError {
  return new GitError('UNSUPPORTED', `Cannot read bitmaps: ${why}`);
}
