/**
 * Who somebody is and what they may, at every door alike, as the configuration says it.
 *
 * @module
 */
import { readFile } from 'node:fs/promises';
import type { GitError } from '../core/errors.ts';
import { storageError } from '../core/node/storage-error.ts';
import type { PushContext, UpdatesAuthorizer } from '../repository/push/hooks.ts';
import type { Certificate } from '../transport/ssh/certificate.ts';
import { Application } from './access/application.ts';
import { authenticateByApplication, createApplicationAuthorizer } from './access/application-authorizer.ts';
import type { Authorizer } from './access/authorizer.ts';
import { createHttpAccess, type HttpAccess } from './access/http-access.ts';
import { httpIdentities } from './access/http-identities.ts';
import { createWatchfulAuthorizer, type Identify, Identities, type LoginGuard } from './access/identities.ts';
import { identifyAmong } from './access/people-identifier.ts';
import { createPushAuthorization } from './access/push-authorization.ts';
import { PushNotifier } from './access/push-notifier.ts';
import { createRuleAuthorizer } from './access/rule-authorizer.ts';
import type { AccessConfig } from './config/server-config.ts';
import { AccessFile } from './people/access-file.ts';

export interface GatekeeperOptions {
  /** Slows those who guess. */
  readonly guard: LoginGuard;
  /** Told of an access file that cannot be used any more. */
  readonly onWarning?: ((warning: GitError) => void) | undefined;
  /** Told of what failed while it was decided, and of notifications that were given up. */
  readonly onError?: ((error: unknown, repository: string) => void) | undefined;
}

/** What one configuration gives. */
interface Policy {
  readonly config: AccessConfig;
  readonly people: AccessFile | undefined;
  readonly notifier: PushNotifier | undefined;
  readonly identify: Identify;
  readonly authorizer: Authorizer;
}

const NOBODY: Identify = () => Promise.resolve(undefined);
const NO_AUTHORITIES: ReadonlySet<string> = new Set();
/** For what is still to be told when the configuration has named another application. */
const NOTIFICATION_GRACE_MS = 10_000;

/** Everybody may do everything. */
const OPEN: Authorizer = {
  decide: () => Promise.resolve({ allowed: true }),
  decideChanges: (_, changes) => Promise.resolve(changes.map(() => undefined)),
};

export class Gatekeeper {
  /** Asks whoever the configuration of the moment names, as {@link identities} does. */
  readonly authorizer: Authorizer;
  readonly identities: Identities;
  /** For the doors that speak HTTP. */
  readonly http: HttpAccess;
  /** For pushes: which refs may change how. */
  readonly authorizeUpdates: UpdatesAuthorizer;
  readonly #options: GatekeeperOptions;
  #policy: Policy;

  private constructor(policy: Policy, options: GatekeeperOptions) {
    this.#policy = policy;
    this.#options = options;
    this.identities = new Identities(
      (evidence, context) => this.#policy.identify(evidence, context),
      options.guard,
    );
    const current: Authorizer = {
      decide: (request, cancel) => this.#policy.authorizer.decide(request, cancel),
      decideChanges: (request, changes, cancel) =>
        this.#policy.authorizer.decideChanges(request, changes, cancel),
    };
    this.authorizer = createWatchfulAuthorizer(current, this.identities);
    const { realm } = policy.config;
    this.http = createHttpAccess({ authorizer: current, ...httpIdentities(this.identities), realm });
    this.authorizeUpdates = createPushAuthorization({
      authorizer: this.authorizer,
      onError: (error) => options.onError?.(error, ''),
    });
  }

  /** @throws {GitError} INVALID_ARGUMENT, STORAGE_FAILED for an access file or a secret that cannot be used */
  static async open(config: AccessConfig, options: GatekeeperOptions): Promise<Gatekeeper> {
    return new Gatekeeper(await policyOf(config, undefined, options), options);
  }

  /** Whether nobody is asked for anything. */
  get isOpen(): boolean {
    return this.#policy.authorizer === OPEN;
  }

  /** Fingerprints of those whose SSH certificates are taken. */
  authorities(): ReadonlySet<string> {
    return this.#policy.people?.authorities() ?? NO_AUTHORITIES;
  }

  isRevoked(certificate: Certificate): boolean {
    return this.#policy.people?.isRevoked(certificate) ?? false;
  }

  /** Tell the application, if there is one, what was pushed. Returns at once. */
  notify(push: PushContext): void {
    this.#policy.notifier?.notify(push);
  }

  /**
   * Read what `config` names, the access file again, too; the realm of password prompts stays.
   *
   * @returns goes by `config` from then on
   * @throws {GitError} as {@link open}
   */
  async prepare(config: AccessConfig): Promise<() => void> {
    const next = await policyOf(config, this.#policy.people, this.#options);
    return () => {
      const { notifier } = this.#policy;
      this.#policy = next;
      if (notifier !== undefined) void notifier.drain(NOTIFICATION_GRACE_MS);
    };
  }

  /** Let notifications out for at most `deadlineMs`. */
  async close(deadlineMs: number): Promise<void> {
    await this.#policy.notifier?.drain(deadlineMs);
  }
}

async function policyOf(
  config: AccessConfig,
  known: AccessFile | undefined,
  { onWarning, onError }: GatekeeperOptions,
): Promise<Policy> {
  const people = await peopleOf(config.file, known, onWarning);
  const application = config.application && new Application(await askingOf(config.application));
  return {
    config,
    people,
    notifier:
      application &&
      new PushNotifier({ application, onError: (error, repository) => onError?.(error, repository) }),
    identify: identifierOf(people, application),
    authorizer: authorizerOf(config, application),
  };
}

async function peopleOf(
  path: string | undefined,
  known: AccessFile | undefined,
  onWarning: GatekeeperOptions['onWarning'],
): Promise<AccessFile | undefined> {
  if (path === undefined) return undefined;
  if (known?.path !== path) return AccessFile.open(path, { onWarning });
  await known.reload();
  return known;
}

async function askingOf({ secretFile, ...asking }: NonNullable<AccessConfig['application']>) {
  try {
    return { ...asking, secret: (await readFile(secretFile, 'utf8')).trim() };
  } catch (error) {
    throw storageError(error, `read the application's secret in '${secretFile}'`, secretFile);
  }
}

/**
 * Those of the access file first; who is none of them may be somebody to the application. A key that the file has revoked
 * is nobody's anywhere.
 */
function identifierOf(people: AccessFile | undefined, application: Application | undefined): Identify {
  const among = people === undefined ? NOBODY : identifyAmong(people);
  if (application === undefined) return among;
  return async (evidence, context) => {
    const known = await among(evidence, context);
    const isRevoked = evidence.kind === 'ssh-key' && people?.isRevokedKey(evidence.fingerprint) === true;
    if (known !== undefined || isRevoked) return known;
    return authenticateByApplication(application, evidence, context.address, context);
  };
}

function authorizerOf({ rules }: AccessConfig, application: Application | undefined): Authorizer {
  if (rules !== undefined) return createRuleAuthorizer(() => rules);
  return application === undefined ? OPEN : createApplicationAuthorizer(application);
}
