/**
 * What delta searches of earlier packs have found, so that the next fetch of nearly the same objects need not search again.
 *
 * It is told by ids alone: what delta leads from one object's content to another's never changes.
 *
 * @module
 */
import { type Evictable, warmMemory } from '../../core/memory-budget.ts';
import type { ObjectFormat } from '../../core/object-id.ts';
import { onePer } from '../../core/one-per.ts';
import type { ObjectDatabase } from '../../odb/object-database.ts';
import { IdTable } from '../id-table.ts';

/** Pairs of objects kept of one repository, some 70 bytes each; then all are forgotten. */
const MOST_PAIRS = 100_000;
/** Bytes of deflated deltas kept of one repository; then all are forgotten. */
const MOST_DEFLATED_BYTES = 16 * 1024 * 1024;
/** Longer ones are made again. */
const MOST_DELTA_BYTES = 64 * 1024;
const FIRST_PAIRS = 256;
const FIRST_BYTES = 64 * 1024;
const BYTES_A_SLOT = 8;

/** In {@link MadeDeltas.outcomeOf}: nobody has tried. */
export const UNTRIED = 0;

export class MadeDeltas implements Evictable {
  readonly #format: ObjectFormat;
  readonly #key: Uint8Array;
  #pairs: IdTable;
  #outcomes = new Int32Array(FIRST_PAIRS);
  /** Where the deflated delta of each pair begins, and its length: 0 when it is not kept. */
  #starts = new Uint32Array(FIRST_PAIRS);
  #lengths = new Uint32Array(FIRST_PAIRS);
  #deflated = new Uint8Array(0);
  #used = 0;
  #isCounted = false;

  constructor(format: ObjectFormat) {
    this.#format = format;
    this.#key = new Uint8Array(2 * format.idBytes);
    this.#pairs = this.#newPairs();
  }

  get bytes(): number {
    const columns = this.#outcomes.byteLength + this.#starts.byteLength + this.#lengths.byteLength;
    return (
      this.#pairs.ids.byteLength + BYTES_A_SLOT * this.#outcomes.length + columns + this.#deflated.length
    );
  }

  evict(): void {
    this.#isCounted = false;
    this.#pairs = this.#newPairs();
    this.#outcomes = new Int32Array(FIRST_PAIRS);
    this.#starts = new Uint32Array(FIRST_PAIRS);
    this.#lengths = new Uint32Array(FIRST_PAIRS);
    this.#deflated = new Uint8Array(0);
    this.#used = 0;
  }

  /**
   * What came of a search for a delta that makes the target from the base.
   *
   * @returns its length in bytes; below zero, `-n`: it takes more than n - 1 bytes; or {@link UNTRIED}
   */
  outcomeOf(targetIds: Uint8Array, targetAt: number, baseIds: Uint8Array, baseAt: number): number {
    const pair = this.#find(targetIds, targetAt, baseIds, baseAt);
    return pair < 0 ? UNTRIED : (this.#outcomes[pair] as number);
  }

  /** @param outcome as {@link outcomeOf} returns it from now on */
  note(targetIds: Uint8Array, targetAt: number, baseIds: Uint8Array, baseAt: number, outcome: number): void {
    this.#setKey(targetIds, targetAt, baseIds, baseAt);
    if (this.#pairs.size === MOST_PAIRS && this.#pairs.find(this.#key, 0) < 0) this.evict();
    const pair = this.#pairs.add(this.#key, 0);
    if (pair === this.#outcomes.length) this.#grow();
    this.#outcomes[pair] = outcome;
  }

  /** A view of the deflated delta, until the next is kept; `undefined` when it is not kept. */
  deflatedOf(
    targetIds: Uint8Array,
    targetAt: number,
    baseIds: Uint8Array,
    baseAt: number,
  ): Uint8Array | undefined {
    const pair = this.#find(targetIds, targetAt, baseIds, baseAt);
    const length = pair < 0 ? 0 : (this.#lengths[pair] as number);
    if (length === 0) return undefined;
    const start = this.#starts[pair] as number;
    return this.#deflated.subarray(start, start + length);
  }

  /** Keep a delta of which an outcome was noted, and count all that is kept. */
  keepDeflated(targetId: Uint8Array, baseId: Uint8Array, deflated: Uint8Array): void {
    if (deflated.length > MOST_DELTA_BYTES) return;
    if (this.#used + deflated.length > MOST_DEFLATED_BYTES) this.evict();
    const pair = this.#find(targetId, 0, baseId, 0);
    if (pair < 0 || this.#lengths[pair] !== 0) return;
    const end = this.#used + deflated.length;
    if (end > this.#deflated.length) {
      const longer = new Uint8Array(Math.min(MOST_DEFLATED_BYTES, Math.max(FIRST_BYTES, 2 * end)));
      longer.set(this.#deflated.subarray(0, this.#used));
      this.#deflated = longer;
    }
    this.#deflated.set(deflated, this.#used);
    this.#starts[pair] = this.#used;
    this.#lengths[pair] = deflated.length;
    this.#used = end;
  }

  /** It was used, and may have grown. */
  settle(): void {
    if (!this.#isCounted) this.#isCounted = warmMemory.register(this);
    else warmMemory.resize(this);
  }

  #find(targetIds: Uint8Array, targetAt: number, baseIds: Uint8Array, baseAt: number): number {
    this.#setKey(targetIds, targetAt, baseIds, baseAt);
    return this.#pairs.find(this.#key, 0);
  }

  #setKey(targetIds: Uint8Array, targetAt: number, baseIds: Uint8Array, baseAt: number): void {
    const { idBytes } = this.#format;
    const key = this.#key;
    for (let i = 0; i < idBytes; i++) {
      key[2 * i] = targetIds[targetAt + i] as number;
      key[2 * i + 1] = baseIds[baseAt + i] as number;
    }
  }

  #grow(): void {
    const capacity = 2 * this.#outcomes.length;
    const outcomes = new Int32Array(capacity);
    outcomes.set(this.#outcomes);
    this.#outcomes = outcomes;
    const starts = new Uint32Array(capacity);
    starts.set(this.#starts);
    this.#starts = starts;
    const lengths = new Uint32Array(capacity);
    lengths.set(this.#lengths);
    this.#lengths = lengths;
  }

  #newPairs(): IdTable {
    return new IdTable({ ...this.#format, idBytes: 2 * this.#format.idBytes }, MOST_PAIRS);
  }
}

/** What is known of the objects of a database. */
export const madeDeltasOf = onePer(({ format }: ObjectDatabase) => new MadeDeltas(format));
