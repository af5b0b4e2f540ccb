/**
 * An authorizer and a way to know people, as the questions that the HTTP transport asks.
 *
 * @module
 */
import type { HttpClient, Verdict } from '../../transport/http/options.ts';
import type { Evidence } from './application-authorizer.ts';
import type { AccessDecision, AccessRequest, Authorizer } from './authorizer.ts';
import { answeredInTime } from './deadline.ts';
import { decideAccess, type MustMake } from './decide-access.ts';
import { type HttpCredentials, parseAuthorization } from './http-credentials.ts';
import { claimOf } from './http-evidence.ts';
import { ANONYMOUS, isAnonymous, type Subject } from './subject.ts';

/** Somebody who may connect, and what was asked of the authorizer for it; it is asked again with the changes. */
export interface Admitted {
  readonly subject: Subject;
  readonly request: AccessRequest;
}

interface AuthenticationContext {
  readonly address: string | undefined;
  /** Fires when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

export interface HttpAccessOptions {
  readonly authorizer: Authorizer;
  /** @returns `undefined` when the credentials are nobody's */
  readonly authenticate: (
    credentials: HttpCredentials,
    context: AuthenticationContext,
  ) => Promise<Subject | undefined>;
  /**
   * The same for what the carrier says of the client: the user of a trusted proxy, a certificate. Without it neither is
   * anybody.
   */
  readonly recognize?:
    | ((claim: Evidence, context: AuthenticationContext) => Promise<Subject | undefined>)
    | undefined;
  /** What password prompts show. */
  readonly realm?: string | undefined;
  /** Milliseconds to find out who it is, and to decide. Default `DECISION_TIMEOUT_MS`. */
  readonly timeoutMs?: number | undefined;
}

/** One request to be let in. */
export interface HttpKnock {
  readonly operation: 'fetch' | 'archive' | 'push';
  /** The repository's one name, whatever the URL spells: without `.git`. */
  readonly repository: string;
  readonly authorization: string | null;
  /** What the carrier knows of the client. */
  readonly client?: HttpClient | undefined;
  /** Whether the repository would have to be made for this push. Default: never. */
  readonly mustMake?: MustMake | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told who it is, before it is decided what they may: for logs. */
  readonly onSubject?: ((subject: Subject) => void) | undefined;
}

/** @throws {GitError} OVERLOADED when it cannot be decided in time; ABORTED; and what authenticator and authorizer throw */
export type HttpAccess = (knock: HttpKnock) => Promise<Verdict>;

/**
 * The `principal` of a yes is {@link Admitted}.
 *
 * Who it is, one of these says, in this order: a trusted proxy, which may have used the Authorization header up itself;
 * that header; a certificate. What is shown first counts alone. Only a certificate that is nobody's here is as none: it
 * is there whatever the user meant by it.
 *
 * What may not be seen does not exist: the anonymous get 401 for whatever they may not do, so that git asks for a
 * password; others 404, or 403 for what they may read and not write.
 */
export function createHttpAccess({
  authorizer,
  authenticate,
  recognize,
  realm = 'packwire',
  timeoutMs,
}: HttpAccessOptions): HttpAccess {
  const challenge = { 'www-authenticate': `Basic realm="${realm.replace(/["\\]/g, '')}", charset="UTF-8"` };
  const unauthorized = (message: string): Verdict => ({
    allow: false,
    status: 401,
    message,
    headers: challenge,
  });

  const subjectOf = async (
    { authorization, client = {} }: HttpKnock,
    signal: AbortSignal,
  ): Promise<Subject | 'malformed' | undefined> => {
    const context = { address: client.address, signal };
    const claim = claimOf(client);
    if (claim?.kind === 'proxy') return recognize?.(claim, context);
    const credentials = parseAuthorization(authorization);
    if (credentials === 'malformed') return credentials;
    if (credentials !== undefined) return authenticate(credentials, context);
    return (claim && (await recognize?.(claim, context))) ?? ANONYMOUS;
  };

  const decide = async (knock: HttpKnock, signal: AbortSignal): Promise<Verdict> => {
    const { operation, repository, client, mustMake } = knock;
    const subject = await subjectOf(knock, signal);
    if (subject === 'malformed') return unauthorized('Cannot read the Authorization header');
    if (subject === undefined) return unauthorized('Access denied: wrong user name, password or token');
    knock.onSubject?.(subject);
    const address = client?.address;
    const asked: AccessRequest = { subject, repository, operation, transport: 'http', address };
    const { request, decision } = await decideAccess(authorizer, asked, mustMake, { signal });
    if (decision.allowed === true) return { allow: true, principal: { subject, request } satisfies Admitted };
    if (isAnonymous(subject)) return unauthorized('Access denied: this needs a user name and a token');
    return refusal(decision);
  };
  return (knock) => answeredInTime((signal) => decide(knock, signal), { timeoutMs, signal: knock.signal });
}

/** As of one that is not there: the two must not be told apart. */
const NOT_FOUND = 'Repository not found';

function refusal({ visible, message }: Extract<AccessDecision, { allowed: false }>): Verdict {
  return visible ? { allow: false, status: 403, message } : { allow: false, status: 404, message: NOT_FOUND };
}
