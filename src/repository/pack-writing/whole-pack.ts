/**
 * The commonest clone: all that is selected is one stored pack, and all of it. No table of its objects is needed then.
 *
 * @module
 */
import { equalBytes } from '../../core/bytes.ts';
import type { Pace } from '../../core/pace.ts';
import type { ObjectLocation, ObjectReader } from '../../odb/object-database.ts';
import { formatPackHeader, PACK_HEADER_BYTES } from '../../pack/pack-header.ts';
import type { StoredPack } from '../../pack/stored-pack.ts';
import type { ObjectSelection } from '../object-selection.ts';
import type { CopiedPart } from './copied-part.ts';
import { DeltaCache } from './delta-cache.ts';
import { packEndsEarly } from './pack-errors.ts';
import type { WritePlan } from './write-plan.ts';

const OBJECTS_BETWEEN_CLOCKS = 256;

/** The plan to copy one pack and nothing else; `undefined` when that is not what is selected. */
export async function planWholePack(
  reader: ObjectReader,
  selection: ObjectSelection,
  pace: Pace,
): Promise<WritePlan | undefined> {
  const { count, ids, format } = selection;
  const packCount = reader.packs.length;
  const location: ObjectLocation = { pack: 0, offset: 0 };
  if (count === 0 || !reader.locate(ids, 0, location) || location.pack < 0) return undefined;
  const { pack } = location;
  if (pack >= packCount || !isWhole(reader.packs[pack] as StoredPack, count)) return undefined;
  for (let object = 1; object < count; object++) {
    if (object % OBJECTS_BETWEEN_CLOCKS === 0 && pace.isDue()) await pace.rest();
    if (!reader.locate(ids, object * format.idBytes, location) || location.pack !== pack) return undefined;
  }
  return planOfCopies(reader, [{ pack, entries: undefined, count }]);
}

/** The plan to copy these parts and nothing else. */
export function planOfCopies(reader: ObjectReader, copied: readonly CopiedPart[]): WritePlan {
  return {
    format: reader.format,
    count: copied.reduce((sum, part) => sum + part.count, 0),
    copied,
    slotCount: 0,
    slotStarts: new Uint32Array(reader.packs.length + 1),
    offsets: new Uint32Array(0),
    actions: new Uint8Array(0),
    bases: new Int32Array(0),
    looseIds: new Uint8Array(0),
    outside: { packs: new Int32Array(0), offsets: new Float64Array(0), ids: new Uint8Array(0) },
    encodedSlots: new Uint32Array(0),
    encodedSizes: new Float64Array(0),
    deltas: new DeltaCache(0),
    reusedDeltaCount: 0,
  };
}

/** Whether `selected` different objects of a pack are all that its file holds. */
export function isWhole(pack: StoredPack, selected: number): boolean {
  if (selected !== pack.index.objectCount || pack.index.rankAtOffset(PACK_HEADER_BYTES) < 0) return false;
  const header = new Uint8Array(PACK_HEADER_BYTES);
  if (pack.file.readInto(0, header, 0, PACK_HEADER_BYTES) !== PACK_HEADER_BYTES) {
    throw packEndsEarly(pack.file, PACK_HEADER_BYTES);
  }
  return equalBytes(header, formatPackHeader(selected));
}
