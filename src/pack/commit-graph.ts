/**
 * Commits in tables: parents, trees, dates and generations as commit-graph files hold them, so that history is walked
 * without reading commits.
 * Spec: gitformat-commit-graph(5).
 *
 * @module
 */
import { GitError } from '../core/errors.ts';
import { CommitGraphFile, type CommitGraphFileOptions } from './commit-graph-file.ts';

/**
 * Commits by *position*: 0 to commitCount - 1. The parents of a commit of the graph are in the graph too.
 *
 * It tells what commits say, not that they are there: an object may have been removed since.
 */
export interface CommitGraph {
  readonly commitCount: number;
  /** @returns the position of the commit `ids[at, at + idBytes)`, or -1 */
  find(ids: Uint8Array, at: number): number;
  copyId(position: number, target: Uint8Array, targetOffset: number): void;
  /** The raw id of the root tree. */
  copyTreeId(position: number, target: Uint8Array, targetOffset: number): void;
  /** Committer date in seconds since 1970, modulo 2^34: the format has no room for more. */
  dateOf(position: number): number;
  parentCountOf(position: number): number;
  /** The position of the n-th parent, counted from 0. */
  parentOf(position: number, n: number): number;
  /**
   * Above that of every parent: a commit reaches none of its own generation or a greater one, but itself. Corrected
   * dates where every file has them, else levels; 0 for all where an old git computed neither.
   */
  generationOf(position: number): number;
}

/**
 * The graph of one file, or of a chain of them.
 *
 * Every parent and generation is looked at once, so that no walk need ask whether to believe them.
 *
 * @param bytes of the file; those that are needed are kept
 * @param base the graph it builds on, if any
 * @throws {GitError} PACK_CORRUPT when it is damaged, or builds on something else; UNSUPPORTED for another version or
 * hash function
 */
export function parseCommitGraph(
  bytes: Uint8Array,
  options: CommitGraphFileOptions,
  base?: StoredCommitGraph,
): StoredCommitGraph {
  const layers = base?.layers ?? [];
  const top = new CommitGraphFile(bytes, options);
  if (top.baseCount !== layers.length) throw corrupt('it builds on more files or fewer');
  for (const [n, { file }] of layers.entries()) {
    if (!top.namesBase(n, file.checksum)) throw corrupt('it builds on other files');
  }
  const first = base?.commitCount ?? 0;
  return new StoredCommitGraph([...layers, { file: top, first, end: first + top.commitCount }], base);
}

/** A file of a chain: its commits are at [first, end). */
interface Layer {
  readonly file: CommitGraphFile;
  readonly first: number;
  readonly end: number;
}

type GenerationKind = 'corrected dates' | 'levels' | 'none';

export class StoredCommitGraph implements CommitGraph {
  readonly commitCount: number;
  /** The lowest first. */
  readonly layers: readonly Layer[];
  readonly #generationKind: GenerationKind;
  /** By position. */
  readonly #generations: Float64Array;

  /** @throws {GitError} PACK_CORRUPT when a commit names a parent there is not, or generations descend */
  constructor(layers: readonly Layer[], base?: StoredCommitGraph) {
    this.layers = layers;
    this.commitCount = layers.at(-1)?.end ?? 0;
    this.#generationKind = generationKindOf(layers);
    this.#generations = new Float64Array(this.commitCount);
    const isSameKind = base !== undefined && base.#generationKind === this.#generationKind;
    const known = isSameKind ? base.#generations : new Float64Array(0);
    this.#generations.set(known);
    for (const layer of layers) if (layer.end > known.length) this.#readGenerations(layer);
    // In a round of its own: a commit may come before its parents.
    for (const layer of layers) if (layer.end > known.length) this.#check(layer);
  }

  /** What the top file ends with, by which a file above names it. */
  get checksum(): Uint8Array {
    return (this.layers.at(-1) as Layer).file.checksum;
  }

  get heldBytes(): number {
    return this.layers.reduce((bytes, { file }) => bytes + file.heldBytes, 8 * this.commitCount);
  }

  find(ids: Uint8Array, at: number): number {
    const { layers } = this;
    for (let n = layers.length - 1; n >= 0; n--) {
      const { file, first } = layers[n] as Layer;
      const commit = file.ids.rankOf(ids, at);
      if (commit >= 0) return first + commit;
    }
    return -1;
  }

  copyId(position: number, target: Uint8Array, targetOffset: number): void {
    const { file, first } = this.#layerOf(position);
    file.ids.copyId(position - first, target, targetOffset);
  }

  copyTreeId(position: number, target: Uint8Array, targetOffset: number): void {
    const { file, first } = this.#layerOf(position);
    file.copyTreeId(position - first, target, targetOffset);
  }

  dateOf(position: number): number {
    const { file, first } = this.#layerOf(position);
    return file.dateOf(position - first);
  }

  parentCountOf(position: number): number {
    const { file, first } = this.#layerOf(position);
    return file.parentCountOf(position - first);
  }

  parentOf(position: number, n: number): number {
    const { file, first } = this.#layerOf(position);
    return file.parentOf(position - first, n);
  }

  generationOf(position: number): number {
    return this.#generations[position] as number;
  }

  #layerOf(position: number): Layer {
    const { layers } = this;
    let n = layers.length - 1;
    while (position < (layers[n] as Layer).first) n--;
    return layers[n] as Layer;
  }

  #readGenerations({ file, first, end }: Layer): void {
    const generations = this.#generations;
    const kind = this.#generationKind;
    if (kind === 'none') return;
    for (let position = first; position < end; position++) {
      const commit = position - first;
      generations[position] = kind === 'levels' ? file.levelOf(commit) : file.correctedDateOf(commit);
    }
  }

  #check({ file, first, end }: Layer): void {
    const generations = this.#generations;
    const hasNone = this.#generationKind === 'none';
    for (let position = first; position < end; position++) {
      const commit = position - first;
      const generation = generations[position] as number;
      const count = file.parentCountOf(commit);
      for (let n = 0; n < count; n++) {
        const parent = file.parentOf(commit, n);
        if (parent >= end) throw corrupt('a parent is not in it', { position });
        if (!hasNone && (generations[parent] as number) >= generation) {
          throw corrupt('a generation is not above that of a parent', { position });
        }
      }
    }
  }
}

function generationKindOf(layers: readonly Layer[]): GenerationKind {
  if (layers.every(({ file }) => file.hasCorrectedDates)) return 'corrected dates';
  return layers.some(({ file }) => file.commitCount > 0 && file.levelOf(0) === 0) ? 'none' : 'levels';
}

function corrupt(why: string, detail: Readonly<Record<string, number>> = {}): GitError {
  return new GitError('PACK_CORRUPT', `Cannot read commit-graph: ${why}`, detail);
}
