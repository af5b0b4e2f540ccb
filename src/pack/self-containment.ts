/**
 * Whether a pack is complete in itself: every object that one of its objects refers to is in it, and of the kind that
 * was said, and trees nest no deeper than walks go. Then whatever of it a ref points at is connected, and nobody has to walk there.
 * git's `index-pack --check-self-contained-and-connected`.
 *
 * Edges are recorded while objects are at hand ({@link ObjectEdges}) by everyone who makes objects; here they are
 * looked up, once all ids are known. Any doubt is a no: then the walk decides, and finds the words.
 *
 * @module
 */
import type { Cancellable } from '../core/byte-stream.ts';
import { compareIds, hexToBytes, type ObjectFormat } from '../core/object-id.ts';
import { TREE } from '../core/object-kind.ts';
import { Pace } from '../core/pace.ts';
import {
  BLOCK_EDGES,
  bytesOfEdge,
  EDGE_HEAD_BYTES,
  EdgeSpool,
  entryOfEdge,
  kindOfEdge,
  type SpooledEdges,
} from './edge-spool.ts';
import { ObjectEdges } from './object-edges.ts';
import { NONE, type ObjectTable, RESOLVED_DELTA } from './object-table.ts';
import type { PackSink, ScratchFile } from './pack-sink.ts';
import { TreeHeights } from './tree-heights.ts';

/** More edges of one thread than these are not looked up: 400 MB of scratch file. */
const MOST_EDGES = 16_777_216;
/** Edges looked up between two looks at the clock. */
const STEP_EDGES = 1024;
/** Bits of an id that choose where to look for it: of so many, at most so many are used (a table of 16 MB). */
const PREFIX_BITS = 24;
const MOST_PREFIX_BITS = 22;

/** Everything recorded of one pack. */
export class PackEdges {
  /** For the objects that this thread sees. */
  readonly own: ObjectEdges;
  readonly #spool: EdgeSpool;
  readonly #sink: PackSink;
  readonly #others: SpooledEdges[] = [];
  readonly #names = new Set<string>();

  constructor(format: ObjectFormat, sink: PackSink) {
    this.#sink = sink;
    this.#spool = createSpool(format, this.nextName(), sink.scratch?.bind(sink));
    this.own = new ObjectEdges(format, this.#spool);
  }

  /** A name for the scratch file of one more thread. */
  nextName(): string {
    const name = `edges-${this.#names.size}`;
    this.#names.add(name);
    return name;
  }

  /** What another thread has recorded. */
  add(edges: SpooledEdges): void {
    this.#others.push(edges);
  }

  /**
   * Look all edges up.
   *
   * @param order the entries of the table in the order of their ids
   * @param maxTreeDepth levels that walks descend
   * @throws {GitError} STORAGE_FAILED; ABORTED
   */
  async areInside(
    table: ObjectTable,
    order: Int32Array,
    maxTreeDepth: number,
    { signal }: Cancellable,
  ): Promise<boolean> {
    const all = [this.#spool.finish(), ...this.#others];
    if (!all.every((edges) => edges.isWhole)) return false;
    const pace = new Pace(signal);
    for (const answer of this.#answers(all, table, order, maxTreeDepth)) {
      if (answer === false) return false;
      if (pace.isDue()) await pace.rest();
    }
    return true;
  }

  *#answers(
    all: readonly SpooledEdges[],
    table: ObjectTable,
    order: Int32Array,
    maxTreeDepth: number,
  ): Generator<boolean | undefined, void> {
    const lookUp = new EdgeLookup(table, order);
    for (const edges of all) yield* lookUp.inSteps(edges, this.#scratch(edges));
    yield* lookUp.heights.areBelow(maxTreeDepth, table.columns, table.count);
  }

  /** Remove the scratch files. */
  close(): void {
    for (const name of this.#names) this.#sink.scratch?.(name).remove();
  }

  #scratch(edges: SpooledEdges): ScratchFile | undefined {
    return edges.scratchBlocks === 0 ? undefined : this.#sink.scratch?.(edges.scratchName);
  }
}

/** A spool for one thread; `scratch` opens its file beside the pack. */
export function createSpool(
  format: ObjectFormat,
  name: string,
  scratch: ((name: string) => ScratchFile) | undefined,
): EdgeSpool {
  return new EdgeSpool(format.idBytes, MOST_EDGES, name, scratch?.(name));
}

class EdgeLookup {
  readonly heights = new TreeHeights();
  readonly #table: ObjectTable;
  readonly #order: Int32Array;
  /** The first rank of each prefix of as many bits as give one or two objects each, and of what follows the last. */
  readonly #fanout: Int32Array;
  readonly #prefixShift: number;
  readonly #emptyTree: Uint8Array;

  constructor(table: ObjectTable, order: Int32Array) {
    const { ids, idBytes } = table.columns;
    this.#table = table;
    this.#order = order;
    this.#emptyTree = hexToBytes(table.format.emptyTreeId);
    const bits = Math.min(MOST_PREFIX_BITS, Math.floor(Math.log2(order.length + 1)));
    this.#prefixShift = PREFIX_BITS - bits;
    const fanout = new Int32Array(2 ** bits + 1);
    this.#fanout = fanout;
    for (let rank = 0; rank < order.length; rank++) {
      fanout[this.#prefixOf(ids, (order[rank] as number) * idBytes) + 1] = rank + 1;
    }
    for (let prefix = 1; prefix < fanout.length; prefix++) {
      if (fanout[prefix] === 0) fanout[prefix] = fanout[prefix - 1] as number;
    }
  }

  /** After each step, whether all edges of it are in the pack. */
  *inSteps(edges: SpooledEdges, scratch: ScratchFile | undefined): Generator<boolean> {
    const blockBytes = BLOCK_EDGES * bytesOfEdge(this.#table.format.idBytes);
    if (scratch !== undefined) {
      const block = new Uint8Array(blockBytes);
      for (let number = 0; number < edges.scratchBlocks; number++) {
        if (scratch.readInto(number * blockBytes, block, 0, blockBytes) < blockBytes) yield false;
        yield* this.#blockInSteps(block, BLOCK_EDGES);
      }
    }
    for (const [number, block] of edges.blocks.entries()) {
      yield* this.#blockInSteps(block, number === edges.blocks.length - 1 ? edges.inLastBlock : BLOCK_EDGES);
    }
  }

  *#blockInSteps(block: Uint8Array, count: number): Generator<boolean> {
    for (let from = 0; from < count; from += STEP_EDGES) {
      yield this.#areInside(block, from, Math.min(count, from + STEP_EDGES));
    }
  }

  #areInside(block: Uint8Array, from: number, to: number): boolean {
    const { types, idBytes } = this.#table.columns;
    const edgeBytes = bytesOfEdge(idBytes);
    const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
    for (let at = from * edgeBytes, end = to * edgeBytes; at < end; at += edgeBytes) {
      const head = view.getInt32(at, true);
      const kind = kindOfEdge(head);
      const entry = this.#entryOf(block, at + EDGE_HEAD_BYTES);
      if (entry === NONE) {
        const isEmptyTree = compareIds(block, at + EDGE_HEAD_BYTES, this.#emptyTree, 0, idBytes) === 0;
        if (kind === TREE && isEmptyTree) continue; // it is there without being stored
        return false;
      }
      if ((types[entry] as number) % RESOLVED_DELTA !== kind) return false;
      if (kind !== TREE) continue;
      const referrer = entryOfEdge(head);
      if ((types[referrer] as number) % RESOLVED_DELTA === TREE) this.heights.add(referrer, entry);
    }
    return true;
  }

  #prefixOf(ids: Uint8Array, at: number): number {
    const first = ((ids[at] as number) << 16) | ((ids[at + 1] as number) << 8) | (ids[at + 2] as number);
    return first >> this.#prefixShift;
  }

  #entryOf(bytes: Uint8Array, at: number): number {
    const { ids, idBytes } = this.#table.columns;
    const order = this.#order;
    const prefix = this.#prefixOf(bytes, at);
    let low = this.#fanout[prefix] as number;
    let high = (this.#fanout[prefix + 1] as number) - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const entry = order[middle] as number;
      const difference = compareIds(ids, entry * idBytes, bytes, at, idBytes);
      if (difference === 0) return entry;
      if (difference < 0) low = middle + 1;
      else high = middle - 1;
    }
    return NONE;
  }
}
