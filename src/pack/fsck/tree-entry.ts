/**
 * One entry of a tree: what it says, and what is wrong with it by itself.
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
import type { SpecialRole } from './entry-findings.ts';
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

const SLASH_SEEN = 1;
const BACKSLASH_SEEN = 2;

/** What a tree can have wrong anywhere in it, told once: bits, in the order in which they are told. */
const NULL_ID = 1 << 0;
const FULL_PATH = 1 << 1;
const HAS_DOT = 1 << 3;
const HAS_DOTDOT = 1 << 4;
const HAS_DOTGIT = 1 << 5;
const ZERO_PADDED = 1 << 6;
const BAD_MODE = 1 << 7;
const LARGE_NAME = 1 << 10;

/** Where what is found goes. */
export interface TreeFindings {
  readonly maxPathnameBytes: number;
  report(message: FsckMessageId, text: string): void;
  addBlob(role: SpecialRole, id: string): void;
}

/** The entry read last. */
export class TreeEntry {
  mode = 0;
  /** Its name is at `[nameStart, nameEnd)`, a NUL follows. */
  nameStart = 0;
  nameEnd = 0;
  readonly #idBytes: number;
  readonly #findings: TreeFindings;
  #bytes: Uint8Array = new Uint8Array(0);
  #start = 0;
  #separators = 0;

  constructor(idBytes: number, findings: TreeFindings) {
    this.#idBytes = idBytes;
    this.#findings = findings;
  }

  get isDirectory(): boolean {
    return isDirectory(this.mode);
  }

  /** @returns whether a whole entry begins at `at` */
  read(bytes: Uint8Array, at: number, end: number): boolean {
    this.#bytes = bytes;
    this.#start = at;
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
    this.mode = mode;
    this.nameStart = nameStart;
    this.nameEnd = i;
    this.#separators = separators;
    return i > nameStart && i + 1 + this.#idBytes <= end;
  }

  /** Which of the flaws above it has. Others are reported, and blobs that matter told, at once. */
  check(): number {
    const bytes = this.#bytes;
    const start = this.nameStart;
    const end = this.nameEnd;
    let flaws = bytes[this.#start] === ZERO ? ZERO_PADDED : 0;
    if (end - start > this.#findings.maxPathnameBytes) flaws |= LARGE_NAME;
    if (bytes[end + 1] === 0 && this.#isNull(end + 1)) flaws |= NULL_ID;
    if (bytes[start] === DOT) flaws |= this.#dots(start, end);
    const names = specialNames(bytes, start, end);
    if (names !== 0) flaws |= this.#special(names, false);
    if (this.#separators !== 0) {
      if ((this.#separators & SLASH_SEEN) !== 0) flaws |= FULL_PATH;
      if ((this.#separators & BACKSLASH_SEEN) !== 0) flaws |= this.#afterBackslashes();
    }
    return isStandardMode(this.mode) ? flaws : flaws | BAD_MODE;
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
    const isLink = (this.mode & TYPE_BITS) === SYMBOLIC_LINK;
    const id = () => bytesToHex(this.#bytes, this.nameEnd + 1, this.#idBytes);
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
    const end = this.nameEnd;
    let flaws = 0;
    for (let at = this.nameStart; at < end; at++) {
      if (this.#bytes[at] !== BACKSLASH) continue;
      const names = ntfsNames(this.#bytes, at + 1, end);
      if (names !== 0) flaws |= this.#special(names, true);
    }
    return flaws;
  }
}

export function isDirectory(mode: number): boolean {
  return (mode & TYPE_BITS) === DIRECTORY;
}

function isStandardMode(mode: number): boolean {
  return (
    mode === 0o100644 || mode === DIRECTORY || mode === 0o100755 || mode === SYMBOLIC_LINK || mode === GITLINK
  );
}
