/**
 * The objects of a pack that was just indexed, one by one: how a small push becomes loose objects.
 *
 * @module
 */
import { kindOfCode, type ObjectKind } from '../core/object-kind.ts';
import type { Runtime } from '../core/runtime.ts';
import { applyDelta, type DeltaSizes, readDeltaSizes } from './delta.ts';
import { EntryReader } from './entry-reader.ts';
import type { IndexedPack } from './index-pack.ts';
import { NONE } from './object-table.ts';
import type { RandomAccessFile } from './stored-pack.ts';

export interface ResolvedObject {
  /** Raw; the receiver's to keep, as is `data`. */
  readonly id: Uint8Array;
  readonly kind: ObjectKind;
  readonly data: Uint8Array;
}

/** What of an {@link IndexedPack} is needed here. */
export type ObjectsOf = Pick<IndexedPack, 'table' | 'objectCount' | 'completedCount'>;

/**
 * Every object that was sent, in pack order, without the bases that completed a thin pack.
 *
 * For packs of a few hundred objects: each object is made anew from the end of its delta chain. One object and one
 * base are in memory at a time; look at `largestObjectBytes` first.
 *
 * @param file the sink the pack was indexed into, or the same bytes
 */
export function* readResolvedObjects(
  pack: ObjectsOf,
  file: Pick<RandomAccessFile, 'readInto'>,
  runtime: Runtime,
): Generator<ResolvedObject, undefined> {
  const { table } = pack;
  const { ids, types, idBytes } = table.columns;
  const bases = basesOf(pack);
  const reader = new EntryReader(file, idBytes, runtime);
  try {
    for (let entry = 0; entry < pack.objectCount - pack.completedCount; entry++) {
      const id = ids.slice(entry * idBytes, (entry + 1) * idBytes);
      const kind = kindOfCode((types[entry] as number) & 7) as ObjectKind;
      yield { id, kind, data: readObject(reader, table.columns.offsets, bases, entry) };
    }
  } finally {
    reader.close();
  }
  return undefined;
}

/** The base of each entry, {@link NONE} for whole objects. */
function basesOf({ table }: ObjectsOf): Int32Array {
  const { firstChild, nextSibling } = table.columns;
  const bases = new Int32Array(table.count).fill(NONE);
  for (let base = 0; base < table.count; base++) {
    let child = firstChild[base] as number;
    for (; child !== NONE; child = nextSibling[child] as number) bases[child] = base;
  }
  return bases;
}

function readObject(
  reader: EntryReader,
  offsets: Float64Array,
  bases: Int32Array,
  entry: number,
): Uint8Array {
  const chain: number[] = [];
  for (let at = entry; at !== NONE; at = bases[at] as number) chain.push(at);
  const sizes: DeltaSizes = { baseBytes: 0, targetBytes: 0, instructions: 0 };
  let object = readEntry(reader, offsets[chain.pop() as number] as number);
  for (let at = chain.pop(); at !== undefined; at = chain.pop()) {
    const delta = readEntry(reader, offsets[at] as number);
    readDeltaSizes(delta, 0, delta.length, sizes);
    const target = new Uint8Array(sizes.targetBytes);
    applyDelta(object, 0, object.length, delta, sizes.instructions, delta.length, target, 0, target.length);
    object = target;
  }
  return object;
}

function readEntry(reader: EntryReader, offset: number): Uint8Array {
  reader.open(offset);
  const { sizeBytes } = reader.header;
  const bytes = new Uint8Array(sizeBytes + 1);
  reader.inflateInto(bytes, 0);
  return bytes.subarray(0, sizeBytes);
}
