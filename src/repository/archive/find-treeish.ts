/**
 * From the name a client gives to the tree that is archived.
 * Spec: gitrevisions(7); git-upload-archive(1), "SECURITY": a ref, or a path in the tree of one, unless everything that
 * is stored may be had.
 *
 * @module
 */
import { decodeText, encodeLatin1 } from '../../core/bytes.ts';
import { GitError } from '../../core/errors.ts';
import { bytesToHex, type ObjectId } from '../../core/object-id.ts';
import type { ObjectReader } from '../../odb/object-database.ts';
import { refLookups } from '../../refs/ref-lookup.ts';
import { isValidRefName } from '../../refs/ref-name.ts';
import { CommitFields } from '../commit.ts';
import type { Repository } from '../repository.ts';
import { peelObject } from '../tag.ts';
import { TreeEntry } from '../tree.ts';

export interface Treeish {
  readonly treeId: ObjectId;
  /** Absent when the name is that of a tree. */
  readonly commitId?: ObjectId | undefined;
}

export interface TreeishOptions {
  /** Any name of what is stored, and not only refs and paths in them. */
  readonly allowUnreachable: boolean;
  readonly isHidden: (refName: string) => boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Shortest abbreviated id. */
const MIN_PREFIX_DIGITS = 4;
/** Of `~` and `^` in one name: each reads a commit. */
const MAX_STEPS = 1000;

/**
 * @param name a character a byte: ref names are text, and paths are bytes
 * @throws {GitError} NOT_OUR_REF when the name leads nowhere, or to what may not be had; OBJECT_MISSING;
 * OBJECT_CORRUPT
 */
export async function findTreeish(
  repository: Repository,
  reader: ObjectReader,
  name: string,
  options: TreeishOptions,
): Promise<Treeish> {
  const colon = name.indexOf(':');
  const shown = decodeText(encodeLatin1(name));
  const revision = decodeText(encodeLatin1(colon < 0 ? name : name.slice(0, colon)));
  const refId = await resolveName(repository, revision, options);
  if (refId === undefined && !options.allowUnreachable) throw notOurs(`no such ref: ${revision}`);
  const id = refId ?? (await resolveRevision(repository, reader, revision, options));
  if (id === undefined) throw notOurs(`not a valid object name: ${shown}`);

  const peeled = peelObject(reader, id);
  if (colon >= 0) {
    const treeId = treeOf(reader, peeled.id);
    const found = treeId && findPath(reader, treeId, name.slice(colon + 1));
    if (found === undefined) throw notOurs(`not a valid object name: ${shown}`);
    if (reader.readHeader(found)?.kind !== 'tree') throw notOurs(`not a tree object: ${found}`);
    return { treeId: found };
  }
  const treeId = treeOf(reader, peeled.id);
  if (treeId === undefined) throw notOurs(`not a tree object: ${id}`);
  return { treeId, commitId: peeled.kind === 'commit' ? peeled.id : undefined };
}

/** What the ref of a short or full name holds. */
async function resolveName(
  { refs }: Repository,
  name: string,
  { isHidden, signal }: TreeishOptions,
): Promise<ObjectId | undefined> {
  const short = name === '@' ? 'HEAD' : name;
  for (const fullName of refLookups(short)) {
    const isRef = fullName === 'HEAD' || (fullName.startsWith('refs/') && isValidRefName(fullName));
    if (!isRef || isHidden(fullName)) continue;
    const ref = await refs.resolve(fullName, { signal });
    if (ref !== undefined) return ref.id;
  }
  return undefined;
}

/** An id, whole or abbreviated, or a ref; and steps from there: `~2`, `^`, `^2`, `^{tree}`. */
async function resolveRevision(
  repository: Repository,
  reader: ObjectReader,
  revision: string,
  options: TreeishOptions,
): Promise<ObjectId | undefined> {
  const [, base = '', steps = ''] = /^([^~^]*)((?:~\d*|\^\d*|\^\{[a-z]*\})*)$/.exec(revision) ?? [];
  let id = (await resolveName(repository, base, options)) ?? findId(reader, base);
  let left = MAX_STEPS;
  for (const [, mark, digits, kind] of steps.matchAll(/([~^])(?:(\d+)|\{([a-z]*)\})?/g)) {
    if (id === undefined) return undefined;
    const count = digits === undefined ? 1 : Number(digits);
    const stepCount = mark === '~' ? count : 1;
    left -= stepCount;
    if (left < 0)
      throw new GitError('LIMIT_EXCEEDED', `names of more than ${MAX_STEPS} steps are not followed`);
    if (kind !== undefined) {
      id = kind === 'tree' ? treeOf(reader, peelObject(reader, id).id) : peelObject(reader, id).id;
      continue;
    }
    for (let i = 0; i < stepCount && id !== undefined; i++) {
      id = parentOf(reader, peelObject(reader, id).id, mark === '~' ? 1 : count);
    }
  }
  return id;
}

function findId(reader: ObjectReader, text: string): ObjectId | undefined {
  const digits: string = text.toLowerCase();
  if (!/^[0-9a-f]+$/.test(digits) || digits.length < MIN_PREFIX_DIGITS) return undefined;
  if (digits.length === reader.format.idHexDigits) return reader.has(digits) ? digits : undefined;
  const ids = reader.idsWithPrefix(digits, 2);
  return ids.length === 1 ? ids[0] : undefined;
}

/** @param position 1 is the first parent; 0 the commit itself */
function parentOf(reader: ObjectReader, id: ObjectId, position: number): ObjectId | undefined {
  const commit = reader.read(id);
  if (commit?.kind !== 'commit') return undefined;
  if (position === 0) return id;
  const fields = new CommitFields(reader.format);
  fields.read(commit.data);
  const { idBytes } = reader.format;
  return position > fields.parentCount
    ? undefined
    : bytesToHex(fields.parentIds, (position - 1) * idBytes, idBytes);
}

/** The tree of a commit, or the tree itself. */
function treeOf(reader: ObjectReader, id: ObjectId): ObjectId | undefined {
  const object = reader.read(id);
  if (object === undefined) throw new GitError('OBJECT_MISSING', `cannot read '${id}'`, { id });
  if (object.kind === 'tree') return id;
  if (object.kind !== 'commit') return undefined;
  const fields = new CommitFields(reader.format);
  fields.read(object.data);
  return bytesToHex(fields.treeId);
}

function findPath(reader: ObjectReader, treeId: ObjectId, path: string): ObjectId | undefined {
  let id = treeId;
  for (const segment of path.split('/')) {
    if (segment === '') continue;
    const next = findEntry(reader, id, segment);
    if (next === undefined) return undefined;
    id = next;
  }
  return id;
}

function findEntry(reader: ObjectReader, treeId: ObjectId, name: string): ObjectId | undefined {
  const tree = reader.read(treeId);
  if (tree?.kind !== 'tree') return undefined;
  const { data } = tree;
  const wanted = encodeLatin1(name);
  const entry = new TreeEntry(reader.format.idBytes);
  for (let at = 0; at < data.length; ) {
    at = entry.read(data, at, data.length);
    if (entry.nameEnd - entry.nameStart !== wanted.length) continue;
    if (wanted.every((byte, i) => byte === data[entry.nameStart + i])) {
      return bytesToHex(data, entry.idAt, reader.format.idBytes);
    }
  }
  return undefined;
}

function notOurs(message: string): GitError {
  return new GitError('NOT_OUR_REF', message);
}
