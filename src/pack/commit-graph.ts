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
  return new StoredCommitGraph([...layers, { file: top, first, end: first + top.commitCount }]);
}

/** A file of a chain: its commits are at [first, end). */
interface Layer {
  readonly file: CommitGraphFile;
  readonly first: number;
  readonly end: number;
}

export class StoredCommitGraph implements CommitGraph {
  readonly commitCount: number;
  /** The lowest first. */
  readonly layers: readonly Layer[];
  readonly #generations: 'corrected dates' | 'levels' | 'none';

  /** @throws {GitError} PACK_CORRUPT when the top layer names what there is not, or its generations descend */
  constructor(layers: readonly Layer[]) {
    const top = layers.at(-1) as Layer;
    this.layers = layers;
    this.commitCount = top.end;
    this.#generations = layers.every(({ file }) => file.hasCorrectedDates)
      ? 'corrected dates'
      : layers.some(({ file }) => file.commitCount > 0 && file.levelOf(0) === 0)
        ? 'none'
        : 'levels';
    this.#check(top);
  }

  /** What the top file ends with, by which a file above names it. */
  get checksum(): Uint8Array {
    return (this.layers.at(-1) as Layer).file.checksum;
  }

  get heldBytes(): number {
    return this.layers.reduce((bytes, { file }) => bytes + file.heldBytes, 0);
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
    if (this.#generations === 'none') return 0;
    const { file, first } = this.#layerOf(position);
    const commit = position - first;
    return this.#generations === 'levels' ? file.levelOf(commit) : file.correctedDateOf(commit);
  }

  #layerOf(position: number): Layer {
    const { layers } = this;
    let n = layers.length - 1;
    while (position < (layers[n] as Layer).first) n--;
    return layers[n] as Layer;
  }

  #check({ file, first, end }: Layer): void {
    for (let position = first; position < end; position++) {
      const commit = position - first;
      const level = file.levelOf(commit);
      const correctedDate = file.hasCorrectedDates ? file.correctedDateOf(commit) : 0;
      const count = file.parentCountOf(commit);
      for (let n = 0; n < count; n++) {
        const parent = file.parentOf(commit, n);
        if (parent >= end) throw corrupt('a parent is not in it', { position });
        const below = this.#layerOf(parent);
        const isAbove =
          (level === 0 || level > below.file.levelOf(parent - below.first)) &&
          (this.#generations !== 'corrected dates' ||
            correctedDate > below.file.correctedDateOf(parent - below.first));
        if (!isAbove) throw corrupt('a generation is not above that of a parent', { position });
      }
    }
  }
}

function corrupt(why: string, detail: Readonly<Record<string, number>> = {}): GitError {
  return new GitError('PACK_CORRUPT', `Cannot read commit-graph: ${why}`, detail);
}
