/**
 * What can be wrong with the stored objects that a pack is made of.
 *
 * @module
 */
import { GitError } from '../../core/errors.ts';
import { bytesToHex, type ObjectFormat } from '../../core/object-id.ts';
import type { RandomAccessFile } from '../../pack/stored-pack.ts';

export function packEndsEarly(file: RandomAccessFile, expectedBytes: number): GitError {
  return new GitError(
    'PACK_CORRUPT',
    `Cannot copy from pack: expected ${expectedBytes} bytes, it has ${file.sizeBytes}`,
    { sizeBytes: file.sizeBytes, expectedBytes },
  );
}

export function entryCorrupt(packName: string, offset: number, why: string): GitError {
  return new GitError('PACK_CORRUPT', `Cannot copy entry at ${offset} of ${packName}: ${why}`, {
    pack: packName,
    offset,
  });
}

/** The object whose raw id is at `ids[at]`. */
export function objectMissing(format: ObjectFormat, ids: Uint8Array, at: number): GitError {
  const id = bytesToHex(ids, at, format.idBytes);
  return new GitError('OBJECT_MISSING', `Cannot write pack: unable to read ${id}`, { id });
}
