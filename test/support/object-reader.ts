/**
 * An object reader over a plain map, filled from a repository that git made. Objects can be taken out, to
 * see what is said about their absence.
 *
 * @module
 */
import { bytesToHex, type ObjectFormat, type ObjectId, SHA1 } from '../../src/core/object-id.ts';
import { codeOfKind, isObjectKind } from '../../src/core/object-kind.ts';
import type { ObjectReader, RawObject } from '../../src/odb/object-database.ts';
import { gitBytes } from './git.ts';

export interface MapReader extends ObjectReader {
  readonly objects: Map<ObjectId, RawObject>;
  /** Ids read in full since the reader was made, in order. */
  readonly reads: ObjectId[];
}

/** Every object of the repository in `directory`. */
export function readObjectsOf(directory: string, format: ObjectFormat = SHA1): Map<ObjectId, RawObject> {
  const output = gitBytes(directory, 'cat-file', '--batch', '--batch-all-objects', '--buffer');
  const objects = new Map<ObjectId, RawObject>();
  let at = 0;
  while (at < output.length) {
    const lineEnd = output.indexOf(0x0a, at);
    const [id = '', kind = '', size = ''] = output.subarray(at, lineEnd).toString('latin1').split(' ');
    const end = lineEnd + 1 + Number(size);
    if (id.length !== format.idHexDigits || !isObjectKind(kind))
      throw new Error(`cat-file said ${id} ${kind}`);
    objects.set(id, { kind, data: new Uint8Array(output.subarray(lineEnd + 1, end)) });
    at = end + 1;
  }
  return objects;
}

export function readerOver(objects: Map<ObjectId, RawObject>, format: ObjectFormat = SHA1): MapReader {
  const reads: ObjectId[] = [];
  const hexAt = (ids: Uint8Array, at: number): ObjectId => bytesToHex(ids, at, format.idBytes);
  const read = (id: ObjectId): RawObject | undefined => {
    reads.push(id);
    return objects.get(id);
  };
  const readHeader: ObjectReader['readHeader'] = (id) => {
    const object = objects.get(id);
    return object && { kind: object.kind, sizeBytes: object.data.length };
  };
  return {
    format,
    packs: [],
    objects,
    reads,
    has: (id) => objects.has(id),
    hasRaw: (ids, at) => objects.has(hexAt(ids, at)),
    read,
    readRaw: (ids, at) => read(hexAt(ids, at)),
    viewRaw(ids, at, into) {
      const object = read(hexAt(ids, at));
      if (object === undefined) return false;
      into.bytes = object.data;
      into.start = 0;
      into.end = object.data.length;
      into.kind = codeOfKind(object.kind);
      return true;
    },
    readHeader,
    readHeaderRaw: (ids, at) => readHeader(hexAt(ids, at)),
    stream: () => assertUnused('stream'),
    locate: () => assertUnused('locate'),
    idsWithPrefix: () => assertUnused('idsWithPrefix'),
    release: () => undefined,
  };
}

function assertUnused(member: string): never {
  throw new Error(`walks do not use ${member}()`);
}
