/**
 * What an SSH server is given, and what it asks.
 *
 * @module
 */
import type { ByteStream } from '../../../core/byte-stream.ts';
import { DEFAULT_LIMITS } from '../../../core/limits.ts';
import type { Certificate } from '../../ssh/certificate.ts';
import type { SshCommand, SshLogin } from '../../ssh/ssh-command.ts';
import type { BodyFloor } from '../body-floor.ts';

/**
 * Knows people by what they prove. Each answers with a principal, whatever that is to the application, or `undefined`
 * for nobody; one that throws lets nobody in. Absent ones are not offered.
 */
export interface SshAuthenticator {
  /**
   * @param key `fingerprint` is `SHA256:…`, `blob` the key as SSH writes it. Asked twice: when the client asks
   * whether the key would do, and when it has signed with it
   */
  key(login: SshLogin, key: { readonly fingerprint: string; readonly blob: Uint8Array }): Promise<unknown>;
  /**
   * The certificate was verified: trusted authority, valid now. Its principals are still to be looked at.
   *
   * @param fingerprint of the key in it, as `ssh-keygen -l` shows it
   */
  readonly certificate?:
    | ((login: SshLogin, certificate: Certificate, fingerprint: string) => Promise<unknown>)
    | undefined;
  readonly password?: ((login: SshLogin, password: string) => Promise<unknown>) | undefined;
  /** The authorities whose certificates are taken, by fingerprint. Default none. */
  readonly authorities?: (() => ReadonlySet<string>) | undefined;
  readonly isRevoked?: ((certificate: Certificate) => boolean) | undefined;
}

export interface SshServerOptions extends SshServerSettings {
  readonly authenticator: SshAuthenticator;
  /** The name for a friendly line to those who ask for a shell. */
  readonly nameOf?: ((principal: unknown) => string) | undefined;
  /**
   * Runs a command; what it yields goes to the client. One that throws a GitError ends with its message on standard
   * error and exit code 128.
   */
  readonly serve: (command: SshCommand) => ByteStream;
  /** Told of what a client is not: failures of the application and bugs. */
  readonly onError?: ((error: unknown, login: Partial<SshLogin>) => void) | undefined;
  readonly onEvent?: ((event: SshEvent) => void) | undefined;
}

/** What can be replaced while the server runs; connections that are open keep what they had. */
export interface SshServerSettings {
  /** Private keys as OpenSSH or PEM writes them, one of each type. */
  readonly hostKeys: readonly string[];
  readonly limits?: Partial<SshLimits> | undefined;
  /** What requests and packs must bring at the least. Default `DEFAULT_BODY_FLOOR`. */
  readonly floor?: BodyFloor | undefined;
  /** Whether a peer is a proxy that says who its clients are, in a PROXY header. Default: nobody is. */
  readonly isTrustedProxy?: ((address: string) => boolean) | undefined;
}

/** For logs. */
export type SshEvent =
  | { readonly kind: 'refused'; readonly address: string; readonly why: string }
  | { readonly kind: 'login'; readonly login: SshLogin; readonly how: string }
  | {
      readonly kind: 'command';
      readonly login: SshLogin;
      readonly principal: unknown;
      readonly service: string;
      readonly path: string;
      readonly exitCode: number;
      readonly durationMs: number;
      readonly sentBytes: number;
    };

export interface SshLimits {
  /** Connections at a time. */
  readonly maxConnections: number;
  /** Of these, those of one address; for IPv6 of a /64. Not of trusted proxies. */
  readonly maxConnectionsPerAddress: number;
  /** Of these, how many may not have proved who they are yet. sshd: MaxStartups. */
  readonly maxUnauthenticated: number;
  /** And of one address. sshd: PerSourceMaxStartups. */
  readonly maxUnauthenticatedPerAddress: number;
  /** Milliseconds to do it in. sshd: LoginGraceTime. */
  readonly loginGraceMs: number;
  /** Keys, certificates and passwords tried in one connection. sshd: MaxAuthTries. */
  readonly maxAuthTries: number;
  /** Commands at a time in one connection. sshd: MaxSessions. */
  readonly maxSessions: number;
  /** Milliseconds without a command, or of a command without one byte sent or taken. */
  readonly idleTimeoutMs: number;
  /** The same of a push that its client gets ready: see `Limits`. */
  readonly pushPauseMs: number;
  /** Milliseconds between questions whether the client is still there; after three without answer it is not. */
  readonly keepaliveMs: number;
}

export const DEFAULT_SSH_LIMITS: SshLimits = {
  maxConnections: 2_000,
  maxConnectionsPerAddress: 200,
  maxUnauthenticated: 100,
  maxUnauthenticatedPerAddress: 30,
  loginGraceMs: 30_000,
  maxAuthTries: 6,
  maxSessions: 10,
  idleTimeoutMs: DEFAULT_LIMITS.idleTimeoutMs,
  pushPauseMs: DEFAULT_LIMITS.pushPauseMs,
  keepaliveMs: 15_000,
};
