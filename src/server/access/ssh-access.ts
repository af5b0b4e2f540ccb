/**
 * An authorizer and a way to know people, as an SSH server asks them: once for the connection, and again for each
 * command, since a connection may be open for days.
 *
 * @module
 */
import type { ByteStream } from '../../core/byte-stream.ts';
import { GitError } from '../../core/errors.ts';
import type { SshAuthenticator } from '../../ssh.ts';
import { keyFingerprint } from '../../transport/node/ssh/key-fingerprint.ts';
import type { Certificate } from '../../transport/ssh/certificate.ts';
import type { SshCommand } from '../../transport/ssh/ssh-command.ts';
import type { AccessRequest, Authorizer } from './authorizer.ts';
import { answeredInTime } from './deadline.ts';
import { decideAccess, type MustMake } from './decide-access.ts';
import type { Admitted } from './http-access.ts';
import type { Identities } from './identities.ts';
import type { Subject } from './subject.ts';

export interface SshAccessOptions {
  readonly authorizer: Authorizer;
  readonly identities: Identities;
  /** The one name of what a path spells; `undefined` for what cannot be one. */
  readonly locate: (path: string) => Promise<SshRepository | undefined>;
  /** Whether tokens are taken as passwords. Default false. */
  readonly passwords?: boolean | undefined;
  /** Fingerprints of those whose certificates are taken. Default none. */
  readonly authorities?: (() => ReadonlySet<string>) | undefined;
  /** Whether the key in a certificate, or that of its authority, was taken back. */
  readonly isRevoked?: ((certificate: Certificate) => boolean) | undefined;
  /** Milliseconds to find out who it is, and to decide. Default `DECISION_TIMEOUT_MS`. */
  readonly timeoutMs?: number | undefined;
}

export interface SshRepository {
  /** Without `.git`. */
  readonly name: string;
  /** Whether a push would have to make it. */
  readonly mustMake?: MustMake | undefined;
}

export interface SshAccess {
  /** Its principals are {@link Subject}s. */
  readonly authenticator: SshAuthenticator;
  /**
   * Whether somebody known may run `command` now.
   *
   * @throws {GitError} REPOSITORY_NOT_FOUND for what may not be seen, or has no name; ACCESS_DENIED for what may be
   * seen, and for those who are nobody any more; OVERLOADED when it cannot be decided in time
   */
  admit(command: SshCommand): Promise<Admitted>;
}

const OPERATIONS: Readonly<Record<SshCommand['service'], AccessRequest['operation']>> = {
  'git-upload-pack': 'fetch',
  'git-receive-pack': 'push',
  'git-upload-archive': 'archive',
};

export function createSshAccess(options: SshAccessOptions): SshAccess {
  const { authorizer, identities, locate, timeoutMs } = options;
  return {
    authenticator: authenticatorOf(options),
    admit({ service, path, principal, login: { address }, signal }) {
      const decide = async (ended: AbortSignal): Promise<Admitted> => {
        const subject = await identities.again(principal as Subject, { signal: ended });
        if (subject === undefined)
          throw denied('Access denied: what you logged in with is not valid any more');
        const operation = OPERATIONS[service];
        const repository = await locate(path.replace(/^\/+/, ''));
        if (repository === undefined) throw notFound();
        const { name, mustMake } = repository;
        const asked: AccessRequest = { subject, repository: name, operation, transport: 'ssh', address };
        const { request, decision } = await decideAccess(authorizer, asked, mustMake, { signal: ended });
        if (decision.allowed === true) return { subject, request };
        throw decision.visible === true ? denied(decision.message) : notFound();
      };
      return answeredInTime(decide, { timeoutMs, signal });
    },
  };
}

/** `serve`, for whom `access` lets in; its principal is {@link Admitted}, as with HTTP. */
export function servedTo(
  access: SshAccess,
  serve: (command: SshCommand) => ByteStream,
): (command: SshCommand) => ByteStream {
  return async function* serveAdmitted(command) {
    yield* serve({ ...command, principal: await access.admit(command) });
  };
}

const NO_AUTHORITIES: ReadonlySet<string> = new Set();

function authenticatorOf(options: SshAccessOptions): SshAuthenticator {
  const { identities, passwords = false, authorities = () => NO_AUTHORITIES } = options;
  const isRevoked = options.isRevoked ?? (() => false);
  const stands = (certificate: Certificate): boolean =>
    authorities().has(keyFingerprint(certificate.authorityBlob)) &&
    !isRevoked(certificate) &&
    BigInt(Math.floor(Date.now() / 1000)) < certificate.validBefore;
  return {
    authorities,
    isRevoked,
    key: ({ user, address }, { fingerprint }) =>
      identities.identify({ kind: 'ssh-key', user, fingerprint }, { address }),
    certificate({ user, address }, certificate, fingerprint) {
      const { keyId, serial, principals } = certificate;
      const evidence = {
        kind: 'ssh-certificate',
        user,
        fingerprint,
        keyId,
        serial: String(serial),
        principals,
      } as const;
      return identities.identify(evidence, { address }, () => stands(certificate));
    },
    password: passwords
      ? ({ user, address }, secret) => identities.identify({ kind: 'password', user, secret }, { address })
      : undefined,
  };
}

function denied(message: string): GitError {
  return new GitError('ACCESS_DENIED', message);
}

/** As of one that is not there: the two must not be told apart. */
function notFound(): GitError {
  return new GitError('REPOSITORY_NOT_FOUND', 'Cannot find repository');
}
