/**
 * zip as `git archive` writes it: Unix modes for what is executable or a link, times to the second, the commit's id as
 * the archive's comment, zip64 where 32 bits do not do.
 * Spec: PKWARE APPNOTE 6.3; Info-ZIP's extra field UT.
 *
 * @module
 */
import type { ByteStream } from '../../core/byte-stream.ts';
import { encodeLatin1, joinBytes } from '../../core/bytes.ts';
import { GitError } from '../../core/errors.ts';
import type { ObjectId } from '../../core/object-id.ts';
import type { Runtime } from '../../core/runtime.ts';
import type { ArchiveOutput } from './archive-output.ts';
import { type ArchiveEntry, type ArchiveWriter, isDirectory, isSymbolicLink } from './archive-writer.ts';
import { LittleEndianBytes } from './little-endian.ts';
import { deflateRaw, deflateRawStream } from './raw-deflate.ts';

const LOCAL_HEADER = 0x04034b50;
const DATA_DESCRIPTOR = 0x08074b50;
const DIRECTORY_HEADER = 0x02014b50;
const ZIP64_END = 0x06064b50;
const ZIP64_LOCATOR = 0x07064b50;
const END = 0x06054b50;

const STORED = 0;
const DEFLATED = 8;
/** Sizes and checksum stand behind the data. */
const FLAG_DESCRIPTOR = 1 << 3;
const FLAG_UTF8 = 1 << 11;
/** Unix, version 2.3 of the format: external attributes hold a mode. */
const MADE_ON_UNIX = 0x0317;
const VERSION = 10;
const ZIP64_VERSION = 45;
const DOS_DIRECTORY = 16;

const MAX_16 = 0xffff;
const MAX_32 = 0xffffffff;
/** A stream that is as large as this may come out larger than 32 bits can say. */
const MAX_STREAM_32 = 0x7fffffff;

const UNIX_TIME_FIELD = 0x5455;
const ZIP64_FIELD = 0x0001;
const UNIX_TIME_FIELD_BYTES = 9;
const ZIP64_FIELD_BYTES = 20;

/** Larger files are sent while they are deflated, with their sizes behind them. git: core.bigFileThreshold, 512 MB. */
const MAX_COLLECTED_BYTES = 16 * 1024 * 1024;

/** As git looks for a NUL to tell binary files. */
const BINARY_SEARCH_BYTES = 8000;

export interface ZipOptions {
  /** Of all entries: seconds since 1970. */
  readonly timeSeconds: number;
  /** The archive's comment. */
  readonly commitId?: ObjectId | undefined;
  /** As zlib's: -1 for its default, 0 for none, to 9. */
  readonly level: number;
  readonly runtime: Runtime;
  /** What the repository's attributes say of a file; `undefined` leaves it to its content. */
  readonly isBinary?: ((entry: ArchiveEntry) => boolean | undefined) | undefined;
}

/** What is known of an entry once it is written. */
interface Written {
  readonly method: number;
  readonly flags: number;
  readonly crc: number;
  readonly compressedBytes: number;
  readonly isBinary: boolean;
  readonly version: number;
  readonly offset: number;
}

export class ZipWriter implements ArchiveWriter {
  readonly #output: ArchiveOutput;
  readonly #options: ZipOptions;
  readonly #dosTime: readonly [time: number, date: number];
  readonly #record = new LittleEndianBytes();
  /** The central directory: some hundred bytes an entry. */
  readonly #directory = new LittleEndianBytes();
  #entryCount = 0;
  #madeOn = 0;

  constructor(output: ArchiveOutput, options: ZipOptions) {
    this.#output = output;
    this.#options = options;
    this.#dosTime = dosTimeOf(options.timeSeconds);
  }

  begin(): void {}

  writeEntry(entry: ArchiveEntry, content: Uint8Array): void {
    const { level, runtime } = this.#options;
    const isFile = !isDirectory(entry) && !isSymbolicLink(entry);
    const deflated =
      isFile && level !== 0 && content.length > 0 ? deflateRaw(runtime, content, level) : undefined;
    this.#writeWhole(entry, content, deflated);
  }

  async *streamEntry(entry: ArchiveEntry, content: ByteStream): AsyncGenerator<undefined> {
    const { level, runtime } = this.#options;
    if (entry.sizeBytes <= MAX_COLLECTED_BYTES) return yield* this.#collect(entry, content);
    const offset = this.#output.sizeBytes;
    const flags = FLAG_DESCRIPTOR | this.#nameFlags(entry.path);
    const isStored = level === 0;
    const version = entry.sizeBytes > MAX_STREAM_32 ? ZIP64_VERSION : VERSION;
    const method = isStored ? STORED : DEFLATED;
    this.#writeLocalHeader(entry, {
      ...{ method, flags, version, offset, crc: 0 },
      compressedBytes: isStored ? entry.sizeBytes : 0,
    });

    let crc = 0;
    let isBinary: boolean | undefined = this.#isBinary(entry);
    async function* looked(): AsyncGenerator<Uint8Array, undefined> {
      for await (const chunk of content) {
        crc = runtime.crc32(chunk, 0, chunk.length, crc);
        isBinary ??= looksBinary(chunk);
        yield chunk;
      }
    }
    const dataStart = this.#output.sizeBytes;
    for await (const chunk of isStored ? looked() : deflateRawStream(runtime, looked(), level)) {
      this.#output.write(chunk);
      yield;
    }
    const compressedBytes = this.#output.sizeBytes - dataStart;
    const record = this.#record.clear().put32(DATA_DESCRIPTOR, crc);
    if (entry.sizeBytes >= MAX_32 || compressedBytes >= MAX_32) {
      record.put64(compressedBytes, entry.sizeBytes);
    } else record.put32(compressedBytes, entry.sizeBytes);
    this.#output.write(record.bytes);
    const written = { method, flags, version, offset, crc, compressedBytes };
    this.#list(entry, { ...written, isBinary: isBinary ?? false });
  }

  finish(): void {
    const { commitId } = this.#options;
    const comment = encodeLatin1(commitId ?? '');
    const count = this.#entryCount;
    const start = this.#output.sizeBytes;
    const directoryBytes = this.#directory.length;
    this.#output.write(this.#directory.bytes);
    const record = this.#record.clear();
    if (count > MAX_16 || start > MAX_32) {
      record.put32(ZIP64_END).put64(44).put16(this.#madeOn, ZIP64_VERSION).put32(0, 0);
      record.put64(count, count, directoryBytes, start);
      record
        .put32(ZIP64_LOCATOR, 0)
        .put64(start + directoryBytes)
        .put32(1);
    }
    record.put32(END).put16(0, 0, Math.min(count, MAX_16), Math.min(count, MAX_16));
    record.put32(directoryBytes, Math.min(start, MAX_32)).put16(comment.length).putBytes(comment);
    this.#output.write(record.bytes);
  }

  /** As {@link writeEntry}, with the work of deflating done in pieces. */
  async *#collect(entry: ArchiveEntry, content: ByteStream): AsyncGenerator<undefined> {
    const { level, runtime } = this.#options;
    const whole = await collectBytes(content);
    const deflated =
      level === 0 ? undefined : await collectBytes(deflateRawStream(runtime, slices(whole), level));
    this.#writeWhole(entry, whole, deflated);
    yield;
  }

  #writeWhole(entry: ArchiveEntry, content: Uint8Array, deflated: Uint8Array | undefined): void {
    const isSmaller = deflated !== undefined && deflated.length < content.length;
    const data = isSmaller ? deflated : content;
    const isPlain = isDirectory(entry);
    const size = Math.max(content.length, data.length);
    const written: Written = {
      method: isSmaller ? DEFLATED : STORED,
      flags: this.#nameFlags(entry.path),
      version: size > MAX_32 ? ZIP64_VERSION : VERSION,
      offset: this.#output.sizeBytes,
      crc: this.#options.runtime.crc32(content, 0, content.length, 0),
      compressedBytes: data.length,
      isBinary: isPlain || (this.#isBinary(entry) ?? looksBinary(content)),
    };
    this.#writeLocalHeader(entry, written);
    this.#output.write(data);
    this.#list(entry, written);
  }

  #isBinary(entry: ArchiveEntry): boolean | undefined {
    return this.#options.isBinary?.(entry);
  }

  #nameFlags(path: Uint8Array): number {
    if (path.length > MAX_16) {
      throw new GitError('LIMIT_EXCEEDED', `path too long for zip (${path.length} bytes)`);
    }
    return !isAscii(path) && isUtf8(path) ? FLAG_UTF8 : 0;
  }

  #writeLocalHeader(entry: ArchiveEntry, written: Omit<Written, 'isBinary'>): void {
    const { path, sizeBytes } = entry;
    const { version, flags, method, crc, compressedBytes } = written;
    const isZip64 = version === ZIP64_VERSION;
    const record = this.#record
      .clear()
      .put32(LOCAL_HEADER)
      .put16(version, flags, method, ...this.#dosTime);
    record.put32(crc, isZip64 ? MAX_32 : compressedBytes, isZip64 ? MAX_32 : sizeBytes);
    record.put16(path.length, UNIX_TIME_FIELD_BYTES + (isZip64 ? ZIP64_FIELD_BYTES : 0)).putBytes(path);
    this.#putUnixTime(record);
    if (isZip64) record.put16(ZIP64_FIELD, ZIP64_FIELD_BYTES - 4).put64(sizeBytes, compressedBytes);
    this.#output.write(record.bytes);
  }

  /** Note an entry for the central directory. */
  #list(entry: ArchiveEntry, written: Written): void {
    const { path, sizeBytes } = entry;
    const { version, flags, method, crc, compressedBytes, offset, isBinary } = written;
    const wide = [sizeBytes, compressedBytes, offset].filter((value) => value >= MAX_32);
    const wideBytes = wide.length === 0 ? 0 : 4 + 8 * wide.length;
    const hasMode = isSymbolicLink(entry) || (!isDirectory(entry) && (entry.mode & 0o111) !== 0);
    const madeOn = hasMode ? MADE_ON_UNIX : 0;
    this.#madeOn = Math.max(this.#madeOn, madeOn);
    const directory = this.#directory;
    directory.put32(DIRECTORY_HEADER).put16(madeOn, version, flags, method, ...this.#dosTime);
    directory.put32(crc, Math.min(compressedBytes, MAX_32), Math.min(sizeBytes, MAX_32));
    directory.put16(path.length, UNIX_TIME_FIELD_BYTES + wideBytes, 0, 0, isBinary ? 0 : 1);
    directory.put32(hasMode ? modeAttributes(entry) : isDirectory(entry) ? DOS_DIRECTORY : 0);
    directory.put32(Math.min(offset, MAX_32)).putBytes(path);
    this.#putUnixTime(directory);
    if (wideBytes > 0) directory.put16(ZIP64_FIELD, wideBytes - 4).put64(...wide);
    this.#entryCount++;
  }

  #putUnixTime(record: LittleEndianBytes): void {
    const { timeSeconds } = this.#options;
    record
      .put16(UNIX_TIME_FIELD, UNIX_TIME_FIELD_BYTES - 4)
      .put8(1)
      .put32(timeSeconds % 2 ** 32);
  }
}

function modeAttributes(entry: ArchiveEntry): number {
  return (isSymbolicLink(entry) ? entry.mode | 0o777 : entry.mode) * 2 ** 16;
}

/** In the time zone of this process, as the format wants it and git does it; years that it cannot say are cut off. */
function dosTimeOf(timeSeconds: number): readonly [number, number] {
  const time = new Date(timeSeconds * 1000);
  const date = time.getDate() + (time.getMonth() + 1) * 32 + (time.getFullYear() - 1980) * 512;
  const ofDay = Math.floor(time.getSeconds() / 2) + time.getMinutes() * 32 + time.getHours() * 2048;
  return [ofDay & MAX_16, date & MAX_16];
}

function looksBinary(content: Uint8Array): boolean {
  return content.subarray(0, BINARY_SEARCH_BYTES).includes(0);
}

async function collectBytes(content: ByteStream): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk.slice()); // it may be a view of what is used again
  return joinBytes(chunks);
}

const SLICE_BYTES = 64 * 1024;

async function* slices(bytes: Uint8Array): AsyncGenerator<Uint8Array, undefined> {
  for (let at = 0; at < bytes.length; at += SLICE_BYTES) yield bytes.subarray(at, at + SLICE_BYTES);
}

function isAscii(path: Uint8Array): boolean {
  return path.every((byte) => byte < 128);
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function isUtf8(path: Uint8Array): boolean {
  try {
    utf8.decode(path);
    return true;
  } catch (error) {
    if (error instanceof TypeError) return false; // how a decoder says what is none
    throw error;
  }
}
