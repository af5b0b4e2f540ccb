/**
 * The blob that a sparse filter names: by its id, or by a path in what a ref holds.
 * Spec: git-rev-list(1), `--filter=sparse:oid=<blob-ish>`; gitrevisions(7), `<rev>:<path>`.
 *
 * @module
 */
import { decodeLatin1, decodeText } from '../core/bytes.ts';
import { bytesToHex, isObjectId, type ObjectId } from '../core/object-id.ts';
import type { ObjectReader } from '../odb/object-database.ts';
import type { ObjectFilter } from '../repository/object-filter.ts';
import { peelObject } from '../repository/tag.ts';
import { TreeEntry } from '../repository/tree.ts';
import { findRefs } from './deepen-not.ts';
import { type FetchContext, violation } from './fetch-context.ts';
import { refusedOf } from './want-policy.ts';

/** Bytes of a commit in front of its tree's id: "tree ". */
const TREE_ID_AT = 5;

/**
 * The filter with the blob's id in the place of its name. A blob that the client may not want is none.
 *
 * @throws {GitError} PROTOCOL_VIOLATION, in git's words
 */
export async function resolveSparse(
  context: FetchContext,
  reader: ObjectReader,
  filter: ObjectFilter | undefined,
): Promise<ObjectFilter | undefined> {
  if (filter?.kind === 'sparse:oid') {
    return { kind: filter.kind, name: await blobOf(context, reader, filter.name) };
  }
  if (filter?.kind !== 'combine') return filter;
  const filters: ObjectFilter[] = [];
  for (const part of filter.filters) {
    filters.push((await resolveSparse(context, reader, part)) as ObjectFilter);
  }
  return { kind: 'combine', filters };
}

async function blobOf(context: FetchContext, reader: ObjectReader, name: string): Promise<ObjectId> {
  const colon = name.indexOf(':');
  const start = await objectNamed(context, colon < 0 ? name : name.slice(0, colon));
  const id = start && colon >= 0 ? objectAt(reader, start, name.slice(colon + 1)) : start;
  const kind = id && reader.readHeader(id)?.kind;
  if (id === undefined || kind === undefined || (await refusedOf(context, reader, [id])).length > 0) {
    throw violation(`unable to access sparse blob in '${name}'`);
  }
  if (kind !== 'blob') throw violation(`unable to parse sparse filter data in ${id}`);
  return id;
}

async function objectNamed(context: FetchContext, name: string): Promise<ObjectId | undefined> {
  if (isObjectId(name, context.repository.format)) return name;
  return (await findRefs(context, name))[0];
}

function objectAt(reader: ObjectReader, start: ObjectId, path: string): ObjectId | undefined {
  let id: ObjectId | undefined = treeOf(reader, start);
  for (const name of path.split('/')) {
    if (id === undefined) return undefined;
    if (name !== '') id = entryOf(reader, id, name);
  }
  return id;
}

function treeOf(reader: ObjectReader, start: ObjectId): ObjectId | undefined {
  if (reader.readHeader(start) === undefined) return undefined;
  const { id, kind } = peelObject(reader, start);
  if (kind !== 'commit') return kind === 'tree' ? id : undefined;
  const commit = reader.read(id);
  return commit && decodeLatin1(commit.data, TREE_ID_AT, TREE_ID_AT + reader.format.idHexDigits);
}

function entryOf(reader: ObjectReader, treeId: ObjectId, name: string): ObjectId | undefined {
  const tree = reader.read(treeId);
  if (tree?.kind !== 'tree') return undefined;
  const { data } = tree;
  const { idBytes } = reader.format;
  const entry = new TreeEntry(idBytes);
  for (let at = 0; at < data.length; ) {
    at = entry.read(data, at, data.length);
    if (decodeText(data.subarray(entry.nameStart, entry.nameEnd)) !== name) continue;
    return bytesToHex(data, entry.idAt, idBytes);
  }
  return undefined;
}
