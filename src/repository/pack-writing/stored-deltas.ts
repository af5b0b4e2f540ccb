/**
 * Reading the headers of the selected entries of packs, to see which stored deltas can be sent.
 *
 * @module
 */
import { OFS_DELTA } from '../../core/object-kind.ts';
import type { Pace } from '../../core/pace.ts';
import type { ObjectReader } from '../../odb/object-database.ts';
import { createEntryHeader, parseEntryHeader } from '../../pack/entry-header.ts';
import type { PackIndex } from '../../pack/pack-index.ts';
import type { StoredPack } from '../../pack/stored-pack.ts';
import type { ObjectSelection } from '../object-selection.ts';
import { openEntryWindows } from './entry-windows.ts';
import { entryCorrupt } from './pack-errors.ts';
import {
  COPY,
  ENCODE,
  KEEP_DELTA,
  type PackPlan,
  type PlanOptions,
  REBASE_DELTA,
  THIN_DELTA,
} from './pack-plan.ts';

/**
 * Links from a reused delta to a whole object. git refuses chains above 4095; what is searched anew adds at most 50,
 * and chains of copied packs, which are not measured, count as git's default.
 */
const MOST_LINKS = 4000;
const USUAL_LINKS = 50;

const ENTRIES_BETWEEN_CLOCKS = 256;

type PlanTables = Omit<PackPlan, 'reusedDeltaCount'>;

/**
 * Fill in the actions and bases of every pack that is not copied as a whole.
 *
 * @returns how many stored deltas will be sent
 */
export async function classifyEntries(
  reader: ObjectReader,
  selection: ObjectSelection,
  plan: PlanTables,
  options: PlanOptions,
  pace: Pace,
): Promise<number> {
  const { packStarts, copiedPacks } = plan;
  let reusedDeltaCount = 0;
  let classifier: Classifier | undefined;
  for (let pack = 0; pack < copiedPacks.length; pack++) {
    const start = packStarts[pack] as number;
    const end = packStarts[pack + 1] as number;
    if (start === end || copiedPacks[pack] === 1) continue;
    classifier ??= new Classifier(selection, plan, options);
    classifier.open(reader.packs[pack] as StoredPack, start, end);
    for (let position = start; position < end; position++) {
      if (position % ENTRIES_BETWEEN_CLOCKS === 0 && pace.isDue()) await pace.rest();
      if (classifier.classify(position)) reusedDeltaCount++;
    }
  }
  return reusedDeltaCount;
}

class Classifier {
  readonly #selection: ObjectSelection;
  readonly #plan: PlanTables;
  readonly #options: PlanOptions;
  /** Position of each object of the selection. */
  readonly #positions: Uint32Array;
  /** Links to a whole object, by position. */
  readonly #links: Uint16Array;
  readonly #header = createEntryHeader();
  readonly #baseId: Uint8Array;
  #pack!: StoredPack;
  #index!: PackIndex;
  #windows!: ReturnType<typeof openEntryWindows>;
  #start = 0;
  #end = 0;

  constructor(selection: ObjectSelection, plan: PlanTables, options: PlanOptions) {
    this.#selection = selection;
    this.#plan = plan;
    this.#options = options;
    this.#baseId = new Uint8Array(selection.format.idBytes);
    this.#positions = new Uint32Array(plan.count);
    for (let position = 0; position < plan.count; position++) {
      this.#positions[plan.order[position] as number] = position;
    }
    this.#links = new Uint16Array(plan.count);
    for (let pack = 0; pack < plan.copiedPacks.length; pack++) {
      if (plan.copiedPacks[pack] === 0) continue;
      this.#links.fill(USUAL_LINKS, plan.packStarts[pack], plan.packStarts[pack + 1]);
    }
  }

  /** Go on with a pack: positions from `start` to `end`. */
  open(pack: StoredPack, start: number, end: number): void {
    this.#pack = pack;
    this.#index = pack.index;
    this.#windows = openEntryWindows(pack.file, (end - start) / pack.index.objectCount);
    this.#start = start;
    this.#end = end;
  }

  /** @returns whether the entry is a stored delta that will be sent */
  classify(position: number): boolean {
    const { actions, bases, offsets } = this.#plan;
    const { idBytes } = this.#selection.format;
    const header = this.#header;
    const windows = this.#windows;
    const offset = offsets[position] as number;
    windows.seek(offset);
    if (!parseEntryHeader(windows.bytes, windows.at, windows.end, idBytes, header)) {
      throw entryCorrupt(this.#pack.name, offset, 'its header is cut off');
    }
    actions[position] = COPY;
    if (header.type < OFS_DELTA) return false;

    const storedAsOfs = header.type === OFS_DELTA;
    const base = storedAsOfs ? this.#baseByOffset(position, offset - header.baseDistance) : this.#baseById();
    const { ofsDelta } = this.#options;
    if (base >= this.#plan.count) {
      bases[position] = base;
      this.#links[position] = USUAL_LINKS + 1;
      if (storedAsOfs || ofsDelta) actions[position] = REBASE_DELTA;
      return true;
    }
    // A base taken from a later pack would be no copy that this delta was made for: see pack-plan.ts on cycles.
    if (base >= 0 && base < this.#end && (this.#links[base] as number) < MOST_LINKS) {
      bases[position] = base;
      this.#links[position] = (base < position ? (this.#links[base] as number) : USUAL_LINKS) + 1;
      if (storedAsOfs && base >= this.#start && ofsDelta) actions[position] = KEEP_DELTA;
      else if (storedAsOfs || (ofsDelta && base < position)) actions[position] = REBASE_DELTA;
      return true;
    }
    if (base < 0 && this.#options.thin && this.#selection.receiverHas(this.#baseId, 0)) {
      if (storedAsOfs) actions[position] = THIN_DELTA;
      return true;
    }
    actions[position] = ENCODE;
    return false;
  }

  /** The base that starts at `baseOffset`, as in the plan; or -1 and its id in `#baseId`. */
  #baseByOffset(position: number, baseOffset: number): number {
    const { offsets } = this.#plan;
    let low = this.#start;
    let high = position;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((offsets[middle] as number) < baseOffset) low = middle + 1;
      else high = middle;
    }
    if (low < position && offsets[low] === baseOffset) return low;

    const rank = this.#index.rankAtOffset(baseOffset);
    if (rank < 0) {
      throw entryCorrupt(this.#pack.name, offsets[position] as number, `no base starts at ${baseOffset}`);
    }
    this.#index.copyId(rank, this.#baseId, 0);
    const elsewhere = this.#positionOfBase();
    // Another copy in this very pack: only a pack with an object twice has that; nothing is known of its cycles.
    return elsewhere >= this.#start && elsewhere < this.#plan.count ? this.#end : elsewhere;
  }

  /** The base that the header just parsed names, as in the plan, or -1; its id in `#baseId`. */
  #baseById(): number {
    const { bytes, at } = this.#windows;
    const idEnd = at + this.#header.headerBytes;
    const idStart = idEnd - this.#baseId.length;
    for (let i = 0; i < this.#baseId.length; i++) this.#baseId[i] = bytes[idStart + i] as number;
    return this.#positionOfBase();
  }

  #positionOfBase(): number {
    const object = this.#selection.indexOf(this.#baseId, 0);
    if (object >= 0) return this.#positions[object] as number;
    const copied = this.#plan.copiedBases.numberOf(this.#baseId, 0);
    return copied < 0 ? -1 : this.#plan.count + copied;
  }
}
