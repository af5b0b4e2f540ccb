/**
 * Which filters a repository allows its clients.
 * Spec: git-config(1), `uploadpackfilter.allow`, `uploadpackfilter.<filter>.allow`, `uploadpackfilter.tree.maxDepth`.
 *
 * @module
 */
import { GitError } from '../core/errors.ts';
import { type ConfigEntry, GitConfig } from '../repository/git-config.ts';
import type { ObjectFilter } from '../repository/object-filter.ts';

export interface FilterRules {
  /** For each kind that the configuration names whether it is allowed. */
  readonly allowed: ReadonlyMap<string, boolean>;
  /** For all others. */
  readonly allowsOthers: boolean;
  /** Largest depth of `tree:<depth>`; infinity without a bound. */
  readonly maxTreeDepth: number;
}

const PREFIX = 'uploadpackfilter.';
const ALLOW = '.allow';

/** @throws {GitError} REPOSITORY_INVALID for values that are none */
export function readFilterRules(entries: readonly ConfigEntry[]): FilterRules {
  const allowed = new Map<string, boolean>();
  let allowsOthers = true;
  let maxTreeDepth = Number.POSITIVE_INFINITY;
  for (const entry of entries) {
    const { name } = entry;
    if (!name.startsWith(PREFIX)) continue;
    const alone = new GitConfig([entry]);
    if (name === 'uploadpackfilter.allow') {
      allowsOthers = alone.getBoolean(name) ?? true;
    } else if (name === 'uploadpackfilter.tree.maxdepth') {
      maxTreeDepth = depthOf(alone, name);
      allowed.set('tree', true); // a bound on them allows them
    } else if (name.endsWith(ALLOW)) {
      allowed.set(name.slice(PREFIX.length, -ALLOW.length), alone.getBoolean(name) ?? true);
    }
  }
  return { allowed, allowsOthers, maxTreeDepth };
}

/** @throws {GitError} PROTOCOL_VIOLATION, in git's words, for the first part that is not allowed */
export function checkFilterAllowed(filter: ObjectFilter, rules: FilterRules): void {
  const { allowed, allowsOthers, maxTreeDepth } = rules;
  if (!(allowed.get(filter.kind) ?? allowsOthers)) throw refusal(`filter '${filter.kind}' not supported`);
  if (filter.kind === 'tree' && filter.depth > maxTreeDepth) {
    throw refusal(`tree filter allows max depth ${maxTreeDepth}, but got ${filter.depth}`);
  }
  if (filter.kind === 'combine') for (const part of filter.filters) checkFilterAllowed(part, rules);
}

function depthOf(config: GitConfig, name: string): number {
  const depth = config.getInteger(name);
  if (depth !== undefined && depth >= 0) return depth;
  throw new GitError('REPOSITORY_INVALID', `Cannot read config: '${name}' must not be negative`);
}

function refusal(message: string): GitError {
  return new GitError('PROTOCOL_VIOLATION', message);
}
