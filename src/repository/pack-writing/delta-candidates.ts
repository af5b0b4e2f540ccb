/**
 * Who takes part in the delta search: objects that look alike.
 *
 * @module
 */
import { BLOB, codeOfKind, OFS_DELTA, TREE } from '../../core/object-kind.ts';
import type { Pace } from '../../core/pace.ts';
import type { ObjectReader } from '../../odb/object-database.ts';
import { createEntryHeader, parseEntryHeader } from '../../pack/entry-header.ts';
import type { StoredPack } from '../../pack/stored-pack.ts';
import type { ObjectSelection } from '../object-selection.ts';
import { BASE_ONLY, CandidateTable, type DeltaCandidates, NameFilter } from './candidate-table.ts';
import { type EntryBytes, openEntryWindows } from './entry-windows.ts';
import { entryCorrupt, objectMissing } from './pack-errors.ts';
import { COPY, ENCODE, FIRST_PREFERRED, type PackPlan } from './pack-plan.ts';

/** Below this a delta saves nothing. git: the same. */
const LEAST_BYTES = 50;

const ITEMS_BETWEEN_CLOCKS = 64;

/** What is to be encoded, and what may turn out so: the objects that a delta is searched for. */
export interface SearchedObjects {
  readonly count: number;
  /** Their positions, ascending; the array may be longer. */
  readonly positions: Uint32Array;
  /** Content bytes of each. */
  readonly sizes: Float64Array;
}

export interface CollectOptions {
  readonly thin: boolean;
  /** Larger objects take no part. */
  readonly mostBytes: number;
}

/**
 * Collect the candidates: the objects to be encoded, and what may be a base for them: trees and blobs of the same
 * names that are sent whole as they are stored, and preferred bases.
 *
 * In a thin pack, stored whole trees and blobs are searched as well, against preferred bases only: the newest version
 * of a file is stored whole, and what the receiver has of it is the one before.
 *
 * Reused deltas never take part: a new delta upon one could close a cycle.
 */
export async function collectCandidates(
  reader: ObjectReader,
  selection: ObjectSelection,
  plan: PackPlan,
  options: CollectOptions,
  pace: Pace,
): Promise<{ searched: SearchedObjects; candidates: DeltaCandidates }> {
  const collector = new Collector(reader, selection, plan, options);
  for (let pack = 0; pack <= reader.packs.length; pack++) {
    const end = pack < reader.packs.length ? (plan.packStarts[pack + 1] as number) : plan.count;
    const start = plan.packStarts[pack] as number;
    if (start < end && pack < reader.packs.length) collector.open(reader.packs[pack] as StoredPack, pack);
    for (let position = start; position < end; position++) {
      if (position % ITEMS_BETWEEN_CLOCKS === 0 && pace.isDue()) await pace.rest();
      if (plan.actions[position] === ENCODE) collector.addEncoded(position);
      else if (plan.actions[position] === COPY) collector.addStored(position);
    }
  }
  if (options.thin) {
    for (let n = 0; n < selection.preferredBaseKinds.length; n++) {
      if (n % ITEMS_BETWEEN_CLOCKS === 0 && pace.isDue()) await pace.rest();
      collector.addPreferred(n);
    }
  }
  return { searched: collector, candidates: collector.table.sorted() };
}

class Collector implements SearchedObjects {
  count = 0;
  readonly positions: Uint32Array;
  readonly sizes: Float64Array;
  readonly table: CandidateTable;
  readonly #reader: ObjectReader;
  readonly #selection: ObjectSelection;
  readonly #plan: PackPlan;
  readonly #mostBytes: number;
  /** Names of preferred bases for what is stored whole; none unless the pack may be thin. */
  readonly #offered = new NameFilter();
  /** Names of what is searched. */
  readonly #wanted = new NameFilter();
  readonly #header = createEntryHeader();
  #pack!: StoredPack;
  #windows!: EntryBytes;
  #packIsCopied = false;

  constructor(reader: ObjectReader, selection: ObjectSelection, plan: PackPlan, options: CollectOptions) {
    this.#reader = reader;
    this.#selection = selection;
    this.#plan = plan;
    this.#mostBytes = options.mostBytes;
    const { preferredBaseKinds, preferredBaseNameHashes } = selection;
    const isOffered = options.thin && selection.keepsStored !== true;
    for (let n = 0; isOffered && n < preferredBaseKinds.length; n++) {
      this.#offered.add(preferredBaseKinds[n] as number, preferredBaseNameHashes[n] as number);
    }
    const most = this.#findWantedNames();
    this.positions = new Uint32Array(most);
    this.sizes = new Float64Array(most);
    this.table = new CandidateTable(most);
  }

  /** @returns the most objects that can be searched */
  #findWantedNames(): number {
    const { actions, order, copiedPacks, packStarts, count } = this.#plan;
    const { kinds, nameHashes } = this.#selection;
    let most = 0;
    for (let pack = 0; pack <= copiedPacks.length; pack++) {
      if (copiedPacks[pack] === 1) continue;
      const end = pack < copiedPacks.length ? (packStarts[pack + 1] as number) : count;
      for (let position = packStarts[pack] as number; position < end; position++) {
        const action = actions[position];
        const kind = kinds[order[position] as number] as number;
        const nameHash = nameHashes[order[position] as number] as number;
        if (action !== ENCODE && !(action === COPY && isNamed(kind) && this.#offered.has(kind, nameHash))) {
          continue;
        }
        this.#wanted.add(kind, nameHash);
        most++;
      }
    }
    return most;
  }

  /** Go on with the positions of a pack. */
  open(pack: StoredPack, number: number): void {
    const { packStarts } = this.#plan;
    const count = (packStarts[number + 1] as number) - (packStarts[number] as number);
    this.#pack = pack;
    this.#windows = openEntryWindows(pack.file, count / pack.index.objectCount);
    this.#packIsCopied = this.#plan.copiedPacks[number] === 1;
  }

  addEncoded(position: number): void {
    const { ids, nameHashes, format } = this.#selection;
    const object = this.#plan.order[position] as number;
    const header = this.#reader.readHeaderRaw(ids, object * format.idBytes);
    if (header === undefined) throw objectMissing(format, ids, object * format.idBytes);
    const target = this.#addSearched(position, header.sizeBytes);
    if (!this.#isOfSize(header.sizeBytes)) return;
    this.table.add(position, target, codeOfKind(header.kind), nameHashes[object] as number, header.sizeBytes);
  }

  /** An entry to be copied, which takes part if it is a whole object of a name that matters. */
  addStored(position: number): void {
    const object = this.#plan.order[position] as number;
    const kind = this.#selection.kinds[object] as number;
    const nameHash = this.#selection.nameHashes[object] as number;
    if (!isNamed(kind) || !this.#wanted.has(kind, nameHash)) return;

    const header = this.#header;
    const windows = this.#windows;
    const offset = this.#plan.offsets[position] as number;
    windows.seek(offset);
    const { idBytes } = this.#selection.format;
    if (!parseEntryHeader(windows.bytes, windows.at, windows.end, idBytes, header)) {
      throw entryCorrupt(this.#pack.name, offset, 'its header is cut off');
    }
    if (header.type >= OFS_DELTA || !this.#isOfSize(header.sizeBytes)) return;
    const isSearched = !this.#packIsCopied && this.#offered.has(kind, nameHash);
    const target = isSearched ? this.#addSearched(position, header.sizeBytes) : BASE_ONLY;
    this.table.add(position, target, kind, nameHash, header.sizeBytes);
  }

  /** Preferred base n of the selection. That the receiver has it makes it usual, not certain, that we have it too. */
  addPreferred(n: number): void {
    const { preferredBases, preferredBaseKinds, preferredBaseNameHashes, format } = this.#selection;
    const kind = preferredBaseKinds[n] as number;
    const nameHash = preferredBaseNameHashes[n] as number;
    if (!this.#wanted.has(kind, nameHash)) return;
    const header = this.#reader.readHeaderRaw(preferredBases, n * format.idBytes);
    if (header === undefined || !this.#isOfSize(header.sizeBytes)) return;
    this.table.add(FIRST_PREFERRED - n, BASE_ONLY, kind, nameHash, header.sizeBytes);
  }

  #addSearched(position: number, sizeBytes: number): number {
    this.positions[this.count] = position;
    this.sizes[this.count] = sizeBytes;
    return this.count++;
  }

  #isOfSize(sizeBytes: number): boolean {
    return sizeBytes >= LEAST_BYTES && sizeBytes <= this.#mostBytes;
  }
}

/** Commits and tags all share the name hash 0 and delta badly. */
function isNamed(kind: number): boolean {
  return kind === TREE || kind === BLOB;
}
