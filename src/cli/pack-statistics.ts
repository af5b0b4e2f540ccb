/**
 * The listing of `verify-pack -v`: one line an object in pack order, then how long the delta chains are.
 *
 * @module
 */
import { bytesToHex } from '../core/object-id.ts';
import { kindOfCode, OFS_DELTA, REF_DELTA } from '../core/object-kind.ts';
import { createEntryHeader, MAX_ENTRY_HEADER_BYTES, parseEntryHeader } from '../pack/entry-header.ts';
import type { IndexedPack } from '../pack/index-pack.ts';
import { RESOLVED_DELTA } from '../pack/object-table.ts';
import type { RandomAccessFile } from '../pack/stored-pack.ts';

/**
 * Lines as git prints them, each with its newline, made as they are read.
 *
 * @param objectLines false gives the summary alone
 */
export function* formatPackStatistics(
  pack: IndexedPack,
  file: RandomAccessFile,
  objectLines: boolean,
): Generator<string, undefined> {
  const { table, sizeBytes, objectCount } = pack;
  const { ids, offsets, types, idBytes } = table.columns;
  const entriesEnd = sizeBytes - idBytes;
  const header = createEntryHeader();
  const bytes = new Uint8Array(MAX_ENTRY_HEADER_BYTES);
  const bases = baseEntries(pack, file);
  const depths = chainDepths(bases);
  /** How many objects hang at each depth; [0] are whole. */
  const chains: number[] = [];

  for (let entry = 0; entry < objectCount; entry++) {
    const depth = depths[entry] as number;
    chains[depth] = (chains[depth] ?? 0) + 1;
    if (!objectLines) continue;
    const offset = offsets[entry] as number;
    const end = entry + 1 < objectCount ? (offsets[entry + 1] as number) : entriesEnd;
    const length = file.readInto(offset, bytes, 0, Math.min(bytes.length, entriesEnd - offset));
    parseEntryHeader(bytes, 0, length, idBytes, header);
    const id = bytesToHex(ids, entry * idBytes, idBytes);
    const kind = (kindOfCode((types[entry] as number) % RESOLVED_DELTA) ?? '').padEnd(6);
    const base =
      depth === 0 ? '' : ` ${depth} ${bytesToHex(ids, (bases[entry] as number) * idBytes, idBytes)}`;
    yield `${id} ${kind} ${header.sizeBytes} ${end - offset} ${offset}${base}\n`;
  }
  yield* formatChains(chains);
}

function* formatChains(chains: readonly number[]): Generator<string, undefined> {
  const objects = (count: number): string => `${count} ${count === 1 ? 'object' : 'objects'}`;
  if (chains[0] !== undefined) yield `non delta: ${objects(chains[0])}\n`;
  for (let depth = 1; depth < chains.length; depth++) {
    const count = chains[depth];
    if (count !== undefined) yield `chain length = ${depth}: ${objects(count)}\n`;
  }
}

const WHOLE = -1;

/** The entry each entry is a delta against; {@link WHOLE} for one that is none. */
function baseEntries({ table, sizeBytes, objectCount }: IndexedPack, file: RandomAccessFile): Int32Array {
  const { ids, offsets, idBytes } = table.columns;
  const entriesEnd = sizeBytes - idBytes;
  const header = createEntryHeader();
  const bytes = new Uint8Array(MAX_ENTRY_HEADER_BYTES);
  const bases = new Int32Array(objectCount).fill(WHOLE);
  let byId: Map<string, number> | undefined;
  for (let entry = 0; entry < objectCount; entry++) {
    const offset = offsets[entry] as number;
    const length = file.readInto(offset, bytes, 0, Math.min(bytes.length, entriesEnd - offset));
    parseEntryHeader(bytes, 0, length, idBytes, header);
    if (header.type === OFS_DELTA) bases[entry] = table.entryAt(offset - header.baseDistance);
    if (header.type === REF_DELTA) {
      // Packs on disk rarely have any; then a map over all ids is worth its memory.
      byId ??= entriesById(ids, idBytes, objectCount);
      bases[entry] = byId.get(bytesToHex(bytes, header.headerBytes - idBytes, idBytes)) ?? WHOLE;
    }
  }
  return bases;
}

function entriesById(ids: Uint8Array, idBytes: number, count: number): Map<string, number> {
  const entries = new Map<string, number>();
  for (let entry = 0; entry < count; entry++) entries.set(bytesToHex(ids, entry * idBytes, idBytes), entry);
  return entries;
}

/** Links from each entry to a whole object. A base may stand before its deltas or, named by id, after them. */
function chainDepths(bases: Int32Array): Int32Array {
  const UNKNOWN = -1;
  const depths = new Int32Array(bases.length).fill(UNKNOWN);
  const chain: number[] = [];
  for (let entry = 0; entry < bases.length; entry++) {
    let at = entry;
    while (depths[at] === UNKNOWN && bases[at] !== WHOLE) {
      chain.push(at);
      at = bases[at] as number;
    }
    if (depths[at] === UNKNOWN) depths[at] = 0;
    let depth = depths[at] as number;
    for (let link = chain.pop(); link !== undefined; link = chain.pop()) depths[link] = ++depth;
  }
  return depths;
}
