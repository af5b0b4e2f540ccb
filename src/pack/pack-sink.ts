/**
 * Where the bytes of an incoming pack go while it is indexed, and come from when its deltas are resolved.
 *
 * @module
 */
import type { RandomAccessFile } from './stored-pack.ts';

/** Room for what does not fit in memory while a pack is indexed. Members throw STORAGE_FAILED. */
export interface ScratchFile {
  write(position: number, bytes: Uint8Array): void;
  /** @returns how many bytes were copied: fewer only at the end of the file */
  readInto(position: number, target: Uint8Array, targetOffset: number, length: number): number;
  /** The file stays, for who opens it by its name. */
  close(): void;
  /** Nothing of it is left. */
  remove(): void;
}

/** A file that grows at its end. `readInto` sees everything whose write has been awaited. */
export interface PackSink extends RandomAccessFile {
  /** Append. Resolves when `bytes` may be reused and the next write may come. @throws {GitError} STORAGE_FAILED */
  write(bytes: Uint8Array): Promise<void>;
  /** Replace bytes that were written before. @throws {GitError} STORAGE_FAILED */
  overwrite(position: number, bytes: Uint8Array): Promise<void>;
  /**
   * The scratch file of this name beside the pack. It is made when it is first written, and threads that know
   * `path` find the same. Absent where there is no such room.
   */
  scratch?(name: string): ScratchFile;
}

/** A sink that keeps the pack in memory, for the memory backend and for tests. */
export interface MemoryPackSink extends PackSink {
  /** What has been written: a view, good until the next write. */
  readonly bytes: Uint8Array;
}

const FIRST_CAPACITY = 4096;

export function createMemoryPackSink(): MemoryPackSink {
  let held = new Uint8Array(FIRST_CAPACITY);
  let sizeBytes = 0;
  return {
    get sizeBytes() {
      return sizeBytes;
    },
    get bytes() {
      return held.subarray(0, sizeBytes);
    },
    async write(bytes) {
      if (sizeBytes + bytes.length > held.length) {
        const grown = new Uint8Array(Math.max(held.length * 2, sizeBytes + bytes.length));
        grown.set(held.subarray(0, sizeBytes));
        held = grown;
      }
      held.set(bytes, sizeBytes);
      sizeBytes += bytes.length;
    },
    async overwrite(position, bytes) {
      held.set(bytes, position);
    },
    readInto(position, target, targetOffset, length) {
      const copied = Math.max(0, Math.min(length, sizeBytes - position));
      target.set(held.subarray(position, position + copied), targetOffset);
      return copied;
    },
  };
}
