/**
 * Packs built entry by entry, true or lying, for tests.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import zlib from 'node:zlib';
import { concatBytes, encodeText } from '../../src/core/bytes.ts';
import { BLOB, OFS_DELTA, REF_DELTA } from '../../src/core/object-kind.ts';
import { writeBaseDistance, writeTypeAndSize } from '../../src/pack/entry-header.ts';
import { formatPackHeader } from '../../src/pack/pack-header.ts';

export interface EntryOptions {
  /** What the header says, when it is not the truth. */
  readonly declaredBytes?: number;
}

/** A whole object. */
export function wholeEntry(type: number, data: Uint8Array, { declaredBytes }: EntryOptions = {}): Uint8Array {
  return concatBytes(typeAndSize(type, declaredBytes ?? data.length), zlib.deflateSync(data));
}

export function blobEntry(text: string, options?: EntryOptions): Uint8Array {
  return wholeEntry(BLOB, encodeText(text), options);
}

export function ofsDeltaEntry(distance: number, delta: Uint8Array): Uint8Array {
  const base = new Uint8Array(10);
  const baseBytes = writeBaseDistance(base, 0, distance);
  return concatBytes(
    typeAndSize(OFS_DELTA, delta.length),
    base.subarray(0, baseBytes),
    zlib.deflateSync(delta),
  );
}

export function refDeltaEntry(baseId: Uint8Array, delta: Uint8Array): Uint8Array {
  return concatBytes(typeAndSize(REF_DELTA, delta.length), baseId, zlib.deflateSync(delta));
}

function typeAndSize(type: number, sizeBytes: number): Uint8Array {
  const header = new Uint8Array(10);
  return header.slice(0, writeTypeAndSize(header, 0, type, sizeBytes));
}

/** A delta that copies all of a base of `baseBytes` and then inserts `text` (below 128 characters, maybe none). */
export function appendingDelta(
  baseBytes: number,
  text: string,
  targetBytes = baseBytes + text.length,
): Uint8Array {
  const copies: number[] = [];
  for (let from = 0; from < baseBytes; from += 0xffff) {
    const size = Math.min(0xffff, baseBytes - from);
    copies.push(0xbf, from & 255, (from >> 8) & 255, (from >> 16) & 255, from >>> 24, size & 255, size >> 8);
  }
  const insert = text.length === 0 ? [] : [text.length, ...encodeText(text)];
  return new Uint8Array([...varint(baseBytes), ...varint(targetBytes), ...copies, ...insert]);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return [...bytes, rest];
}

/** Header, entries, and the right trailer. */
export function packOf(
  entries: readonly Uint8Array[],
  { count = entries.length, format = 'sha1' }: { count?: number; format?: string } = {},
): Uint8Array {
  return withTrailer(concatBytes(formatPackHeader(count), ...entries), format);
}

export function withTrailer(body: Uint8Array, format = 'sha1'): Uint8Array {
  return concatBytes(body, createHash(format).update(body).digest());
}

/** Raw id. */
export function blobId(text: string, format = 'sha1'): Uint8Array {
  const { length } = encodeText(text);
  return new Uint8Array(createHash(format).update(`blob ${length}\0${text}`).digest());
}
