/**
 * tar, byte for byte as `git archive` writes it: ustar headers, and pax headers for what does not fit them.
 * Spec: POSIX.1, "pax Interchange Format", "ustar Interchange Format"; git-archive(1), tar.umask.
 *
 * @module
 */
import type { ByteStream } from '../../core/byte-stream.ts';
import { concatBytes, encodeLatin1, encodeText, joinBytes } from '../../core/bytes.ts';
import { GitError } from '../../core/errors.ts';
import type { ObjectId } from '../../core/object-id.ts';
import type { ArchiveOutput } from './archive-output.ts';
import { type ArchiveEntry, type ArchiveWriter, isDirectory, isSymbolicLink } from './archive-writer.ts';

const RECORD_BYTES = 512;
/** Archives are padded to a multiple of this, as tar's own blocks of twenty records. */
const BLOCK_BYTES = 20 * RECORD_BYTES;
const ZEROS = new Uint8Array(BLOCK_BYTES + RECORD_BYTES);

/** Eleven octal digits: what a ustar header can say of sizes and times. */
const MAX_USTAR_NUMBER = 0o77777777777;

/** Offset and bytes of each field of a header. */
const NAME = [0, 100] as const;
const MODE = [100, 8] as const;
const UID = [108, 8] as const;
const GID = [116, 8] as const;
const SIZE = [124, 12] as const;
const MTIME = [136, 12] as const;
const CHECKSUM = [148, 8] as const;
const TYPE = 156;
const LINK = [157, 100] as const;
const MAGIC = 257;
const USER = 265;
const GROUP = 297;
const DEVICE_MAJOR = [329, 8] as const;
const DEVICE_MINOR = [337, 8] as const;
const PREFIX = [345, 155] as const;

type Field = readonly [offset: number, bytes: number];

const MAGIC_AND_VERSION = encodeLatin1('ustar\x0000');
const ROOT = encodeLatin1('root');
const SLASH = 47;
const SPACE = 32;

export interface TarOptions {
  /** Of all entries: seconds since 1970. */
  readonly timeSeconds: number;
  /** Goes into a comment that `git get-tar-commit-id` reads. */
  readonly commitId?: ObjectId | undefined;
  /** Bits that no entry gets. git: tar.umask, 0002. */
  readonly umask: number;
}

export class TarWriter implements ArchiveWriter {
  readonly #output: ArchiveOutput;
  readonly #options: TarOptions;
  readonly #headerSeconds: number;

  constructor(output: ArchiveOutput, options: TarOptions) {
    this.#output = output;
    this.#options = options;
    this.#headerSeconds = Math.min(options.timeSeconds, MAX_USTAR_NUMBER);
  }

  begin(): void {
    const { commitId, timeSeconds } = this.#options;
    const records: Uint8Array[] = [];
    if (commitId !== undefined) records.push(paxRecord('comment', encodeLatin1(commitId)));
    if (timeSeconds > MAX_USTAR_NUMBER) records.push(paxRecord('mtime', encodeLatin1(String(timeSeconds))));
    if (records.length > 0) this.#paxHeader('g', 'pax_global_header', joinBytes(records));
  }

  writeEntry(entry: ArchiveEntry, content: Uint8Array): void {
    this.#entryHeader(entry, content);
    if (isDirectory(entry) || isSymbolicLink(entry)) return;
    this.#output.write(content);
    this.#pad();
  }

  async *streamEntry(entry: ArchiveEntry, content: ByteStream): AsyncGenerator<undefined> {
    this.#entryHeader(entry, ZEROS.subarray(0, 0));
    for await (const chunk of content) {
      this.#output.write(chunk);
      yield;
    }
    this.#pad();
  }

  finish(): void {
    const used = this.#output.sizeBytes % BLOCK_BYTES;
    const left = BLOCK_BYTES - used;
    this.#output.write(ZEROS.subarray(0, left));
    // Two records of zeros end an archive: where one block has no room for them, another follows.
    if (left < 2 * RECORD_BYTES) this.#output.write(ZEROS.subarray(0, BLOCK_BYTES));
  }

  #entryHeader(entry: ArchiveEntry, content: Uint8Array): void {
    const { path, id, sizeBytes } = entry;
    const header = new Uint8Array(RECORD_BYTES);
    const extended: Uint8Array[] = [];
    if (!placePath(header, path)) {
      putBytes(header, NAME, encodeLatin1(`${id}.data`));
      extended.push(paxRecord('path', path));
    }
    const isLink = isSymbolicLink(entry);
    if (isLink && content.length > LINK[1]) {
      putBytes(header, LINK, encodeLatin1(`see ${id}.paxheader`));
      extended.push(paxRecord('linkpath', content));
    } else if (isLink) {
      putBytes(header, LINK, content);
    }
    const isFile = !isLink && !isDirectory(entry);
    const isHuge = isFile && sizeBytes > MAX_USTAR_NUMBER;
    if (isHuge) extended.push(paxRecord('size', encodeLatin1(String(sizeBytes))));

    if (extended.length > 0) this.#paxHeader('x', `${id}.paxheader`, joinBytes(extended));
    const type = isFile ? '0' : isLink ? '2' : '5';
    this.#finishHeader(header, type, this.#modeOf(entry), isFile && !isHuge ? sizeBytes : 0);
  }

  #modeOf(entry: ArchiveEntry): number {
    const { mode } = entry;
    if (isSymbolicLink(entry)) return mode | 0o777;
    const open = isDirectory(entry) || (mode & 0o100) !== 0 ? 0o777 : 0o666;
    return (mode | open) & ~this.#options.umask;
  }

  #paxHeader(type: 'g' | 'x', name: string, records: Uint8Array): void {
    const header = new Uint8Array(RECORD_BYTES);
    putBytes(header, NAME, encodeLatin1(name));
    this.#finishHeader(header, type, 0o666, records.length);
    this.#output.write(records);
    this.#pad();
  }

  /** Fill in what all headers have, and write it. */
  #finishHeader(header: Uint8Array, type: string, mode: number, sizeBytes: number): void {
    header[TYPE] = type.charCodeAt(0);
    putOctal(header, MODE, mode & 0o7777);
    putOctal(header, UID, 0);
    putOctal(header, GID, 0);
    putOctal(header, SIZE, sizeBytes);
    putOctal(header, MTIME, this.#headerSeconds);
    header.set(MAGIC_AND_VERSION, MAGIC);
    header.set(ROOT, USER);
    header.set(ROOT, GROUP);
    putOctal(header, DEVICE_MAJOR, 0);
    putOctal(header, DEVICE_MINOR, 0);
    header.fill(SPACE, CHECKSUM[0], CHECKSUM[0] + CHECKSUM[1]);
    let sum = 0;
    for (let i = 0; i < RECORD_BYTES; i++) sum += header[i] as number;
    putOctal(header, CHECKSUM, sum);
    this.#output.write(header);
  }

  #pad(): void {
    const used = this.#output.sizeBytes % RECORD_BYTES;
    if (used > 0) this.#output.write(ZEROS.subarray(0, RECORD_BYTES - used));
  }
}

/** Put a path into its one or two fields. @returns false when it does not fit */
function placePath(header: Uint8Array, path: Uint8Array): boolean {
  if (path.length <= NAME[1]) {
    putBytes(header, NAME, path);
    return true;
  }
  const cut = lastSlash(path, PREFIX[1]);
  if (cut <= 0 || path.length - cut - 1 > NAME[1]) return false;
  putBytes(header, PREFIX, path.subarray(0, cut));
  putBytes(header, NAME, path.subarray(cut + 1));
  return true;
}

/** Where the longest prefix of at most `most` bytes ends that leaves a name: 0 when there is none. */
function lastSlash(path: Uint8Array, most: number): number {
  let at = path[path.length - 1] === SLASH ? path.length - 1 : path.length;
  if (at > most) at = most;
  do at--;
  while (at > 0 && path[at] !== SLASH);
  return at;
}

/** `<bytes of this record> <keyword>=<value>\n`; the number counts itself. */
function paxRecord(keyword: string, value: Uint8Array): Uint8Array {
  const rest = concatBytes(encodeText(` ${keyword}=`), value, Uint8Array.of(10));
  let length = rest.length + 1;
  while (String(length).length + rest.length > length) length++;
  return concatBytes(encodeText(String(length)), rest);
}

function putBytes(header: Uint8Array, [offset]: Field, bytes: Uint8Array): void {
  header.set(bytes, offset);
}

/** Octal digits that fill the field but for a NUL at its end. */
function putOctal(header: Uint8Array, [offset, bytes]: Field, value: number): void {
  const digits = value.toString(8).padStart(bytes - 1, '0');
  if (digits.length >= bytes) {
    throw new GitError('INVALID_ARGUMENT', `Cannot write tar: ${value} does not fit a header`, { value });
  }
  for (let i = 0; i < digits.length; i++) header[offset + i] = digits.charCodeAt(i);
  header[offset + bytes - 1] = 0;
}
