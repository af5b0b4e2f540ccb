/**
 * For each path, the tree scanned there last. Memory is reused as one version of a directory follows
 * another, and bounded as a whole.
 *
 * @module
 */

/** Paths remembered; others that fall on the same slot take each other's place, which costs time only. */
const SLOT_COUNT = 8192;
/** Bytes of remembered trees before all are forgotten. */
const MAX_REMEMBERED_BYTES = 8 * 1024 * 1024;
/** Room for a directory to grow before its memory is replaced, as a part of its size. */
const SLACK = 1 / 8;
const BYTES_PER_OFFSET = 4;

export interface ScannedTree {
  /** Content, its first `length` bytes. */
  data: Uint8Array;
  view: DataView;
  length: number;
  /** Where each entry begins, and after the last of them the length. */
  offsets: Int32Array;
  entryCount: number;
  /** The caller's: entries of this tree were handed out at this depth or a smaller one. */
  depth: number;
}

export class ScannedTrees {
  readonly #slots = new Array<ScannedTree | undefined>(SLOT_COUNT).fill(undefined);
  #bytes = 0;

  at(pathKey: number): ScannedTree | undefined {
    return this.#slots[pathKey & (SLOT_COUNT - 1)];
  }

  /**
   * Copy the tree at `bytes[start, end)`, whose entries begin at `offsets[0, entryCount)`.
   *
   * @returns the copy, which is kept unless it is too large to be
   */
  remember(
    pathKey: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    offsets: Int32Array,
    entryCount: number,
    depth: number,
  ): Uint8Array {
    const tree: ScannedTree = {
      data: NONE,
      view: NO_VIEW,
      length: 0,
      offsets: NO_OFFSETS,
      entryCount: 0,
      depth,
    };
    this.replace(tree, bytes, start, end, offsets, entryCount);
    const { data } = tree;
    const slot = pathKey & (SLOT_COUNT - 1);
    const present = this.#slots[slot];
    if (present !== undefined) this.#bytes -= sizeOf(present);
    if (this.#bytes > MAX_REMEMBERED_BYTES) {
      this.#slots.fill(undefined);
      this.#bytes = sizeOf(tree);
    }
    this.#slots[slot] = tree;
    return data;
  }

  /** Put another content in the place of a tree's. */
  replace(
    tree: ScannedTree,
    bytes: Uint8Array,
    start: number,
    end: number,
    offsets: Int32Array,
    entryCount: number,
  ): void {
    const before = sizeOf(tree);
    const length = end - start;
    if (length > tree.data.length) {
      tree.data = new Uint8Array(Math.ceil(length * (1 + SLACK)));
      tree.view = new DataView(tree.data.buffer);
    }
    tree.data.set(bytes.subarray(start, end));
    tree.length = length;
    if (entryCount >= tree.offsets.length) {
      tree.offsets = new Int32Array(Math.ceil(entryCount * (1 + SLACK)) + 1);
    }
    tree.offsets.set(offsets.subarray(0, entryCount + 1));
    tree.entryCount = entryCount;
    this.#bytes += sizeOf(tree) - before;
  }
}

const NONE = new Uint8Array(0);
const NO_VIEW = new DataView(NONE.buffer);
const NO_OFFSETS = new Int32Array(0);

function sizeOf(tree: ScannedTree): number {
  return tree.data.length + BYTES_PER_OFFSET * tree.offsets.length;
}
