/**
 * Edges of the objects of an incoming pack, put aside until the pack's index is made: then they are looked up.
 *
 * They are appended to blocks of memory, and when those are many, to a scratch file: memory does not grow with the pack.
 *
 * @module
 */
import type { ScratchFile } from './pack-sink.ts';

/** What of a spool goes from thread to thread: plain data. */
export interface SpooledEdges {
  /** False when not all edges were recorded: too many, or an object does not parse. */
  readonly isWhole: boolean;
  readonly blocks: readonly Uint8Array[];
  /** Edges in the last block; the others are full. */
  readonly inLastBlock: number;
  /** Full blocks in the scratch file of this name, before those in `blocks`. */
  readonly scratchName: string;
  readonly scratchBlocks: number;
}

/** Before the id: number of the referring entry and kind of what it refers to, in one word. */
export const EDGE_HEAD_BYTES = 4;
const KIND_BITS = 2;

/** Edges in a block. */
export const BLOCK_EDGES = 2048;
/** Blocks each spool holds in memory when it has a file for the others, 48 KiB each with SHA-1. */
const HELD_BLOCKS = 4;
/** Without a file: 6 MiB. */
const HELD_BLOCKS_WITHOUT_FILE = 128;

export function bytesOfEdge(idBytes: number): number {
  return EDGE_HEAD_BYTES + idBytes;
}

export function edgeHead(entry: number, kind: number): number {
  return (entry << KIND_BITS) | (kind - 1);
}

export function entryOfEdge(head: number): number {
  return head >> KIND_BITS;
}

export function kindOfEdge(head: number): number {
  return (head & ((1 << KIND_BITS) - 1)) + 1;
}

export class EdgeSpool {
  /** The block being filled, once there is one. */
  block: DataView = NO_BLOCK;
  /** Edges in it; {@link BLOCK_EDGES} when there is none, so that the first edge asks for it. */
  filled = BLOCK_EDGES;
  isWhole = true;
  readonly #idBytes: number;
  readonly #name: string;
  readonly #scratch: ScratchFile | undefined;
  #blocks: Uint8Array[] = [];
  #scratchBlocks = 0;
  #blocksLeft: number;

  /**
   * @param mostEdges more than these are not recorded
   * @param name of the scratch file
   */
  constructor(idBytes: number, mostEdges: number, name: string, scratch: ScratchFile | undefined) {
    this.#idBytes = idBytes;
    this.#name = name;
    this.#scratch = scratch;
    this.#blocksLeft = Math.ceil(mostEdges / BLOCK_EDGES);
    if (scratch === undefined) this.#blocksLeft = Math.min(this.#blocksLeft, HELD_BLOCKS_WITHOUT_FILE);
  }

  /** Record nothing any more. */
  giveUp(): void {
    this.isWhole = false;
    this.#blocks = [];
    this.block = NO_BLOCK;
    this.filled = BLOCK_EDGES;
  }

  /**
   * Make room for one edge more.
   *
   * @returns false when there is none: then nothing is recorded any more
   * @throws {GitError} STORAGE_FAILED
   */
  makeRoom(): boolean {
    if (this.filled < BLOCK_EDGES) return true;
    if (!this.isWhole || this.#blocksLeft-- === 0) {
      this.giveUp();
      return false;
    }
    let bytes: Uint8Array;
    if (this.#scratch !== undefined && this.#blocks.length >= HELD_BLOCKS) {
      bytes = this.#blocks.shift() as Uint8Array;
      this.#scratch.write(this.#scratchBlocks++ * bytes.length, bytes);
    } else {
      bytes = new Uint8Array(BLOCK_EDGES * bytesOfEdge(this.#idBytes));
    }
    this.#blocks.push(bytes);
    this.block = new DataView(bytes.buffer);
    this.filled = 0;
    return true;
  }

  /** Close the scratch file, which stays. */
  close(): void {
    this.#scratch?.close();
  }

  /** What was recorded. Nothing may be added after it. */
  finish(): SpooledEdges {
    return {
      isWhole: this.isWhole,
      blocks: this.#blocks,
      inLastBlock: this.#blocks.length === 0 ? 0 : this.filled,
      scratchName: this.#name,
      scratchBlocks: this.#scratchBlocks,
    };
  }
}

const NO_BLOCK = new DataView(new ArrayBuffer(0));
