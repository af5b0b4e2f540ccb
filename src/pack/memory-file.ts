/**
 * A file for positioned reads over bytes in memory.
 *
 * @module
 */
import type { RandomAccessFile } from './stored-pack.ts';

/** A file whose content is `bytes`, which must not change any more. */
export function createMemoryFile(bytes: Uint8Array): RandomAccessFile {
  return {
    sizeBytes: bytes.length,
    bytes,
    readInto(position, target, targetOffset, length) {
      const end = Math.min(bytes.length, position + length);
      if (position >= end) return 0;
      target.set(bytes.subarray(position, end), targetOffset);
      return end - position;
    },
  };
}
