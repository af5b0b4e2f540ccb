/**
 * Is a tree what git would have written, and safe to check out anywhere?
 * Spec: git-fsck(1), "FSCK MESSAGES".
 *
 * A tree made from a delta of one that has nothing wrong is not looked at as a whole: what was copied with its
 * neighbours is as it was, so what is left are new entries, and the order where new neighbours meet. As soon as
 * anything may be wrong the tree is looked at as a whole after all, so that the answer is always the same.
 *
 * @module
 */
import type { TreeChain } from '../tree-chain.ts';
import type { FsckMessageId } from './messages.ts';
import { isDirectory, TreeEntry, type TreeFindings } from './tree-entry.ts';

const SPACE = 32;
const SLASH = 47;

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
const DUPLICATE = 1 << 8;
const UNSORTED = 1 << 9;

/** Names like `name.c` that are passed in a tree that changed; more are not worth it. */
const MOST_PASSED = 100;

export class TreeChecker {
  readonly #idBytes: number;
  readonly #findings: TreeFindings;
  readonly #entry: TreeEntry;
  #bytes: Uint8Array = new Uint8Array(0);
  /** Files that a directory of the same name may still follow: where their names start and end. */
  #fileStarts: number[] = [];
  #fileEnds: number[] = [];
  /** Of the entry before the one at hand. */
  #previousMode = 0;
  #previousStart = 0;
  #previousEnd = 0;
  #isSound = true;
  /** Reporting nothing. */
  #isQuiet = false;
  #passed = 0;

  constructor(idBytes: number, findings: TreeFindings) {
    this.#idBytes = idBytes;
    this.#findings = findings;
    this.#entry = new TreeEntry(idBytes, {
      maxPathnameBytes: findings.maxPathnameBytes,
      report: (message, text) => this.#report(message, text),
      addBlob: (role, id) => findings.addBlob(role, id),
    });
  }

  /** @returns whether nothing is wrong */
  check(bytes: Uint8Array, start: number, end: number): boolean {
    this.#isQuiet = false;
    return this.#checkWhole(bytes, start, end);
  }

  /** Look at a tree whose flaws were reported already. @returns whether it has none */
  isSound(bytes: Uint8Array, start: number, end: number): boolean {
    this.#isQuiet = true;
    return this.#checkWhole(bytes, start, end);
  }

  /**
   * Check what is new in a tree that was made from a sound one. Nothing is reported.
   *
   * @returns false when something may be wrong: then {@link check} says what
   */
  isSoundlyMade(bytes: Uint8Array, start: number, tree: TreeChain): boolean {
    this.#begin(bytes);
    this.#isQuiet = true;
    this.#passed = 0;
    const { newEntries, newEnd } = tree;
    for (let run = 0; run < newEnd; run += 2) {
      if (!this.#areSound(newEntries[run] as number, newEntries[run + 1] as number, start, tree))
        return false;
    }
    return true;
  }

  #begin(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#isSound = true;
    this.#fileStarts.length = 0;
    this.#fileEnds.length = 0;
  }

  #report(message: FsckMessageId, text: string): void {
    this.#isSound = false;
    if (!this.#isQuiet) this.#findings.report(message, text);
  }

  #checkWhole(bytes: Uint8Array, start: number, end: number): boolean {
    this.#begin(bytes);
    const entry = this.#entry;
    let flaws = 0;
    for (let at = start; at < end; at = entry.nameEnd + 1 + this.#idBytes) {
      this.#keepPrevious();
      if (!entry.read(bytes, at, end)) {
        this.#report('badTree', 'cannot be parsed as a tree');
        return false;
      }
      flaws |= entry.check();
      if (at > start) flaws |= this.#order();
    }
    if (flaws !== 0) this.#reportFlaws(flaws);
    return this.#isSound;
  }

  #reportFlaws(flaws: number): void {
    for (const [bit, [message, text]] of WHOLE_TREE.entries()) {
      if ((flaws & (1 << bit)) !== 0) this.#report(message, text);
    }
  }

  #keepPrevious(): void {
    const { mode, nameStart, nameEnd } = this.#entry;
    this.#previousMode = mode;
    this.#previousStart = nameStart;
    this.#previousEnd = nameEnd;
  }

  /** The new entries from number `from` up to `to`, and how they go with those beside them. */
  #areSound(from: number, to: number, start: number, tree: TreeChain): boolean {
    const { first, last } = tree;
    const entry = this.#entry;
    if (from > first && !this.#read(from - 1, start, tree)) return false;
    for (let number = from; number <= to && number < last; number++) {
      this.#keepPrevious();
      if (!this.#read(number, start, tree)) return false;
      if (number < to && (entry.check() !== 0 || !this.#isSound)) return false;
      if (number > first && !this.#followsWell(number, start, tree)) return false;
    }
    return true;
  }

  #read(number: number, start: number, { places }: TreeChain): boolean {
    const end = start + (places[number + 1] as number);
    return (
      this.#entry.read(this.#bytes, start + (places[number] as number), end) &&
      this.#entry.nameEnd + 1 + this.#idBytes === end
    );
  }

  /** Whether the entry at hand is in order, and neither it nor the one before is there twice, as file and directory. */
  #followsWell(number: number, start: number, tree: TreeChain): boolean {
    const { nameStart, nameEnd, isDirectory } = this.#entry;
    this.#fileStarts.length = 0;
    this.#fileEnds.length = 0;
    if (this.#order() !== 0) return false;
    if (this.#fileStarts.length > 0) {
      return !this.#hasNamesake(this.#previousStart, this.#previousEnd, number + 1, 1, start, tree);
    }
    const length = nameEnd - nameStart;
    const isBehindExtended =
      isDirectory &&
      this.#previousEnd - this.#previousStart > length &&
      this.#isPrefix(nameStart, length, this.#previousStart) &&
      (this.#bytes[this.#previousStart + length] as number) < SLASH;
    return !(isBehindExtended && this.#hasNamesake(nameStart, nameEnd, number - 2, -1, start, tree));
  }

  /** Whether one of the entries from `number` on has this name, behind others like `name.c`; true also when those are many. */
  #hasNamesake(
    nameStart: number,
    nameEnd: number,
    number: number,
    step: 1 | -1,
    start: number,
    { places, first, last }: TreeChain,
  ): boolean {
    const bytes = this.#bytes;
    const length = nameEnd - nameStart;
    for (let i = number; i >= first && i < last; i += step) {
      if (++this.#passed > MOST_PASSED) return true;
      const otherStart = bytes.indexOf(SPACE, start + (places[i] as number)) + 1;
      const otherLength = start + (places[i + 1] as number) - this.#idBytes - 1 - otherStart;
      if (otherLength < length || !this.#isPrefix(nameStart, length, otherStart)) return false;
      if (otherLength === length) return true;
      if ((bytes[otherStart + length] as number) > SLASH) return false;
    }
    return false;
  }

  /** Entries are in the order of their paths: a directory's name counts as if it ended in a slash. */
  #order(): number {
    const bytes = this.#bytes;
    const previousStart = this.#previousStart;
    const previousEnd = this.#previousEnd;
    const { nameStart: start, nameEnd: end } = this.#entry;
    const length = Math.min(previousEnd - previousStart, end - start);
    for (let i = 0; i < length; i++) {
      const difference = (bytes[previousStart + i] as number) - (bytes[start + i] as number);
      if (difference !== 0) return difference < 0 ? 0 : UNSORTED;
    }
    let before = bytes[previousStart + length] as number; // the NUL where a name ends
    let after = bytes[start + length] as number;
    if (before === 0 && after === 0) return DUPLICATE;
    if (before === 0 && isDirectory(this.#previousMode)) before = SLASH;
    if (after === 0 && this.#entry.isDirectory) after = SLASH;
    if (before === 0 && after < SLASH) {
      this.#fileStarts.push(previousStart);
      this.#fileEnds.push(previousEnd);
    } else if (after === SLASH && before < SLASH && this.#hasFile(start, end)) return DUPLICATE;
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
