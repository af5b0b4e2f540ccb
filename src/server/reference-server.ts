/**
 * The reference server: a directory of repositories behind doors for HTTP, SSH and git://, started, changed and stopped
 * as one.
 *
 * @module
 */
import { readFile } from 'node:fs/promises';
import type { GitError } from '../core/errors.ts';
import { warmMemory } from '../core/memory-budget.ts';
import { storageError } from '../core/node/storage-error.ts';
import { createThreadTaskPool } from '../pack/node/thread-task-pool.ts';
import type { ConfigSources } from '../repository/node/config/config-sources.ts';
import { createRepositoryDirectory } from '../repository/node/repository-directory.ts';
import type { GitServer } from '../transport/http/options.ts';
import { bodyFloorOf } from '../transport/node/body-floor.ts';
import type { DaemonListener } from '../transport/node/git-daemon-listener.ts';
import type { TrustedProxy } from '../transport/node/http-client.ts';
import { createSshAccess } from './access/ssh-access.ts';
import { AccessNotes, formatAccess, formatSshAccess } from './access-log.ts';
import { type Admission, createAdmission } from './admission/admission.ts';
import type { ServerConfig, TlsConfig } from './config/server-config.ts';
import type { ServerHealth } from './doors/health.ts';
import { type HealthServer, listenHealth } from './doors/health-server.ts';
import type { HttpDoorSettings } from './doors/http-door-settings.ts';
import { listenSsh, type RunningSshDoor, type SshDoorSettings } from './doors/ssh-door.ts';
import type { TlsSettings } from './doors/tls-settings.ts';
import { trustedNetworks } from './doors/trusted-networks.ts';
import { createEngine, type Engine, type EngineParts } from './engine.ts';
import { Gatekeeper } from './gatekeeper.ts';
import { listenGit } from './git-daemon.ts';
import { listenHttp, type RunningHttpServer } from './http-server.ts';
import { RepositoryLocator } from './repository-locator.ts';
import { prepareRoot } from './root-directory.ts';

/** What is told while the server runs, and what it runs among. */
export interface ServerSurroundings {
  /** Configuration beside the repositories' own; see OpenRepositoryOptions. */
  readonly configSources?: ConfigSources | undefined;
  /** Takes a line for each request and command, without its end, where the configuration wants them. */
  readonly onAccess?: ((line: string) => void) | undefined;
  /**
   * Told once of each pack, bitmap or other object file that cannot be used and is passed over, and of an access file that
   * cannot be used any more; `detail.path` is its place.
   */
  readonly onWarning?: ((warning: GitError) => void) | undefined;
  /** Told of failures with the name of the repository they were about. */
  readonly onError?: ((error: unknown, name: string) => void) | undefined;
}

export interface ReferenceServer {
  /** Of HTTP, HTTPS, SSH and git://, in this order, without a slash at the end. */
  readonly urls: readonly string[];
  /** Of listeners for health alone. */
  readonly healthUrls: readonly string[];
  /** What clients see of its SSH host keys. */
  readonly hostKeys: readonly { readonly type: string; readonly fingerprint: string }[];
  /** Requests and commands being served now. */
  readonly runningCount: number;
  /**
   * Go by `config` from now on, without dropping anything: who may what, limits, rates, quotas, certificates, host keys.
   * Where it listens, which directory it serves and what it does there ({@link FIXED}) stay as they were.
   *
   * @returns the settings that another start would change
   * @throws {GitError} INVALID_ARGUMENT, STORAGE_FAILED when something in it cannot be used: everything stays as it was
   */
  reload(config: ServerConfig): Promise<readonly string[]>;
  /** Take nothing new, let what runs finish within `deadlineMs`, cut the rest. @returns how many were cut */
  stop(deadlineMs: number): Promise<number>;
}

/** What a running server does not change, by the names that an operator knows. */
const FIXED: Readonly<Record<string, (config: ServerConfig) => unknown>> = {
  root: ({ root }) => root,
  create: ({ create }) => create,
  listen: ({ listen }) => listen,
  health: ({ health }) => health,
  hooks: ({ hooks }) => hooks,
  keepOpenMs: ({ keepOpenMs }) => keepOpenMs,
  'ssh.passwords': ({ ssh }) => ssh.passwords,
  'ssh.greeting': ({ ssh }) => ssh.greeting,
  'access.realm': ({ access }) => access.realm,
};

type Door = RunningHttpServer | RunningSshDoor | DaemonListener;

/**
 * Open every listener, or none.
 *
 * @throws {GitError} INVALID_ARGUMENT or STORAGE_FAILED when the root, a file that the configuration names or a port
 * cannot be used
 */
export async function startServer(
  config: ServerConfig,
  surroundings: ServerSurroundings = {},
): Promise<ReferenceServer> {
  await prepareRoot(config.root, config.create);
  const server = await FilesServer.open(config, surroundings);
  try {
    await server.listen();
    return server;
  } catch (error) {
    await server.stop(0);
    throw error;
  }
}

class FilesServer implements ReferenceServer {
  readonly #surroundings: ServerSurroundings;
  readonly #parts: EngineParts;
  readonly #close: () => Promise<void>;
  readonly #httpDoors: { readonly door: RunningHttpServer; readonly isTls: boolean }[] = [];
  readonly #sshDoors: RunningSshDoor[] = [];
  readonly #gitDoors: DaemonListener[] = [];
  readonly #healthDoors: HealthServer[] = [];
  #config: ServerConfig;
  #engine: Engine;
  #draining = false;

  private constructor(
    config: ServerConfig,
    surroundings: ServerSurroundings,
    parts: EngineParts,
    close: () => Promise<void>,
  ) {
    this.#config = config;
    this.#surroundings = surroundings;
    this.#parts = parts;
    this.#close = close;
    this.#engine = createEngine(config, parts);
  }

  static async open(config: ServerConfig, surroundings: ServerSurroundings): Promise<FilesServer> {
    const { root, hooks } = config;
    const { onWarning, onError, configSources } = surroundings;
    warmMemory.setLimit(config.cacheBytes);
    const admission = createAdmission(config.admission, { root });
    const gatekeeper = await Gatekeeper.open(config.access, {
      guard: (attempt, verify) => admission.guardLogin(attempt, verify),
      onWarning,
      onError,
    }).catch((error: unknown) => {
      admission[Symbol.dispose]();
      throw error;
    });
    const tasks = createThreadTaskPool();
    const directory = createRepositoryDirectory(root, {
      create: config.create,
      tasks,
      hooks,
      maintenance: hooks !== 'none' && ((path) => admission.enter({ kind: 'maintenance', name: path })),
      configSources,
      keepOpenMs: config.keepOpenMs,
      onWarning,
    });
    const locator = new RepositoryLocator(directory, config.create);
    const parts = { directory, locator, gatekeeper, admission, notes: new AccessNotes(), onError };
    return new FilesServer(config, surroundings, parts, async () => {
      await directory[Symbol.asyncDispose]();
      await tasks.close();
      admission[Symbol.dispose]();
    });
  }

  get urls(): readonly string[] {
    return this.#doors.map(({ url }) => url);
  }

  get healthUrls(): readonly string[] {
    return this.#healthDoors.map(({ url }) => url);
  }

  get hostKeys(): RunningSshDoor['hostKeys'] {
    return this.#sshDoors[0]?.hostKeys ?? [];
  }

  get runningCount(): number {
    return this.#doors.reduce((sum, { runningCount }) => sum + runningCount, 0);
  }

  get #doors(): readonly Door[] {
    return [...this.#httpDoors.map(({ door }) => door), ...this.#sshDoors, ...this.#gitDoors];
  }

  async listen(): Promise<void> {
    const { listen, tls, health } = this.#config;
    const spoken = tls && (await readTls(tls));
    for (const address of health.listen) {
      this.#healthDoors.push(await listenHealth(address, () => this.#health()));
    }
    for (const address of listen.http) await this.#listenHttp(address, undefined);
    for (const address of listen.https) await this.#listenHttp(address, spoken);
    for (const address of listen.ssh) await this.#listenSsh(address);
    for (const address of listen.git) this.#gitDoors.push(await listenGit(address, () => this.#engine.git));
  }

  async reload(config: ServerConfig): Promise<readonly string[]> {
    const before = this.#config;
    const ignored = Object.keys(FIXED).filter((name) => {
      const valueIn = FIXED[name] as (config: ServerConfig) => unknown;
      return JSON.stringify(valueIn(config)) !== JSON.stringify(valueIn(before));
    });
    const { root, create, listen, health, hooks, keepOpenMs } = before;
    const next: ServerConfig = { ...config, root, create, listen, health, hooks, keepOpenMs };
    const { gatekeeper, admission } = this.#parts;
    const tls = next.tls && (await readTls(next.tls));
    const settingsOf = (isTls: boolean): HttpDoorSettings => httpSettings(next, isTls ? tls : undefined);

    // Whatever can fail comes first. Of host keys that cannot be used the first door tells.
    const goByAccess = await gatekeeper.prepare(next.access);
    for (const { door, isTls } of this.#httpDoors) door.checkReload(settingsOf(isTls));
    for (const door of this.#sshDoors) await door.reload(sshSettings(next));
    for (const { door, isTls } of this.#httpDoors) door.reload(settingsOf(isTls));
    goByAccess();
    admission.setSettings(next.admission);
    warmMemory.setLimit(next.cacheBytes);
    this.#config = next;
    this.#engine = createEngine(next, this.#parts);
    return ignored;
  }

  async stop(deadlineMs: number): Promise<number> {
    this.#draining = true;
    const until = performance.now() + deadlineMs;
    const cut = await Promise.all(this.#doors.map((door) => door.drain(deadlineMs)));
    await this.#parts.gatekeeper.close(Math.max(0, until - performance.now()));
    await Promise.all(this.#healthDoors.map((door) => door.close()));
    await this.#close();
    return cut.reduce((sum, count) => sum + count, 0);
  }

  async #listenHttp(
    address: { readonly host: string; readonly port: number },
    tls: TlsSettings | undefined,
  ): Promise<void> {
    const { onError } = this.#surroundings;
    const { notes } = this.#parts;
    const current: GitServer = {
      handle: (request) => this.#engine.http.handle(request),
      exchange: (exchange) => this.#engine.http.exchange(exchange),
    };
    const door = await listenHttp(current, {
      ...httpSettings(this.#config, tls),
      ...address,
      health: () => this.#health(),
      onFinish: (summary) => this.#log(() => formatAccess(summary, notes.of(summary.client))),
      onError: (error) => onError?.(error, ''),
    });
    this.#httpDoors.push({ door, isTls: tls !== undefined });
  }

  async #listenSsh(address: { readonly host: string; readonly port: number }): Promise<void> {
    const { onError } = this.#surroundings;
    const { gatekeeper, locator } = this.#parts;
    const { passwords, greeting } = this.#config.ssh;
    const access = createSshAccess({
      authorizer: gatekeeper.authorizer,
      identities: gatekeeper.identities,
      locate: (path) => locator.locate(path),
      passwords,
      authorities: () => gatekeeper.authorities(),
      isRevoked: (certificate) => gatekeeper.isRevoked(certificate),
    });
    this.#sshDoors.push(
      await listenSsh({
        ...sshSettings(this.#config),
        ...address,
        access,
        serve: (command) => this.#engine.ssh(command),
        greeting,
        onCommand: (command) => this.#log(() => formatSshAccess(command)),
        onError: (error) => onError?.(error, ''),
      }),
    );
  }

  #log(line: () => string): void {
    if (this.#config.accessLog) this.#surroundings.onAccess?.(line());
  }

  #health(): ServerHealth {
    return { draining: this.#draining, ...pressureOf(this.#parts.admission) };
  }
}

function pressureOf(admission: Admission): Omit<ServerHealth, 'draining'> {
  const { shed } = admission.state();
  return {
    overloaded: shed.filter(({ because }) => because !== 'disk').map(({ kind }) => kind),
    disk: shed.some(({ because }) => because === 'disk') ? 'low' : 'ok',
  };
}

function httpSettings(
  { http, limits, proxies }: ServerConfig,
  tls: TlsSettings | undefined,
): HttpDoorSettings {
  const { userHeader, forwardedHeader, proxyProtocol } = proxies;
  const trustedProxy: TrustedProxy = {
    isTrusted: trustedNetworks(proxies.trusted),
    userHeader,
    forwardedHeader,
  };
  const { idleTimeoutMs } = limits;
  const bodyFloor = bodyFloorOf(limits);
  return { tls, limits: http, idleTimeoutMs, bodyFloor, trustedProxy, proxyProtocol };
}

function sshSettings({ ssh, limits, proxies }: ServerConfig): SshDoorSettings {
  const { hostKeys, passwords: _passwords, greeting: _greeting, ...sshLimits } = ssh;
  const { idleTimeoutMs, pushPauseMs } = limits;
  return {
    hostKeyDirectory: hostKeys,
    limits: { ...sshLimits, idleTimeoutMs, pushPauseMs },
    floor: bodyFloorOf(limits),
    isTrustedProxy: proxies.proxyProtocol ? trustedNetworks(proxies.trusted) : undefined,
  };
}

async function readTls({ certificate, key, clientAuthorities }: TlsConfig): Promise<TlsSettings> {
  return {
    certificate: await readPem(certificate),
    key: await readPem(key),
    clientAuthorities: clientAuthorities === undefined ? undefined : await readPem(clientAuthorities),
  };
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw storageError(error, `read '${path}'`, path);
  }
}
