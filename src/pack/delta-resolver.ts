/**
 * Making the objects that a pack holds as deltas, to know their ids.
 *
 * Each whole object is the root of a tree of deltas. The trees are walked depth first, every object made once from
 * its base (a second pass over chains that were resolved already cost 16 times as much). Several resolvers, in
 * threads, may work on one pack: a tree belongs to the one that took its root (`delta-roots.ts`).
 *
 * @module
 */
import { GitError } from '../core/errors.ts';
import { objectFormatByName } from '../core/object-id.ts';
import type { Runtime } from '../core/runtime.ts';
import { BaseStack } from './base-stack.ts';
import { applyDelta, type DeltaSizes, readDeltaSizes } from './delta.ts';
import { DeltaRoots } from './delta-roots.ts';
import { atOffset } from './entry-error.ts';
import { EntryReader } from './entry-reader.ts';
import type { ObjectChecker } from './fsck/object-checker.ts';
import { type InflatedDelta, MadeObjects } from './made-objects.ts';
import type { ObjectEdges } from './object-edges.ts';
import { NONE, RESOLVED_DELTA } from './object-table.ts';
import { takeWaiting } from './ref-bases.ts';
import { addResolved, isStopped } from './resolve-control.ts';
import type { ResolveJob } from './resolve-job.ts';
import type { RandomAccessFile } from './stored-pack.ts';

/** Memory for the objects of one chain, in each thread. */
const STACK_BYTES = 16 * 1024 * 1024;
/** Inflated deltas are small. */
const FIRST_DELTA_BYTES = 64 * 1024;
/** The memory for a larger one is let go after it. What is let go stays for long: nothing else fills a worker's heap. */
const KEPT_DELTA_BYTES = 2 * 1024 * 1024;
/** What a delta costs besides its bytes, in bytes made, roughly. */
const COST_PER_DELTA = 4096;
const COUNT_EVERY = 64;

export class DeltaResolver {
  readonly #job: ResolveJob;
  readonly #roots: DeltaRoots;
  readonly #made: MadeObjects;
  readonly #reader: EntryReader;
  readonly #sizes: DeltaSizes = { baseBytes: 0, targetBytes: 0, instructions: 0 };
  readonly #stack = new BaseStack(STACK_BYTES);
  /** The delta applied last. */
  readonly #delta: InflatedDelta = { bytes: new Uint8Array(FIRST_DELTA_BYTES), instructions: 0, end: 0 };
  #type = 0;
  #uncounted = 0;

  /** @param edges sees each object that is made; `checker` does, too */
  constructor(
    job: ResolveJob,
    runtime: Runtime,
    file: Pick<RandomAccessFile, 'readInto'>,
    edges?: ObjectEdges,
    checker?: ObjectChecker,
  ) {
    this.#job = job;
    const format = objectFormatByName(job.formatName);
    this.#reader = new EntryReader(file, format.idBytes, runtime);
    this.#roots = new DeltaRoots(job, this.#reader);
    this.#made = new MadeObjects(job, this.#roots, format, runtime, edges, checker);
  }

  /**
   * Resolve for a while.
   *
   * @param budgetBytes about how many bytes of objects to make before returning
   * @returns whether there is nothing left to take, or the job was stopped
   * @throws {GitError} PACK_CORRUPT, LIMIT_EXCEEDED with `detail.offset`; STORAGE_FAILED
   */
  resolveSome(budgetBytes: number): boolean {
    let left = budgetBytes;
    while (left > 0) {
      if (isStopped(this.#job.control)) return true;
      if (this.#stack.length === 0) {
        const root = this.#roots.take();
        if (root === NONE) {
          this.#made.flush();
          this.#publishCount();
          return true;
        }
        this.#beginTree(root, true);
      }
      left -= this.#step();
    }
    return false;
  }

  /** Let {@link resolveSome} go on with the tree under `root`, a whole object appended since, before taking others. */
  startTree(root: number): void {
    this.#reader.refresh();
    this.#beginTree(root, false);
  }

  close(): void {
    this.#reader.close();
  }

  /** Whether {@link hangLateDeltas} is to find out what waits for the id of `entry`. */
  #isAskedLater(entry: number): boolean {
    return this.#job.phase !== 'late' && this.#roots.isInFamilies(entry);
  }

  /** @param isOwn whether the root is an object of the pack, whose edges were taken and which was checked */
  #beginTree(root: number, isOwn: boolean): void {
    const { columns } = this.#roots;
    this.#type = columns.types[root] as number;
    const sizeBytes = this.#loadRoot(root);
    this.#stack.push(root, sizeBytes, columns.firstChild[root] as number);
    const start = this.#stack.startOf(0);
    this.#made.beginTree(this.#type, this.#stack.memory, start, start + sizeBytes, isOwn);
  }

  /** Make one object from the base at hand, or leave that base. @returns what it cost, in bytes */
  #step(): number {
    const stack = this.#stack;
    const at = stack.length - 1;
    const entry = stack.nextDelta[at] as number;
    if (entry === NONE) {
      stack.pop();
      return 1;
    }
    if (stack.isDropped(at)) this.#remake(at);
    const { limits } = this.#job;
    const { columns } = this.#roots;
    if (stack.length > limits.maxDeltaDepth) {
      throw atOffset(
        new GitError(
          'LIMIT_EXCEEDED',
          `Cannot resolve delta: at most ${limits.maxDeltaDepth} may follow one another`,
          {
            limit: limits.maxDeltaDepth,
          },
        ),
        columns.offsets[entry] as number,
      );
    }
    // Made before, and now again for the sake of a delta that came too late: see late-deltas.ts.
    const isKnown = (columns.types[entry] as number) > RESOLVED_DELTA;
    const start = this.#makeFromDelta(entry, at);
    const { targetBytes } = this.#sizes;
    if (!isKnown) this.#takeMade(entry, start, start + targetBytes, at);

    stack.nextDelta[at] = columns.nextSibling[entry] as number;
    const firstChild = columns.firstChild[entry] as number;
    if (firstChild !== NONE) stack.push(entry, targetBytes, firstChild);
    return targetBytes + COST_PER_DELTA;
  }

  /** An object is made, of the entry `entry` from number `base` of the stack. */
  #takeMade(entry: number, start: number, end: number, base: number): void {
    const { refBases } = this.#job;
    const { columns } = this.#roots;
    this.#made.take(entry, this.#stack.memory, start, end, base, this.#delta);
    columns.types[entry] = RESOLVED_DELTA + this.#type;
    if (refBases !== undefined && !this.#isAskedLater(entry)) takeWaiting(refBases, columns, entry);
    if (++this.#uncounted >= COUNT_EVERY) this.#publishCount();
  }

  #publishCount(): void {
    addResolved(this.#job.control, this.#uncounted);
    this.#uncounted = 0;
  }

  /** Bring the dropped object `at` back: from the nearest one above it that is in memory. */
  #remake(at: number): void {
    const stack = this.#stack;
    let from = at;
    while (from > 0 && stack.isDropped(from)) from--;
    if (stack.isDropped(from)) {
      this.#loadRoot(stack.entries[from] as number);
      stack.restore(from);
    }
    for (let next = from + 1; next <= at; next++) {
      this.#makeFromDelta(stack.entries[next] as number, next - 1);
      stack.restore(next);
    }
  }

  /** Inflate a whole object to the top of the stack. @returns its size */
  #loadRoot(entry: number): number {
    const offset = this.#roots.columns.offsets[entry] as number;
    this.#reader.open(offset);
    const { sizeBytes } = this.#reader.header;
    const { maxDeltaObjectBytes } = this.#job.limits;
    if (sizeBytes > maxDeltaObjectBytes) {
      throw new GitError(
        'LIMIT_EXCEEDED',
        `Cannot resolve delta: a base may have at most ${maxDeltaObjectBytes} bytes, got ${sizeBytes} (entry at offset ${offset})`,
        { limit: maxDeltaObjectBytes, sizeBytes, offset },
      );
    }
    const start = this.#stack.makeRoom(sizeBytes, NONE);
    this.#reader.inflateInto(this.#stack.memory, start);
    return sizeBytes;
  }

  /** An inflater is given one byte more. */
  #makeDeltaRoom(sizeBytes: number): void {
    const { length } = this.#delta.bytes;
    if (sizeBytes < length && length <= KEPT_DELTA_BYTES) return;
    const grown =
      sizeBytes < KEPT_DELTA_BYTES ? Math.min(KEPT_DELTA_BYTES, Math.max(sizeBytes + 1, 2 * length)) : 0;
    this.#delta.bytes = new Uint8Array(Math.max(grown, sizeBytes + 1));
  }

  /**
   * Make the object of the delta `entry` from its base, number `base` of the stack, at the top of the stack.
   * Its size is left in `#sizes.targetBytes`.
   *
   * @returns where its content begins
   */
  #makeFromDelta(entry: number, base: number): number {
    const stack = this.#stack;
    const offset = this.#roots.columns.offsets[entry] as number;
    this.#reader.open(offset);
    const { sizeBytes } = this.#reader.header;
    this.#makeDeltaRoom(sizeBytes);
    const delta = this.#delta;
    this.#reader.inflateInto(delta.bytes, 0);

    const sizes = this.#sizes;
    try {
      readDeltaSizes(delta.bytes, 0, sizeBytes, sizes);
      const { baseBytes, targetBytes, instructions } = sizes;
      delta.instructions = instructions;
      delta.end = sizeBytes;
      if (baseBytes !== stack.sizes[base]) {
        throw new GitError(
          'PACK_CORRUPT',
          `Cannot apply delta: it is for a base of ${baseBytes} bytes, got one of ${stack.sizes[base]}`,
        );
      }
      const start = stack.makeRoom(targetBytes, base);
      applyDelta(
        stack.memory,
        stack.startOf(base),
        baseBytes,
        delta.bytes,
        instructions,
        sizeBytes,
        stack.memory,
        start,
        targetBytes,
      );
      return start;
    } catch (error) {
      throw atOffset(error, offset);
    }
  }
}
