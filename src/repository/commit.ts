/**
 * A commit's links and date, read from its bytes without making strings.
 * Spec: gitformat of commit objects; git takes the date from the end of the committer line.
 *
 * @module
 */
import { GitError } from '../core/errors.ts';
import type { ObjectFormat } from '../core/object-id.ts';

const LF = 0x0a;
const TREE_PREFIX = asciiOf('tree ');
const PARENT_PREFIX = asciiOf('parent ');
const AUTHOR_PREFIX = asciiOf('author ');
const COMMITTER_PREFIX = asciiOf('committer ');
const RIGHT_ANGLE = 0x3e;

/** Value of each hex digit's character, -1 for others. git reads both cases. */
const HEX_VALUE = new Int8Array(256).fill(-1);
for (let value = 0; value < 16; value++) {
  const digit = value.toString(16);
  HEX_VALUE[digit.charCodeAt(0)] = value;
  HEX_VALUE[digit.toUpperCase().charCodeAt(0)] = value;
}

/** What a walk needs of a commit. One instance is filled again and again. */
export class CommitFields {
  /** Raw id of the root tree. */
  readonly treeId: Uint8Array;
  /** Raw ids of the parents, back to back; longer than `parentCount` of them. */
  parentIds: Uint8Array;
  parentCount = 0;
  /** Committer date in seconds since 1970; 0 when the line does not parse, as git has it. */
  date = 0;

  constructor(format: ObjectFormat) {
    this.treeId = new Uint8Array(format.idBytes);
    this.parentIds = new Uint8Array(4 * format.idBytes);
  }

  /**
   * Fill from the content of a commit: `data[start, end)`.
   *
   * @throws {GitError} OBJECT_CORRUPT when the tree or a parent line is malformed
   */
  read(data: Uint8Array, start = 0, end = data.length): void {
    const idBytes = this.treeId.length;
    if (!startsWith(data, start, TREE_PREFIX)) throw malformed('it does not begin with a tree line');
    let at = readIdLine(data, start + TREE_PREFIX.length, this.treeId, 0, idBytes);

    this.parentCount = 0;
    while (at < end && startsWith(data, at, PARENT_PREFIX)) {
      if ((this.parentCount + 1) * idBytes > this.parentIds.length) {
        const longer = new Uint8Array(this.parentIds.length * 2);
        longer.set(this.parentIds);
        this.parentIds = longer;
      }
      at = readIdLine(data, at + PARENT_PREFIX.length, this.parentIds, this.parentCount * idBytes, idBytes);
      this.parentCount++;
    }
    if (at > end) throw malformed('it is cut short');
    this.date = readCommitterDate(data, at, end);
  }
}

/** Read `idBytes` in hex and the line end after them. @returns the offset of the next line */
function readIdLine(data: Uint8Array, at: number, into: Uint8Array, intoAt: number, idBytes: number): number {
  for (let i = 0; i < idBytes; i++) {
    const high = HEX_VALUE[data[at + 2 * i] as number] ?? -1;
    const low = HEX_VALUE[data[at + 2 * i + 1] as number] ?? -1;
    if (high < 0 || low < 0) throw malformed('an id is not hex of the right length');
    into[intoAt + i] = high * 16 + low;
  }
  const end = at + 2 * idBytes;
  if (data[end] !== LF) throw malformed('an id is not followed by the end of its line');
  return end + 1;
}

function readCommitterDate(data: Uint8Array, authorAt: number, end: number): number {
  if (!startsWith(data, authorAt, AUTHOR_PREFIX)) return 0;
  const authorEnd = data.indexOf(LF, authorAt);
  if (authorEnd < 0 || !startsWith(data, authorEnd + 1, COMMITTER_PREFIX)) return 0;
  const lineStart = authorEnd + 1;
  const lineEnd = data.indexOf(LF, lineStart);
  if (lineEnd < 0 || lineEnd >= end) return 0;

  // A name may hold '>': the date comes after the last one.
  let at = lineEnd - 1;
  while (at > lineStart && data[at] !== RIGHT_ANGLE) at--;
  if (at === lineStart) return 0;
  at++;
  while (data[at] === 0x20 || data[at] === 0x09) at++;
  let date = 0;
  for (; at < lineEnd; at++) {
    const digit = (data[at] as number) - 0x30;
    if (digit < 0 || digit > 9) break;
    date = date * 10 + digit;
  }
  return Math.min(date, Number.MAX_SAFE_INTEGER);
}

function startsWith(data: Uint8Array, at: number, prefix: Uint8Array): boolean {
  for (let i = 0; i < prefix.length; i++) if (data[at + i] !== prefix[i]) return false;
  return true;
}

function asciiOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function malformed(why: string): GitError {
  return new GitError('OBJECT_CORRUPT', `Cannot read commit: ${why}`);
}
