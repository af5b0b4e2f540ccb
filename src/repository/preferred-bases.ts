/**
 * Of what the receiver has, the objects found at the paths of what is sent: good bases for new deltas.
 *
 * @module
 */
import { COMMIT, TAG } from '../core/object-kind.ts';
import type { ObjectTable } from './object-table.ts';

/** The part of an ObjectSelection that is of use for thin packs. */
export interface PreferredBases {
  readonly preferredBases: Uint8Array;
  readonly preferredBaseKinds: Uint8Array;
  readonly preferredBaseNameHashes: Uint32Array;
}

/** Bits of the filter of paths; false positives only offer a base too many. */
const FILTER_BITS = 20;

/** @param count the objects 0 to count - 1 of the boundary may be bases */
export function preferredBasesOf(found: ObjectTable, boundary: ObjectTable, count: number): PreferredBases {
  const paths = new Uint8Array(1 << (FILTER_BITS - 3));
  for (let number = 0; count > 0 && number < found.size; number++) {
    const bit = pathBit(found, number);
    paths[bit >> 3] = (paths[bit >> 3] as number) | (1 << (bit & 7));
  }
  const chosen = new Int32Array(count);
  let chosenCount = 0;
  for (let number = 0; number < count; number++) {
    const kind = boundary.kinds[number] as number;
    if (kind === COMMIT || kind === TAG) continue;
    const bit = pathBit(boundary, number);
    if (((paths[bit >> 3] as number) & (1 << (bit & 7))) !== 0) chosen[chosenCount++] = number;
  }

  const { ids, idBytes } = boundary.table;
  const preferredBases = new Uint8Array(chosenCount * idBytes);
  const preferredBaseKinds = new Uint8Array(chosenCount);
  const preferredBaseNameHashes = new Uint32Array(chosenCount);
  for (let i = 0; i < chosenCount; i++) {
    const number = chosen[i] as number;
    preferredBases.set(ids.subarray(number * idBytes, (number + 1) * idBytes), i * idBytes);
    preferredBaseKinds[i] = boundary.kinds[number] as number;
    preferredBaseNameHashes[i] = boundary.nameHashes[number] as number;
  }
  return { preferredBases, preferredBaseKinds, preferredBaseNameHashes };
}

function pathBit(objects: ObjectTable, number: number): number {
  const hash = (objects.nameHashes[number] as number) ^ (objects.kinds[number] as number);
  return Math.imul(hash, 0x9e3779b1) >>> (32 - FILTER_BITS);
}
