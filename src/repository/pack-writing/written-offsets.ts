/**
 * Where objects lie in the pack being written, as far as it is written.
 *
 * @module
 */
import type { WritePlan } from './write-plan.ts';

export class WrittenOffsets {
  readonly #plan: WritePlan;
  /** By slot; 0 for what is not written yet. */
  readonly #offsets: Float64Array;
  /** By copied pack: what to add to an offset in it, or NaN before its turn. */
  readonly #moved: Float64Array;

  constructor(plan: WritePlan) {
    this.#plan = plan;
    this.#offsets = new Float64Array(plan.slotCount);
    this.#moved = new Float64Array(plan.copiedPacks.length).fill(Number.NaN);
  }

  set(slot: number, offset: number): void {
    this.#offsets[slot] = offset;
  }

  /** All entries of a copied pack, at their own offsets plus `moved`. */
  setCopied(pack: number, moved: number): void {
    this.#moved[pack] = moved;
  }

  /** Where a slot or an outside base lies; 0 if it is not written, or never will be. */
  get(base: number): number {
    const { slotCount, outside } = this.#plan;
    if (base < slotCount) return this.#offsets[base] as number;
    const pack = outside.packs[base - slotCount] as number;
    const moved = pack < 0 ? Number.NaN : (this.#moved[pack] as number);
    return Number.isNaN(moved) ? 0 : (outside.offsets[base - slotCount] as number) + moved;
  }
}
