/**
 * The twelve bytes that begin a pack: `PACK`, the version, and how many entries follow.
 * Spec: gitformat-pack(5), "pack-*.pack files have the following format".
 *
 * @module
 */
import { readUint32, writeUint32 } from '../core/bytes.ts';
import { GitError } from '../core/errors.ts';

export const PACK_HEADER_BYTES = 12;

/** The most entries a pack can declare: 32 bits. */
export const MAX_PACK_OBJECTS = 0xffffffff;

const SIGNATURE = 0x5041434b; // "PACK"
const VERSION = 2;
/** Version 3 differs in nothing that git ever wrote; git reads it, and so do we. */
const ALSO_READ_VERSION = 3;

/**
 * How many entries the pack declares.
 *
 * @param bytes holds the header, {@link PACK_HEADER_BYTES} long, at `offset`
 * @throws {GitError} PACK_CORRUPT when it is no pack; UNSUPPORTED for a version other than 2 and 3
 */
export function parsePackHeader(bytes: Uint8Array, offset = 0): number {
  if (bytes.length - offset < PACK_HEADER_BYTES || readUint32(bytes, offset) !== SIGNATURE) {
    throw new GitError('PACK_CORRUPT', 'Cannot read pack: it does not begin with PACK');
  }
  const version = readUint32(bytes, offset + 4);
  if (version !== VERSION && version !== ALSO_READ_VERSION) {
    throw new GitError('UNSUPPORTED', `Cannot read pack: expected version 2 or 3, got ${version}`, {
      version,
    });
  }
  return readUint32(bytes, offset + 8);
}

/** The header of a pack of `objectCount` entries: at most {@link MAX_PACK_OBJECTS}. */
export function formatPackHeader(objectCount: number): Uint8Array {
  const header = new Uint8Array(PACK_HEADER_BYTES);
  writeUint32(header, 0, SIGNATURE);
  writeUint32(header, 4, VERSION);
  writeUint32(header, 8, objectCount);
  return header;
}
