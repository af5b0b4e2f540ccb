/**
 * What one thread has found in the entries it saw. Their ids may not be known yet, so they are named by number.
 *
 * @module
 */
import { GitError } from '../../core/errors.ts';
import type { ObjectId } from '../../core/object-id.ts';
import type { FsckMessageId } from './messages.ts';
import type { FsckRules } from './rules.ts';

/** What trees call `.gitmodules` and `.gitattributes`: which blobs these are is known only when all trees are. */
export type SpecialRole = 'gitmodules' | 'gitattributes';

export interface EntryFinding {
  /** Number of the entry in the pack. */
  readonly entry: number;
  readonly message: FsckMessageId;
  readonly text: string;
}

/** Plain data: threads send it as it is. */
export interface EntryFindings {
  /** What is not ignored. */
  readonly found: readonly EntryFinding[];
  /** Warnings beyond those kept. */
  readonly unkept: number;
  /** Blobs to be looked at when all objects are known. */
  readonly blobs: readonly { readonly role: SpecialRole; readonly id: ObjectId }[];
}

/** Different `.gitmodules` and `.gitattributes` that one push may bring: some 200 bytes each are held. */
const MOST_SPECIAL_BLOBS = 100_000;
/** Warnings and errors kept, each; errors of skipped objects come on top. */
const MOST_KEPT = 100;

export class EntryFindingsList implements EntryFindings {
  readonly found: EntryFinding[] = [];
  unkept = 0;
  readonly #rules: FsckRules;
  readonly #blobs = new Map<string, { readonly role: SpecialRole; readonly id: ObjectId }>();
  #entry = 0;
  #warnings = 0;
  #errors = 0;

  constructor(rules: FsckRules) {
    this.#rules = rules;
  }

  get maxPathnameBytes(): number {
    return this.#rules.maxPathnameBytes;
  }

  get blobs(): EntryFindings['blobs'] {
    return [...this.#blobs.values()];
  }

  /** Whether enough errors are known: nothing needs to be looked at any more. */
  get isFull(): boolean {
    return this.#errors >= MOST_KEPT + this.#rules.skipped.size;
  }

  /** The entry that is looked at from now on. */
  begin(entry: number): void {
    this.#entry = entry;
  }

  /** @returns whether it is an error, so that the object need not be looked at further */
  report(message: FsckMessageId, text: string): boolean {
    const severity = this.#rules.severities[message];
    if (severity === 'ignore') return false;
    const isError = severity === 'error';
    if (isError) this.#errors++;
    else if (++this.#warnings > MOST_KEPT) {
      this.unkept++;
      return false;
    }
    if (!isError || !this.isFull) this.found.push({ entry: this.#entry, message, text });
    return isError;
  }

  /** @throws {GitError} LIMIT_EXCEEDED */
  addBlob(role: SpecialRole, id: ObjectId): void {
    this.#blobs.set(role + id, { role, id });
    if (this.#blobs.size > MOST_SPECIAL_BLOBS) {
      throw new GitError(
        'LIMIT_EXCEEDED',
        `Cannot check pack: it has more than ${MOST_SPECIAL_BLOBS} different .gitmodules and .gitattributes`,
      );
    }
  }

  /** Plain data, for another thread. */
  finish(): EntryFindings {
    return { found: this.found, unkept: this.unkept, blobs: this.blobs };
  }
}
