/**
 * One request for access, and for a push whether it would have to make its repository first.
 *
 * @module
 */
import type { Cancellable } from '../../core/byte-stream.ts';
import type { AccessDecision, AccessRequest, Authorizer } from './authorizer.ts';

/**
 * Asked only about those who may push at all: it opens the repository, which strangers must not have done for them, nor
 * see by the time it takes.
 */
export type MustMake = () => Promise<boolean>;

/** @returns what was decided, and what was asked in the end */
export async function decideAccess(
  authorizer: Authorizer,
  request: AccessRequest,
  mustMake: MustMake | undefined,
  options: Cancellable,
): Promise<{ readonly request: AccessRequest; readonly decision: AccessDecision }> {
  const decision = await authorizer.decide(request, options);
  const mayPush = decision.allowed === true && request.operation === 'push';
  if (!mayPush || mustMake === undefined || !(await mustMake())) return { request, decision };
  const making = { ...request, create: true };
  return { request: making, decision: await authorizer.decide(making, options) };
}
