/**
 * {@link Identities} as an HTTP access asks them.
 *
 * @module
 */
import type { HttpAccessOptions } from './http-access.ts';
import { secretIn } from './http-evidence.ts';
import type { Identities } from './identities.ts';

export function httpIdentities(
  identities: Identities,
): Required<Pick<HttpAccessOptions, 'authenticate' | 'recognize'>> {
  return {
    authenticate: (credentials, context) => identities.identify(secretIn(credentials), context),
    recognize: (evidence, context) => identities.identify(evidence, context),
  };
}
