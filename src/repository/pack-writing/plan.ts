/**
 * Making the plan of a pack: where each object is stored, and what of it can be sent.
 *
 * @module
 */

import type { Pace } from '../../core/pace.ts';
import type { ObjectLocation, ObjectReader } from '../../odb/object-database.ts';
import type { StoredPack } from '../../pack/stored-pack.ts';
import type { ObjectSelection } from '../object-selection.ts';
import type { CopiedPart } from './copied-part.ts';
import { sortByKeys } from './offset-order.ts';
import { objectMissing } from './pack-errors.ts';
import { CopiedBases, ENCODE, NO_BASE, type PackPlan, type PlanOptions } from './pack-plan.ts';
import { classifyEntries } from './stored-deltas.ts';
import { isWhole } from './whole-pack.ts';

const OBJECTS_BETWEEN_CLOCKS = 256;

/**
 * Find every listed object and decide how it is sent.
 *
 * @param copied what is sent beside the listed objects *
 * @throws {GitError} OBJECT_MISSING with `detail.id`; PACK_CORRUPT; ABORTED
 */
export async function planEntries(
  reader: ObjectReader,
  selection: ObjectSelection,
  copied: readonly CopiedPart[],
  options: PlanOptions,
  pace: Pace,
): Promise<PackPlan> {
  const { count } = selection;
  const packCount = reader.packs.length;
  const located = await locateObjects(reader, selection, pace);
  const order = await sortByKeys(located.packs, packCount + 1, located.offsets, pace);

  const offsets = new Float64Array(count);
  const packStarts = new Uint32Array(packCount + 1);
  for (let position = 0; position < count; position++) {
    const object = order[position] as number;
    offsets[position] = located.offsets[object] as number;
    const pack = located.packs[object] as number;
    if (pack < packCount) packStarts[pack + 1] = position + 1;
  }
  for (let pack = 1; pack <= packCount; pack++) {
    packStarts[pack] = Math.max(packStarts[pack] as number, packStarts[pack - 1] as number);
  }

  const copiedPacks = new Uint8Array(packCount);
  for (let pack = 0; pack < packCount; pack++) {
    const first = packStarts[pack] as number;
    const selected = (packStarts[pack + 1] as number) - first;
    if (selected > 0 && options.ofsDelta && isWhole(reader.packs[pack] as StoredPack, selected)) {
      copiedPacks[pack] = 1;
    }
  }

  const actions = new Uint8Array(count);
  const bases = new Int32Array(count).fill(NO_BASE);
  const firstLoose = packStarts[packCount] as number;
  actions.fill(ENCODE, firstLoose);
  const copiedBases = new CopiedBases(reader.packs, copied);
  const plan = { count, order, offsets, packStarts, copiedPacks, actions, bases, copiedBases };
  const reusedDeltaCount = await classifyEntries(reader, selection, plan, options, pace);
  return { ...plan, reusedDeltaCount };
}

/** Pack (the number of packs for loose objects) and offset of each object. */
async function locateObjects(
  reader: ObjectReader,
  selection: ObjectSelection,
  pace: Pace,
): Promise<{ packs: Uint32Array; offsets: Float64Array }> {
  const { count, ids, format } = selection;
  const { idBytes } = format;
  const loose = reader.packs.length;
  const packs = new Uint32Array(count);
  const offsets = new Float64Array(count);
  const location: ObjectLocation = { pack: 0, offset: 0 };
  for (let object = 0; object < count; object++) {
    if (object % OBJECTS_BETWEEN_CLOCKS === 0 && pace.isDue()) await pace.rest();
    if (!reader.locate(ids, object * idBytes, location)) {
      throw objectMissing(format, ids, object * idBytes);
    }
    // A pack that the reader took in meanwhile has no place in the plan: what only it has is read by id.
    const isPlanned = location.pack >= 0 && location.pack < loose;
    packs[object] = isPlanned ? location.pack : loose;
    offsets[object] = isPlanned ? location.offset : 0;
  }
  return { packs, offsets };
}
