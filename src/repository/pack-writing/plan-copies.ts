/**
 * Which of the selected entries of packs can be copied: all but those whose base is not copied along with them.
 *
 * @module
 */
import { codeOfKind, OFS_DELTA, REF_DELTA } from '../../core/object-kind.ts';
import type { Pace } from '../../core/pace.ts';
import type { ObjectReader } from '../../odb/object-database.ts';
import type { Bitset } from '../../pack/bitset.ts';
import { createEntryHeader, parseEntryHeader } from '../../pack/entry-header.ts';
import type { StoredPack } from '../../pack/stored-pack.ts';
import type { ObjectSelection, SelectedEntries } from '../object-selection.ts';
import { ObjectTable } from '../object-table.ts';
import { CopiedObjects, type CopiedPart } from './copied-part.ts';
import { openEntryWindows } from './entry-windows.ts';
import { entryCorrupt, objectMissing } from './pack-errors.ts';
import type { PlanOptions } from './pack-plan.ts';
import { isWhole } from './whole-pack.ts';

/** Passes over a part in which REF_DELTA entries have bases behind them: then no such entry is copied any more. */
const MOST_PASSES = 8;
const ENTRIES_BETWEEN_CLOCKS = 1024;

export interface PlannedCopies {
  readonly copied: readonly CopiedPart[];
  /** What is left of the selection: the listed objects, and the entries that cannot be copied. */
  readonly rest: ObjectSelection;
}

/**
 * Decide what is copied of the parts of a selection. Reads the header of each entry, except of packs that are selected
 * as a whole.
 *
 * @throws {GitError} PACK_CORRUPT, STORAGE_FAILED, LIMIT_EXCEEDED, ABORTED
 */
export async function planCopies(
  reader: ObjectReader,
  selection: ObjectSelection,
  options: PlanOptions & { readonly mostObjects: number },
  pace: Pace,
): Promise<PlannedCopies> {
  const copied: CopiedPart[] = [];
  const refused: { readonly part: SelectedEntries; readonly kept: Bitset }[] = [];
  for (const part of selection.stored ?? []) {
    const pack = reader.packs[part.pack] as StoredPack;
    if (isWhole(pack, part.count)) {
      copied.push({ pack: part.pack, entries: undefined, count: part.count });
      continue;
    }
    const kept = part.entries.clone();
    const earlier = new CopiedObjects(reader.packs, copied);
    const count = part.count - (await refuseEntries(pack, selection, kept, earlier, options, pace));
    if (count > 0) copied.push({ pack: part.pack, entries: kept, count });
    if (count < part.count) refused.push({ part, kept });
  }
  if (refused.length === 0) return { copied, rest: selection };

  const rest = new ObjectTable(selection.format, options.mostObjects);
  const { idBytes } = selection.format;
  for (let object = 0; object < selection.count; object++) {
    const kind = selection.kinds[object] as number;
    rest.add(selection.ids, object * idBytes, kind, selection.nameHashes[object] as number);
  }
  for (const { part, kept } of refused) await listRefused(reader, part, kept, rest, pace);
  return {
    copied,
    rest: {
      ...selection,
      stored: undefined,
      count: rest.size,
      ids: rest.table.ids,
      kinds: rest.kinds,
      nameHashes: rest.nameHashes,
      indexOf: (ids, at) => rest.find(ids, at),
    },
  };
}

/** Take what cannot be copied out of `kept`. @returns how many entries that were */
async function refuseEntries(
  pack: StoredPack,
  selection: ObjectSelection,
  kept: Bitset,
  earlier: CopiedObjects,
  options: PlanOptions,
  pace: Pace,
): Promise<number> {
  const judge = new EntryJudge(pack, selection, kept, earlier, options);
  let refusedCount = 0;
  for (let pass = 1; ; pass++) {
    const before = refusedCount;
    judge.begin(pass < MOST_PASSES);
    let looked = 0;
    for (let entry = kept.next(0); entry >= 0; entry = kept.next(entry + 1)) {
      if (++looked % ENTRIES_BETWEEN_CLOCKS === 0 && pace.isDue()) await pace.rest();
      if (judge.canCopy(entry)) continue;
      kept.delete(entry);
      refusedCount++;
    }
    // Bases that lie before their deltas are settled in one pass.
    if (!judge.reliedOnLater || refusedCount === before) return refusedCount;
  }
}

class EntryJudge {
  /** An entry was let through for the sake of a base behind it, which may have been refused since. */
  reliedOnLater = false;
  readonly #pack: StoredPack;
  readonly #selection: ObjectSelection;
  readonly #kept: Bitset;
  readonly #earlier: CopiedObjects;
  readonly #thin: boolean;
  readonly #header = createEntryHeader();
  readonly #windows: ReturnType<typeof openEntryWindows>;
  #mayRelyOnLater = true;

  constructor(
    pack: StoredPack,
    selection: ObjectSelection,
    kept: Bitset,
    earlier: CopiedObjects,
    options: PlanOptions,
  ) {
    this.#pack = pack;
    this.#selection = selection;
    this.#kept = kept;
    this.#earlier = earlier;
    this.#thin = options.thin;
    this.#windows = openEntryWindows(pack.file, kept.count() / kept.size);
  }

  /** Start a pass over the entries in their order. */
  begin(mayRelyOnLater: boolean): void {
    this.reliedOnLater = false;
    this.#mayRelyOnLater = mayRelyOnLater;
  }

  canCopy(entry: number): boolean {
    const { index, name } = this.#pack;
    const windows = this.#windows;
    const header = this.#header;
    const offset = index.entryStart(entry);
    windows.seek(offset);
    if (!parseEntryHeader(windows.bytes, windows.at, windows.end, index.format.idBytes, header)) {
      throw entryCorrupt(name, offset, 'its header is cut off');
    }
    if (header.type === REF_DELTA) return this.#canCopyRefDelta(entry, windows.at + header.headerBytes);
    if (header.type !== OFS_DELTA) return true;
    const base = index.entryAt(offset - header.baseDistance);
    if (base < 0) throw entryCorrupt(name, offset, `no base starts at ${offset - header.baseDistance}`);
    return this.#kept.has(base);
  }

  #canCopyRefDelta(entry: number, idEnd: number): boolean {
    const { index } = this.#pack;
    const { bytes } = this.#windows;
    const idAt = idEnd - index.format.idBytes;
    const rank = index.rankOf(bytes, idAt);
    const base = rank < 0 ? -1 : index.entryAt(index.offsetOf(rank));
    if (base >= 0 && this.#kept.has(base)) {
      if (base < entry) return true;
      if (!this.#mayRelyOnLater) return false;
      this.reliedOnLater = true;
      return true;
    }
    if (this.#earlier.find(bytes, idAt)) return true;
    return this.#thin && this.#selection.receiverHas(bytes, idAt) && this.#selection.indexOf(bytes, idAt) < 0;
  }
}

/** Add the entries of a part that are not kept to the listed objects. */
async function listRefused(
  reader: ObjectReader,
  part: SelectedEntries,
  kept: Bitset,
  list: ObjectTable,
  pace: Pace,
): Promise<void> {
  const { index } = reader.packs[part.pack] as StoredPack;
  const refused = part.entries.clone();
  refused.andNot(kept);
  const id = new Uint8Array(index.format.idBytes);
  let looked = 0;
  for (let entry = refused.next(0); entry >= 0; entry = refused.next(entry + 1)) {
    if (++looked % ENTRIES_BETWEEN_CLOCKS === 0 && pace.isDue()) await pace.rest();
    index.copyId(index.rankAtOffset(index.entryStart(entry)), id, 0);
    const kind = part.kindAt?.(entry) || readKind(reader, id);
    list.add(id, 0, kind, part.nameHashAt?.(entry) ?? 0);
  }
}

function readKind(reader: ObjectReader, id: Uint8Array): number {
  const header = reader.readHeaderRaw(id, 0);
  if (header === undefined) throw objectMissing(reader.format, id, 0);
  return codeOfKind(header.kind);
}
