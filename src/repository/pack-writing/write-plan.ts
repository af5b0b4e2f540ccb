/**
 * What is still needed of a plan while the pack is written. A slow client takes minutes or hours for that, so it is as
 * little as possible: a bit at most for an entry that is copied, some 20 bytes for any other object.
 *
 * A plan never changes once it is made: any number of writers may go by the same one at the same time.
 *
 * @module
 */
import type { ObjectFormat } from '../../core/object-id.ts';
import type { Pace } from '../../core/pace.ts';
import type { ObjectReader } from '../../odb/object-database.ts';
import type { StoredPack } from '../../pack/stored-pack.ts';
import type { ObjectSelection } from '../object-selection.ts';
import type { CopiedPart } from './copied-part.ts';
import type { DeltaCache } from './delta-cache.ts';
import type { FoundDeltas } from './delta-search.ts';
import type { MadeDeltas } from './made-deltas.ts';
import { entryCorrupt } from './pack-errors.ts';
import { FIRST_PREFERRED, NO_BASE, type PackPlan } from './pack-plan.ts';

const OBJECTS_BETWEEN_CLOCKS = 4096;

/**
 * Objects that are not copied are put in *slots*, in the order of their positions: by pack and offset,
 * then the loose ones. A base is named by its slot, or if it has none by `slotCount + n`: the outside base n.
 */
export interface WritePlan {
  readonly format: ObjectFormat;
  /** Objects in the pack. */
  readonly count: number;
  /** Entries that are sent as they are stored, in the order they are sent: before everything else. */
  readonly copied: readonly CopiedPart[];
  readonly slotCount: number;
  /** Slots of pack p: from `slotStarts[p]` to `slotStarts[p + 1]`; after the last pack come loose objects. */
  readonly slotStarts: Uint32Array;
  /** Where the entry of each slot lies in its pack; loose objects have none. */
  readonly offsets: Uint32Array | Float64Array;
  readonly actions: Uint8Array;
  /** Slot or outside base, or NO_BASE. */
  readonly bases: Int32Array;
  /** Raw ids of the loose objects. */
  readonly looseIds: Uint8Array;
  readonly outside: OutsideBases;
  /** What may have to be encoded: slots, ascending, and content bytes of each. */
  readonly encodedSlots: Uint32Array;
  readonly encodedSizes: Float64Array;
  /** Deltas that were kept, by number among the encoded. */
  readonly deltas: DeltaCache;
  /** Takes in what is deflated while the pack is written; shared with other plans. */
  readonly madeDeltas?: MadeDeltas | undefined;
  /** Stored deltas that are sent, those of copied parts not counted. */
  readonly reusedDeltaCount: number;
}

/** Bases of slots that are in a copied part, or at the receiver only. */
interface OutsideBases {
  /** The pack it is copied from; -1 for what only the receiver has. */
  readonly packs: Int32Array;
  readonly offsets: Float64Array;
  readonly ids: Uint8Array;
}

/** Nothing of what this returns refers to the selection or the plan, so that both can go. */
export async function makeWritePlan(
  reader: ObjectReader,
  selection: ObjectSelection,
  plan: PackPlan,
  found: FoundDeltas,
  pace: Pace,
): Promise<WritePlan> {
  const { format } = reader;
  const { idBytes } = format;
  const { copiedPacks, packStarts } = plan;
  // The reader may have taken in another pack since the plan was made.
  const packs = reader.packs.slice(0, copiedPacks.length);

  // Slot of a position in pack p: the position less `before[p]`, the positions in copied packs before it.
  const before = new Uint32Array(packs.length + 1);
  const slotStarts = new Uint32Array(packs.length + 1);
  for (let pack = 0; pack < packs.length; pack++) {
    const positions = (packStarts[pack + 1] as number) - (packStarts[pack] as number);
    const isCopied = copiedPacks[pack] === 1;
    before[pack + 1] = (before[pack] as number) + (isCopied ? positions : 0);
    slotStarts[pack + 1] = (slotStarts[pack] as number) + (isCopied ? 0 : positions);
  }
  const slotCount = plan.count - (before[packs.length] as number);
  const isLong = packs.some((pack) => pack.file.sizeBytes > 0xffffffff);
  const storedCount = slotStarts[packs.length] as number;
  const offsets = isLong ? new Float64Array(storedCount) : new Uint32Array(storedCount);
  const actions = new Uint8Array(slotCount);
  const bases = new Int32Array(slotCount);
  const looseIds = new Uint8Array((slotCount - storedCount) * idBytes);
  const outside = new OutsideBaseList(packs, selection, plan);
  for (let pack = 0; pack <= packs.length; pack++) {
    if (copiedPacks[pack] === 1) continue;
    const start = packStarts[pack] as number;
    const end = pack < packs.length ? (packStarts[pack + 1] as number) : plan.count;
    for (let position = start; position < end; position++) {
      if (position % OBJECTS_BETWEEN_CLOCKS === 0 && pace.isDue()) await pace.rest();
      const slot = position - (before[pack] as number);
      actions[slot] = plan.actions[position] as number;
      const base = plan.bases[position] as number;
      const isCopied = base >= plan.count;
      const basePack = base < 0 || isCopied ? -1 : packOfPosition(packStarts, base);
      if (base === NO_BASE) bases[slot] = NO_BASE;
      else if (base < 0 || isCopied || copiedPacks[basePack] === 1)
        bases[slot] = slotCount + outside.add(base, basePack);
      else bases[slot] = base - (before[basePack] as number);
      if (slot < storedCount) offsets[slot] = plan.offsets[position] as number;
      else {
        const from = (plan.order[position] as number) * idBytes;
        looseIds.set(selection.ids.subarray(from, from + idBytes), (slot - storedCount) * idBytes);
      }
    }
  }

  const { searched } = found;
  const encodedSlots = new Uint32Array(searched.count);
  for (let n = 0; n < searched.count; n++) {
    const position = searched.positions[n] as number;
    encodedSlots[n] = position - (before[packOfPosition(packStarts, position)] as number);
  }
  const copied = [...plan.copiedBases.copied];
  for (const [pack, { index }] of packs.entries()) {
    if (copiedPacks[pack] === 1) copied.push({ pack, entries: undefined, count: index.objectCount });
  }
  return {
    format,
    count: copied.reduce((sum, part) => sum + part.count, slotCount),
    copied,
    slotCount,
    slotStarts,
    offsets,
    actions,
    bases,
    looseIds,
    outside: outside.finish(),
    encodedSlots,
    encodedSizes: searched.sizes.slice(0, searched.count),
    deltas: found.cache,
    madeDeltas: found.madeDeltas,
    reusedDeltaCount: plan.reusedDeltaCount,
  };
}

/** Copy the raw id of a slot, or of an outside base, to the start of `target`. */
export function copyBaseId(
  packs: readonly StoredPack[],
  plan: WritePlan,
  base: number,
  target: Uint8Array,
): void {
  const { slotCount, slotStarts, outside, looseIds, format } = plan;
  const { idBytes } = format;
  const storedCount = slotStarts[slotStarts.length - 1] as number;
  if (base >= storedCount) {
    const from = (base - (base >= slotCount ? slotCount : storedCount)) * idBytes;
    target.set((base >= slotCount ? outside.ids : looseIds).subarray(from, from + idBytes));
    return;
  }
  const { index, name } = packs[packOfPosition(slotStarts, base)] as StoredPack;
  const offset = plan.offsets[base] as number;
  const rank = index.rankAtOffset(offset);
  if (rank < 0) throw entryCorrupt(name, offset, 'it is not in the index');
  index.copyId(rank, target, 0);
}

class OutsideBaseList {
  readonly #stored: readonly StoredPack[];
  readonly #selection: ObjectSelection;
  readonly #plan: PackPlan;
  readonly #bases: number[] = [];
  readonly #packs: number[] = [];
  readonly #numbers = new Map<number, number>();

  constructor(stored: readonly StoredPack[], selection: ObjectSelection, plan: PackPlan) {
    this.#stored = stored;
    this.#selection = selection;
    this.#plan = plan;
  }

  /** @param base as in the plan: a position in the copied pack `pack`, a copied base, or a preferred base */
  add(base: number, pack: number): number {
    const known = this.#numbers.get(base);
    if (known !== undefined) return known;
    const number = this.#bases.length;
    const { count, copiedBases } = this.#plan;
    this.#numbers.set(base, number);
    this.#bases.push(base);
    this.#packs.push(base < count ? pack : (copiedBases.packs[base - count] as number));
    return number;
  }

  finish(): OutsideBases {
    const { idBytes } = this.#selection.format;
    const ids = new Uint8Array(this.#bases.length * idBytes);
    const offsets = new Float64Array(this.#bases.length);
    for (const [n, base] of this.#bases.entries()) {
      offsets[n] = this.#offsetOf(base);
      this.#copyId(base, this.#packs[n] as number, offsets[n] as number, ids, n * idBytes);
    }
    return { packs: Int32Array.from(this.#packs), offsets, ids };
  }

  #offsetOf(base: number): number {
    const { count, offsets, copiedBases } = this.#plan;
    if (base < 0) return 0;
    return (base < count ? offsets[base] : copiedBases.offsets[base - count]) as number;
  }

  #copyId(base: number, pack: number, offset: number, target: Uint8Array, at: number): void {
    const { ids, preferredBases, format } = this.#selection;
    if (base >= this.#plan.count) {
      const { index } = this.#stored[pack] as StoredPack;
      index.copyId(index.rankAtOffset(offset), target, at);
      return;
    }
    const isPreferred = base <= FIRST_PREFERRED;
    const from = (isPreferred ? FIRST_PREFERRED - base : (this.#plan.order[base] as number)) * format.idBytes;
    target.set((isPreferred ? preferredBases : ids).subarray(from, from + format.idBytes), at);
  }
}

/** The pack of a position or slot; the number of packs for a loose object. */
function packOfPosition(starts: Uint32Array, position: number): number {
  let low = 1;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((starts[middle] as number) <= position) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
