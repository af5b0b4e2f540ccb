/**
 * An authorizer and a way to know people, as the questions that the HTTP transport asks.
 *
 * @module
 */
import type { Verdict } from '../../transport/http/options.ts';
import type { AccessDecision, AccessRequest, Authorizer } from './authorizer.ts';
import { type HttpCredentials, parseAuthorization } from './http-credentials.ts';
import { ANONYMOUS, isAnonymous, type Subject } from './subject.ts';

/** Somebody who may connect, and what was asked of the authorizer for it; it is asked again with the changes. */
export interface Admitted {
  readonly subject: Subject;
  readonly request: AccessRequest;
}

export interface HttpAccessOptions {
  readonly authorizer: Authorizer;
  /** @returns `undefined` when the credentials are nobody's */
  readonly authenticate: (credentials: HttpCredentials) => Promise<Subject | undefined>;
  /** What password prompts show. */
  readonly realm?: string | undefined;
}

/** One request to be let in. */
export interface HttpKnock {
  readonly operation: 'fetch' | 'archive' | 'push';
  /** The repository's one name, whatever the URL spells: without `.git`. */
  readonly repository: string;
  readonly authorization: string | null;
  readonly address?: string | undefined;
}

export type HttpAccess = (knock: HttpKnock) => Promise<Verdict>;

/**
 * The `principal` of a yes is {@link Admitted}.
 *
 * What may not be seen does not exist: the anonymous get 401 for whatever they may not do, so that git asks for a
 * password; others 404, or 403 for what they may read and not write.
 */
export function createHttpAccess({
  authorizer,
  authenticate,
  realm = 'packwire',
}: HttpAccessOptions): HttpAccess {
  const challenge = { 'www-authenticate': `Basic realm="${realm.replace(/["\\]/g, '')}", charset="UTF-8"` };
  const unauthorized = (message: string): Verdict => ({
    allow: false,
    status: 401,
    message,
    headers: challenge,
  });

  return async ({ operation, repository, authorization, address }) => {
    const credentials = parseAuthorization(authorization);
    if (credentials === 'malformed') return unauthorized('Cannot read the Authorization header');
    const subject = credentials === undefined ? ANONYMOUS : await authenticate(credentials);
    if (subject === undefined) return unauthorized('Access denied: wrong user name, password or token');
    const request: AccessRequest = { subject, repository, operation, transport: 'http', address };
    const decision = await authorizer.decide(request);
    if (decision.allowed) return { allow: true, principal: { subject, request } satisfies Admitted };
    if (isAnonymous(subject)) return unauthorized('Access denied: this needs a user name and a token');
    return refusal(decision);
  };
}

function refusal({ visible, message }: Extract<AccessDecision, { allowed: false }>): Verdict {
  return visible
    ? { allow: false, status: 403, message }
    : { allow: false, status: 404, message: 'Cannot find repository' };
}
