/**
 * The check of all objects of a pack, whichever threads see them.
 *
 * @module
 */
import { bytesToHex, type ObjectFormat } from '../../core/object-id.ts';
import type { ObjectTable } from '../object-table.ts';
import type { EntryFindings } from './entry-findings.ts';
import { FsckFindings } from './findings.ts';
import { ObjectChecker } from './object-checker.ts';
import type { FsckRules } from './rules.ts';

export class PackCheck {
  readonly rules: FsckRules;
  /** For the objects that this thread sees. */
  readonly own: ObjectChecker;
  readonly #others: EntryFindings[] = [];

  constructor(format: ObjectFormat, rules: FsckRules) {
    this.rules = rules;
    this.own = new ObjectChecker(format, rules);
  }

  /** What another thread has found. */
  add(findings: EntryFindings): void {
    this.#others.push(findings);
  }

  /** Everything that was found, now that all ids are known. */
  finish({ columns }: ObjectTable): FsckFindings {
    const { ids, idBytes } = columns;
    const findings = new FsckFindings(this.rules);
    for (const found of [this.own.findings.finish(), ...this.#others]) {
      findings.adopt(found, (entry) => bytesToHex(ids, entry * idBytes, idBytes));
    }
    return findings;
  }
}
