/**
 * Inflating the zlib streams of a stored pack: into the caller's memory, into a buffer that is used again, or in
 * chunks.
 *
 * @module
 */
import { GitError } from '../core/errors.ts';
import type { Inflater, Runtime } from '../core/runtime.ts';
import { FileWindows, type WindowPool } from './file-windows.ts';
import { sharedInflater } from './shared-inflater.ts';
import type { RandomAccessFile } from './stored-pack.ts';

/** Bytes of one chunk of a streamed object. */
export const STREAM_CHUNK_BYTES = 64 * 1024;

/** The buffer that is used again is not kept when it grew beyond this. */
const KEPT_SCRATCH_BYTES = 1024 * 1024;

let scratch: Uint8Array = new Uint8Array(STREAM_CHUNK_BYTES);

/** @returns whether `bytes` will be overwritten by the next {@link EntryInflater.toScratch} of any pack */
export function isScratch(bytes: Uint8Array): boolean {
  return bytes === scratch;
}

/** Of one pack. All throw PACK_CORRUPT for a stream that does not inflate to the size it is said to have. */
export class EntryInflater {
  readonly windows: FileWindows;
  readonly #runtime: Runtime;
  readonly #inflater: Inflater;

  constructor(file: RandomAccessFile, runtime: Runtime, pool: WindowPool | undefined) {
    this.windows = new FileWindows(file, pool);
    this.#runtime = runtime;
    this.#inflater = sharedInflater(runtime);
  }

  /** The whole stream, at `room[start]`, which has a byte more than it needs: one that is too long shows. */
  into(position: number, sizeBytes: number, room: Uint8Array, start: number): void {
    const inflater = this.#inflater;
    const { windows } = this;
    const end = start + sizeBytes + 1;
    let at = position;
    let produced = 0;
    inflater.reset();
    for (;;) {
      windows.seek(at);
      inflater.inflate(windows.bytes, windows.at, windows.end, room, start + produced, end);
      at += inflater.consumed;
      produced += inflater.produced;
      if (produced > sizeBytes) throw tooLong(sizeBytes);
      if (inflater.ended) break;
      if (inflater.consumed === 0 && inflater.produced === 0) throw endless();
    }
    if (produced !== sizeBytes) throw otherSize(produced, sizeBytes);
  }

  /** The whole stream, in the first bytes of an array that the next call, for any pack, uses again. */
  toScratch(position: number, sizeBytes: number): Uint8Array {
    let room = scratch;
    if (room.length <= sizeBytes) {
      room = new Uint8Array(Math.max(sizeBytes + 1, 2 * room.length));
      if (room.length <= KEPT_SCRATCH_BYTES) scratch = room;
    }
    this.into(position, sizeBytes, room, 0);
    return room;
  }

  /** The first bytes of the stream, at most `length`. @returns a view that the next call uses again */
  beginning(position: number, length: number): Uint8Array {
    const inflater = this.#inflater;
    const { windows } = this;
    let at = position;
    let produced = 0;
    inflater.reset();
    while (produced < length) {
      windows.seek(at);
      inflater.inflate(windows.bytes, windows.at, windows.end, scratch, produced, length);
      at += inflater.consumed;
      produced += inflater.produced;
      if (inflater.ended || (inflater.consumed === 0 && inflater.produced === 0)) break;
    }
    return scratch.subarray(0, produced);
  }

  /** The whole stream, of any size, as it is asked for. */
  async *chunks(position: number, sizeBytes: number): AsyncGenerator<Uint8Array> {
    const inflater = this.#runtime.createInflater(); // others read while our receiver waits
    try {
      const { windows } = this;
      let at = position;
      let total = 0;
      while (!inflater.ended) {
        const chunk = new Uint8Array(STREAM_CHUNK_BYTES);
        let filled = 0;
        while (filled < chunk.length && !inflater.ended) {
          windows.seek(at);
          inflater.inflate(windows.bytes, windows.at, windows.end, chunk, filled, chunk.length);
          at += inflater.consumed;
          filled += inflater.produced;
          if (!inflater.ended && inflater.consumed === 0 && inflater.produced === 0) throw endless();
        }
        total += filled;
        if (total > sizeBytes) throw tooLong(sizeBytes);
        if (filled > 0) yield chunk.subarray(0, filled);
      }
      if (total !== sizeBytes) throw otherSize(total, sizeBytes);
    } finally {
      inflater.close();
    }
  }
}

function tooLong(sizeBytes: number): GitError {
  return new GitError('PACK_CORRUPT', `Cannot inflate: an entry has more than its ${sizeBytes} bytes`);
}

function otherSize(produced: number, sizeBytes: number): GitError {
  return new GitError('PACK_CORRUPT', `Cannot inflate: an entry has ${produced} bytes, not ${sizeBytes}`);
}

function endless(): GitError {
  return new GitError('PACK_CORRUPT', 'Cannot inflate: an entry does not end');
}
