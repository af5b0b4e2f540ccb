/**
 * What becomes of each selected object: stored bytes copied, a stored delta given another base, or encoded anew.
 *
 * Objects are put in *positions*: those in packs by pack and offset, then the loose ones. So stored bytes are read
 * front to back, and what OFS_DELTA entries name comes before them.
 *
 * An object is always taken from the first pack that has it. A stored delta's base lies in the delta's own pack, so
 * the copy taken of it lies in that pack or one before: following reused deltas never leads to a later pack,
 * and inside one pack git's own deltas have no cycles. Hence reused deltas have none.
 *
 * Objects in copied parts have no positions: they come first in the pack, and nothing in them is a delta of anything
 * else that is sent.
 *
 * @module
 */

import type { StoredPack } from '../../pack/stored-pack.ts';
import { CopiedObjects, type CopiedPart } from './copied-part.ts';

/** The entry is copied as it is stored: a whole object, or a REF_DELTA that stays one. */
export const COPY = 0;
/** Stored as OFS_DELTA, its base selected from the same pack: copied as it is unless its distance changes. */
export const KEEP_DELTA = 1;
/** A stored delta whose base is selected: its instructions are copied behind a new header. */
export const REBASE_DELTA = 2;
/** Stored as OFS_DELTA, its base at the receiver only: sent as REF_DELTA, which makes the pack thin. */
export const THIN_DELTA = 3;
/** Nothing stored can be sent: loose, or a delta whose base the receiver will not have. */
export const ENCODE = 4;

/** In {@link PackPlan.bases}: no base. Below it: `FIRST_PREFERRED - n` is the selection's preferred base n. */
export const NO_BASE = -1;
export const FIRST_PREFERRED = -2;

/** Tables by position, about 21 bytes an object. */
export interface PackPlan {
  /** Objects that have positions: the listed ones. */
  readonly count: number;
  /** Number in the selection of the object at each position. */
  readonly order: Uint32Array;
  /** Where the entry lies in its pack; 0 for loose objects. */
  readonly offsets: Float64Array;
  /** Positions of pack p: from `packStarts[p]` to `packStarts[p + 1]`; after the last pack come loose objects. */
  readonly packStarts: Uint32Array;
  /** Packs of which every entry is sent as it is: one for yes. Their actions and bases are not filled in. */
  readonly copiedPacks: Uint8Array;
  readonly actions: Uint8Array;
  /**
   * Position of the delta's base, or `count + n` for the copied base n; for what is encoded, {@link NO_BASE} until the
   * delta search says otherwise.
   */
  readonly bases: Int32Array;
  readonly copiedBases: CopiedBases;
  /** Stored deltas that are sent, those of copied packs not counted. */
  readonly reusedDeltaCount: number;
}

export interface PlanOptions {
  /** Deltas against objects that only the receiver has are allowed. */
  readonly thin: boolean;
  /** The receiver reads OFS_DELTA. */
  readonly ofsDelta: boolean;
}

/** Objects in copied parts that are bases of stored deltas outside these. */
export class CopiedBases {
  readonly copied: readonly CopiedPart[];
  readonly packs: number[] = [];
  readonly offsets: number[] = [];
  readonly #objects: CopiedObjects;
  readonly #numbers = new Map<string, number>();

  constructor(packs: readonly StoredPack[], copied: readonly CopiedPart[]) {
    this.copied = copied;
    this.#objects = new CopiedObjects(packs, copied);
  }

  /** The number of the base whose id is at `ids[at]`, or -1 when it is not copied. */
  numberOf(ids: Uint8Array, at: number): number {
    if (this.copied.length === 0 || !this.#objects.find(ids, at)) return -1;
    const { pack, offset } = this.#objects;
    const key = `${pack} ${offset}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.packs.length;
    this.#numbers.set(key, number);
    this.packs.push(pack);
    this.offsets.push(offset);
    return number;
  }
}
