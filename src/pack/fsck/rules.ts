/**
 * How strictly pushed objects are checked: a severity for each message, and objects that are let through.
 * Spec: git-config(1), `receive.fsck.<msg-id>`, `receive.fsck.skipList`.
 *
 * @module
 */
import { GitError } from '../../core/errors.ts';
import type { ObjectId } from '../../core/object-id.ts';
import {
  type FsckMessageId,
  type FsckSeverity,
  fsckMessageId,
  isFatal,
  strictSeverities,
} from './messages.ts';

/** Plain data: it goes to threads as it is. */
export interface FsckRules {
  readonly severities: Readonly<Record<FsckMessageId, FsckSeverity>>;
  /** Objects of which nothing is reported. */
  readonly skipped: ReadonlySet<ObjectId>;
  /** Bytes a name in a tree may have: `largePathname`. */
  readonly maxPathnameBytes: number;
}

/** git's default for `largePathname`. */
const MAX_PATHNAME_BYTES = 4096;

export const STRICT_FSCK_RULES: FsckRules = {
  severities: strictSeverities(),
  skipped: new Set(),
  maxPathnameBytes: MAX_PATHNAME_BYTES,
};

/**
 * The strict rules, changed as a configuration says.
 *
 * @param settings message and severity: `['missingEmail', 'ignore']`; of several for one message the last holds.
 * `largePathname` takes its limit behind a colon: `warn:1024`
 * @throws {GitError} INVALID_ARGUMENT for an unknown message or severity, and for a fatal message made milder
 */
export function fsckRules(
  settings: Iterable<readonly [name: string, severity: string]>,
  skipped: ReadonlySet<ObjectId> = new Set(),
): FsckRules {
  const severities = strictSeverities();
  let maxPathnameBytes = MAX_PATHNAME_BYTES;
  for (const [name, value] of settings) {
    const id = fsckMessageId(name);
    if (id === undefined) throw invalid(`there is no fsck message '${name}'`);
    const [severity = '', limit] = value.split(':', 2);
    if (limit !== undefined && id === 'largePathname') maxPathnameBytes = lengthOf(limit);
    severities[id] = severityOf(limit === undefined || id === 'largePathname' ? severity : value);
    if (isFatal(id) && severities[id] !== 'error') {
      throw new GitError('INVALID_ARGUMENT', `Cannot demote ${name} to ${value}`);
    }
  }
  return { severities, skipped, maxPathnameBytes };
}

function severityOf(value: string): FsckSeverity {
  const lower = value.toLowerCase();
  if (lower === 'ignore' || lower === 'warn' || lower === 'error') return lower;
  throw invalid(`'${value}' is no severity: ignore, warn or error`);
}

function lengthOf(value: string): number {
  const length = /^\d+$/.test(value) ? Number(value) : Number.NaN;
  if (Number.isSafeInteger(length)) return length;
  throw invalid(`'${value}' is no length of a path`);
}

function invalid(why: string): GitError {
  return new GitError('INVALID_ARGUMENT', `Cannot set up fsck: ${why}`);
}
