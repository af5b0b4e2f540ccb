/**
 * Who takes part in the delta search, and in which order: objects that look alike side by side.
 *
 * @module
 */
import { BLOB, codeOfKind, OFS_DELTA, TREE } from '../../core/object-kind.ts';
import type { ObjectReader } from '../../odb/object-database.ts';
import { createEntryHeader, parseEntryHeader } from '../../pack/entry-header.ts';
import type { StoredPack } from '../../pack/stored-pack.ts';
import type { ObjectSelection } from '../object-selection.ts';
import type { Pace } from '../pace.ts';
import { openEntryWindows } from './entry-windows.ts';
import { entryCorrupt, objectMissing } from './pack-errors.ts';
import { COPY, ENCODE, FIRST_PREFERRED, type PackPlan } from './pack-plan.ts';

/** Below this a delta saves nothing. git: the same. */
const LEAST_BYTES = 50;

/** In {@link DeltaCandidates.targets}: serves as a base, needs no delta itself. */
export const BASE_ONLY = -1;

const ITEMS_BETWEEN_CLOCKS = 64;

/** The encoded objects of a plan, by position ascending, and the candidates of the search. */
export interface DeltaCandidates {
  /** Positions of everything to be encoded, ascending. */
  readonly encoded: Uint32Array;
  /** Content bytes of each of these. */
  readonly encodedBytes: Float64Array;

  readonly count: number;
  /** How many candidates want a base; the others only serve as one. */
  readonly targetCount: number;
  /** Candidates in the order of the search: by kind, name hash, then size from large to small. */
  readonly order: Uint32Array;
  /** Per candidate: a position, or `FIRST_PREFERRED - n` for the selection's preferred base n. */
  readonly sources: Int32Array;
  /** Per candidate: its index in {@link encoded}, or {@link BASE_ONLY}. */
  readonly targets: Int32Array;
  readonly kinds: Uint8Array;
  readonly sizes: Float64Array;
}

/**
 * Collect the candidates. Beside the objects to be encoded, these are trees and blobs of the same names that are
 * sent whole as they are stored, and preferred bases.
 *
 * Reused deltas never take part: a new delta upon one could close a cycle.
 *
 * @param mostBytes larger objects are left out
 */
export async function collectCandidates(
  reader: ObjectReader,
  selection: ObjectSelection,
  plan: PackPlan,
  options: { readonly thin: boolean; readonly mostBytes: number },
  pace: Pace,
): Promise<DeltaCandidates> {
  const { idBytes } = selection.format;
  const encoded = new Uint32Array(plan.encodeCount);
  const encodedBytes = new Float64Array(plan.encodeCount);
  const found = new CandidateTable(plan.encodeCount);
  const names = new NameFilter();

  let next = 0;
  for (let position = 0; position < plan.count; position++) {
    if (plan.actions[position] !== ENCODE) continue;
    if (next % ITEMS_BETWEEN_CLOCKS === 0 && pace.isDue()) await pace.rest();
    const object = plan.order[position] as number;
    const header = reader.readHeaderRaw(selection.ids, object * idBytes);
    if (header === undefined) throw objectMissing(selection.format, selection.ids, object * idBytes);
    encoded[next] = position;
    encodedBytes[next] = header.sizeBytes;
    if (header.sizeBytes >= LEAST_BYTES && header.sizeBytes <= options.mostBytes) {
      const kind = codeOfKind(header.kind);
      const nameHash = selection.nameHashes[object] as number;
      found.add(position, next, kind, nameHash, header.sizeBytes);
      names.add(kind, nameHash);
    }
    next++;
  }
  const targetCount = found.count;
  if (targetCount > 0) {
    await addWholeEntries(reader, selection, plan, options.mostBytes, names, found, pace);
    if (options.thin) await addPreferredBases(reader, selection, options.mostBytes, names, found, pace);
  }
  return { encoded, encodedBytes, targetCount, ...found.sorted() };
}

async function addWholeEntries(
  reader: ObjectReader,
  selection: ObjectSelection,
  plan: PackPlan,
  mostBytes: number,
  names: NameFilter,
  found: CandidateTable,
  pace: Pace,
): Promise<void> {
  const header = createEntryHeader();
  for (let pack = 0; pack < reader.packs.length; pack++) {
    const { file, name } = reader.packs[pack] as StoredPack;
    const windows = openEntryWindows(file);
    const end = plan.packStarts[pack + 1] as number;
    for (let position = plan.packStarts[pack] as number; position < end; position++) {
      if (position % ITEMS_BETWEEN_CLOCKS === 0 && pace.isDue()) await pace.rest();
      const object = plan.order[position] as number;
      const kind = selection.kinds[object] as number;
      const nameHash = selection.nameHashes[object] as number;
      // Commits and tags all share the name hash 0 and delta badly.
      if (plan.actions[position] !== COPY || (kind !== TREE && kind !== BLOB)) continue;
      if (!names.has(kind, nameHash)) continue;
      const offset = plan.offsets[position] as number;
      windows.seek(offset);
      if (!parseEntryHeader(windows.bytes, windows.at, windows.end, selection.format.idBytes, header)) {
        throw entryCorrupt(name, offset, 'its header is cut off');
      }
      if (header.type >= OFS_DELTA || header.sizeBytes < LEAST_BYTES || header.sizeBytes > mostBytes)
        continue;
      found.add(position, BASE_ONLY, kind, nameHash, header.sizeBytes);
    }
  }
}

async function addPreferredBases(
  reader: ObjectReader,
  selection: ObjectSelection,
  mostBytes: number,
  names: NameFilter,
  found: CandidateTable,
  pace: Pace,
): Promise<void> {
  const { preferredBases, preferredBaseKinds, preferredBaseNameHashes } = selection;
  const { idBytes } = selection.format;
  for (let n = 0; n < preferredBaseKinds.length; n++) {
    if (n % ITEMS_BETWEEN_CLOCKS === 0 && pace.isDue()) await pace.rest();
    const kind = preferredBaseKinds[n] as number;
    const nameHash = preferredBaseNameHashes[n] as number;
    if (!names.has(kind, nameHash)) continue;
    // The receiver has it; that we have it too is usual, not certain (a repository with missing objects).
    const header = reader.readHeaderRaw(preferredBases, n * idBytes);
    if (header === undefined || header.sizeBytes < LEAST_BYTES || header.sizeBytes > mostBytes) continue;
    found.add(FIRST_PREFERRED - n, BASE_ONLY, kind, nameHash, header.sizeBytes);
  }
}

/** Which names occur among the objects to be encoded: an answer of `true` may be wrong, `false` never is. */
class NameFilter {
  readonly #bits = new Uint8Array(0x10000);

  add(kind: number, nameHash: number): void {
    this.#bits[(nameHash ^ (nameHash >>> 16)) & 0xffff]! |= 1 << kind;
  }

  has(kind: number, nameHash: number): boolean {
    return ((this.#bits[(nameHash ^ (nameHash >>> 16)) & 0xffff] as number) & (1 << kind)) !== 0;
  }
}

class CandidateTable {
  count = 0;
  #sources: Int32Array;
  #targets: Int32Array;
  #kinds: Uint8Array;
  #nameHashes: Uint32Array;
  #sizes: Float64Array;

  constructor(room: number) {
    this.#sources = new Int32Array(room);
    this.#targets = new Int32Array(room);
    this.#kinds = new Uint8Array(room);
    this.#nameHashes = new Uint32Array(room);
    this.#sizes = new Float64Array(room);
  }

  add(source: number, target: number, kind: number, nameHash: number, sizeBytes: number): void {
    if (this.count === this.#sources.length) this.#grow();
    this.#sources[this.count] = source;
    this.#targets[this.count] = target;
    this.#kinds[this.count] = kind;
    this.#nameHashes[this.count] = nameHash;
    this.#sizes[this.count] = sizeBytes;
    this.count++;
  }

  sorted(): Pick<DeltaCandidates, 'count' | 'order' | 'sources' | 'targets' | 'kinds' | 'sizes'> {
    const kinds = this.#kinds;
    const nameHashes = this.#nameHashes;
    const sizes = this.#sizes;
    const targets = this.#targets;
    const order = Uint32Array.from({ length: this.count }, (_, candidate) => candidate);
    order.sort(
      (a, b) =>
        (kinds[a] as number) - (kinds[b] as number) ||
        (nameHashes[a] as number) - (nameHashes[b] as number) ||
        // What only serves as a base goes first among its likes, so that the others can make use of it.
        Number(targets[a] !== BASE_ONLY) - Number(targets[b] !== BASE_ONLY) ||
        (sizes[b] as number) - (sizes[a] as number) ||
        a - b,
    );
    return { count: this.count, order, sources: this.#sources, targets, kinds, sizes };
  }

  #grow(): void {
    const room = 2 * this.count + 64;
    this.#sources = grown(this.#sources, new Int32Array(room));
    this.#targets = grown(this.#targets, new Int32Array(room));
    this.#kinds = grown(this.#kinds, new Uint8Array(room));
    this.#nameHashes = grown(this.#nameHashes, new Uint32Array(room));
    this.#sizes = grown(this.#sizes, new Float64Array(room));
  }
}

function grown<T extends { set(from: T): void }>(from: T, to: T): T {
  to.set(from);
  return to;
}
