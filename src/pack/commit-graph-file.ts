/**
 * One commit-graph file: the whole graph, or a layer that builds on others. Kept as its bytes and read in place.
 * Spec: gitformat-commit-graph(5).
 *
 * @module
 */
import { readUint32 } from '../core/bytes.ts';
import { GitError } from '../core/errors.ts';
import { compareIds, type ObjectFormat } from '../core/object-id.ts';
import type { Runtime } from '../core/runtime.ts';
import { type Chunk, type Chunks, checkTrailer, readChunks, SortedIds } from './chunk-file.ts';

const SIGNATURE = 0x43475048; // CGPH
const HEADER_BYTES = 8;
/** After the tree's id: two parents, then level and date. */
const LINKS_BYTES = 16;
const NO_PARENT = 0x70000000;
/** In the second parent: look into the list of extra edges. In that list: this is the last. In a date offset: look into the overflows. */
const FLAG = 0x80000000;
const WITHOUT_FLAG = 0x7fffffff;
/** Chunks with what changed paths hash to: as large as the rest, and of no use here. */
const NOT_KEPT = ['BIDX', 'BDAT'];

export interface CommitGraphFileOptions {
  readonly format: ObjectFormat;
  readonly runtime: Runtime;
}

/** Commits of the file are numbered by id: 0 to `commitCount - 1`. Parents are positions in the whole chain. */
export class CommitGraphFile {
  readonly commitCount: number;
  /** What the file ends with, by which the layers above name it. */
  readonly checksum: Uint8Array;
  /** How many layers it builds on. */
  readonly baseCount: number;
  readonly hasCorrectedDates: boolean;
  readonly ids: SortedIds;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #idBytes: number;
  readonly #commitsAt: number;
  readonly #commitBytes: number;
  readonly #edges: Chunk;
  readonly #dateOffsetsAt: number;
  readonly #overflows: Chunk;
  readonly #bases: Uint8Array;

  /**
   * @param file its bytes, of which it keeps those it needs
   * @throws {GitError} PACK_CORRUPT when they are damaged; UNSUPPORTED for another version or hash function
   */
  constructor(file: Uint8Array, { format, runtime }: CommitGraphFileOptions) {
    const { idBytes } = format;
    if (file.length < HEADER_BYTES + idBytes || readUint32(file, 0) !== SIGNATURE)
      throw corrupt('it is none');
    const version = file[4] as number;
    if (version !== 1) throw unsupported(`version ${version} is not known`);
    if (file[5] !== format.hashVersion) throw unsupported(`its ids are not ${format.name}`);
    checkTrailer(file, format, runtime);
    const chunks = readChunks(file, { tableAt: HEADER_BYTES, count: file[6] as number, format });

    const bytes = keptOf(file, chunks);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#idBytes = idBytes;
    this.checksum = file.slice(file.length - idBytes);
    this.ids = new SortedIds(bytes, required(chunks, 'OIDF'), required(chunks, 'OIDL'), idBytes);
    const count = this.ids.count;
    this.commitCount = count;
    const commits = required(chunks, 'CDAT');
    this.#commitsAt = commits.start;
    this.#commitBytes = idBytes + LINKS_BYTES;
    if (commits.end - commits.start !== count * this.#commitBytes)
      throw corrupt('its commits have another size');
    const offsets = chunks.get('GDA2');
    if (offsets !== undefined && offsets.end - offsets.start !== 4 * count) {
      throw corrupt('its generations have another size');
    }
    this.hasCorrectedDates = offsets !== undefined;
    this.#dateOffsetsAt = offsets?.start ?? 0;
    this.#overflows = chunks.get('GDO2') ?? NOTHING;
    this.#edges = chunks.get('EDGE') ?? NOTHING;
    this.baseCount = file[7] as number;
    const bases = chunks.get('BASE') ?? NOTHING;
    this.#bases = file.slice(bases.start, bases.end);
    if (this.#bases.length < this.baseCount * idBytes) throw corrupt('it does not name its bases');
  }

  get heldBytes(): number {
    return this.#bytes.length;
  }

  /** @returns whether the n-th layer below it, counted from the lowest, is this one */
  namesBase(n: number, checksum: Uint8Array): boolean {
    return compareIds(this.#bases, n * this.#idBytes, checksum, 0, this.#idBytes) === 0;
  }

  copyTreeId(commit: number, target: Uint8Array, targetOffset: number): void {
    const bytes = this.#bytes;
    const from = this.#commitsAt + commit * this.#commitBytes;
    for (let i = 0; i < this.#idBytes; i++) target[targetOffset + i] = bytes[from + i] as number;
  }

  dateOf(commit: number): number {
    const at = this.#linksOf(commit) + 8;
    return (this.#view.getUint32(at) % 4) * 0x100000000 + this.#view.getUint32(at + 4);
  }

  levelOf(commit: number): number {
    return this.#view.getUint32(this.#linksOf(commit) + 8) >>> 2;
  }

  /**
   * The date, or one second after the latest corrected date of a parent, whichever is later.
   *
   * @throws {GitError} PACK_CORRUPT when it is in a table that ends before
   */
  correctedDateOf(commit: number): number {
    let offset = this.#view.getUint32(this.#dateOffsetsAt + 4 * commit);
    if (offset >= FLAG) {
      const at = this.#overflows.start + 8 * (offset - FLAG);
      if (at + 8 > this.#overflows.end) throw corrupt('it names a date it does not have', { commit });
      offset = this.#view.getUint32(at) * 0x100000000 + this.#view.getUint32(at + 4);
    }
    return this.dateOf(commit) + offset;
  }

  /** @throws {GitError} PACK_CORRUPT when the list of a merge does not end inside its table */
  parentCountOf(commit: number): number {
    const at = this.#linksOf(commit);
    if (this.#view.getUint32(at) === NO_PARENT) return 0;
    const second = this.#view.getUint32(at + 4);
    if (second === NO_PARENT) return 1;
    if (second < FLAG) return 2;
    for (let edge = second - FLAG; ; edge++) {
      if (this.#edgeAt(edge, commit) >= FLAG) return edge - (second - FLAG) + 2;
    }
  }

  parentOf(commit: number, n: number): number {
    const at = this.#linksOf(commit);
    if (n === 0) return this.#view.getUint32(at);
    const second = this.#view.getUint32(at + 4);
    return second < FLAG ? second : this.#edgeAt(second - FLAG + n - 1, commit) & WITHOUT_FLAG;
  }

  #edgeAt(edge: number, commit: number): number {
    const at = this.#edges.start + 4 * edge;
    if (at + 4 > this.#edges.end) throw corrupt('it names edges it does not have', { commit });
    return this.#view.getUint32(at);
  }

  #linksOf(commit: number): number {
    return this.#commitsAt + commit * this.#commitBytes + this.#idBytes;
  }
}

const NOTHING: Chunk = { start: 0, end: 0 };

/** What comes before the chunks that are not kept: git writes them last but for the names of the bases. */
function keptOf(file: Uint8Array, chunks: Chunks): Uint8Array {
  let end = 0;
  for (const [id, chunk] of chunks)
    if (!NOT_KEPT.includes(id) && id !== 'BASE') end = Math.max(end, chunk.end);
  return NOT_KEPT.some((id) => chunks.has(id)) ? file.slice(0, end) : file;
}

function required(chunks: Chunks, id: string): Chunk {
  const chunk = chunks.get(id);
  if (chunk === undefined) throw corrupt(`it has no chunk ${id}`);
  return chunk;
}

function corrupt(why: string, detail: Readonly<Record<string, number>> = {}): GitError {
  return new GitError('PACK_CORRUPT', `Cannot read commit-graph: ${why}`, detail);
}

function unsupported(why: string): GitError {
  return new GitError('UNSUPPORTED', `Cannot read commit-graph: ${why}`);
}
