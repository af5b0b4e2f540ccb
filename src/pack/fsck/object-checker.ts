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
import { checkCommit } from './check-commit.ts';
import type { Report } from './check-headers.ts';
import { checkTag } from './check-tag.ts';
import { EntryFindingsList } from './entry-findings.ts';
import { HeaderCursor } from './header-cursor.ts';
import type { FsckRules } from './rules.ts';
import { TreeChecker } from './tree-checker.ts';

export class ObjectChecker {
  readonly findings: EntryFindingsList;
  readonly #idDigits: number;
  readonly #trees: TreeChecker;
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
   * @throws {GitError} LIMIT_EXCEEDED for too many `.gitmodules` and `.gitattributes`
   */
  check(entry: number, kind: number, bytes: Uint8Array, start: number, end: number): void {
    if (this.findings.isFull) return;
    this.findings.begin(entry);
    if (kind === TREE) {
      this.#trees.check(bytes, start, end);
    } else if (kind === COMMIT || kind === TAG) {
      this.#cursor.over(bytes, start, end);
      (kind === COMMIT ? checkCommit : checkTag)(this.#cursor, this.#idDigits, this.#report);
    }
  }

  /** An object too large to be seen whole. @throws {GitError} LIMIT_EXCEEDED, always */
  refuse(sizeBytes: number): never {
    throw new GitError('LIMIT_EXCEEDED', `Cannot check object: ${sizeBytes} bytes are too many for no blob`, {
      sizeBytes,
    });
  }
}
