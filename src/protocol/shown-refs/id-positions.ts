/**
 * Finds packed refs by id: a hash table of positions, four bytes each.
 *
 * @module
 */
import type { ObjectId } from '../../core/object-id.ts';
import { Pace } from '../../core/pace.ts';
import type { PackedRefs } from '../../refs/packed-refs.ts';

/** Another one in each process, so that nobody can choose ids that all fall on one place. */
const MULTIPLIER = (Math.floor(Math.random() * 0x80000000) * 2 + 1) | 0;

export class IdPositions {
  readonly #packed: PackedRefs;
  /** Index of a ref and one, or 0; a power of two of them. */
  readonly #slots: Int32Array;
  readonly #shift: number;

  private constructor(packed: PackedRefs, bits: number) {
    this.#packed = packed;
    this.#slots = new Int32Array(1 << bits);
    this.#shift = 32 - bits;
  }

  /** @param isIncluded by index: 1 for those to be found */
  static async of(packed: PackedRefs, isIncluded: Uint8Array): Promise<IdPositions> {
    const bits = Math.max(4, Math.ceil(Math.log2(2 * (packed.count + 1))));
    const positions = new IdPositions(packed, bits);
    const pace = new Pace(undefined);
    for (let index = 0; index < packed.count; index++) {
      if (pace.isDue()) await pace.rest();
      if (isIncluded[index] === 1) positions.#add(index);
    }
    return positions;
  }

  get bytes(): number {
    return this.#slots.byteLength;
  }

  /** @returns the index of a ref that holds `id`, or -1 */
  find(id: ObjectId): number {
    return (this.#slots[this.#slotOf(id)] as number) - 1;
  }

  #add(index: number): void {
    const slot = this.#slotOf(this.#packed.idAt(index));
    if (this.#slots[slot] === 0) this.#slots[slot] = index + 1; // else: one ref of an id is enough
  }

  /** The slot that holds `id`, or the free one where it belongs. */
  #slotOf(id: ObjectId): number {
    const slots = this.#slots;
    let slot = Math.imul(Number.parseInt(id.slice(0, 8), 16), MULTIPLIER) >>> this.#shift;
    for (;;) {
      const index = (slots[slot] as number) - 1;
      if (index < 0 || this.#packed.idAt(index) === id) return slot;
      slot = (slot + 1) & (slots.length - 1);
    }
  }
}
