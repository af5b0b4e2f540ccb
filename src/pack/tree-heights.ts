/**
 * Whether the trees of a pack nest no deeper than is allowed, without reading them again.
 *
 * Known are the subtrees that each tree names, except those it shares with the tree it was made from. So its height is
 * at most that of its base, or one more than that of a subtree it names itself. A few passes over these pairs find
 * numbers that fit; where they do not (subtrees made from trees above them may go in circles), nothing is said.
 *
 * @module
 */
import { NONE, type ObjectColumns } from './object-table.ts';

/** Parents mostly come before their subtrees in a pack, so going backwards two or three passes do. */
const MOST_PASSES = 20;
/** More pairs than these are not looked at: 64 MB. */
const MOST_PAIRS = 8_388_608;
const FIRST_PAIRS = 4096;

export class TreeHeights {
  /** Tree and subtree, as entries of the pack. */
  #pairs = new Int32Array(2 * FIRST_PAIRS);
  #count = 0;
  #isWhole = true;

  /** Tree `entry` names the subtree `subtree`. */
  add(entry: number, subtree: number): void {
    if (this.#count * 2 === this.#pairs.length) {
      if (this.#count >= MOST_PAIRS) {
        this.#isWhole = false;
        return;
      }
      const grown = new Int32Array(this.#pairs.length * 2);
      grown.set(this.#pairs);
      this.#pairs = grown;
    }
    const at = this.#count++ * 2;
    this.#pairs[at] = entry;
    this.#pairs[at + 1] = subtree;
  }

  /**
   * Pass after pass.
   *
   * @returns after each, whether all heights are below `most`; `undefined` while that is not known
   */
  *areBelow(
    most: number,
    { firstChild, nextSibling }: ObjectColumns,
    objectCount: number,
  ): Generator<boolean | undefined, void> {
    const heights = new Uint16Array(objectCount);
    const pairs = this.#pairs;
    for (let pass = 0; this.#isWhole && pass < MOST_PASSES; pass++) {
      let changed = false;
      for (let at = (this.#count - 1) * 2; at >= 0; at -= 2) {
        const entry = pairs[at] as number;
        const height = (heights[pairs[at + 1] as number] as number) + 1;
        if (height <= (heights[entry] as number)) continue;
        if (height >= most) {
          yield false;
          return;
        }
        heights[entry] = height;
        changed = true;
      }
      for (let base = 0; base < objectCount; base++) {
        const height = heights[base] as number;
        if (height === 0) continue;
        for (let delta = firstChild[base] as number; delta !== NONE; delta = nextSibling[delta] as number) {
          if (height <= (heights[delta] as number)) continue;
          heights[delta] = height;
          changed = true;
        }
      }
      yield changed ? undefined : true;
      if (!changed) return;
    }
    yield false;
  }
}
