/**
 * The packed refs of a repository as clients are shown them: which of them, and their packets one after another, so
 * that those of a prefix are one run of bytes.
 *
 * @module
 */
import type { ObjectId } from '../../core/object-id.ts';
import { Pace } from '../../core/pace.ts';
import type { ObjectReader } from '../../odb/object-database.ts';
import type { PackedRefs } from '../../refs/packed-refs.ts';
import { compareRefNames } from '../../refs/ref-name.ts';
import { isHiddenRef } from '../hidden-refs.ts';
import { PacketBuffer } from '../packet-buffer.ts';
import type { ShownRef } from '../ref-snapshot.ts';
import type { TagPeeler } from '../tag-peeler.ts';
import { IdPositions } from './id-positions.ts';
import { appendRefLine, type LineStyle } from './ref-line.ts';

/** Encoded refs: that at index i is `bytes[starts[i], starts[i + 1])`, empty when it is not shown. */
interface PackedLines {
  readonly bytes: Uint8Array;
  readonly starts: Uint32Array;
}

export class PackedShownRefs {
  readonly packed: PackedRefs;
  /** Indices of shown refs whose objects the database does not have. */
  readonly missing: readonly number[];
  readonly #isShown: Uint8Array;
  /** Of tags of which packed-refs does not say what they point at, by index. */
  readonly #peeled: ReadonlyMap<number, ObjectId>;
  readonly #lines = new Map<string, PackedLines>();
  #positions: IdPositions | undefined;

  private constructor(
    packed: PackedRefs,
    isShown: Uint8Array,
    peeled: ReadonlyMap<number, ObjectId>,
    missing: readonly number[],
  ) {
    this.packed = packed;
    this.#isShown = isShown;
    this.#peeled = peeled;
    this.missing = missing;
  }

  /** Look at every ref once: is it hidden, and does `reader` have its object? */
  static async choose(
    packed: PackedRefs,
    hiddenRefs: readonly string[],
    reader: ObjectReader,
    peeler: TagPeeler,
  ): Promise<PackedShownRefs> {
    const isShown = new Uint8Array(packed.count);
    const peeled = new Map<number, ObjectId>();
    const missing: number[] = [];
    const pace = new Pace(undefined);
    for (let index = 0; index < packed.count; index++) {
      if (pace.isDue()) await pace.rest();
      const ref = packed.at(index);
      if (!ref.name.startsWith('refs/') || isHiddenRef(ref.name, hiddenRefs)) continue;
      isShown[index] = 1;
      if (!reader.has(ref.id)) missing.push(index);
      if (ref.peeled !== undefined || packed.isPeeled(ref.name)) continue;
      const end = peeler.peel(ref.id);
      if (end !== undefined) peeled.set(index, end);
    }
    return new PackedShownRefs(packed, isShown, peeled, missing);
  }

  /** Memory it takes, the refs themselves not counted. */
  get bytes(): number {
    let sum = this.#isShown.length + (this.#positions?.bytes ?? 0);
    for (const { bytes, starts } of this.#lines.values()) sum += bytes.length + starts.byteLength;
    return sum;
  }

  /** The ref at `index`; `undefined` when it is not shown. */
  at(index: number): ShownRef | undefined {
    if (this.#isShown[index] !== 1) return undefined;
    const { name, id, peeled } = this.packed.at(index);
    return { name, id, peeled: peeled ?? this.#peeled.get(index) };
  }

  /** The packets of the refs at `[from, to)`: a view. */
  async lines(from: number, to: number, style: LineStyle): Promise<Uint8Array> {
    const key = `${style.protocol} ${style.peel}`; // none of these is symbolic
    let lines = this.#lines.get(key);
    if (lines === undefined) {
      lines = await this.#encode(style);
      this.#lines.set(key, lines);
    }
    return lines.bytes.subarray(lines.starts[from], lines.starts[to]);
  }

  /** The ref of this name; `undefined` when there is none, or it is not shown. */
  find(name: string): ShownRef | undefined {
    const index = this.packed.lowerBound(name);
    return index < this.packed.count && this.packed.nameAt(index) === name ? this.at(index) : undefined;
  }

  /** The index of some shown ref with this id, or -1. */
  async findId(id: ObjectId): Promise<number> {
    this.#positions ??= await IdPositions.of(this.packed, this.#isShown);
    return this.#positions.find(id);
  }

  /** Where refs stand that are not in `later`, or hold something else there; `undefined` for each of the others. */
  *placesElsewhereIn({ packed: later }: PackedShownRefs): Generator<number | undefined> {
    let next = 0; // both are in the order of names
    for (let index = 0; index < this.packed.count; index++) {
      const name = this.packed.nameAt(index);
      while (next < later.count && compareRefNames(later.nameAt(next), name) < 0) next++;
      const isSame =
        next < later.count && later.nameAt(next) === name && later.idAt(next) === this.packed.idAt(index);
      yield isSame ? undefined : index;
    }
  }

  async #encode(style: LineStyle): Promise<PackedLines> {
    const { count } = this.packed;
    const starts = new Uint32Array(count + 1);
    const packets = new PacketBuffer();
    const pace = new Pace(undefined);
    for (let index = 0; index < count; index++) {
      if (pace.isDue()) await pace.rest();
      starts[index] = packets.sizeBytes;
      const ref = this.at(index);
      if (ref !== undefined) appendRefLine(packets, ref, style);
    }
    starts[count] = packets.sizeBytes;
    return { bytes: packets.take().slice(), starts };
  }
}
