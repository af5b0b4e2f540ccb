/**
 * Where the objects that were walked have their positions: looked up once, asked for twice.
 *
 * @module
 */

import type { Pace } from '../../core/pace.ts';
import type { Bitset } from '../../pack/bitset.ts';
import type { IdTable } from '../id-table.ts';
import type { ObjectTable } from '../object-table.ts';
import type { KnownReach } from './known-reach.ts';
import type { LearnedSet } from './learned-sets.ts';

const OBJECTS_BETWEEN_CLOCKS = 256;
/** Objects for each one outside. */
const MOST_INSIDE = 50;

export class WalkedPositions {
  readonly #known: KnownReach;
  readonly #walked: ObjectTable;
  #positions = new Int32Array(64);
  #count = 0;
  #outsideCount = 0;

  /** @param walked may grow between two calls */
  constructor(known: KnownReach, walked: ObjectTable) {
    this.#known = known;
    this.#walked = walked;
  }

  /** Look up what was walked since the last call. */
  async update(pace: Pace): Promise<void> {
    const { table } = this.#walked;
    if (this.#positions.length < table.size) {
      const longer = new Int32Array(Math.max(table.size, 2 * this.#positions.length));
      longer.set(this.#positions.subarray(0, this.#count));
      this.#positions = longer;
    }
    for (; this.#count < table.size; this.#count++) {
      if (this.#count % OBJECTS_BETWEEN_CLOCKS === 0 && pace.isDue()) await pace.rest();
      const position = this.#known.positionOf(table.ids, this.#count * table.idBytes);
      this.#positions[this.#count] = position;
      if (position < 0) this.#outsideCount++;
    }
  }

  /** Whether one object in fifty or more has no position. */
  get hasManyOutside(): boolean {
    return this.#outsideCount * MOST_INSIDE > this.#count;
  }

  /** The position of the n-th object walked, as of the last update; -1 when it has none. */
  at(number: number): number {
    return this.#positions[number] as number;
  }

  /**
   * What these commits reach, when that is what was walked and a set that was known.
   *
   * @param reached is kept; the walked objects are added
   */
  toSet(tips: IdTable, isSettled: boolean, reached: Bitset): LearnedSet {
    const { table, kinds, nameHashes } = this.#walked;
    const { idBytes } = table;
    const outside: number[] = [];
    for (let number = 0; number < this.#count; number++) {
      const position = this.at(number);
      if (position < 0) {
        outside.push(number);
        continue;
      }
      reached.add(position);
      this.#known.noteKind?.(position, kinds[number] as number);
    }
    const ids = new Uint8Array(outside.length * idBytes);
    for (const [i, number] of outside.entries()) {
      ids.set(table.ids.subarray(number * idBytes, (number + 1) * idBytes), i * idBytes);
    }
    return {
      tips,
      isSettled,
      positions: reached,
      outside: {
        count: outside.length,
        ids,
        kinds: Uint8Array.from(outside, (number) => kinds[number] as number),
        nameHashes: Uint32Array.from(outside, (number) => nameHashes[number] as number),
      },
    };
  }
}
