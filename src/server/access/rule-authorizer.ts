/**
 * An authorizer that goes by rules, and by what the credential is good for.
 *
 * @module
 */
import { type AccessRule, isPermitted, type Permission } from './access-rules.ts';
import type { AccessDecision, AccessRequest, Authorizer, Operation, RefChange } from './authorizer.ts';
import { spentCredential } from './credential-bounds.ts';

const NEEDED: Readonly<Record<Operation, Permission>> = {
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
  const spent = spentCredential(request, now);
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
  const spent = spentCredential(request, now);
  if (spent !== undefined) return spent.message;
  const { subject, repository } = request;
  const may = (permission: Permission): boolean =>
    isPermitted(rules, { subject, repository, permission, ref: name });
  if (kind === 'delete') return may('delete') ? undefined : 'you may not delete this ref';
  if (!may('write')) return 'you may not write this ref';
  if (forced === true && !may('force')) return 'you may not rewrite this ref';
  return undefined;
}
