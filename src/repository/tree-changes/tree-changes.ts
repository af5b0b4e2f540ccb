/**
 * What a tree reaches that another one has not at the same paths: both are read side by side, and only subtrees that
 * differ are gone into.
 *
 * @module
 */
import type { Limits } from '../../core/limits.ts';
import type { ObjectFormat } from '../../core/object-id.ts';
import { TREE } from '../../core/object-kind.ts';
import type { ObjectReader } from '../../odb/object-database.ts';
import { emptyView } from '../commit-table.ts';
import { GrowingInt32 } from '../growing-int32.ts';
import { directoryNameHash, packNameHash } from '../name-hash.ts';
import { ObjectTable } from '../object-table.ts';
import { TreeEntry } from '../tree.ts';

/** A larger difference is not worth keeping. */
const MOST_CHANGES = 100_000;
const SLASH = 0x2f;

/** A tree's content, kept as long as another is read beside it. */
class TreeBytes {
  readonly id: Uint8Array;
  bytes = new Uint8Array(4096);
  /** -1: nothing is held. */
  length = -1;

  constructor({ idBytes }: ObjectFormat) {
    this.id = new Uint8Array(idBytes);
  }

  holds(ids: Uint8Array, at: number): boolean {
    if (this.length < 0) return false;
    for (let i = 0; i < this.id.length; i++) if (this.id[i] !== ids[at + i]) return false;
    return true;
  }
}

/** {@link begin}, {@link step} until it says no, then look at {@link isFailed} and {@link changes}; any number of times. */
export class TreeChanges {
  /** The new tree's objects that the old one has not, each once, the tree itself among them. */
  changes: ObjectTable;
  readonly #reader: ObjectReader;
  readonly #limits: Limits;
  readonly #view = emptyView();
  readonly #entry: TreeEntry;
  readonly #oldEntry: TreeEntry;
  /** Pairs still to be compared: an old and a new raw id each. */
  #pending: Uint8Array;
  /** Of each pair: whether there is an old tree, the name hash to carry on from, the depth. */
  readonly #inherited = new GrowingInt32();
  /** Neighbours in a history share root trees. */
  readonly #roots: readonly [TreeBytes, TreeBytes];
  readonly #subtrees: readonly [TreeBytes, TreeBytes];
  readonly #nothing: TreeBytes;
  #isFailed = false;

  constructor(reader: ObjectReader, limits: Limits) {
    const { format } = reader;
    this.#reader = reader;
    this.#limits = limits;
    this.#entry = new TreeEntry(format.idBytes);
    this.#oldEntry = new TreeEntry(format.idBytes);
    this.#pending = new Uint8Array(64 * 2 * format.idBytes);
    this.#roots = [new TreeBytes(format), new TreeBytes(format)];
    this.#subtrees = [new TreeBytes(format), new TreeBytes(format)];
    this.#nothing = new TreeBytes(format);
    this.#nothing.length = 0;
    this.changes = new ObjectTable(format, MOST_CHANGES);
  }

  /** A tree was missing, was something else, lay too deep, or there was too much: nothing is known then. */
  get isFailed(): boolean {
    return this.#isFailed;
  }

  /** @param oldIds `undefined`: the new tree is compared with nothing */
  begin(oldIds: Uint8Array | undefined, oldAt: number, newIds: Uint8Array, newAt: number): void {
    const { format } = this.#reader;
    this.#isFailed = false;
    this.#inherited.length = 0;
    this.changes = new ObjectTable(format, Number.MAX_SAFE_INTEGER);
    if (oldIds !== undefined && isSameId(oldIds, oldAt, newIds, newAt, format.idBytes)) return;
    this.changes.add(newIds, newAt, TREE, 0);
    this.#push(oldIds, oldAt, newIds, newAt, 0, 0);
  }

  /**
   * Compare one pair of trees.
   *
   * @returns false when there is none left, or it has failed
   * @throws {GitError} OBJECT_CORRUPT, PACK_CORRUPT
   */
  step(): boolean {
    const inherited = this.#inherited;
    if (this.#isFailed || inherited.length === 0) return false;
    const depth = inherited.pop();
    const nameHash = inherited.pop() >>> 0;
    const hasOld = inherited.pop() === 1;
    const { idBytes } = this.#reader.format;
    const at = (inherited.length / 3) * 2 * idBytes;
    const pending = this.#pending;
    const buffers = depth === 0 ? this.#roots : this.#subtrees;
    const after = this.#hold(buffers, pending, at + idBytes, at);
    const before = hasOld ? this.#hold(buffers, pending, at, at + idBytes) : this.#nothing;
    if (before === undefined || after === undefined || depth > this.#limits.maxTreeDepth) {
      this.#isFailed = true;
      return false;
    }
    this.#compare(before, after, nameHash, depth);
    this.#isFailed = this.changes.size > MOST_CHANGES;
    return true;
  }

  #compare(before: TreeBytes, after: TreeBytes, dirHash: number, depth: number): void {
    const { changes } = this;
    const entry = this.#entry;
    const oldEntry = this.#oldEntry;
    const { bytes, length } = after;
    const { idBytes } = this.#reader.format;
    let oldAt = 0;
    /** End of the entry in `oldEntry`; 0 when it has to be read. */
    let oldEnd = 0;
    for (let at = 0; at < length; ) {
      at = entry.read(bytes, at, length);
      let order = 1;
      while (oldAt < before.length) {
        if (oldEnd === 0) oldEnd = oldEntry.read(before.bytes, oldAt, before.length);
        order = compareNames(before.bytes, oldEntry, bytes, entry);
        if (order >= 0) break;
        oldAt = oldEnd;
        oldEnd = 0;
      }
      const { kind, idAt } = entry;
      const isBeside = order === 0 && oldAt < before.length;
      if (isBeside) {
        oldAt = oldEnd;
        oldEnd = 0;
        if (oldEntry.kind === kind && isSameId(before.bytes, oldEntry.idAt, bytes, idAt, idBytes)) continue;
      }
      if (kind === 0) continue; // a gitlink: its commit is in another repository
      const nameHash = packNameHash(bytes, entry.nameStart, entry.nameEnd, dirHash);
      const size = changes.size;
      const number = changes.add(bytes, idAt, kind, nameHash);
      if (number < size) {
        // What an entry calls it decides whether it is gone into.
        if (changes.kinds[number] !== kind) this.#isFailed = true;
        continue;
      }
      if (kind !== TREE) continue;
      const oldTree = isBeside && oldEntry.kind === TREE ? before.bytes : undefined;
      this.#push(oldTree, oldEntry.idAt, bytes, idAt, directoryNameHash(nameHash), depth + 1);
    }
  }

  #push(
    oldIds: Uint8Array | undefined,
    oldAt: number,
    newIds: Uint8Array,
    newAt: number,
    nameHash: number,
    depth: number,
  ): void {
    const { idBytes } = this.#reader.format;
    const inherited = this.#inherited;
    const at = (inherited.length / 3) * 2 * idBytes;
    if (at === this.#pending.length) {
      const longer = new Uint8Array(2 * at);
      longer.set(this.#pending);
      this.#pending = longer;
    }
    const pending = this.#pending;
    for (let i = 0; i < idBytes; i++) {
      if (oldIds !== undefined) pending[at + i] = oldIds[oldAt + i] as number;
      pending[at + idBytes + i] = newIds[newAt + i] as number;
    }
    inherited.push(oldIds === undefined ? 0 : 1);
    inherited.push(nameHash | 0);
    inherited.push(depth);
  }

  /** The tree's content, not in the one of `buffers` that has the other; `undefined` when there is no such tree. */
  #hold(
    buffers: readonly [TreeBytes, TreeBytes],
    ids: Uint8Array,
    at: number,
    otherAt: number,
  ): TreeBytes | undefined {
    const [first, second] = buffers;
    if (first.holds(ids, at)) return first;
    if (second.holds(ids, at)) return second;
    const view = this.#view;
    if (!this.#reader.viewRaw(ids, at, view) || view.kind !== TREE) return undefined;
    const buffer = first.holds(ids, otherAt) ? second : first;
    const length = view.end - view.start;
    if (length > buffer.bytes.length) buffer.bytes = new Uint8Array(2 * length);
    buffer.bytes.set(view.bytes.subarray(view.start, view.end));
    buffer.length = length;
    buffer.id.set(ids.subarray(at, at + buffer.id.length));
    return buffer;
  }
}

function isSameId(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number, idBytes: number): boolean {
  for (let i = 0; i < idBytes; i++) if (a[aAt + i] !== b[bAt + i]) return false;
  return true;
}

/** git's order: as if the name of a directory ended with a slash. */
function compareNames(a: Uint8Array, aEntry: TreeEntry, b: Uint8Array, bEntry: TreeEntry): number {
  const { nameStart: aStart, nameEnd: aEnd } = aEntry;
  const { nameStart: bStart, nameEnd: bEnd } = bEntry;
  const length = Math.min(aEnd - aStart, bEnd - bStart);
  for (let i = 0; i < length; i++) {
    const difference = (a[aStart + i] as number) - (b[bStart + i] as number);
    if (difference !== 0) return difference;
  }
  const aNext = aStart + length < aEnd ? (a[aStart + length] as number) : aEntry.kind === TREE ? SLASH : 0;
  const bNext = bStart + length < bEnd ? (b[bStart + length] as number) : bEntry.kind === TREE ? SLASH : 0;
  return aNext - bNext;
}
