/**
 * Is a tree what git would have written, and safe to check out anywhere?
 * Spec: git-fsck(1), "FSCK MESSAGES".
 *
 * @module
 */
import { bytesToHex } from '../../core/object-id.ts';
import {
  DOT_GIT,
  DOT_GITATTRIBUTES,
  DOT_GITIGNORE,
  DOT_GITMODULES,
  DOT_MAILMAP,
  ntfsNames,
  specialNames,
} from './dot-git-names.ts';
import type { EntryFindingsList } from './entry-findings.ts';
import type { FsckMessageId } from './messages.ts';

const SPACE = 32;
const DOT = 46;
const SLASH = 47;
const ZERO = 48;
const SEVEN = 55;
const BACKSLASH = 92;
/** File type in a mode. */
const TYPE_BITS = 0o170000;
const DIRECTORY = 0o040000;
const SYMBOLIC_LINK = 0o120000;
const GITLINK = 0o160000;

/** What a tree can have wrong anywhere in it, told once, in this order. */
const WHOLE_TREE: readonly (readonly [FsckMessageId, string])[] = [
  ['nullSha1', 'contains entries pointing to null sha1'],
  ['fullPathname', 'contains full pathnames'],
  ['emptyName', 'contains empty pathname'],
  ['hasDot', "contains '.'"],
  ['hasDotdot', "contains '..'"],
  ['hasDotgit', "contains '.git'"],
  ['zeroPaddedFilemode', 'contains zero-padded file modes'],
  ['badFilemode', 'contains bad file modes'],
  ['duplicateEntries', 'contains duplicate file entries'],
  ['treeNotSorted', 'not properly sorted'],
  ['largePathname', 'contains excessively large pathname'],
];
const SLASH_SEEN = 1;
const BACKSLASH_SEEN = 2;
const NULL_ID = 1 << 0;
const FULL_PATH = 1 << 1;
const HAS_DOT = 1 << 3;
const HAS_DOTDOT = 1 << 4;
const HAS_DOTGIT = 1 << 5;
const ZERO_PADDED = 1 << 6;
const BAD_MODE = 1 << 7;
const DUPLICATE = 1 << 8;
const UNSORTED = 1 << 9;
const LARGE_NAME = 1 << 10;

export class TreeChecker {
  readonly #idBytes: number;
  readonly #findings: EntryFindingsList;
  #bytes: Uint8Array = new Uint8Array(0);
  /** The entry at hand. */
  #mode = 0;
  #nameStart = 0;
  #nameEnd = 0;
  #separators = 0;
  /** Files that a directory of the same name may still follow: where their names start and end. */
  #fileStarts: number[] = [];
  #fileEnds: number[] = [];

  constructor(idBytes: number, findings: EntryFindingsList) {
    this.#idBytes = idBytes;
    this.#findings = findings;
  }

  check(bytes: Uint8Array, start: number, end: number): void {
    this.#bytes = bytes;
    this.#fileStarts.length = 0;
    this.#fileEnds.length = 0;
    let flaws = 0;
    let previousMode = -1;
    let previousStart = 0;
    let previousEnd = 0;
    for (let at = start; at < end; at = this.#nameEnd + 1 + this.#idBytes) {
      if (!this.#readEntry(at, end)) {
        this.#findings.report('badTree', 'cannot be parsed as a tree');
        return;
      }
      if (bytes[at] === ZERO) flaws |= ZERO_PADDED;
      flaws |= this.#checkEntry();
      if (previousMode >= 0) flaws |= this.#order(previousMode, previousStart, previousEnd);
      previousMode = this.#mode;
      previousStart = this.#nameStart;
      previousEnd = this.#nameEnd;
    }
    if (flaws !== 0) this.#reportFlaws(flaws);
  }

  /** @returns whether a whole entry begins at `at` */
  #readEntry(at: number, end: number): boolean {
    const bytes = this.#bytes;
    let mode = 0;
    let i = at;
    for (; i < end && bytes[i] !== SPACE; i++) {
      const digit = bytes[i] as number;
      if (digit < ZERO || digit > SEVEN) return false;
      mode = (mode << 3) | (digit - ZERO);
    }
    if (i === at) return false;
    const nameStart = i + 1;
    let separators = 0;
    for (i = nameStart; i < end; i++) {
      const byte = bytes[i] as number;
      if (byte === 0) break;
      if (byte === SLASH) separators |= SLASH_SEEN;
      else if (byte === BACKSLASH) separators |= BACKSLASH_SEEN;
    }
    this.#mode = mode;
    this.#nameStart = nameStart;
    this.#nameEnd = i;
    this.#separators = separators;
    return i > nameStart && i + 1 + this.#idBytes <= end;
  }

  #checkEntry(): number {
    const bytes = this.#bytes;
    const start = this.#nameStart;
    const end = this.#nameEnd;
    let flaws = 0;
    if (end - start > this.#findings.maxPathnameBytes) flaws |= LARGE_NAME;
    if (bytes[end + 1] === 0 && this.#isNull(end + 1)) flaws |= NULL_ID;
    if (bytes[start] === DOT) flaws |= this.#dots(start, end);
    const names = specialNames(bytes, start, end);
    if (names !== 0) flaws |= this.#special(names, false);
    if (this.#separators !== 0) {
      if ((this.#separators & SLASH_SEEN) !== 0) flaws |= FULL_PATH;
      if ((this.#separators & BACKSLASH_SEEN) !== 0) flaws |= this.#afterBackslashes();
    }
    return isStandardMode(this.#mode) ? flaws : flaws | BAD_MODE;
  }

  #reportFlaws(flaws: number): void {
    for (const [bit, [message, text]] of WHOLE_TREE.entries()) {
      if ((flaws & (1 << bit)) !== 0) this.#findings.report(message, text);
    }
  }

  #isNull(at: number): boolean {
    for (let i = 0; i < this.#idBytes; i++) if (this.#bytes[at + i] !== 0) return false;
    return true;
  }

  #dots(start: number, end: number): number {
    if (end - start === 1) return HAS_DOT;
    return end - start === 2 && this.#bytes[start + 1] === DOT ? HAS_DOTDOT : 0;
  }

  #special(names: number, isAfterBackslash: boolean): number {
    const findings = this.#findings;
    const isLink = (this.#mode & TYPE_BITS) === SYMBOLIC_LINK;
    const id = () => bytesToHex(this.#bytes, this.#nameEnd + 1, this.#idBytes);
    if ((names & DOT_GITMODULES) !== 0) {
      if (isLink) findings.report('gitmodulesSymlink', '.gitmodules is a symbolic link');
      else findings.addBlob('gitmodules', id());
    }
    if (!isAfterBackslash) {
      if ((names & DOT_GITATTRIBUTES) !== 0) {
        if (isLink) findings.report('gitattributesSymlink', '.gitattributes is a symlink');
        else findings.addBlob('gitattributes', id());
      }
      if (isLink && (names & DOT_GITIGNORE) !== 0) {
        findings.report('gitignoreSymlink', '.gitignore is a symlink');
      }
      if (isLink && (names & DOT_MAILMAP) !== 0) {
        findings.report('mailmapSymlink', '.mailmap is a symlink');
      }
    }
    return (names & DOT_GIT) !== 0 ? HAS_DOTGIT : 0;
  }

  #afterBackslashes(): number {
    const end = this.#nameEnd;
    let flaws = 0;
    for (let at = this.#nameStart; at < end; at++) {
      if (this.#bytes[at] !== BACKSLASH) continue;
      const names = ntfsNames(this.#bytes, at + 1, end);
      if (names !== 0) flaws |= this.#special(names, true);
    }
    return flaws;
  }

  /** Entries are in the order of their paths: a directory's name counts as if it ended in a slash. */
  #order(previousMode: number, previousStart: number, previousEnd: number): number {
    const bytes = this.#bytes;
    const start = this.#nameStart;
    const length = Math.min(previousEnd - previousStart, this.#nameEnd - start);
    for (let i = 0; i < length; i++) {
      const difference = (bytes[previousStart + i] as number) - (bytes[start + i] as number);
      if (difference !== 0) return difference < 0 ? 0 : UNSORTED;
    }
    let before = bytes[previousStart + length] as number; // the NUL where a name ends
    let after = bytes[start + length] as number;
    if (before === 0 && after === 0) return DUPLICATE;
    if (before === 0 && isDirectory(previousMode)) before = SLASH;
    if (after === 0 && isDirectory(this.#mode)) after = SLASH;
    if (before === 0 && after < SLASH) {
      this.#fileStarts.push(previousStart);
      this.#fileEnds.push(previousEnd);
    } else if (after === SLASH && before < SLASH && this.#hasFile(start, this.#nameEnd)) return DUPLICATE;
    return before < after ? 0 : UNSORTED;
  }

  /** Whether a file of this directory's name came before, with names like `name.c` between the two. */
  #hasFile(start: number, end: number): boolean {
    for (;;) {
      const fileStart = this.#fileStarts.pop();
      const fileEnd = this.#fileEnds.pop();
      if (fileStart === undefined || fileEnd === undefined) return false;
      const length = fileEnd - fileStart;
      if (length > end - start || !this.#isPrefix(fileStart, length, start)) continue;
      if (length === end - start) return true;
      if ((this.#bytes[start + length] as number) < SLASH) {
        this.#fileStarts.push(fileStart);
        this.#fileEnds.push(fileEnd);
        return false;
      }
    }
  }

  #isPrefix(prefix: number, length: number, name: number): boolean {
    for (let i = 0; i < length; i++) if (this.#bytes[prefix + i] !== this.#bytes[name + i]) return false;
    return true;
  }
}

function isDirectory(mode: number): boolean {
  return (mode & TYPE_BITS) === DIRECTORY;
}

function isStandardMode(mode: number): boolean {
  return (
    mode === 0o100644 || mode === DIRECTORY || mode === 0o100755 || mode === SYMBOLIC_LINK || mode === GITLINK
  );
}
