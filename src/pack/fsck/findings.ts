/**
 * What a check has found: kept as plain data, so that threads can give it back, and bounded.
 *
 * @module
 */
import { GitError } from '../../core/errors.ts';
import type { ObjectId } from '../../core/object-id.ts';
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
/** Different `.gitmodules` and `.gitattributes` that one push may bring: about 100 bytes each are held. */
const MOST_SPECIAL_BLOBS = 100_000;

/** Plain data. Blobs that can only be checked once it is known where they are used. */
export interface SpecialBlobs {
  readonly gitmodules: Set<ObjectId>;
  readonly gitattributes: Set<ObjectId>;
}

export class FsckFindings {
  readonly #rules: FsckRules;
  readonly warnings: FsckFinding[] = [];
  /** Warnings beyond those kept. */
  unkeptWarnings = 0;
  /** The first error: the check can end there. */
  error: FsckFinding | undefined;
  readonly blobs: SpecialBlobs = { gitmodules: new Set(), gitattributes: new Set() };

  constructor(rules: FsckRules) {
    this.#rules = rules;
  }

  get maxPathnameBytes(): number {
    return this.#rules.maxPathnameBytes;
  }

  /** @returns whether it is an error, so that the object need not be looked at further */
  report(id: ObjectId, message: FsckMessageId, text: string): boolean {
    const severity = this.#rules.severities[message];
    if (severity === 'ignore' || this.#rules.skipped.has(id)) return false;
    const finding = { id, message, severity, text };
    if (severity === 'error') {
      this.error ??= finding;
      return true;
    }
    if (this.warnings.length < MOST_WARNINGS) this.warnings.push(finding);
    else this.unkeptWarnings++;
    return false;
  }

  /** @throws {GitError} LIMIT_EXCEEDED */
  addBlob(role: keyof SpecialBlobs, id: ObjectId): void {
    const ids = this.blobs[role];
    ids.add(id);
    if (ids.size > MOST_SPECIAL_BLOBS) {
      throw new GitError(
        'LIMIT_EXCEEDED',
        `Cannot check pack: more than ${MOST_SPECIAL_BLOBS} different .${role}`,
      );
    }
  }

  /** Take in what another thread found. */
  merge(other: Pick<FsckFindings, 'warnings' | 'unkeptWarnings' | 'error' | 'blobs'>): void {
    this.error ??= other.error;
    const room = MOST_WARNINGS - this.warnings.length;
    this.warnings.push(...other.warnings.slice(0, room));
    this.unkeptWarnings += other.unkeptWarnings + Math.max(0, other.warnings.length - room);
    for (const id of other.blobs.gitmodules) this.addBlob('gitmodules', id);
    for (const id of other.blobs.gitattributes) this.addBlob('gitattributes', id);
  }
}
