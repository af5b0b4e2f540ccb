/**
 * Deltas whose family was taken to be complete before they came.
 *
 * By then what they are made from has been made, hashed and forgotten. It is made once more, and whatever of the
 * family stands between it and its whole object, but nothing else: each object at most twice, in whatever order a
 * stranger has put his pack.
 *
 * @module
 */
import { yieldToOthers } from '../core/byte-stream.ts';
import { OFS_DELTA } from '../core/object-kind.ts';
import type { EntryReader } from './entry-reader.ts';
import { NONE, type ObjectTable } from './object-table.ts';
import { type RefBases, takeWaiting } from './ref-bases.ts';
import type { SettledFamilies } from './settled-families.ts';

/** Not on the way to anything. */
const UNMARKED = -2;
/** Entries looked at between two pauses. */
const TURN_ENTRIES = 65_536;

/**
 * Put the late deltas where a resolver finds them: the lists of children then lead to them, and to nothing else that was
 * resolved. To be called when nothing but them is left to be resolved in the pack.
 *
 * @param refBases families have not been asked yet whether something waits for their ids
 * @returns the whole objects to begin with
 * @throws {GitError} STORAGE_FAILED
 */
export async function hangLateDeltas(
  table: ObjectTable,
  families: SettledFamilies,
  refBases: RefBases | undefined,
  reader: EntryReader,
): Promise<readonly number[]> {
  const { lateDeltas, lateBases } = families;
  const bases = new Set(lateBases);
  if (refBases !== undefined) await takeAllWaiting(table, families, refBases, lateDeltas, lateBases, bases);
  if (bases.size === 0) return [];

  const { types, firstChild } = table.columns;
  const parents = new Int32Array(table.count).fill(UNMARKED);
  const roots: number[] = [];
  let marked = 0;
  for (const base of bases) {
    for (let at = base; parents[at] === UNMARKED; at = parents[at] as number) {
      parents[at] = parentOf(table, at, reader);
      if (++marked % TURN_ENTRIES === 0) await yieldToOthers();
      if (parents[at] !== NONE) continue;
      roots.push(at);
      break;
    }
  }
  const isMade = (entry: number) => types[entry] !== OFS_DELTA;
  for (let entry = 0; entry < table.count; entry++) {
    if (parents[entry] !== UNMARKED && isMade(entry)) firstChild[entry] = NONE;
  }
  for (let entry = 0; entry < table.count; entry++) {
    const parent = parents[entry] as number;
    if (parent >= 0 && isMade(entry)) table.addChild(parent, entry);
  }
  for (let i = 0; i < lateDeltas.length; i++) table.addChild(lateBases[i] as number, lateDeltas[i] as number);
  return roots;
}

/** Move what waits for the id of an object of the families to the late deltas. */
async function takeAllWaiting(
  { columns }: ObjectTable,
  families: SettledFamilies,
  refBases: RefBases,
  lateDeltas: number[],
  lateBases: number[],
  bases: Set<number>,
): Promise<void> {
  const { firstChild, nextSibling, types } = columns;
  for (let entry = families.start; entry < families.end; entry++) {
    if (entry % TURN_ENTRIES === 0) await yieldToOthers();
    if (types[entry] === OFS_DELTA) continue; // late itself, and asked once it is made
    const children = firstChild[entry] as number;
    firstChild[entry] = NONE;
    takeWaiting(refBases, columns, entry);
    for (let next = firstChild[entry]; next !== NONE; next = nextSibling[next as number]) {
      lateDeltas.push(next as number);
      lateBases.push(entry);
      bases.add(entry);
    }
    firstChild[entry] = children;
  }
}

/** There are no deltas by id before the end of the families: see SettledFamilies. */
function parentOf(table: ObjectTable, entry: number, reader: EntryReader): number {
  const { types, offsets } = table.columns;
  const type = types[entry] as number;
  if (type < OFS_DELTA) return NONE;
  const offset = offsets[entry] as number;
  reader.open(offset);
  return table.entryAt(offset - reader.header.baseDistance);
}
