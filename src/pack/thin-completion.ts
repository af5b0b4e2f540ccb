/**
 * Completing a thin pack: the bases its deltas name but do not bring are appended from the repository.
 * Spec: gitformat-pack(5) on thin packs; git-index-pack(1), `--fix-thin`.
 *
 * @module
 */
import { writeUint32 } from '../core/bytes.ts';
import { GitError } from '../core/errors.ts';
import type { Limits } from '../core/limits.ts';
import { bytesToHex } from '../core/object-id.ts';
import { codeOfKind, type ObjectKind } from '../core/object-kind.ts';
import type { Runtime } from '../core/runtime.ts';
import { writeTypeAndSize } from './entry-header.ts';
import { OBJECT_HEADER_ROOM, writeObjectHeader } from './object-header.ts';
import type { ObjectTable } from './object-table.ts';
import type { PackSink } from './pack-sink.ts';
import { type RefBases, takeWaiting } from './ref-bases.ts';

/** What the repository already has, by raw id `ids[at, …)`. */
export interface ThinBaseSource {
  /** @returns `undefined` when absent */
  read(ids: Uint8Array, at: number): { readonly kind: ObjectKind; readonly data: Uint8Array } | undefined;
}

/** Where a pack that is being completed stands. */
export interface OpenPack {
  readonly table: ObjectTable;
  readonly sink: PackSink;
  /** Where the next entry begins. */
  bodyBytes: number;
}

/**
 * Append base number `base` of `refBases` to the pack, and hang the deltas that wait for it under it.
 *
 * @returns its entry, or `undefined` when the repository does not have it
 * @throws {GitError} OBJECT_CORRUPT when what the repository has is not what the id says; LIMIT_EXCEEDED; STORAGE_FAILED
 */
export async function appendThinBase(
  pack: OpenPack,
  refBases: RefBases,
  base: number,
  source: ThinBaseSource,
  runtime: Runtime,
  limits: Limits,
): Promise<number | undefined> {
  const { table, sink } = pack;
  const { idBytes } = refBases;
  const found = source.read(refBases.ids, base * idBytes);
  if (found === undefined) return undefined;

  const { data } = found;
  const type = codeOfKind(found.kind);
  const id = bytesToHex(refBases.ids, base * idBytes, idBytes);
  if (data.length > limits.maxDeltaObjectBytes) {
    throw new GitError(
      'LIMIT_EXCEEDED',
      `Cannot complete pack: a base may have at most ${limits.maxDeltaObjectBytes} bytes, ${id} has ${data.length}`,
      { limit: limits.maxDeltaObjectBytes, base: id, sizeBytes: data.length },
    );
  }
  const entry = table.count;
  table.beginRow(pack.bodyBytes, type, entry + 1);
  const { columns } = table;
  hashObject(runtime, table, type, data, columns.ids, entry * idBytes);
  const actual = bytesToHex(columns.ids, entry * idBytes, idBytes);
  if (actual !== id) {
    throw new GitError(
      'OBJECT_CORRUPT',
      `Cannot complete pack: object ${id} of the repository hashes to ${actual}`,
      {
        id,
        actual,
      },
    );
  }

  const header = new Uint8Array(10);
  const headerBytes = writeTypeAndSize(header, 0, type, data.length);
  const deflated = runtime.deflate(data);
  const packed = new Uint8Array(headerBytes + deflated.length);
  packed.set(header.subarray(0, headerBytes));
  packed.set(deflated, headerBytes);

  columns.crcs[entry] = runtime.crc32(packed, 0, packed.length, 0);
  table.count++;
  takeWaiting(refBases, columns, entry);
  await sink.write(packed);
  pack.bodyBytes += packed.length;
  return entry;
}

function hashObject(
  runtime: Runtime,
  table: ObjectTable,
  type: number,
  data: Uint8Array,
  ids: Uint8Array,
  at: number,
): void {
  const header = new Uint8Array(OBJECT_HEADER_ROOM);
  const hash = runtime.createHash(table.format);
  hash.update(header.subarray(writeObjectHeader(header, header.length, type, data.length)));
  hash.update(data);
  ids.set(hash.digest(), at);
}

/** The bytes of the header that say how many entries there are. */
export function formatObjectCount(objectCount: number): Uint8Array {
  const bytes = new Uint8Array(4);
  writeUint32(bytes, 0, objectCount);
  return bytes;
}
