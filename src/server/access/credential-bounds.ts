/**
 * What a credential is good for, beside what its owner may do: it can only take away.
 *
 * @module
 */
import type { AccessRequest, Operation } from './authorizer.ts';
import { matchesSomePath } from './path-pattern.ts';
import type { Credential, Scope } from './subject.ts';

const SCOPES: readonly Scope[] = ['read', 'write', 'admin'];
const SCOPE_OF: Readonly<Record<Operation, Scope>> = {
  fetch: 'read',
  archive: 'read',
  push: 'write',
  administer: 'admin',
};

/** Why a credential does not do. */
interface SpentCredential {
  readonly message: string;
  /** Whether what it does not reach must not be seen through it. */
  readonly hides: boolean;
}

/**
 * @param now milliseconds since the epoch
 * @returns `undefined` when there is nothing against it
 */
export function spentCredential(
  { subject: { credential }, repository, operation }: AccessRequest,
  now: number,
): SpentCredential | undefined {
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
