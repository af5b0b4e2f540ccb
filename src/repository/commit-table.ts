/**
 * The commits a walk has met, in typed arrays: about 80 bytes a commit, no object for any. What they say is taken
 * from the commit-graph where the database has one that knows them.
 *
 * @module
 */
import { GitError } from '../core/errors.ts';
import type { Limits } from '../core/limits.ts';
import { bytesToHex, hexToBytes, type ObjectId } from '../core/object-id.ts';
import { COMMIT } from '../core/object-kind.ts';
import type { ObjectLocation, ObjectReader } from '../odb/object-database.ts';
import type { CommitGraph } from '../pack/commit-graph.ts';
import type { ObjectView } from '../pack/pack-reader.ts';
import type { StoredPack } from '../pack/stored-pack.ts';
import { CommitFields } from './commit.ts';
import { IdTable } from './id-table.ts';
import { type WarmCommits, warmCommitsOf } from './warm-commits.ts';

/** The commit has been read: its date, tree and parents are known. */
const LOADED = 1;
/** History ends here whatever parents the commit names: it is shallow. */
const CUT = 2;
/** What is kept of a commit's position in the graph: not looked for yet, not there (1), or the position and this. */
const UNKNOWN = 0;
const FIRST_POSITION = 2;
/** Bits of {@link CommitTable.flags} that belong to the walk that uses the table. */
export const FIRST_FREE_FLAG = 4;

export class CommitTable {
  readonly ids: IdTable;
  flags = new Uint16Array(64);
  /** Committer dates, seconds since 1970; valid once loaded. */
  dates = new Float64Array(64);
  /** Raw ids of root trees; valid once loaded. */
  treeIds: Uint8Array;
  /** Numbers of parents: those of commit n are at [parentStarts[n], parentEnds[n]). */
  parents = new Int32Array(64);
  parentStarts = new Int32Array(64);
  parentEnds = new Int32Array(64);
  /** Commits that were {@link cut}. */
  cutCount = 0;
  #parentsUsed = 0;
  readonly #reader: ObjectReader;
  readonly #graph: CommitGraph | undefined;
  /** Where each commit is in the graph; valid from FIRST_POSITION on. */
  #graphPositions = new Int32Array(0);
  readonly #assumesPresence: boolean;
  readonly #parentId: Uint8Array;
  readonly #fields: CommitFields;
  readonly #view = emptyView();
  readonly #location: ObjectLocation = { pack: 0, offset: 0 };
  /** What is known of the commits of the pack that was read last. */
  #warm: WarmCommits | undefined;
  #warmPack: StoredPack | undefined;

  /**
   * @param presence `assumed`: whatever the commit-graph knows is taken to be there, as git does. Checking takes as long
   * as all the rest; where nothing is sent for it, a commit that is missing does no harm.
   */
  constructor(reader: ObjectReader, limits: Limits, presence: 'checked' | 'assumed' = 'checked') {
    this.#assumesPresence = presence === 'assumed';
    this.#reader = reader;
    this.#graph = reader.commitGraph;
    if (this.#graph !== undefined) this.#graphPositions = new Int32Array(this.flags.length);
    this.#parentId = new Uint8Array(reader.format.idBytes);
    this.ids = new IdTable(reader.format, limits.maxPackObjects);
    this.treeIds = new Uint8Array(64 * reader.format.idBytes);
    this.#fields = new CommitFields(reader.format);
  }

  get size(): number {
    return this.ids.size;
  }

  /** The number of a commit, made when it is new. Reads nothing. */
  add(ids: Uint8Array, at: number): number {
    const number = this.ids.add(ids, at);
    if (number >= this.flags.length) this.#grow();
    return number;
  }

  addId(id: ObjectId): number {
    return this.add(hexToBytes(id), 0);
  }

  /** The number of a commit that was met, or -1. */
  findId(id: ObjectId): number {
    return this.ids.find(hexToBytes(id), 0);
  }

  idOf(number: number): ObjectId {
    const { idBytes } = this.ids;
    return bytesToHex(this.ids.ids, number * idBytes, idBytes);
  }

  /** Make history end at this commit; before it is loaded. */
  cut(id: ObjectId): void {
    const number = this.addId(id);
    if (!this.isCut(number)) this.cutCount++;
    this.flags[number] = (this.flags[number] as number) | CUT;
  }

  isCut(number: number): boolean {
    return ((this.flags[number] as number) & CUT) !== 0;
  }

  /**
   * Read the commit unless that was done.
   *
   * @returns false when it is missing
   * @throws {GitError} OBJECT_CORRUPT when it does not parse or is no commit
   */
  load(number: number): boolean {
    if (((this.flags[number] as number) & LOADED) !== 0) return true;
    const { idBytes } = this.ids;
    const position = this.graphPositionOf(number);
    if (position >= 0) {
      // The graph may outlive what it tells of.
      if (!this.#assumesPresence && !this.#reader.hasRaw(this.ids.ids, number * idBytes)) return false;
      this.#loadFromGraph(number, position);
      return true;
    }
    const warm = this.#locateWarm(number);
    if (warm?.find(this.#location.offset) === true) {
      this.#loadFromWarm(number, warm);
      return true;
    }
    const view = this.#view;
    if (!this.#reader.viewRaw(this.ids.ids, number * idBytes, view)) return false;
    if (view.kind !== COMMIT) {
      const id = this.idOf(number);
      throw new GitError('OBJECT_CORRUPT', `Cannot walk history: ${id} is not a commit`, { id });
    }
    const fields = this.#fields;
    fields.read(view.bytes, view.start, view.end);
    warm?.add(this.#location.offset, fields);
    this.dates[number] = fields.date;
    this.treeIds.set(fields.treeId, number * idBytes);
    const start = this.#parentsUsed;
    if (!this.isCut(number)) this.#addParents(fields);
    this.parentStarts[number] = start;
    this.parentEnds[number] = this.#parentsUsed;
    this.flags[number] = (this.flags[number] as number) | LOADED;
    return true;
  }

  /**
   * Where the commit is in {@link CommitGraph}; -1 when the graph does not know it, or there is none. Whether the
   * commit is there does not matter.
   */
  graphPositionOf(number: number): number {
    const graph = this.#graph;
    if (graph === undefined) return -1;
    const known = this.#graphPositions[number] as number;
    if (known !== UNKNOWN) return known - FIRST_POSITION;
    const position = graph.find(this.ids.ids, number * this.ids.idBytes);
    this.#graphPositions[number] = position + FIRST_POSITION;
    return position;
  }

  /**
   * Never below that of a commit this one reaches: the graph's generation, infinite when it does not know the commit
   * (no commit of the graph reaches that), or without a graph.
   */
  generationOf(number: number): number {
    const position = this.graphPositionOf(number);
    return position < 0 ? Number.POSITIVE_INFINITY : (this.#graph as CommitGraph).generationOf(position);
  }

  /**
   * The smallest generation of these commits, those left out that the graph does not know: no commit of a smaller
   * one reaches any of them. Without a graph it is below every generation.
   */
  leastGenerationOf(commits: IdTable): number {
    const graph = this.#graph;
    if (graph === undefined) return Number.NEGATIVE_INFINITY;
    let least = Number.POSITIVE_INFINITY;
    for (let number = 0; number < commits.size; number++) {
      const position = graph.find(commits.ids, number * commits.idBytes);
      if (position >= 0) least = Math.min(least, graph.generationOf(position));
    }
    return least;
  }

  #loadFromGraph(number: number, position: number): void {
    const graph = this.#graph as CommitGraph;
    this.dates[number] = graph.dateOf(position);
    graph.copyTreeId(position, this.treeIds, number * this.ids.idBytes);
    const start = this.#parentsUsed;
    const count = this.isCut(number) ? 0 : graph.parentCountOf(position);
    this.#makeRoomForParents(count);
    for (let n = 0; n < count; n++) {
      const parentPosition = graph.parentOf(position, n);
      graph.copyId(parentPosition, this.#parentId, 0);
      const parent = this.add(this.#parentId, 0);
      this.#graphPositions[parent] = parentPosition + FIRST_POSITION;
      this.parents[this.#parentsUsed++] = parent;
    }
    this.parentStarts[number] = start;
    this.parentEnds[number] = this.#parentsUsed;
    this.flags[number] = (this.flags[number] as number) | LOADED;
  }

  /** Fill `#location`. @returns `undefined` for a commit that is in no pack */
  #locateWarm(number: number): WarmCommits | undefined {
    if (this.#reader.packs.length === 0) return undefined;
    const location = this.#location;
    const { ids, idBytes } = this.ids;
    if (!this.#reader.locate(ids, number * idBytes, location) || location.pack < 0) return undefined;
    const pack = this.#reader.packs[location.pack];
    if (pack !== this.#warmPack) {
      this.#warmPack = pack;
      this.#warm = pack === undefined ? undefined : warmCommitsOf(pack);
    }
    return this.#warm;
  }

  #loadFromWarm(number: number, { ids, start: treeAt, end, date }: WarmCommits): void {
    const { idBytes } = this.ids;
    this.dates[number] = date;
    this.treeIds.set(ids.subarray(treeAt, treeAt + idBytes), number * idBytes);
    const start = this.#parentsUsed;
    const parentsAt = treeAt + idBytes;
    if (!this.isCut(number)) {
      this.#makeRoomForParents((end - parentsAt) / idBytes);
      for (let at = parentsAt; at < end; at += idBytes) this.parents[this.#parentsUsed++] = this.add(ids, at);
    }
    this.parentStarts[number] = start;
    this.parentEnds[number] = this.#parentsUsed;
    this.flags[number] = (this.flags[number] as number) | LOADED;
  }

  #makeRoomForParents(count: number): void {
    const needed = this.#parentsUsed + count;
    if (needed > this.parents.length) {
      this.parents = longer(this.parents, new Int32Array(Math.max(needed, this.parents.length * 2)));
    }
  }

  #addParents(fields: CommitFields): void {
    this.#makeRoomForParents(fields.parentCount);
    for (let i = 0; i < fields.parentCount; i++) {
      this.parents[this.#parentsUsed++] = this.add(fields.parentIds, i * this.ids.idBytes);
    }
  }

  #grow(): void {
    const capacity = this.flags.length * 2;
    this.flags = longer(this.flags, new Uint16Array(capacity));
    this.dates = longer(this.dates, new Float64Array(capacity));
    this.treeIds = longer(this.treeIds, new Uint8Array(capacity * this.ids.idBytes));
    this.parentStarts = longer(this.parentStarts, new Int32Array(capacity));
    this.parentEnds = longer(this.parentEnds, new Int32Array(capacity));
    if (this.#graph !== undefined) {
      this.#graphPositions = longer(this.#graphPositions, new Int32Array(capacity));
    }
  }
}

function longer<Column extends Uint8Array | Uint16Array | Int32Array | Float64Array>(
  from: Column,
  to: Column,
): Column {
  to.set(from);
  return to;
}

/** To be filled by {@link ObjectReader.viewRaw}. */
export function emptyView(): ObjectView {
  return { bytes: new Uint8Array(0), start: 0, end: 0, kind: 0 };
}
