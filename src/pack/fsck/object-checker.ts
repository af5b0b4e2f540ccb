/**
 * Checking objects as they come in, while their bytes are in hand: what `git index-pack --strict` reports.
 * Spec: git-fsck(1); git-config(1), `receive.fsckObjects`.
 *
 * One instance belongs to one thread.
 *
 * @module
 */
import { bytesToHex, type ObjectFormat, type ObjectId } from '../../core/object-id.ts';
import { COMMIT, TAG, TREE } from '../../core/object-kind.ts';
import { checkCommit } from './check-commit.ts';
import type { Report } from './check-headers.ts';
import { checkTag } from './check-tag.ts';
import { FsckFindings } from './findings.ts';
import { HeaderCursor } from './header-cursor.ts';
import type { FsckRules } from './rules.ts';
import { TreeChecker } from './tree-checker.ts';

export class ObjectChecker {
  readonly findings: FsckFindings;
  readonly #idBytes: number;
  readonly #trees: TreeChecker;
  readonly #cursor = new HeaderCursor();
  /** The object at hand. */
  #ids: Uint8Array = new Uint8Array(0);
  #idAt = 0;
  readonly #id = (): ObjectId => bytesToHex(this.#ids, this.#idAt, this.#idBytes);
  readonly #report: Report = (message, text) => this.findings.report(this.#id(), message, text);

  constructor(format: ObjectFormat, rules: FsckRules) {
    this.#idBytes = format.idBytes;
    this.findings = new FsckFindings(rules);
    this.#trees = new TreeChecker(format.idBytes, this.findings);
  }

  /**
   * Check one object. Blobs are not looked at: which of them matter is known only once all trees are.
   *
   * @param kind code of the object's kind
   * @param ids holds its raw id at `idAt`
   * @param bytes its content, at [start, end)
   * @throws {GitError} LIMIT_EXCEEDED for too many `.gitmodules` and `.gitattributes`
   */
  check(kind: number, ids: Uint8Array, idAt: number, bytes: Uint8Array, start: number, end: number): void {
    this.#ids = ids;
    this.#idAt = idAt;
    if (kind === TREE) {
      this.#trees.check(bytes, start, end, this.#id);
    } else if (kind === COMMIT || kind === TAG) {
      this.#cursor.over(bytes, start, end);
      (kind === COMMIT ? checkCommit : checkTag)(this.#cursor, 2 * this.#idBytes, this.#report);
    }
  }
}
