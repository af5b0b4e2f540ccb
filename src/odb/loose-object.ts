/**
 * Loose objects: one zlib stream of `kind SP size NUL content`.
 * Spec: gitrepository-layout(5), "objects/[0-9a-f][0-9a-f]"; git-hash-object(1).
 *
 * @module
 */
import type { ByteStream } from '../core/byte-stream.ts';
import { decodeLatin1, encodeLatin1 } from '../core/bytes.ts';
import { GitError, isGitError } from '../core/errors.ts';
import { bytesToHex, type ObjectFormat, type ObjectId } from '../core/object-id.ts';
import { codeOfKind, isObjectKind, type ObjectKind } from '../core/object-kind.ts';
import type { Inflater, Runtime } from '../core/runtime.ts';
import { OBJECT_HEADER_ROOM, writeObjectHeader } from '../pack/object-header.ts';
import { MAX_HELD_OBJECT_BYTES, MAX_INFLATION } from '../pack/pack-reader.ts';
import { sharedInflater } from '../pack/shared-inflater.ts';
import type { ObjectHeader, RawObject } from './object-database.ts';

/** git's core.looseCompression: these files live until the next repack. */
const LOOSE_COMPRESSION = 1;

/** Deflated bytes that are enough to read the header from; git reads as little. */
export const LOOSE_HEADER_FILE_BYTES = 128;

/** Inflated into this first: most loose objects are no larger. */
const FIRST_BYTES = 8192;
const CHUNK_BYTES = 64 * 1024;
const HEADER = /^([a-z]+) (0|[1-9][0-9]{0,15})$/;

const first = new Uint8Array(FIRST_BYTES);

/**
 * A loose object from the whole of its file.
 *
 * @param file the file's `fileBytes` bytes, and room for one more, whose value does not matter
 * @throws {GitError} OBJECT_CORRUPT; LIMIT_EXCEEDED when it is too large to hold
 */
export function readLooseObject(file: Uint8Array, fileBytes: number, runtime: Runtime): RawObject {
  const inflater = sharedInflater(runtime);
  inflater.reset();
  inflate(inflater, file, 0, fileBytes + 1, first, 0, FIRST_BYTES);
  const produced = inflater.produced;
  const { kind, sizeBytes, headerBytes } = parseHeader(first, produced);
  if (sizeBytes > MAX_HELD_OBJECT_BYTES) throw tooLarge(sizeBytes);

  const begun = first.subarray(headerBytes, produced);
  if (begun.length > sizeBytes) throw corrupt(`it has more than its ${sizeBytes} bytes`);
  if (inflater.ended) {
    if (begun.length !== sizeBytes) throw corrupt(`it has ${begun.length} bytes, not ${sizeBytes}`);
    checkEnd(inflater.consumed, fileBytes);
    return { kind, data: begun.slice() };
  }

  if (sizeBytes > MAX_INFLATION * fileBytes) throw corrupt(`${fileBytes} bytes cannot hold its ${sizeBytes}`);
  const room = new Uint8Array(sizeBytes + 1); // one more, so that a stream that is too long shows
  room.set(begun);
  let at = inflater.consumed;
  let filled = begun.length;
  while (!inflater.ended) {
    inflate(inflater, file, at, fileBytes + 1, room, filled, room.length);
    at += inflater.consumed;
    filled += inflater.produced;
    if (filled > sizeBytes) throw corrupt(`it has more than its ${sizeBytes} bytes`);
    if (!inflater.ended && inflater.consumed === 0 && inflater.produced === 0) throw corrupt('it is cut off');
  }
  if (filled !== sizeBytes) throw corrupt(`it has ${filled} bytes, not ${sizeBytes}`);
  checkEnd(at, fileBytes);
  return { kind, data: room.subarray(0, sizeBytes) };
}

/**
 * Kind and size from the first bytes of the file: {@link LOOSE_HEADER_FILE_BYTES} of them are enough.
 *
 * @throws {GitError} OBJECT_CORRUPT
 */
export function readLooseHeader(start: Uint8Array, length: number, runtime: Runtime): ObjectHeader {
  const inflater = sharedInflater(runtime);
  inflater.reset();
  inflate(inflater, start, 0, length, first, 0, OBJECT_HEADER_ROOM);
  const { kind, sizeBytes } = parseHeader(first, inflater.produced);
  return { kind, sizeBytes };
}

/**
 * The content in chunks, from the file in chunks.
 *
 * @throws {GitError} OBJECT_CORRUPT, while it is read
 */
export async function* streamLooseObject(file: ByteStream, runtime: Runtime): AsyncGenerator<Uint8Array> {
  const inflater = runtime.createInflater(); // others read while our receiver waits
  try {
    let sizeBytes = -1;
    let total = 0;
    for await (const part of withLastByte(file)) {
      for (let at = 0; at < part.length && !inflater.ended; at += inflater.consumed) {
        const chunk = new Uint8Array(CHUNK_BYTES);
        inflate(inflater, part, at, part.length, chunk, 0, CHUNK_BYTES);
        let from = 0;
        if (sizeBytes < 0) {
          const header = parseHeader(chunk, inflater.produced);
          sizeBytes = header.sizeBytes;
          from = header.headerBytes;
        }
        total += inflater.produced - from;
        if (total > sizeBytes) throw corrupt(`it has more than its ${sizeBytes} bytes`);
        if (inflater.produced > from) yield chunk.subarray(from, inflater.produced);
      }
    }
    if (!inflater.ended) throw corrupt('it is cut off');
    if (total !== sizeBytes) throw corrupt(`it has ${total} bytes, not ${sizeBytes}`);
  } finally {
    inflater.close();
  }
}

/** The file of a loose object. @param level of zlib, -1 to 9 */
export function encodeLooseObject(
  kind: ObjectKind,
  data: Uint8Array,
  runtime: Runtime,
  level: number = LOOSE_COMPRESSION,
): Uint8Array {
  const whole = new Uint8Array(OBJECT_HEADER_ROOM + data.length);
  whole.set(data, OBJECT_HEADER_ROOM);
  const start = writeObjectHeader(whole, OBJECT_HEADER_ROOM, codeOfKind(kind), data.length);
  return runtime.deflate(whole.subarray(start), level);
}

/** The id of an object. */
export function objectIdOf(
  format: ObjectFormat,
  kind: ObjectKind,
  data: Uint8Array,
  runtime: Runtime,
): ObjectId {
  const hash = runtime.createHash(format);
  hash.update(encodeLatin1(`${kind} ${data.length}\0`));
  hash.update(data);
  return bytesToHex(hash.digest());
}

/** The inflater learns of a stream's end from a byte after it, which a file does not have. */
async function* withLastByte(file: ByteStream): AsyncGenerator<Uint8Array> {
  yield* file;
  yield new Uint8Array(1);
}

function inflate(
  inflater: Inflater,
  input: Uint8Array,
  inputStart: number,
  inputEnd: number,
  output: Uint8Array,
  outputStart: number,
  outputEnd: number,
): void {
  try {
    inflater.inflate(input, inputStart, inputEnd, output, outputStart, outputEnd);
  } catch (error) {
    if (!isGitError(error, 'PACK_CORRUPT')) throw error;
    throw new GitError('OBJECT_CORRUPT', 'Cannot read loose object: it does not inflate', {}, error);
  }
}

function parseHeader(bytes: Uint8Array, end: number): ObjectHeader & { readonly headerBytes: number } {
  const nul = bytes.subarray(0, Math.min(end, OBJECT_HEADER_ROOM)).indexOf(0);
  const match = nul < 0 ? null : HEADER.exec(decodeLatin1(bytes, 0, nul));
  const kind = match?.[1] ?? '';
  const sizeBytes = Number(match?.[2]);
  if (!isObjectKind(kind) || !Number.isSafeInteger(sizeBytes)) throw corrupt('its header is malformed');
  return { kind, sizeBytes, headerBytes: nul + 1 };
}

function checkEnd(consumed: number, fileBytes: number): void {
  if (consumed !== fileBytes) throw corrupt(`${fileBytes - consumed} bytes follow it`);
}

function tooLarge(sizeBytes: number): GitError {
  return new GitError(
    'LIMIT_EXCEEDED',
    `Cannot hold object: at most ${MAX_HELD_OBJECT_BYTES} bytes are held, it has ${sizeBytes}`,
    { limitBytes: MAX_HELD_OBJECT_BYTES, sizeBytes },
  );
}

function corrupt(why: string): GitError {
  return new GitError('OBJECT_CORRUPT', `Cannot read loose object: ${why}`);
}
