/**
 * Trees of deltas that are worth to be begun with.
 *
 * One tree of deltas is the work of one thread. A pack of many versions of one large file has most of its work in a
 * few trees: begun last, they leave the other threads idle. (`bench:pack` of isomorphic-git pays for this.)
 *
 * @module
 */

/** Objects smaller than this are not looked at: trees of many small ones are found early by their number. */
const HEAVY_OBJECT_BYTES = 256 * 1024;
/** What makes a tree heavy: some ten milliseconds of work. */
const HEAVY_TREE_BYTES = 8 * 1024 * 1024;
/** Objects remembered, so that memory does not grow with the pack. */
const MOST_OBJECTS = 16_384;

/** Told of large objects in the order of the pack, where a base stands before its deltas. */
export class HeavyTrees {
  readonly #rootOf = new Map<number, number>();
  readonly #bytesOf = new Map<number, number>();

  /** A whole object of the pack. */
  addWhole(entry: number, sizeBytes: number): void {
    if (sizeBytes >= HEAVY_OBJECT_BYTES) this.#remember(entry, entry);
  }

  /** An object that will be made from another of the pack. */
  addDelta(entry: number, base: number, sizeBytes: number): void {
    if (sizeBytes < HEAVY_OBJECT_BYTES) return;
    const root = this.#rootOf.get(base);
    if (root === undefined) return;
    this.#remember(entry, root);
    this.#bytesOf.set(root, (this.#bytesOf.get(root) ?? 0) + sizeBytes);
  }

  /** The whole objects under which most is to be made, most first. */
  roots(): Int32Array {
    const heavy = [...this.#bytesOf].filter(([, sizeBytes]) => sizeBytes >= HEAVY_TREE_BYTES);
    return Int32Array.from(heavy.sort(([, a], [, b]) => b - a).map(([root]) => root));
  }

  #remember(entry: number, root: number): void {
    if (this.#rootOf.size < MOST_OBJECTS) this.#rootOf.set(entry, root);
  }
}
