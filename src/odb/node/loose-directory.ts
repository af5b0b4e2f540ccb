/**
 * Loose objects as git keeps them: `objects/<2 hex digits>/<the rest>`.
 * Spec: gitrepository-layout(5).
 *
 * @module
 */
import { closeSync, fstatSync, openSync, readdirSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { GitError } from '../../core/errors.ts';
import { isAbsent, storageError } from '../../core/node/storage-error.ts';
import { bytesToHex, type ObjectFormat, type ObjectId } from '../../core/object-id.ts';
import type { Runtime } from '../../core/runtime.ts';
import { readFully } from '../../pack/node/positioned-read.ts';
import { MAX_HELD_OBJECT_BYTES } from '../../pack/pack-reader.ts';
import {
  LOOSE_HEADER_FILE_BYTES,
  readLooseHeader,
  readLooseObject,
  streamLooseObject,
} from '../loose-object.ts';
import type { LooseObjects } from '../loose-objects.ts';
import type { ObjectHeader, RawObject } from '../object-database.ts';

/** Objects up to this size are streamed as one chunk. */
const SMALL_BYTES = 64 * 1024;
const READ_BYTES = 64 * 1024;

/** The file of an object, below the objects directory. */
export function loosePath(objectsDirectory: string, id: ObjectId): string {
  return `${objectsDirectory}/${id.slice(0, 2)}/${id.slice(2)}`;
}

export class LooseDirectory implements LooseObjects {
  readonly #directory: string;
  readonly #format: ObjectFormat;
  readonly #runtime: Runtime;

  constructor(directory: string, format: ObjectFormat, runtime: Runtime) {
    this.#directory = directory;
    this.#format = format;
    this.#runtime = runtime;
  }

  has(ids: Uint8Array, at: number): boolean {
    const path = this.#path(ids, at);
    try {
      return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
    } catch (error) {
      throw storageError(error, 'look up loose object', path);
    }
  }

  /** Lists a directory when the first id of it is asked for, and keeps that list until the next. */
  hasInOrder(): (ids: Uint8Array, at: number) => boolean {
    let listed = -1;
    let names: ReadonlySet<ObjectId> = new Set();
    return (ids, at) => {
      const first = ids[at] as number;
      if (first !== listed) {
        names = new Set(this.idsWithPrefix(bytesToHex(ids, at, 1)));
        listed = first;
      }
      return names.size > 0 && names.has(bytesToHex(ids, at, this.#format.idBytes));
    };
  }

  read(ids: Uint8Array, at: number): RawObject | undefined {
    return this.#withFile(ids, at, (fd, path, fileBytes) => {
      // Deflating makes nothing much larger: no object we would hold has such a file.
      if (fileBytes > MAX_HELD_OBJECT_BYTES) throw tooLarge(fileBytes);
      const file = new Uint8Array(fileBytes + 1);
      return readLooseObject(file, readFully(fd, path, 0, file, 0, fileBytes), this.#runtime);
    });
  }

  readHeader(ids: Uint8Array, at: number): ObjectHeader | undefined {
    return this.#withFile(ids, at, (fd, path) => {
      const start = new Uint8Array(LOOSE_HEADER_FILE_BYTES);
      return readLooseHeader(start, readFully(fd, path, 0, start, 0, start.length), this.#runtime);
    });
  }

  stream(ids: Uint8Array, at: number) {
    const header = this.readHeader(ids, at);
    if (header === undefined) return undefined;
    if (header.sizeBytes > SMALL_BYTES) {
      return { header, content: streamLooseObject(readFile(this.#path(ids, at)), this.#runtime) };
    }
    const object = this.read(ids, at);
    return object && { header, content: oneChunk(object.data) };
  }

  idsWithPrefix(prefix: string): ObjectId[] {
    const first = prefix.slice(0, 2);
    const rest = prefix.slice(2);
    const restDigits = this.#format.idHexDigits - 2;
    const directory = join(this.#directory, first);
    try {
      return readdirSync(directory)
        .filter((name) => name.length === restDigits && name.startsWith(rest) && /^[0-9a-f]+$/.test(name))
        .map((name) => first + name);
    } catch (error) {
      if (isAbsent(error)) return [];
      throw storageError(error, 'list loose objects', directory);
    }
  }

  #path(ids: Uint8Array, at: number): string {
    return loosePath(this.#directory, bytesToHex(ids, at, this.#format.idBytes));
  }

  #withFile<T>(
    ids: Uint8Array,
    at: number,
    use: (fd: number, path: string, fileBytes: number) => T,
  ): T | undefined {
    const path = this.#path(ids, at);
    let fd: number;
    try {
      fd = openSync(path, 'r');
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw storageError(error, 'open loose object', path);
    }
    try {
      return use(fd, path, fstatSync(fd).size);
    } finally {
      closeSync(fd);
    }
  }
}

async function* oneChunk(data: Uint8Array): AsyncGenerator<Uint8Array> {
  if (data.length > 0) yield data;
}

async function* readFile(path: string): AsyncGenerator<Uint8Array> {
  try {
    await using file = await open(path, 'r');
    for (;;) {
      const { bytesRead, buffer } = await file.read(new Uint8Array(READ_BYTES), 0, READ_BYTES);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } catch (error) {
    throw storageError(error, 'read loose object', path);
  }
}

function tooLarge(sizeBytes: number): GitError {
  return new GitError(
    'LIMIT_EXCEEDED',
    `Cannot hold object: at most ${MAX_HELD_OBJECT_BYTES} bytes are held, its file has ${sizeBytes}`,
    { limitBytes: MAX_HELD_OBJECT_BYTES, sizeBytes },
  );
}
