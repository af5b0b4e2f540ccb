/**
 * The ids that commits, trees and tags of an incoming pack refer to, taken while their bytes are in hand.
 *
 * A tree made from a delta is not read as a whole, only what is new in it ({@link TreeChain}). A table of ids seen
 * lately drops most of what is left. The same object may be recorded more than once, none is left out. Subtrees are
 * recorded for each tree that is looked at, so that the heights of trees can be told.
 *
 * Synchronous, and nothing is allocated for an object.
 *
 * @module
 */
import type { ObjectFormat } from '../core/object-id.ts';
import { BLOB, COMMIT, kindOfCode, TAG, TREE } from '../core/object-kind.ts';
import { bytesOfEdge, EDGE_HEAD_BYTES, type EdgeSpool, edgeHead } from './edge-spool.ts';
import type { TreeChain } from './tree-chain.ts';
import { zeroByteAt } from './zero-byte.ts';

/** Ids seen lately. 1.5 MB with SHA-1, which a small push has no use for: to clear them takes longer than to read it. */
const SLOTS = 65_536;
const FIRST_SLOTS = 1024;

const LF = 0x0a;
const SPACE = 0x20;

/** Words of the usual modes, read little-endian: `100`, then `644 ` or `755 `; `4000`, then `0 `. */
const MODE_100 = 0x303031;
const MODE_644 = 0x20343436;
const MODE_755 = 0x20353537;
const MODE_4000 = 0x30303034;
const MODE_0 = 0x2030;
const FORMAT_MASK = 0o170000;
const DIRECTORY = 0o040000;
const GITLINK = 0o160000;
/** A mode, its space, a name and NUL, of which the words that are looked at lie within the tree. */
const SHORTEST_USUAL_ENTRY = 8;

const TREE_LINE = asciiOf('tree ');
const PARENT_LINE = asciiOf('parent ');
const OBJECT_LINE = asciiOf('object ');
const TYPE_LINES = new Map([COMMIT, TREE, BLOB, TAG].map((kind) => [kind, asciiOf(typeLine(kind))]));

export class ObjectEdges {
  readonly #spool: EdgeSpool;
  readonly #idBytes: number;
  readonly #idWords: number;
  readonly #edgeBytes: number;
  /** Of each slot: the kind, then the words of the id. */
  #seen: Int32Array;
  #slotMask = FIRST_SLOTS - 1;
  readonly #slotWords: number;
  /** The bytes looked at last. */
  #viewed: Uint8Array = new Uint8Array(0);
  #view = new DataView(this.#viewed.buffer);
  readonly #id: Uint8Array;
  readonly #idView: DataView;

  constructor(format: ObjectFormat, spool: EdgeSpool) {
    const { idBytes } = format;
    this.#spool = spool;
    this.#idBytes = idBytes;
    this.#idWords = idBytes / 4;
    this.#edgeBytes = bytesOfEdge(idBytes);
    this.#slotWords = 1 + this.#idWords;
    this.#seen = new Int32Array(FIRST_SLOTS * this.#slotWords);
    this.#id = new Uint8Array(idBytes);
    this.#idView = new DataView(this.#id.buffer);
  }

  /**
   * Take the edges of an object, number `entry` of the pack, that is whole at `bytes[start, end)`.
   *
   * @param tree of a tree that was made from another whose edges were taken: what is new in it
   */
  take(entry: number, kind: number, bytes: Uint8Array, start: number, end: number, tree?: TreeChain): void {
    if (kind === BLOB || !this.#spool.isWhole) return;
    if (kind !== TREE) this.#takeHeader(entry, kind, bytes, start, end);
    else if (tree === undefined) this.#takeTree(entry, bytes, start, end);
    else this.#takeNew(entry, bytes, start, end, tree);
  }

  /** An object that nobody could look at. */
  giveUp(): void {
    this.#spool.giveUp();
  }

  /** The whole tree, entry after entry. */
  #takeTree(entry: number, bytes: Uint8Array, start: number, end: number): void {
    this.#look(bytes);
    let at = start;
    while (at < end) at = this.#takeEntry(entry, bytes, at, end);
  }

  /** What is new in a tree. */
  #takeNew(entry: number, bytes: Uint8Array, start: number, end: number, tree: TreeChain): void {
    this.#look(bytes);
    const { places, newEntries, newEnd } = tree;
    for (let run = 0; run < newEnd; run += 2) {
      const to = newEntries[run + 1] as number;
      for (let i = newEntries[run] as number; i < to; i++) {
        this.#takeEntry(entry, bytes, start + (places[i] as number), end);
      }
    }
  }

  /** Record what one entry of a tree, in #view too, refers to. @returns where it ends; `end` when it is malformed */
  #takeEntry(entry: number, bytes: Uint8Array, at: number, end: number): number {
    const idBytes = this.#idBytes;
    const view = this.#view;
    let kind = BLOB;
    let i = at + 7;
    // Nearly all modes are one of these three.
    const tail = end - at < SHORTEST_USUAL_ENTRY + idBytes ? 0 : view.getInt32(at + 3, true);
    if (!(tail === MODE_644 || tail === MODE_755) || (view.getInt32(at, true) & 0xffffff) !== MODE_100) {
      if (tail !== 0 && view.getInt32(at, true) === MODE_4000 && view.getUint16(at + 4, true) === MODE_0) {
        kind = TREE;
        i = at + 6;
      } else {
        i = this.#readMode(bytes, at, end);
        kind = this.#modeKind;
      }
    }
    const nameStart = i;
    const nameEnd = zeroByteAt(bytes, view, nameStart, end);
    const idAt = nameEnd + 1;
    if (nameStart === at || nameEnd === nameStart || idAt + idBytes > end) {
      this.#spool.giveUp();
      return end;
    }
    if (kind !== 0 && !(kind === BLOB && this.#isSeen(kind, view, idAt))) {
      this.#record(entry, kind, view, idAt);
    }
    return idAt + idBytes;
  }

  #modeKind = 0;

  /** Any octal mode. @returns where the name begins, `at` when it is malformed; the kind is in #modeKind */
  #readMode(bytes: Uint8Array, at: number, end: number): number {
    let mode = 0;
    let i = at;
    for (; i < end; i++) {
      const digit = (bytes[i] as number) - 0x30;
      if (!(digit >= 0 && digit <= 7)) break;
      mode = (mode << 3) | digit;
    }
    const format = mode & FORMAT_MASK;
    this.#modeKind = format === DIRECTORY ? TREE : format === GITLINK ? 0 : BLOB;
    return i === at || i >= end || bytes[i] !== SPACE ? at : i + 1;
  }

  #takeHeader(entry: number, kind: number, bytes: Uint8Array, start: number, end: number): void {
    const isWellFormed =
      kind === TAG ? this.#takeTag(entry, bytes, start, end) : this.#takeCommit(entry, bytes, start, end);
    if (!isWellFormed) this.#spool.giveUp();
  }

  #takeCommit(entry: number, bytes: Uint8Array, start: number, end: number): boolean {
    let at = this.#takeIdLine(bytes, start, end, TREE_LINE);
    if (at < 0) return false;
    if (!this.#isSeen(TREE, this.#idView, 0)) this.#record(entry, TREE, this.#idView, 0);
    while (startsWith(bytes, at, end, PARENT_LINE)) {
      at = this.#takeIdLine(bytes, at, end, PARENT_LINE);
      if (at < 0) return false;
      if (!this.#isSeen(COMMIT, this.#idView, 0)) this.#record(entry, COMMIT, this.#idView, 0);
    }
    return true;
  }

  #takeTag(entry: number, bytes: Uint8Array, start: number, end: number): boolean {
    const at = this.#takeIdLine(bytes, start, end, OBJECT_LINE);
    if (at < 0) return false;
    for (const [kind, line] of TYPE_LINES) {
      if (!startsWith(bytes, at, end, line)) continue;
      this.#record(entry, kind, this.#idView, 0);
      return true;
    }
    return false;
  }

  /** Read a line of a word and an id into #id. @returns where the next line begins, or -1 */
  #takeIdLine(bytes: Uint8Array, start: number, end: number, word: Uint8Array): number {
    const idBytes = this.#idBytes;
    const at = start + word.length;
    const lineEnd = at + 2 * idBytes;
    if (lineEnd >= end || !startsWith(bytes, start, end, word) || bytes[lineEnd] !== LF) return -1;
    const id = this.#id;
    for (let i = 0; i < idBytes; i++) {
      const high = HEX_VALUE[bytes[at + 2 * i] as number] as number;
      const low = HEX_VALUE[bytes[at + 2 * i + 1] as number] as number;
      if ((high | low) < 0) return -1;
      id[i] = (high << 4) | low;
    }
    return lineEnd + 1;
  }

  #isSeen(kind: number, view: DataView, at: number): boolean {
    const seen = this.#seen;
    const words = this.#idWords;
    const slot = (view.getInt32(at, true) & this.#slotMask) * this.#slotWords;
    if (seen[slot] !== kind) return false;
    for (let word = 0; word < words; word++) {
      if (seen[slot + 1 + word] !== view.getInt32(at + 4 * word, true)) return false;
    }
    return true;
  }

  #record(entry: number, kind: number, view: DataView, at: number): void {
    const spool = this.#spool;
    if (!spool.makeRoom()) return;
    if (spool.filled > this.#slotMask && this.#slotMask < SLOTS - 1) this.#takeAllSlots();
    const seen = this.#seen;
    const slot = (view.getInt32(at, true) & this.#slotMask) * this.#slotWords;
    const { block } = spool;
    const to = spool.filled++ * this.#edgeBytes;
    block.setInt32(to, edgeHead(entry, kind), true);
    seen[slot] = kind;
    for (let word = 0, words = this.#idWords; word < words; word++) {
      const value = view.getInt32(at + 4 * word, true);
      seen[slot + 1 + word] = value;
      block.setInt32(to + EDGE_HEAD_BYTES + 4 * word, value, true);
    }
  }

  /** What was seen before is forgotten, and recorded once more where it comes again. */
  #takeAllSlots(): void {
    this.#seen = new Int32Array(SLOTS * this.#slotWords);
    this.#slotMask = SLOTS - 1;
  }

  #look(bytes: Uint8Array): void {
    if (this.#viewed === bytes) return;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#viewed = bytes;
  }
}

/** Value of each hex digit's character, -1 for others. git reads both cases. */
const HEX_VALUE = new Int8Array(256).fill(-1);
for (let value = 0; value < 16; value++) {
  const digit = value.toString(16);
  HEX_VALUE[digit.charCodeAt(0)] = value;
  HEX_VALUE[digit.toUpperCase().charCodeAt(0)] = value;
}

function startsWith(bytes: Uint8Array, at: number, end: number, prefix: Uint8Array): boolean {
  if (at + prefix.length > end) return false;
  for (let i = 0; i < prefix.length; i++) if (bytes[at + i] !== prefix[i]) return false;
  return true;
}

function typeLine(kind: number): string {
  return `type ${kindOfCode(kind)}\n`;
}

function asciiOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
