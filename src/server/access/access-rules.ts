/**
 * Who may do what, as an operator writes it down.
 *
 * @module
 */
import { matchesSomePath } from './path-pattern.ts';
import { isAnonymous, type Subject } from './subject.ts';

/**
 * `read` fetches and archives. `write` makes refs and moves them forward, `force` moves them anywhere, `delete`
 * deletes them: each with `write` given somewhere for the same repository. `create` makes a repository by pushing to
 * it. `admin` is all of them, and administers.
 */
export type Permission = 'read' | 'write' | 'force' | 'delete' | 'create' | 'admin';

/** One line of the rules: gives permissions, takes them away, or both. */
export interface AccessRule {
  /** Patterns of repositories ({@link matchesSomePath}). */
  readonly repositories: readonly string[];
  /** Names, `@group`, `@users` for everybody with a name, `@all` for the anonymous too. */
  readonly subjects: readonly string[];
  /** Patterns of refs that `write`, `force` and `delete` are about; without them, all. */
  readonly refs?: readonly string[] | undefined;
  readonly allow?: readonly Permission[] | undefined;
  readonly deny?: readonly Permission[] | undefined;
}

/** What is asked of the rules. */
export interface PermissionQuestion {
  readonly subject: Subject;
  readonly repository: string;
  readonly permission: Permission;
  /** Without it a permission for any ref counts: whether it is worth to begin a push. */
  readonly ref?: string | undefined;
}

/** Allowed is what some rule allows and none denies. The order of the rules says nothing. */
export function isPermitted(rules: readonly AccessRule[], question: PermissionQuestion): boolean {
  let allowed = false;
  for (const rule of rules) {
    if (!concerns(rule, question)) continue;
    if (denies(rule, question)) return false;
    allowed ||= includes(rule.allow, question.permission) && coversRef(rule, question.ref);
  }
  return allowed;
}

function concerns(
  { repositories, subjects }: AccessRule,
  { subject, repository }: PermissionQuestion,
): boolean {
  return subjects.some((pattern) => isAbout(pattern, subject)) && matchesSomePath(repositories, repository);
}

function isAbout(pattern: string, subject: Subject): boolean {
  if (pattern === '@all') return true;
  if (isAnonymous(subject)) return false;
  if (pattern === '@users') return true;
  return pattern.startsWith('@') ? subject.groups.includes(pattern.slice(1)) : pattern === subject.name;
}

/** A rule for some refs denies those only: not the question whether any may be written. */
function denies(rule: AccessRule, { permission, ref }: PermissionQuestion): boolean {
  if (!includes(rule.deny, permission)) return false;
  return rule.refs === undefined || (ref !== undefined && matchesSomePath(rule.refs, ref));
}

function coversRef({ refs }: AccessRule, ref: string | undefined): boolean {
  return refs === undefined || ref === undefined || matchesSomePath(refs, ref);
}

function includes(permissions: readonly Permission[] | undefined, wanted: Permission): boolean {
  return permissions?.some((one) => one === wanted || one === 'admin') === true;
}
