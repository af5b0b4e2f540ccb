/**
 * An authorizer that goes by rules, and by what the credential is good for.
 *
 * @module
 */
import { type AccessRule, isPermitted, type Permission } from './access-rules.ts';
import type { AccessDecision, AccessRequest, Authorizer, Operation, RefChange } from './authorizer.ts';
import { matchesSomePath } from './path-pattern.ts';
import type { Credential, Scope } from './subject.ts';

const NEEDED: Readonly<Record<Operation, Permission>> = {
  fetch: 'read',
  archive: 'read',
  push: 'write',
  administer: 'admin',
};

const SCOPES: readonly Scope[] = ['read', 'write', 'admin'];
const SCOPE_OF: Readonly<Record<Operation, Scope>> = {
  fetch: 'read',
  archive: 'read',
  push: 'write',
  administer: 'admin',
};

/**
 * @param rules asked anew each time, so that they can be replaced while the server runs
 * @param now milliseconds since the epoch
 */
export function createRuleAuthorizer(
  rules: () => readonly AccessRule[],
  now: () => number = Date.now,
): Authorizer {
  return {
    decide: (request) => Promise.resolve(decide(rules(), request, now())),
    decideChanges: (request, changes) => {
      const current = rules();
      return Promise.resolve(changes.map((change) => refusalOf(current, request, change, now())));
    },
  };
}

function decide(rules: readonly AccessRule[], request: AccessRequest, now: number): AccessDecision {
  const { subject, repository, operation } = request;
  const spent = refusedByCredential(request, now);
  const may = (permission: Permission): boolean => isPermitted(rules, { subject, repository, permission });
  const visible = spent?.hides !== true && may('read');
  if (spent !== undefined) return { allowed: false, visible, message: spent.message };
  const needed = NEEDED[operation];
  if (!may(needed)) return { allowed: false, visible, message: `You may not ${operation} here` };
  if (request.create === true && !may('create')) {
    return { allowed: false, visible, message: 'You may not make this repository' };
  }
  return { allowed: true };
}

/** @returns why `change` is refused */
function refusalOf(
  rules: readonly AccessRule[],
  request: AccessRequest,
  { name, kind, forced }: RefChange,
  now: number,
): string | undefined {
  const spent = refusedByCredential(request, now);
  if (spent !== undefined) return spent.message;
  const { subject, repository } = request;
  const may = (permission: Permission): boolean =>
    isPermitted(rules, { subject, repository, permission, ref: name });
  if (kind === 'delete') return may('delete') ? undefined : 'you may not delete this ref';
  if (!may('write')) return 'you may not write this ref';
  if (forced === true && !may('force')) return 'you may not rewrite this ref';
  return undefined;
}

interface Spent {
  readonly message: string;
  /** Whether what it does not reach must not be seen through it. */
  readonly hides: boolean;
}

function refusedByCredential(
  { subject: { credential }, repository, operation }: AccessRequest,
  now: number,
): Spent | undefined {
  if (credential === undefined) return undefined;
  const { expiresAt, repositories } = credential;
  const name = NAMES[credential.kind];
  if (expiresAt !== undefined && now >= expiresAt) {
    return { message: `The ${name} ${credential.id} has expired`, hides: true };
  }
  if (repositories !== undefined && !matchesSomePath(repositories, repository)) {
    return { message: `The ${name} ${credential.id} is not for this repository`, hides: true };
  }
  if (!isInScope(credential, SCOPE_OF[operation])) {
    return { message: `The ${name} ${credential.id} may ${credential.scope} only`, hides: false };
  }
  return undefined;
}

function isInScope({ scope }: Credential, needed: Scope): boolean {
  return scope === undefined || SCOPES.indexOf(scope) >= SCOPES.indexOf(needed);
}

const NAMES: Readonly<Record<Credential['kind'], string>> = {
  token: 'token',
  password: 'password',
  'ssh-key': 'key',
  'ssh-certificate': 'certificate',
  'tls-certificate': 'certificate',
  proxy: 'login',
};
