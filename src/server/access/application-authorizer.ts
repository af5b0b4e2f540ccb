/**
 * An authorizer whose answers come from the application, and its way to know people.
 * Spec: docs/application-api.yaml.
 *
 * @module
 */
import type { Cancellable } from '../../core/byte-stream.ts';
import { printable } from '../../repository/push/ref-policy.ts';
import { type Application, misunderstood, type Question } from './application.ts';
import type { AccessDecision, AccessRequest, Authorizer, RefChange } from './authorizer.ts';
import { spentCredential } from './credential-bounds.ts';
import type { Credential, Subject } from './subject.ts';

/** What somebody shows; secrets are for the application's eyes only. */
export type Evidence =
  | { readonly kind: 'token'; readonly user: string; readonly secret: string }
  | { readonly kind: 'password'; readonly user: string; readonly secret: string }
  | { readonly kind: 'ssh-key'; readonly user: string; readonly fingerprint: string }
  /** `user` is empty; `subject` is the certificate's. */
  | {
      readonly kind: 'tls-certificate';
      readonly user: string;
      readonly fingerprint: string;
      readonly subject: string;
    }
  /** Who a trusted proxy says it is. */
  | { readonly kind: 'proxy'; readonly user: string }
  | {
      readonly kind: 'ssh-certificate';
      readonly user: string;
      readonly fingerprint: string;
      readonly keyId: string;
      readonly serial: string;
      readonly principals: readonly string[];
    };

/** The bounds of a credential hold whatever the application answers. */
export function createApplicationAuthorizer(application: Application): Authorizer {
  const ask = async (request: AccessRequest, options: Cancellable | undefined): Promise<AccessDecision> => {
    const party = request.address;
    return decisionOf(await application.ask('authorize', questionOf(request), { ...options, party }));
  };
  return {
    async decide(request, options) {
      const spent = spentCredential(request, Date.now());
      if (spent === undefined) return await ask(request, options);
      const visible = !spent.hides && (await ask({ ...request, operation: 'fetch' }, options)).allowed;
      return { allowed: false, visible, message: spent.message };
    },
    async decideChanges(request, changes, options) {
      if (changes.length === 0) return [];
      const spent = spentCredential(request, Date.now());
      if (spent !== undefined) return changes.map(() => spent.message);
      const party = request.address;
      const question = { ...questionOf(request), changes };
      const answer = await application.ask('authorize-changes', question, { ...options, party });
      return refusalsOf(answer, changes);
    },
  };
}

/** @returns `undefined` when the application knows nobody by it (204) */
export async function authenticateByApplication(
  application: Application,
  evidence: Evidence,
  address: string | undefined,
  options?: Cancellable,
): Promise<Subject | undefined> {
  const question = { ...evidence, address };
  const answer = await application.ask('authenticate', question, { ...options, party: address });
  if (answer === undefined) return undefined;
  const { name, groups = [], credential } = recordOf('authenticate', answer);
  if (typeof name !== 'string' || !NAME.test(name)) throw misunderstood('authenticate', 'no name');
  if (!isTexts(groups)) throw misunderstood('authenticate', 'groups are no list of names');
  return { name, groups, credential: credentialOf(evidence, name, credential) };
}

/** What can be the name of somebody: it comes into logs and reflogs, and rules keep `@` for groups. */
const NAME = /^(?!@)[^\p{Cc}\u2028\u2029]{1,255}$/u;

/** Everything but the secrets. */
export function questionOf({ subject, ...request }: AccessRequest): object {
  return {
    ...request,
    subject: { name: subject.name, groups: subject.groups, credential: subject.credential },
  };
}

function decisionOf(answer: unknown): AccessDecision {
  const { allowed, visible = false, message = 'Access denied' } = recordOf('authorize', answer);
  if (allowed === true) return { allowed: true };
  if (allowed !== false || typeof visible !== 'boolean' || typeof message !== 'string') {
    throw misunderstood('authorize', 'no decision');
  }
  return { allowed: false, visible, message: printable(message) };
}

function refusalsOf(answer: unknown, changes: readonly RefChange[]): (string | undefined)[] {
  const { refusals } = recordOf('authorize-changes', answer);
  if (!Array.isArray(refusals) || refusals.length !== changes.length) {
    throw misunderstood('authorize-changes', 'not one answer for each change');
  }
  return refusals.map((refusal: unknown) => {
    if (refusal === null) return undefined;
    if (typeof refusal !== 'string') throw misunderstood('authorize-changes', 'a refusal is no sentence');
    return refusal;
  });
}

/** Without a name of its own a secret goes by its owner's: what stood as the user may be the secret itself. */
function credentialOf(evidence: Evidence, owner: string, said: unknown): Credential {
  const { id, scope, repositories, expiresAt } = said === undefined ? {} : recordOf('authenticate', said);
  const wrong = (what: string): never => {
    throw misunderstood('authenticate', `${what} of the credential`);
  };
  return {
    kind: evidence.kind,
    id: typeof id === 'string' ? printable(id) : 'fingerprint' in evidence ? evidence.fingerprint : owner,
    scope:
      scope === undefined || scope === 'read' || scope === 'write' || scope === 'admin'
        ? scope
        : wrong('scope'),
    repositories: repositories === undefined || isTexts(repositories) ? repositories : wrong('repositories'),
    expiresAt: expiresAt === undefined || typeof expiresAt === 'number' ? expiresAt : wrong('expiresAt'),
  };
}

function recordOf(question: Question, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw misunderstood(question, 'no object');
  return value as Record<string, unknown>;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
