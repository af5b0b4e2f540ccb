/**
 * What becomes of the objects that are made from deltas: each is hashed, and shown to those who look at objects.
 *
 * Hashed at once where a delta may wait for the id, many at a time otherwise. Of a tree only that is looked at which it
 * has not from the one it was made from (`tree-chain.ts`).
 *
 * @module
 */
import { createObjectHasher, type HashBatch, type ObjectHasher } from '../core/object-hasher.ts';
import type { ObjectFormat } from '../core/object-id.ts';
import { TREE } from '../core/object-kind.ts';
import type { Runtime } from '../core/runtime.ts';
import type { DeltaRoots } from './delta-roots.ts';
import type { ObjectChecker } from './fsck/object-checker.ts';
import type { ObjectEdges } from './object-edges.ts';
import { writeObjectHeader } from './object-header.ts';
import type { ResolveJob } from './resolve-job.ts';
import { TreeChain } from './tree-chain.ts';

/** After this many objects, hashing them in batches pays for the memory it takes. */
const BATCHES_AFTER_OBJECTS = 256;

/** A delta, inflated: `bytes[0, end)`. */
export interface InflatedDelta {
  bytes: Uint8Array;
  /** Where its instructions begin. */
  instructions: number;
  end: number;
}

/** The objects that one resolver makes, tree of deltas after tree of deltas. Their bytes are used before each call returns. */
export class MadeObjects {
  readonly #roots: DeltaRoots;
  readonly #hasher: ObjectHasher;
  readonly #isMuchLarge: boolean;
  readonly #isIdAwaited: boolean;
  #batch: HashBatch | undefined;
  #hashed = 0;
  /** Of all objects of the tree of deltas. */
  #type = 0;
  readonly #edges: ObjectEdges | undefined;
  readonly #checker: ObjectChecker | undefined;
  /** The trees of the chain, for those two. */
  readonly #trees: TreeChain | undefined;

  /** @param roots has the columns that ids go to */
  constructor(
    { phase, collisionDetection, isMuchLarge, refBases }: ResolveJob,
    roots: DeltaRoots,
    format: ObjectFormat,
    runtime: Runtime,
    edges: ObjectEdges | undefined,
    checker: ObjectChecker | undefined,
  ) {
    this.#roots = roots;
    this.#hasher = createObjectHasher(runtime, format, collisionDetection);
    this.#isMuchLarge = isMuchLarge;
    this.#isIdAwaited = refBases !== undefined;
    this.#edges = edges;
    this.#checker = checker;
    // Late objects stand below others that are not looked at again, so that nothing is known of their trees.
    const sees = edges !== undefined || checker !== undefined;
    if (sees && phase !== 'late') this.#trees = new TreeChain(format.idBytes);
  }

  /**
   * The objects that come next are made from `bytes[start, end)`, or from one another.
   *
   * @param type kind code of all of them (core/object-kind)
   * @param isOwn whether it is an object of the pack, whose edges were taken and which was checked
   */
  beginTree(type: number, bytes: Uint8Array, start: number, end: number, isOwn: boolean): void {
    this.#type = type;
    if (type !== TREE || this.#trees === undefined) return;
    this.#trees.begin(bytes, start, end);
    this.#checker?.beginChain(bytes, start, end, isOwn);
  }

  /**
   * The object of `entry` is `bytes[start, end)`. Overwrites the OBJECT_HEADER_ROOM bytes before it.
   *
   * @param base how many deltas lead to the object that `delta` made it from
   */
  take(
    entry: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    base: number,
    delta: InflatedDelta,
  ): void {
    this.#hash(entry, bytes, start, end);
    if (this.#edges !== undefined || this.#checker !== undefined) {
      this.#see(entry, bytes, start, end, base, delta);
    }
  }

  /** Write the ids that are missing. */
  flush(): void {
    this.#batch?.flush();
  }

  #hash(entry: number, bytes: Uint8Array, start: number, end: number): void {
    const { columns } = this.#roots;
    const from = writeObjectHeader(bytes, start, this.#type, end - start);
    const at = entry * columns.idBytes;
    if (this.#batch !== undefined) {
      this.#batch.add(bytes, from, end, at);
      return;
    }
    this.#hasher.hashInto(bytes, from, end, columns.ids, at);
    if (this.#isIdAwaited) return;
    if (this.#isMuchLarge || ++this.#hashed === BATCHES_AFTER_OBJECTS) {
      this.#batch = this.#hasher.createBatch(() => this.#roots.columns.ids, this.#isMuchLarge);
    }
  }

  #see(
    entry: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    base: number,
    delta: InflatedDelta,
  ): void {
    const type = this.#type;
    const trees = type === TREE ? this.#trees : undefined;
    const isKnown = trees?.take(base, bytes, start, end, delta.bytes, delta.instructions, delta.end) === true;
    const known = isKnown ? trees : undefined;
    this.#edges?.take(entry, type, bytes, start, end, known);
    this.#checker?.check(entry, type, bytes, start, end, this.#trees && base, known);
  }
}
