/**
 * Objects of a repository that git made, as the pack writer sees them, by way of the pack reader alone: no database
 * between the test and the code it tests. Objects outside packs come from `git cat-file`.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeRuntime } from '../../src/core/node/runtime.ts';
import { bytesToHex, hexToBytes, type ObjectFormat, type ObjectId, SHA1 } from '../../src/core/object-id.ts';
import { codeOfKind, isObjectKind } from '../../src/core/object-kind.ts';
import type { ObjectReader, RawObject } from '../../src/odb/object-database.ts';
import { parsePackIndex } from '../../src/pack/idx-reader.ts';
import { createMemoryFile } from '../../src/pack/memory-file.ts';
import { PackReader } from '../../src/pack/pack-reader.ts';
import type { StoredPack } from '../../src/pack/stored-pack.ts';
import { gitBytes } from './git.ts';

export interface StoredRepositoryOptions {
  readonly format?: ObjectFormat;
  /** `last` finds objects in the pack whose name sorts last; both orders must serve. */
  readonly packOrder?: 'first' | 'last';
}

export function openStoredRepository(
  directory: string,
  { format = SHA1, packOrder = 'first' }: StoredRepositoryOptions = {},
): ObjectReader {
  const objects = existsSync(join(directory, 'objects')) ? 'objects' : '.git/objects';
  const packDirectory = join(directory, objects, 'pack');
  const names = readdirSync(packDirectory)
    .filter((name) => name.endsWith('.idx'))
    .map((name) => name.slice(0, -'.idx'.length))
    .sort();
  if (packOrder === 'last') names.reverse();
  const packs = names.map((name): StoredPack => {
    const bytes = new Uint8Array(readFileSync(join(packDirectory, `${name}.pack`)));
    const idx = new Uint8Array(readFileSync(join(packDirectory, `${name}.idx`)));
    return {
      name,
      file: createMemoryFile(bytes),
      index: parsePackIndex(idx, { format, packBytes: bytes.length }),
    };
  });
  return storedReader(format, packs, looseObjects(directory, objects));
}

/** A reader over these packs and these objects by id. */
export function storedReader(
  format: ObjectFormat,
  packs: readonly StoredPack[],
  loose: ReadonlyMap<ObjectId, RawObject>,
): ObjectReader {
  const readers = packs.map((pack) => new PackReader(pack, { runtime: nodeRuntime }));
  const hexAt = (ids: Uint8Array, at: number) => bytesToHex(ids, at, format.idBytes);
  const reader: ObjectReader = {
    format,
    packs,
    locate(ids, at, into) {
      for (const [number, pack] of packs.entries()) {
        const rank = pack.index.rankOf(ids, at);
        if (rank < 0) continue;
        into.pack = number;
        into.offset = pack.index.offsetOf(rank);
        return true;
      }
      into.pack = -1;
      into.offset = 0;
      return loose.has(hexAt(ids, at));
    },
    readRaw(ids, at) {
      const location = { pack: 0, offset: 0 };
      if (!reader.locate(ids, at, location)) return undefined;
      if (location.pack < 0) return loose.get(hexAt(ids, at));
      return readers[location.pack]?.readAt(location.offset);
    },
    viewRaw(ids, at, into) {
      const object = reader.readRaw(ids, at);
      if (object === undefined) return false;
      into.bytes = object.data;
      into.start = 0;
      into.end = object.data.length;
      into.kind = codeOfKind(object.kind);
      return true;
    },
    readHeaderRaw(ids, at) {
      const object = reader.readRaw(ids, at);
      return object && { kind: object.kind, sizeBytes: object.data.length };
    },
    hasRaw: (ids, at) => reader.locate(ids, at, { pack: 0, offset: 0 }),
    has: (id) => reader.hasRaw(hexToBytes(id), 0),
    read: (id) => reader.readRaw(hexToBytes(id), 0),
    readHeader: (id) => reader.readHeaderRaw(hexToBytes(id), 0),
    stream(id) {
      const object = reader.read(id);
      if (object === undefined) return undefined;
      const { kind, data } = object;
      return { header: { kind, sizeBytes: data.length }, content: inPieces(data) };
    },
    idsWithPrefix: () => [],
    release: () => {},
  };
  return reader;
}

function looseObjects(directory: string, objects: string): Map<ObjectId, RawObject> {
  const found = new Map<ObjectId, RawObject>();
  const ids: ObjectId[] = [];
  for (const name of readdirSync(join(directory, objects))) {
    if (!/^[0-9a-f]{2}$/.test(name)) continue;
    for (const rest of readdirSync(join(directory, objects, name))) ids.push(name + rest);
  }
  if (ids.length === 0) return found;
  const output = gitBytes({ cwd: directory, input: ids.join('\n') }, 'cat-file', '--batch');
  for (let at = 0; at < output.length; ) {
    const lineEnd = output.indexOf(0x0a, at);
    const [id = '', kind = '', size = ''] = output.toString('latin1', at, lineEnd).split(' ');
    if (!isObjectKind(kind)) throw new Error(`git cat-file says: ${id} ${kind}`);
    const start = lineEnd + 1;
    at = start + Number(size) + 1;
    found.set(id, { kind, data: new Uint8Array(output.subarray(start, at - 1)) });
  }
  return found;
}

async function* inPieces(data: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < data.length; at += 70_000) yield data.slice(at, at + 70_000);
}
