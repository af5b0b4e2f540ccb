/**
 * Objects and packs for the conformance suite: made from a seed, so that a failure repeats.
 *
 * @module
 */
import { concatBytes, encodeText } from '../../core/bytes.ts';
import { bytesToHex, hexToBytes, type ObjectFormat, type ObjectId } from '../../core/object-id.ts';
import { codeOfKind, type ObjectKind, OFS_DELTA, REF_DELTA } from '../../core/object-kind.ts';
import type { Runtime } from '../../core/runtime.ts';
import { writeBaseDistance, writeTypeAndSize } from '../../pack/entry-header.ts';
import { formatPackHeader } from '../../pack/pack-header.ts';
import { objectIdOf } from '../loose-object.ts';
import type { RawObject } from '../object-database.ts';

export interface KnownObject extends RawObject {
  readonly id: ObjectId;
}

/** A linear congruential generator: no cryptography, only variety. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed % 2147483647 || 1;
  }

  /** A whole number from 0 to `below` - 1. */
  next(below: number): number {
    this.#state = (this.#state * 48271) % 2147483647;
    return this.#state % below;
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    let state = this.next(2147483647) + 1;
    for (let i = 0; i < length; i++) {
      // xorshift: many bytes are wanted, quickly
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      bytes[i] = state;
    }
    return bytes;
  }
}

const KINDS: readonly ObjectKind[] = ['blob', 'tree', 'commit', 'tag'];
/** Around the sizes where storage changes its ways: empty, small, a chunk, a window. */
const SIZES = [0, 1, 50, 300, 5000, 65_535, 65_536, 70_000];

/** Objects of every kind and many sizes. Their content is noise: a database stores what it is given. */
export function randomObjects(
  random: Random,
  count: number,
  format: ObjectFormat,
  runtime: Runtime,
): KnownObject[] {
  return Array.from({ length: count }, () => {
    const data = random.bytes(SIZES[random.next(SIZES.length)] as number);
    // The empty tree is everywhere without being stored.
    const kind = data.length === 0 ? 'blob' : (KINDS[random.next(KINDS.length)] as ObjectKind);
    return { kind, data, id: objectIdOf(format, kind, data, runtime) };
  });
}

/** An object like `base`, with other bytes in its middle: a good delta. */
export function changed(
  random: Random,
  base: KnownObject,
  format: ObjectFormat,
  runtime: Runtime,
): KnownObject {
  const cut = random.next(base.data.length + 1);
  const data = concatBytes(base.data.subarray(0, cut), random.bytes(1 + random.next(40)));
  return { kind: base.kind, data, id: objectIdOf(format, base.kind, data, runtime) };
}

export type PackedAs =
  | { readonly object: KnownObject }
  | { readonly object: KnownObject; readonly base: KnownObject; readonly by: 'offset' | 'id' };

/** The pack that holds these entries. A base named by offset must come before. */
export function packOf(entries: readonly PackedAs[], format: ObjectFormat, runtime: Runtime): Uint8Array {
  const parts = [formatPackHeader(entries.length)];
  const offsets = new Map<ObjectId, number>();
  let offset = (parts[0] as Uint8Array).length;
  for (const entry of entries) {
    const header = new Uint8Array(64);
    let body = entry.object.data;
    let length: number;
    if ('base' in entry) {
      body = deltaOf(entry.base.data, entry.object.data);
      length = writeTypeAndSize(header, 0, entry.by === 'id' ? REF_DELTA : OFS_DELTA, body.length);
      if (entry.by === 'id') {
        header.set(hexToBytes(entry.base.id), length);
        length += format.idBytes;
      } else {
        length = writeBaseDistance(header, length, offset - (offsets.get(entry.base.id) as number));
      }
    } else {
      length = writeTypeAndSize(header, 0, codeOfKind(entry.object.kind), body.length);
    }
    offsets.set(entry.object.id, offset);
    const deflated = runtime.deflate(body);
    parts.push(header.subarray(0, length), deflated);
    offset += length + deflated.length;
  }
  return sealed(concatBytes(...parts), format, runtime);
}

/** The same bytes and their hash. */
export function sealed(bytes: Uint8Array, format: ObjectFormat, runtime: Runtime): Uint8Array {
  const hash = runtime.createHash(format);
  hash.update(bytes);
  return concatBytes(bytes, hash.digest());
}

/** A delta that copies the common beginning and inserts the rest. */
function deltaOf(base: Uint8Array, target: Uint8Array): Uint8Array {
  let common = 0;
  while (common < base.length && common < target.length && base[common] === target[common]) common++;
  const bytes = [...varint(base.length), ...varint(target.length)];
  for (let from = 0; from < common; from += 0xffff) {
    const size = Math.min(0xffff, common - from);
    const offsetBytes = [from & 255, (from >> 8) & 255, (from >> 16) & 255];
    bytes.push(0x80 | 0x37, ...offsetBytes, size & 255, size >> 8);
  }
  for (let from = common; from < target.length; from += 127) {
    const part = target.subarray(from, from + 127);
    bytes.push(part.length, ...part);
  }
  return Uint8Array.from(bytes);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return bytes;
}

/** `bytes` in random pieces. */
export async function* inPieces(random: Random, bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; ) {
    const size = 1 + random.next(random.next(2) === 0 ? 10 : 100_000);
    yield bytes.slice(at, at + size);
    at += size;
  }
}

/** An id that nothing has. */
export function absentId(random: Random, format: ObjectFormat): ObjectId {
  return bytesToHex(random.bytes(format.idBytes));
}

export const textObject = (text: string, format: ObjectFormat, runtime: Runtime): KnownObject => {
  const data = encodeText(text);
  return { kind: 'blob', data, id: objectIdOf(format, 'blob', data, runtime) };
};
