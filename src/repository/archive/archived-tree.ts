/**
 * The entries of an archive: a walk over one tree in its own order, less what attributes and paths leave out.
 * Spec: git-archive(1), "ATTRIBUTES".
 *
 * @module
 */
import { decodeLatin1, encodeLatin1 } from '../../core/bytes.ts';
import { GitError } from '../../core/errors.ts';
import { bytesToHex, type ObjectId } from '../../core/object-id.ts';
import { TREE } from '../../core/object-kind.ts';
import type { ObjectReader } from '../../odb/object-database.ts';
import { DOT_GIT, specialNames } from '../../pack/fsck/dot-git-names.ts';
import { TreeEntry } from '../tree.ts';
import type { ArchiveEntry } from './archive-writer.ts';
import { AttributeFiles } from './attribute-files.ts';
import type { AttributeValue } from './attributes.ts';
import type { Pathspec } from './pathspec.ts';
import { conversionOf, type LineEndDefaults, type TextConversion } from './text-conversion.ts';

const DIRECTORY_MODE = 0o040000;
const SUBMODULE_TYPE = 0o160000;
const SLASH = 47;
const ATTRIBUTES_NAME = '.gitattributes';

/** A file, link, directory or submodule that belongs into the archive. */
export interface TreeMember extends ArchiveEntry {
  /** Below the root of the tree, a character a byte; without a slash at its end. */
  readonly treePath: string;
  readonly conversion: TextConversion | undefined;
  /** What the attribute `diff` says. */
  readonly diff: AttributeValue;
}

export interface ArchivedTreeOptions {
  /** Put before every path. */
  readonly prefix: Uint8Array;
  readonly pathspec: Pathspec;
  /** The repository's own `info/attributes`, which stands above those of the tree. */
  readonly infoAttributes?: Uint8Array | undefined;
  readonly lineEnds: LineEndDefaults;
  readonly maxDepth: number;
  readonly maxEntries: number;
  /** False: nothing is left out for the sake of attributes. */
  readonly readsAttributes: boolean;
}

/** A tree on the way from the root to where the walk is. */
interface Frame {
  readonly id: ObjectId;
  readonly data: Uint8Array;
  at: number;
  /** Empty, or with a slash at its end. */
  readonly path: string;
  readonly mode: number;
  isListed: boolean;
}

export class ArchivedTree {
  readonly #reader: ObjectReader;
  readonly #options: ArchivedTreeOptions;
  readonly #attributes: AttributeFiles;
  readonly #frames: Frame[] = [];
  readonly #entry: TreeEntry;
  /** Found, and to be handed out before the walk goes on; the last one first. */
  readonly #found: TreeMember[] = [];
  #count = 0;

  /** @throws {GitError} as {@link next} */
  constructor(reader: ObjectReader, rootId: ObjectId, options: ArchivedTreeOptions) {
    this.#reader = reader;
    this.#options = options;
    this.#attributes = new AttributeFiles(options.infoAttributes);
    this.#entry = new TreeEntry(reader.format.idBytes);
    this.#enter(rootId, '', DIRECTORY_MODE);
    (this.#frames[0] as Frame).isListed = true;
    if (options.prefix[options.prefix.length - 1] === SLASH) this.#found.push(this.#prefixEntry(rootId));
  }

  /**
   * The next entry, each directory before what is in it and only if something is.
   *
   * @returns `undefined` at the end, and `'more'` where a caller may rest: nothing was found yet
   * @throws {GitError} OBJECT_MISSING, OBJECT_CORRUPT, LIMIT_EXCEEDED
   */
  next(): TreeMember | 'more' | undefined {
    const found = this.#found.pop();
    if (found !== undefined) return found;
    const frame = this.#frames.at(-1);
    if (frame === undefined) return undefined;
    if (frame.at >= frame.data.length) {
      this.#frames.pop();
      this.#attributes.leave();
      return 'more';
    }
    const entry = this.#entry;
    frame.at = entry.read(frame.data, frame.at, frame.data.length);
    checkName(frame.data, entry);
    const treePath = frame.path + decodeLatin1(frame.data, entry.nameStart, entry.nameEnd);
    const id = bytesToHex(frame.data, entry.idAt, this.#reader.format.idBytes);
    if (entry.kind === TREE) this.#meetDirectory(treePath, id, entry.mode);
    else this.#meetLeaf(treePath, id, entry.mode, entry.kind === 0);
    return this.#found.pop() ?? 'more';
  }

  #meetDirectory(treePath: string, id: ObjectId, mode: number): void {
    if (this.#attributes.valuesOf(treePath, true).get('export-ignore') === true) return;
    if (this.#options.pathspec.mayEnter(treePath)) this.#enter(id, `${treePath}/`, mode);
  }

  #meetLeaf(treePath: string, id: ObjectId, mode: number, isSubmodule: boolean): void {
    if (!this.#options.pathspec.selects(treePath, isSubmodule)) return;
    const values = this.#attributes.valuesOf(treePath, isSubmodule);
    if (values.get('export-ignore') !== true) this.#listLeaf(treePath, id, mode, isSubmodule, values);
    // Even if nothing else of a directory is exported, as for git.
    for (let i = this.#frames.length - 1; i >= 0; i--) {
      const frame = this.#frames[i] as Frame;
      if (frame.isListed) break;
      frame.isListed = true;
      this.#list(frame.path.slice(0, -1), frame.id, DIRECTORY_MODE, 0);
    }
  }

  #listLeaf(
    treePath: string,
    id: ObjectId,
    mode: number,
    isSubmodule: boolean,
    values: ReadonlyMap<string, AttributeValue>,
  ): void {
    const isFile = !isSubmodule && (mode & SUBMODULE_TYPE) === 0o100000;
    const conversion = isFile ? conversionOf(values, this.#options.lineEnds) : undefined;
    const sizeBytes = isSubmodule ? 0 : this.#sizeOf(id);
    const leafMode = isSubmodule ? SUBMODULE_TYPE : canonicalMode(mode);
    this.#list(treePath, id, leafMode, sizeBytes, conversion, values.get('diff'));
  }

  /** To be handed out before what was listed earlier. */
  #list(
    treePath: string,
    id: ObjectId,
    mode: number,
    sizeBytes: number,
    conversion?: TextConversion,
    diff?: AttributeValue,
  ): void {
    if (++this.#count > this.#options.maxEntries) {
      const limit = this.#options.maxEntries;
      throw new GitError('LIMIT_EXCEEDED', `archives of more than ${limit} entries are not made`, { limit });
    }
    const { prefix } = this.#options;
    const type = mode & SUBMODULE_TYPE;
    const isDirectory = type === DIRECTORY_MODE || type === SUBMODULE_TYPE;
    const name = encodeLatin1(isDirectory ? `${treePath}/` : treePath);
    const path = new Uint8Array(prefix.length + name.length);
    path.set(prefix);
    path.set(name, prefix.length);
    this.#found.push({ path, id, mode, sizeBytes, treePath, conversion, diff });
  }

  #prefixEntry(id: ObjectId): TreeMember {
    const { prefix } = this.#options;
    let end = prefix.length;
    while (end > 1 && prefix[end - 2] === SLASH) end--; // one slash at the end will do
    const path = prefix.subarray(0, end);
    const mode = DIRECTORY_MODE | 0o777;
    return { path, id, mode, sizeBytes: 0, treePath: '', conversion: undefined, diff: undefined };
  }

  #enter(id: ObjectId, path: string, mode: number): void {
    if (this.#frames.length > this.#options.maxDepth) {
      const limit = this.#options.maxDepth;
      throw new GitError('LIMIT_EXCEEDED', `Cannot archive: trees lie deeper than ${limit} levels`, {
        limit,
      });
    }
    const data = this.#readObject(id, 'tree');
    this.#attributes.enter(path, this.#options.readsAttributes ? this.#attributesIn(data) : undefined);
    this.#frames.push({ id, data, at: 0, path, mode, isListed: false });
  }

  #attributesIn(tree: Uint8Array): Uint8Array | undefined {
    const entry = new TreeEntry(this.#reader.format.idBytes);
    for (let at = 0; at < tree.length; ) {
      at = entry.read(tree, at, tree.length);
      if (entry.nameEnd - entry.nameStart !== ATTRIBUTES_NAME.length || (entry.mode & 0o170000) !== 0o100000)
        continue;
      if (decodeLatin1(tree, entry.nameStart, entry.nameEnd) !== ATTRIBUTES_NAME) continue;
      const id = bytesToHex(tree, entry.idAt, this.#reader.format.idBytes);
      this.#attributes.checkSize(this.#sizeOf(id));
      return this.#readObject(id, 'blob');
    }
    return undefined;
  }

  #sizeOf(id: ObjectId): number {
    const header = this.#reader.readHeader(id);
    if (header === undefined) throw missing(id);
    return header.sizeBytes;
  }

  #readObject(id: ObjectId, kind: 'tree' | 'blob'): Uint8Array {
    const object = this.#reader.read(id);
    if (object === undefined) throw missing(id);
    if (object.kind !== kind) {
      throw new GitError('OBJECT_CORRUPT', `Cannot archive: expected a ${kind}, got a ${object.kind}`, {
        id,
      });
    }
    return object.data;
  }
}

function missing(id: ObjectId): GitError {
  return new GitError('OBJECT_MISSING', `cannot read '${id}'`, { id });
}

/** git knows two kinds of files, and links: old trees hold others. */
function canonicalMode(mode: number): number {
  if ((mode & 0o170000) === 0o120000) return 0o120000;
  return (mode & 0o100) !== 0 ? 0o100755 : 0o100644;
}

/** What would leave the directory it is unpacked into, or become a repository there, is not handed out. */
function checkName(tree: Uint8Array, { nameStart, nameEnd }: TreeEntry): void {
  const length = nameEnd - nameStart;
  const isDots = length <= 2 && tree[nameStart] === 46 && tree[nameEnd - 1] === 46;
  const hasSlash = tree.subarray(nameStart, nameEnd).includes(SLASH);
  if (!isDots && !hasSlash && (specialNames(tree, nameStart, nameEnd) & DOT_GIT) === 0) return;
  const name = decodeLatin1(tree, nameStart, nameEnd).replace(/[^\x20-\x7e]/g, '?');
  throw new GitError('OBJECT_CORRUPT', `Cannot archive: invalid path '${name}'`);
}
