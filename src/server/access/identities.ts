/**
 * Who somebody is, by what they show; and whether they still are, a while later.
 *
 * @module
 */
import type { Cancellable } from '../../core/byte-stream.ts';
import { parseAccessToken } from './access-token.ts';
import type { Evidence } from './application-authorizer.ts';
import type { Authorizer } from './authorizer.ts';
import { isAnonymous, type Subject } from './subject.ts';

export interface IdentifyContext extends Cancellable {
  readonly address: string | undefined;
}

/** @returns `undefined` for nobody. One that throws has found nobody either */
export type Identify = (evidence: Evidence, context: IdentifyContext) => Promise<Subject | undefined>;

/** Verifies, unless there were too many failures; see LoginThrottle. @throws {GitError} RATE_LIMITED */
export type LoginGuard = (
  attempt: { readonly address?: string | undefined; readonly user?: string | undefined },
  verify: () => Promise<Subject | undefined>,
) => Promise<Subject | undefined>;

interface Shown {
  readonly evidence: Evidence;
  readonly address: string | undefined;
  readonly stands: () => boolean;
}

/** Remembers what each subject showed, for as long as somebody holds the subject. */
export class Identities {
  readonly #ask: Identify;
  readonly #guard: LoginGuard;
  readonly #shown = new WeakMap<Subject, Shown>();

  constructor(ask: Identify, guard: LoginGuard = (_attempt, verify) => verify()) {
    this.#ask = ask;
    this.#guard = guard;
  }

  /**
   * @param stands whether what was shown still counts, beside what is asked again
   * @throws {GitError} RATE_LIMITED after too many secrets that were wrong; and what is thrown by who is asked
   */
  async identify(
    evidence: Evidence,
    context: IdentifyContext,
    stands: () => boolean = () => true,
  ): Promise<Subject | undefined> {
    const { address } = context;
    const verify = (): Promise<Subject | undefined> => this.#ask(evidence, context);
    const found =
      'secret' in evidence ? await this.#guard({ address, user: nameIn(evidence) }, verify) : await verify();
    return found && this.#remembered(found, { evidence, address, stands });
  }

  /**
   * Ask anew with what `subject` showed then.
   *
   * @returns who that is now; `undefined` when it shows nothing any more, or is somebody else's
   */
  async again(subject: Subject, options: Cancellable = {}): Promise<Subject | undefined> {
    if (isAnonymous(subject)) return subject;
    const shown = this.#shown.get(subject);
    if (shown === undefined || !shown.stands()) return undefined;
    const found = await this.#ask(shown.evidence, { ...options, address: shown.address });
    return found?.name === subject.name ? this.#remembered(found, shown) : undefined;
  }

  #remembered(found: Subject, shown: Shown): Subject {
    const subject = { ...found }; // who is asked may have one object for all its answers
    this.#shown.set(subject, shown);
    return subject;
  }
}

/** What failures are counted by: never a secret. */
function nameIn({ user, secret }: Extract<Evidence, { secret: string }>): string | undefined {
  return parseAccessToken(secret)?.id ?? (user === '' ? undefined : user);
}

/**
 * `authorizer`, which first asks again who it is when refs are about to change: a token or key that was taken back while
 * the pack was on its way changes nothing any more.
 */
export function createWatchfulAuthorizer(authorizer: Authorizer, identities: Identities): Authorizer {
  return {
    decide: (request, options) => authorizer.decide(request, options),
    async decideChanges(request, changes, options) {
      const subject = await identities.again(request.subject, options);
      if (subject === undefined) return changes.map(() => 'what you logged in with is not valid any more');
      return authorizer.decideChanges({ ...request, subject }, changes, options);
    },
  };
}
