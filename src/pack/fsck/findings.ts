/**
 * What the check of a push has found, by object: bounded.
 *
 * @module
 */
import { GitError } from '../../core/errors.ts';
import type { ObjectId } from '../../core/object-id.ts';
import type { EntryFindings, SpecialRole } from './entry-findings.ts';
import type { FsckMessageId, FsckSeverity } from './messages.ts';
import type { FsckRules } from './rules.ts';

export interface FsckFinding {
  readonly id: ObjectId;
  readonly message: FsckMessageId;
  readonly severity: Exclude<FsckSeverity, 'ignore'>;
  /** In words, without the message's name. */
  readonly text: string;
}

/** Warnings kept of one push; the rest is only counted. */
const MOST_WARNINGS = 100;

export class FsckFindings {
  readonly #rules: FsckRules;
  readonly warnings: FsckFinding[] = [];
  /** Warnings beyond those kept. */
  unkeptWarnings = 0;
  /** The first error. */
  error: FsckFinding | undefined;
  readonly blobs: Readonly<Record<SpecialRole, Set<ObjectId>>> = {
    gitmodules: new Set(),
    gitattributes: new Set(),
  };

  constructor(rules: FsckRules) {
    this.#rules = rules;
  }

  report(id: ObjectId, message: FsckMessageId, text: string): void {
    const severity = this.#rules.severities[message];
    if (severity === 'ignore' || this.#rules.skipped.has(id)) return;
    const finding = { id, message, severity, text };
    if (severity === 'error') this.error ??= finding;
    else if (this.warnings.length < MOST_WARNINGS) this.warnings.push(finding);
    else this.unkeptWarnings++;
  }

  addBlob(role: SpecialRole, id: ObjectId): void {
    this.blobs[role].add(id);
  }

  /** @throws {GitError} FSCK_FAILED with `detail.id` and `detail.message` when an error was found */
  throwIfError(): void {
    if (this.error === undefined) return;
    const { id, message, text } = this.error;
    throw new GitError('FSCK_FAILED', `object ${id}: ${message}: ${text}`, { id, message });
  }

  /** Take in what was found in entries of a pack, now that their ids are known. */
  adopt({ found, unkept, blobs }: EntryFindings, idOf: (entry: number) => ObjectId): void {
    for (const { entry, message, text } of found) this.report(idOf(entry), message, text);
    this.unkeptWarnings += unkept;
    for (const { role, id } of blobs) this.addBlob(role, id);
  }
}
