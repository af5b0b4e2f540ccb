/**
 * Checking objects as they come in, while their bytes are in hand: what `git index-pack --strict` reports.
 * Spec: git-fsck(1); git-config(1), `receive.fsckObjects`.
 *
 * One instance belongs to one thread.
 *
 * @module
 */
import { GitError } from '../../core/errors.ts';
import type { ObjectFormat } from '../../core/object-id.ts';
import { COMMIT, TAG, TREE } from '../../core/object-kind.ts';
import type { TreeChain } from '../tree-chain.ts';
import { checkCommit } from './check-commit.ts';
import type { Report } from './check-headers.ts';
import { checkTag } from './check-tag.ts';
import { EntryFindingsList } from './entry-findings.ts';
import { HeaderCursor } from './header-cursor.ts';
import type { FsckRules } from './rules.ts';
import { TreeChecker } from './tree-checker.ts';

const NO_LEVEL = -1;
const FIRST_LEVELS = 64;

export class ObjectChecker {
  readonly findings: EntryFindingsList;
  readonly #idDigits: number;
  readonly #trees: TreeChecker;
  /** Of each level of the present chain of deltas, whether the tree there has nothing wrong. */
  #sound = new Uint8Array(FIRST_LEVELS);
  readonly #cursor = new HeaderCursor();
  readonly #report: Report = (message, text) => this.findings.report(message, text);

  constructor(format: ObjectFormat, rules: FsckRules) {
    this.#idDigits = 2 * format.idBytes;
    this.findings = new EntryFindingsList(rules);
    this.#trees = new TreeChecker(format.idBytes, this.findings);
  }

  /**
   * Check one object. Blobs are not looked at: which of them matter is known only once all trees are.
   *
   * @param entry its number in the pack
   * @param kind code of its kind
   * @param bytes its content, at [start, end)
   * @param base of a tree that was made from a delta: the level in `trees` of what it was made from
   * @param trees what is new in it, when that is known
   * @throws {GitError} LIMIT_EXCEEDED for too many `.gitmodules` and `.gitattributes`
   */
  check(
    entry: number,
    kind: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    base = NO_LEVEL,
    trees?: TreeChain,
  ): void {
    if (this.findings.isFull) return;
    this.findings.begin(entry);
    if (kind === TREE) {
      const isSound =
        (trees !== undefined && this.#sound[base] === 1 && this.#trees.isSoundlyMade(bytes, start, trees)) ||
        this.#trees.check(bytes, start, end);
      if (base !== NO_LEVEL) this.#keepSound(base + 1, isSound);
    } else if (kind === COMMIT || kind === TAG) {
      this.#cursor.over(bytes, start, end);
      (kind === COMMIT ? checkCommit : checkTag)(this.#cursor, this.#idDigits, this.#report);
    }
  }

  /**
   * A tree is the root of a chain of deltas, level 0.
   *
   * @param isChecked whether it was checked already, by whomever; it is not when it is not one of the pack's own
   */
  beginChain(bytes: Uint8Array, start: number, end: number, isChecked: boolean): void {
    this.#keepSound(0, isChecked && this.#trees.isSound(bytes, start, end));
  }

  #keepSound(level: number, isSound: boolean): void {
    if (level === this.#sound.length) {
      const longer = new Uint8Array(2 * level);
      longer.set(this.#sound);
      this.#sound = longer;
    }
    this.#sound[level] = isSound ? 1 : 0;
  }

  /** An object too large to be seen whole. @throws {GitError} LIMIT_EXCEEDED, always */
  refuse(sizeBytes: number): never {
    throw new GitError('LIMIT_EXCEEDED', `Cannot check object: ${sizeBytes} bytes are too many for no blob`, {
      sizeBytes,
    });
  }
}
