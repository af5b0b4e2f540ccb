/**
 * Where objects lie in the pack being written, as far as it is written.
 *
 * @module
 */
import { CopiedRuns } from './copied-runs.ts';
import type { WritePlan } from './write-plan.ts';

export class WrittenOffsets {
  readonly #plan: WritePlan;
  /** By slot; 0 for what is not written yet. */
  readonly #offsets: Float64Array;
  /** By pack of which entries are copied. */
  readonly #copied = new Map<number, CopiedRuns>();

  constructor(plan: WritePlan) {
    this.#plan = plan;
    this.#offsets = new Float64Array(plan.slotCount);
    for (const { pack } of plan.copied) this.#copied.set(pack, new CopiedRuns());
  }

  set(slot: number, offset: number): void {
    this.#offsets[slot] = offset;
  }

  /** Of a pack of which entries are copied: filled in by whoever copies them. */
  runsOf(pack: number): CopiedRuns {
    return this.#copied.get(pack) as CopiedRuns;
  }

  /** Where a slot or an outside base lies; 0 if it is not written, or never will be. */
  get(base: number): number {
    const { slotCount, outside } = this.#plan;
    if (base < slotCount) return this.#offsets[base] as number;
    const pack = outside.packs[base - slotCount] as number;
    const offset = outside.offsets[base - slotCount] as number;
    const moved = pack < 0 ? Number.NaN : this.runsOf(pack).movedAt(offset);
    return Number.isNaN(moved) ? 0 : offset + moved;
  }
}
