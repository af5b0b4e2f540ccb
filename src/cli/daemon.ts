/**
 * `packwire daemon`: git-daemon(1).
 *
 * @module
 */
import { execFile } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isGitError } from '../core/errors.ts';
import { DEFAULT_LIMITS } from '../core/limits.ts';
import { createThreadTaskPool } from '../pack/node/thread-task-pool.ts';
import type { TaskPool } from '../pack/task-pool.ts';
import { runArchiveFilter } from '../repository/node/archive-filter.ts';
import { configSources } from '../repository/node/config/config-sources.ts';
import { openRepository } from '../repository/node/open-repository.ts';
import type { DaemonRequest, DaemonService } from '../transport/git-daemon/request-line.ts';
import {
  type DaemonOpening,
  type DaemonOptions,
  serveDaemonConnection,
} from '../transport/git-daemon/serve-connection.ts';
import { type DaemonListener, listenGitDaemon } from '../transport/node/git-daemon-listener.ts';
import { serveOverPipes } from '../transport/node/stdio.ts';
import type { Command, CommandWorld } from './command.ts';
import { type DaemonSettings, readDaemonSettings } from './daemon-options.ts';
import { addressOf, type DaemonPath, findDaemonPath } from './daemon-paths.ts';
import { untilSignal } from './service-command.ts';

const DRAIN_MS = 0;

export const daemonCommand: Command = {
  name: 'daemon',
  summary: 'serve repositories over git://',
  usage: [
    'daemon [--verbose] [--export-all] [--base-path=<path>] [--listen=<host>] [--port=<n>] [<options>] [<directory>...]',
  ],
  description: `
Takes the arguments of git-daemon(1). Everybody who reaches the port may use what is enabled: there are no
accounts in this protocol. A repository is served if it holds a file git-daemon-export-ok, or with --export-all.

    --listen=<host>, --port=<n>
                          where to listen: port 9418 of every address; --listen may be given more than once
    --inetd               serve one connection on standard input and output
    --base-path=<path>    put <path> before what clients ask for; --base-path-relaxed tries it without, too
    --interpolated-path=<template>
                          make paths of %H (host), %CH, %IP, %P (port) and %D (what the client asks for)
    --user-path[=<path>]  allow ~user/repository, below <path> in the user's home directory
    --strict-paths        neither guess endings nor serve what is below a <directory>
    --export-all          serve repositories without git-daemon-export-ok
    --enable=<service>, --disable=<service>
                          upload-pack (enabled), upload-archive and receive-pack (disabled)
    --allow-override=<service>, --forbid-override=<service>
                          whether daemon.uploadpack, daemon.uploadarch and daemon.receivepack in a repository's
                          configuration count (they do)
    --access-hook=<path>  a program that is asked for each request: service, path, host, canonical host,
                          address and port; what it prints and an exit code but 0 refuse it
    --timeout=<n>, --init-timeout=<n>
                          end connections that are silent for <n> seconds, and before their request
    --max-connections=<n> serve at most <n> at a time (32); 0 sets no limit
    --informative-errors  tell clients why they are refused
    --log-destination=(stderr|none), --verbose, --pid-file=<file>

Only repositories under a <directory> are served, where one is given.`,

  async run(args, world) {
    const settings = readDaemonSettings(args);
    const tasks = createThreadTaskPool();
    try {
      await untilSignal((stopped) => new Daemon(settings, tasks, world).run(stopped));
      return 0;
    } finally {
      await tasks.close();
    }
  },
};

const CONFIG_KEYS: Readonly<Record<DaemonService, string>> = {
  'upload-pack': 'daemon.uploadpack',
  'upload-archive': 'daemon.uploadarch',
  'receive-pack': 'daemon.receivepack',
};
const DENIED = 'access denied or repository not exported';

/** The daemon behind the command. */
export class Daemon {
  readonly #settings: DaemonSettings;
  readonly #tasks: TaskPool;
  readonly #world: CommandWorld;
  readonly #options: DaemonOptions;
  readonly #listeners: DaemonListener[] = [];

  constructor(settings: DaemonSettings, tasks: TaskPool, world: CommandWorld) {
    this.#settings = settings;
    this.#tasks = tasks;
    this.#world = world;
    this.#options = {
      limits: DEFAULT_LIMITS,
      open: (request) => this.#open(request),
      fetch: { defaults: 'git' },
      archive: ({ path }) => ({ runFilter: runArchiveFilter(path), userUmask: process.umask() }),
      onFailure: (error) => this.#logFailure(error),
    };
  }

  /** Where it listens: one a host. */
  get urls(): readonly string[] {
    return this.#listeners.map(({ url }) => url);
  }

  /** Serve until `stopped` fires. @throws {GitError} INVALID_ARGUMENT when a port cannot be listened on */
  async run(stopped: AbortSignal): Promise<void> {
    const { isInetd, hosts, pidFile } = this.#settings;
    if (isInetd) return this.#serveStandardStreams(stopped);
    if (pidFile !== undefined) writeFileSync(pidFile, `${process.pid}`);
    try {
      for (const host of hosts.length === 0 ? [undefined] : hosts)
        this.#listeners.push(await this.#listen(host));
      this.#info('Ready to rumble');
      await new Promise<void>((resolve) => {
        stopped.addEventListener('abort', () => resolve(), { once: true });
        if (stopped.aborted) resolve();
      });
    } finally {
      await Promise.all(this.#listeners.map((listener) => listener.drain(DRAIN_MS)));
    }
  }

  #listen(host: string | undefined): Promise<DaemonListener> {
    const { port, timeoutSeconds, initTimeoutSeconds, maxConnections } = this.#settings;
    return listenGitDaemon({
      host,
      port,
      requestTimeoutMs: (initTimeoutSeconds || timeoutSeconds) * 1000,
      idleTimeoutMs: timeoutSeconds * 1000,
      maxConnections,
      serve: (input, { signal, onRequest }) =>
        serveDaemonConnection(input, this.#options, { signal, onRequest }),
      onConnect: ({ address, port: from }) =>
        this.#info(`Connection from ${address.includes(':') ? `[${address}]` : address}:${from}`),
      onDisconnect: (_, error) => {
        if (isGitError(error, 'PROTOCOL_VIOLATION')) this.#error(error.message);
        else if (error !== undefined && !isGitError(error, 'ABORTED')) this.#logFailure(error);
        this.#info(`[${process.pid}] Disconnected${error === undefined ? '' : ' (with error)'}`);
      },
      onDrop: () => this.#error('Too many children, dropping connection'),
    });
  }

  async #serveStandardStreams(stopped: AbortSignal): Promise<void> {
    const { input, output } = this.#world;
    await serveOverPipes(
      (request, gone) =>
        serveDaemonConnection(request, this.#options, { signal: AbortSignal.any([gone, stopped]) }),
      { input, output },
      { timeoutSeconds: this.#settings.timeoutSeconds },
    );
  }

  async #open(request: DaemonRequest): Promise<DaemonOpening> {
    const { services, paths, exportAll, informativeErrors, accessHook } = this.#settings;
    const refused = (reason: string): DaemonOpening => ({ refused: informativeErrors ? reason : DENIED });
    const { service } = request;
    const { isEnabled, isOverridable } = services[service];
    if (request.hostArgument !== undefined) this.#info(`Extended attribute "host": ${request.hostArgument}`);
    if (request.parameters !== '') this.#info(`Extended attribute "protocol": ${request.parameters}`);
    this.#info(`Request ${service} for '${request.path}'`);
    if (!isEnabled && !isOverridable) {
      this.#error(`'${service}': service not enabled.`);
      return refused('service not enabled');
    }
    const found = await findDaemonPath(request, paths, (message) => this.#error(message));
    if (found === undefined) return refused('no such repository');
    if (!exportAll && !existsSync(join(found.directory, 'git-daemon-export-ok'))) {
      this.#error(`'${found.path}': repository not exported.`);
      return refused('repository not exported');
    }
    const repository = await openRepository(found.directory, {
      tasks: this.#tasks,
      maintenance: true,
      configSources: configSources(this.#world.environment),
    });
    const configured = isOverridable ? repository.config.getBoolean(CONFIG_KEYS[service]) : undefined;
    const denial =
      (configured ?? isEnabled) ? await this.#askHook(accessHook, request, found) : 'service not enabled';
    if (denial === undefined) return { repository };
    await repository[Symbol.asyncDispose]();
    this.#error(`'${service}': ${denial} for '${found.path}'`);
    return refused(denial);
  }

  /** @returns why the hook refuses */
  async #askHook(
    hook: string | undefined,
    { service, host = '', port = '' }: DaemonRequest,
    { path }: DaemonPath,
  ): Promise<string | undefined> {
    if (hook === undefined) return undefined;
    const address = host === '' ? '' : await addressOf(host);
    const args = [service, path, host, address === '' ? '' : host, address, port];
    return new Promise((resolve) => {
      execFile('/bin/sh', ['-c', `${hook} "$@"`, hook, ...args], (error, output) => {
        if (error === null) resolve(undefined);
        else resolve(output.trimStart().split('\n')[0] || 'service rejected');
      });
    });
  }

  #info(message: string): void {
    if (this.#settings.isVerbose) this.#error(message);
  }

  #logFailure(error: unknown): void {
    this.#error(error instanceof Error ? error.message : String(error));
  }

  #error(message: string): void {
    if (this.#settings.logs) this.#world.errors.write(`[${process.pid}] ${printable(message)}\n`);
  }
}

/** Clients choose parts of it: nothing that a terminal or a reader of the log would act on. */
function printable(message: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
  return message.replace(/[\x00-\x1f\x7f]/g, '?');
}
