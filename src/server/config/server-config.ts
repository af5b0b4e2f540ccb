/**
 * What a server is to be, all said: defaults filled in, paths absolute, addresses parsed.
 *
 * @module
 */
import { resolve } from 'node:path';
import type { Limits } from '../../core/limits.ts';
import type { WantPolicy } from '../../protocol/fetch-context.ts';
import type { ForwardedHeader } from '../../transport/http/forwarded.ts';
import type { AccessRule } from '../access/access-rules.ts';
import type { AdmissionSettings } from '../admission/settings.ts';
import type { HttpDoorLimits } from '../doors/http-door-settings.ts';
import { type ListenAddress, parseListenAddress } from '../listen-address.ts';
import { completeAdmission } from './admission-members.ts';
import { DEFAULT_HTTP, type Settings } from './config-schema.ts';

/** Times are milliseconds, sizes bytes, paths absolute. */
export interface ServerConfig {
  readonly root: string;
  readonly create: boolean;
  readonly readOnly: boolean;
  readonly listen: {
    readonly http: readonly ListenAddress[];
    readonly https: readonly ListenAddress[];
    readonly ssh: readonly ListenAddress[];
    readonly git: readonly ListenAddress[];
  };
  /** There when there are https listeners. */
  readonly tls: TlsConfig | undefined;
  readonly http: HttpDoorLimits;
  readonly ssh: SshConfig;
  readonly proxies: {
    /** Addresses and networks: `10.0.0.0/8`. */
    readonly trusted: readonly string[];
    /** In small letters. */
    readonly userHeader: string | undefined;
    readonly forwardedHeader: ForwardedHeader;
    readonly proxyProtocol: boolean;
  };
  readonly access: AccessConfig;
  readonly limits: Limits;
  readonly admission: AdmissionSettings;
  readonly fetch: { readonly wants: WantPolicy; readonly dumb: boolean };
  readonly push: {
    readonly denyDeletes: boolean;
    readonly denyNonFastForwards: boolean;
    readonly collisionDetection: boolean;
    /** Without it, as each repository says. */
    readonly fsckObjects?: boolean | undefined;
  };
  readonly hooks: 'own' | 'any' | 'none';
  readonly cacheBytes: number;
  readonly keepOpenMs: number;
  readonly drainMs: number;
  readonly accessLog: boolean;
  readonly health: { readonly listen: readonly ListenAddress[] };
}

/** Paths of PEM files. */
export interface TlsConfig {
  readonly certificate: string;
  readonly key: string;
  readonly clientAuthorities: string | undefined;
}

/** Beside these, members of the SSH server's limits. */
interface SshConfig {
  /** Directory of the host keys. */
  readonly hostKeys: string;
  readonly passwords: boolean;
  readonly greeting: boolean;
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  readonly maxUnauthenticated: number;
  readonly maxUnauthenticatedPerAddress: number;
  readonly loginGraceMs: number;
  readonly maxAuthTries: number;
  readonly maxSessions: number;
  readonly keepaliveMs: number;
}

export interface AccessConfig {
  /** Path of the access file. */
  readonly file: string | undefined;
  /** Without them `application` decides; without it, too, everybody may do everything. An empty list allows nothing. */
  readonly rules: readonly AccessRule[] | undefined;
  readonly application:
    | {
        readonly url: string;
        readonly secretFile: string;
        readonly timeoutMs: number;
        readonly retries: number;
        readonly maxRunning: number;
        readonly plainHttp: boolean;
      }
    | undefined;
  /** Shown by password prompts. */
  readonly realm: string;
  readonly insecureAnonymous: boolean;
}

/** What holds for users of an access file when there are no rules. */
const RULES_OF_USERS: readonly AccessRule[] = [
  { repositories: ['**'], subjects: ['@users'], allow: ['read', 'write', 'force', 'delete', 'create'] },
];

/**
 * @param settings checked: see check-config.ts
 * @param directoryOf where a relative path of a setting starts
 */
export function serverConfigOf(settings: Settings, directoryOf: (setting: string) => string): ServerConfig {
  const { listen, tls, ssh, access, fetch, admission } = settings;
  const at = (setting: string, path: string): string => resolve(directoryOf(setting), path);
  const maybeAt = (setting: string, path: string | undefined): string | undefined =>
    path === undefined ? undefined : at(setting, path);
  const { $schema: _, ...others } = settings;
  return {
    ...others,
    root: at('root', settings.root),
    listen: {
      http: addressesOf(listen.http ?? defaultHttp(listen)),
      https: addressesOf(listen.https),
      ssh: addressesOf(listen.ssh),
      git: addressesOf(listen.git),
    },
    tls:
      tls.certificate === undefined || tls.key === undefined
        ? undefined
        : {
            certificate: at('tls.certificate', tls.certificate),
            key: at('tls.key', tls.key),
            clientAuthorities: maybeAt('tls.clientAuthorities', tls.clientAuthorities),
          },
    ssh: { ...ssh, hostKeys: at('ssh.hostKeys', ssh.hostKeys) },
    proxies: { ...settings.proxies, userHeader: settings.proxies.userHeader },
    access: accessConfigOf(access, at),
    admission: completeAdmission(admission),
    fetch: {
      wants: fetch.wants ?? 'reachable',
      dumb: fetch.dumb ?? isDumbByDefault(settings),
    },
    health: { listen: addressesOf(settings.health.listen) },
  };
}

/** It gives every object, also what no ref reaches any more: not where somebody was to decide who sees what. */
function isDumbByDefault({ fetch: { wants }, access }: Settings): boolean {
  const isAnybodyAsked = (access.file ?? access.rules ?? access.application.url) !== undefined;
  return !isAnybodyAsked && (wants === undefined || wants === 'any');
}

function accessConfigOf(
  { file, rules, application, realm, insecureAnonymous }: Settings['access'],
  at: (setting: string, path: string) => string,
): AccessConfig {
  const { url, secretFile, ...asking } = application;
  const isAsked = url !== undefined && secretFile !== undefined;
  return {
    file: file === undefined ? undefined : at('access.file', file),
    rules: rules ?? (file === undefined || isAsked ? undefined : RULES_OF_USERS),
    application: isAsked
      ? { url, secretFile: at('access.application.secretFile', secretFile), ...asking }
      : undefined,
    realm,
    insecureAnonymous,
  };
}

function defaultHttp({ https, ssh }: Settings['listen']): readonly string[] {
  return https.length === 0 && ssh.length === 0 ? [DEFAULT_HTTP] : [];
}

function addressesOf(texts: readonly string[]): ListenAddress[] {
  return texts.flatMap((text) => parseListenAddress(text) ?? []);
}
