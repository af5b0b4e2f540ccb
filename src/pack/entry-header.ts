/**
 * The header of a pack entry: type and inflated size, then what a delta names as its base.
 * Spec: gitformat-pack(5), "Pack file entry" and "Deltified representation".
 *
 * @module
 */
import { GitError } from '../core/errors.ts';
import { OFS_DELTA, REF_DELTA } from '../core/object-kind.ts';

/** Filled by {@link parseEntryHeader}; one instance serves a whole scan. */
export interface EntryHeader {
  /** 1 to 4 for a whole object, 6 (OFS_DELTA) or 7 (REF_DELTA). */
  type: number;
  /** Inflated bytes of the entry: of the object, or of the delta's instructions. */
  sizeBytes: number;
  /** Bytes of the header, base included; deflated data follows. */
  headerBytes: number;
  /** OFS_DELTA: how far before this entry its base starts; otherwise 0. */
  baseDistance: number;
}

export function createEntryHeader(): EntryHeader {
  return { type: 0, sizeBytes: 0, headerBytes: 0, baseDistance: 0 };
}

/** Longest header this parser accepts: 10 bytes of size, then 10 of distance or an id of 32. */
export const MAX_ENTRY_HEADER_BYTES = 42;

/** A size or distance may be written with more bytes than it needs, as git accepts, up to 64 bits of them. */
const MAX_VARINT_BYTES = 10;

/**
 * Read the header at `bytes[offset, end)` into `into`. The id of a REF_DELTA's base is the last `idBytes` bytes
 * of the header.
 *
 * @returns false when more bytes are needed
 * @throws {GitError} PACK_CORRUPT for an invalid type or a number beyond 2^53 - 1
 */
export function parseEntryHeader(
  bytes: Uint8Array,
  offset: number,
  end: number,
  idBytes: number,
  into: EntryHeader,
): boolean {
  let at = offset;
  if (at >= end) return false;
  let byte = bytes[at++] as number;
  const type = (byte >> 4) & 7;
  if (type === 0 || type === 5) {
    throw new GitError('PACK_CORRUPT', `Cannot read pack entry: ${type} is no object type`, { type });
  }

  let sizeBytes = byte & 15;
  let scale = 16;
  while (byte & 0x80) {
    if (at - offset >= MAX_VARINT_BYTES) throw tooLarge('size');
    if (at >= end) return false;
    byte = bytes[at++] as number;
    sizeBytes += (byte & 0x7f) * scale;
    scale *= 128;
  }
  if (sizeBytes > Number.MAX_SAFE_INTEGER) throw tooLarge('size');

  let baseDistance = 0;
  if (type === OFS_DELTA) {
    const start = at;
    if (at >= end) return false;
    byte = bytes[at++] as number;
    baseDistance = byte & 0x7f;
    while (byte & 0x80) {
      if (at - start >= MAX_VARINT_BYTES) throw tooLarge('base distance');
      if (at >= end) return false;
      byte = bytes[at++] as number;
      baseDistance = (baseDistance + 1) * 128 + (byte & 0x7f);
    }
    if (baseDistance > Number.MAX_SAFE_INTEGER) throw tooLarge('base distance');
  } else if (type === REF_DELTA) {
    at += idBytes;
    if (at > end) return false;
  }

  into.type = type;
  into.sizeBytes = sizeBytes;
  into.headerBytes = at - offset;
  into.baseDistance = baseDistance;
  return true;
}

function tooLarge(what: string): GitError {
  return new GitError('PACK_CORRUPT', `Cannot read pack entry: its ${what} is beyond 2^53 - 1`);
}

/** Write type and size at `target[offset]`. @returns the offset just past them */
export function writeTypeAndSize(
  target: Uint8Array,
  offset: number,
  type: number,
  sizeBytes: number,
): number {
  let at = offset;
  let byte = (type << 4) | (sizeBytes & 15);
  let rest = Math.floor(sizeBytes / 16);
  while (rest > 0) {
    target[at++] = byte | 0x80;
    byte = rest % 128;
    rest = Math.floor(rest / 128);
  }
  target[at++] = byte;
  return at;
}

/** Write an OFS_DELTA's distance at `target[offset]`. @returns the offset just past it */
export function writeBaseDistance(target: Uint8Array, offset: number, distance: number): number {
  let length = 1;
  for (let rest = Math.floor(distance / 128); rest > 0; rest = Math.floor((rest - 1) / 128)) length++;
  let rest = distance;
  let at = offset + length - 1;
  target[at] = rest % 128;
  while (at > offset) {
    rest = Math.floor(rest / 128) - 1;
    target[--at] = 0x80 | (rest % 128);
  }
  return offset + length;
}
