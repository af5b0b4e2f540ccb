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

/** Bits of the filter of paths; false positives only offer a base too many, or too few. */
const FILTER_BITS = 16;
/** Bases for one path: git takes as many as its delta window. */
const MOST_BASES = 10;
/** In the filter: no object with that path is sent. */
const UNWANTED = MOST_BASES;

/** @param count the objects 0 to count - 1 of the boundary may be bases; the first ones of a path are taken */
export function preferredBasesOf(found: ObjectTable, boundary: ObjectTable, count: number): PreferredBases {
  const offered = new Uint8Array(1 << FILTER_BITS).fill(UNWANTED);
  for (let number = 0; count > 0 && number < found.size; number++) offered[pathOf(found, number)] = 0;
  const chosen = new Int32Array(count);
  let chosenCount = 0;
  for (let number = 0; number < count; number++) {
    const kind = boundary.kinds[number] as number;
    if (kind === COMMIT || kind === TAG) continue;
    const path = pathOf(boundary, number);
    if (offered[path] === MOST_BASES) continue;
    offered[path] = (offered[path] as number) + 1;
    chosen[chosenCount++] = number;
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

function pathOf(objects: ObjectTable, number: number): number {
  const hash = (objects.nameHashes[number] as number) ^ (objects.kinds[number] as number);
  return Math.imul(hash, 0x9e3779b1) >>> (32 - FILTER_BITS);
}
