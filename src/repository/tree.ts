/**
 * Entries of a tree, read from its bytes without making strings.
 * Spec: git-fast-import(1) and fsck of trees; an entry is `mode SP name NUL raw-id`.
 *
 * @module
 */
import { GitError } from '../core/errors.ts';
import { BLOB, TREE } from '../core/object-kind.ts';

const FORMAT_MASK = 0o170000;
const DIRECTORY = 0o040000;
const GITLINK = 0o160000;

/** What an entry points at, as a kind code; 0 for a gitlink: a commit of another repository. */
export type EntryKind = typeof TREE | typeof BLOB | 0;

/** Where one entry lies. One instance is filled again and again; offsets are into the tree's content. */
export class TreeEntry {
  mode = 0;
  nameStart = 0;
  /** The raw id; the name ends one byte before it. */
  idAt = 0;
  readonly #idBytes: number;

  constructor(idBytes: number) {
    this.#idBytes = idBytes;
  }

  get kind(): EntryKind {
    const format = this.mode & FORMAT_MASK;
    return format === DIRECTORY ? TREE : format === GITLINK ? 0 : BLOB;
  }

  get nameEnd(): number {
    return this.idAt - 1;
  }

  /**
   * Read the entry at `at` of a tree that ends at `treeEnd`.
   *
   * @returns the offset just past it
   * @throws {GitError} OBJECT_CORRUPT when mode, name or id are cut short or malformed
   */
  read(data: Uint8Array, at: number, treeEnd: number): number {
    let mode = 0;
    let i = at;
    for (; ; i++) {
      const digit = (data[i] as number) - 0x30;
      if (!(digit >= 0 && digit <= 7)) break; // also undefined - 0x30, past the end
      mode = (mode << 3) | digit;
    }
    if (data[i] !== 0x20 || i === at) throw malformed(at);
    const nameStart = ++i;
    while (i < treeEnd && data[i] !== 0) i++;
    const end = i + 1 + this.#idBytes;
    if (end > treeEnd || i === nameStart) throw malformed(at);
    this.mode = mode;
    this.nameStart = nameStart;
    this.idAt = i + 1;
    return end;
  }
}

function malformed(offset: number): GitError {
  return new GitError('OBJECT_CORRUPT', 'Cannot read tree: an entry is malformed or cut short', { offset });
}
