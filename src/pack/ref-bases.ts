/**
 * The bases that the REF_DELTA entries of a pack name by id: each distinct id once, with the deltas that wait for it.
 *
 * Whoever makes an object known, in any thread, asks whether deltas wait for its id, and the first to ask takes
 * them: two entries may hold the same object, but no delta is resolved twice.
 *
 * @module
 */
import { compareIds } from '../core/object-id.ts';
import { REF_DELTA } from '../core/object-kind.ts';
import { sharedMemory } from './growing-memory.ts';
import { sortByIds } from './id-order.ts';
import { NONE, type ObjectColumns, type ObjectTable } from './object-table.ts';

/** Plain data over shared memory, sorted by id. */
export interface RefBases {
  readonly count: number;
  readonly idBytes: number;
  readonly ids: Uint8Array;
  /** The first waiting delta of each; the rest follow by `nextSibling`, in pack order. */
  readonly firstDelta: Int32Array;
  /** 1 once taken. */
  readonly taken: Int32Array;
}

/** Gather what the REF_DELTA entries of `table` wait for. @returns `undefined` when it has none */
export function collectRefBases(table: ObjectTable, refDeltaCount: number): RefBases | undefined {
  if (refDeltaCount === 0) return undefined;
  const { ids, types, nextSibling, idBytes } = table.columns;
  const deltas = new Int32Array(refDeltaCount);
  let found = 0;
  for (let entry = 0; entry < table.count; entry++) if (types[entry] === REF_DELTA) deltas[found++] = entry;
  sortByIds(deltas, ids, idBytes);

  let count = 0;
  for (let i = 0; i < found; i++) if (i === 0 || !sameId(ids, deltas, i - 1, idBytes)) count++;
  const bases = {
    count,
    idBytes,
    ids: new Uint8Array(sharedMemory(count * idBytes)),
    firstDelta: new Int32Array(sharedMemory(count * 4)),
    taken: new Int32Array(sharedMemory(count * 4)),
  };
  let base = -1;
  for (let i = 0; i < found; i++) {
    const delta = deltas[i] as number;
    if (i > 0 && sameId(ids, deltas, i - 1, idBytes)) {
      nextSibling[deltas[i - 1] as number] = delta;
      continue;
    }
    bases.firstDelta[++base] = delta;
    bases.ids.set(ids.subarray(delta * idBytes, (delta + 1) * idBytes), base * idBytes);
  }
  return bases;
}

function sameId(ids: Uint8Array, deltas: Int32Array, i: number, idBytes: number): boolean {
  const a = (deltas[i] as number) * idBytes;
  return compareIds(ids, a, ids, (deltas[i + 1] as number) * idBytes, idBytes) === 0;
}

/** Hang the deltas that wait for the id of `entry`, if any are left to take, under it. */
export function takeWaiting(bases: RefBases, columns: ObjectColumns, entry: number): void {
  const base = rankOfBase(bases, columns.ids, entry * columns.idBytes);
  if (base === NONE || Atomics.compareExchange(bases.taken, base, 0, 1) !== 0) return;
  const { firstChild, nextSibling } = columns;
  let last = bases.firstDelta[base] as number;
  const first = last;
  for (let next = last; next !== NONE; next = nextSibling[next] as number) last = next;
  nextSibling[last] = firstChild[entry] as number;
  firstChild[entry] = first;
}

function rankOfBase(bases: RefBases, ids: Uint8Array, at: number): number {
  let low = 0;
  let high = bases.count - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const order = compareIds(bases.ids, middle * bases.idBytes, ids, at, bases.idBytes);
    if (order === 0) return middle;
    if (order < 0) low = middle + 1;
    else high = middle - 1;
  }
  return NONE;
}

/** Those nobody has taken, in the order their first deltas stand in the pack. */
export function untakenBases(bases: RefBases): Int32Array {
  const { taken, firstDelta } = bases;
  const left = Int32Array.from({ length: bases.count }, (_, base) => base).filter(
    (base) => taken[base] === 0,
  );
  return left.sort((a, b) => (firstDelta[a] as number) - (firstDelta[b] as number));
}
