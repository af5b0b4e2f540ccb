/**
 * Runs the reference server until it is told to stop.
 *
 * @module
 */
import { AGENT } from '../protocol/capabilities.ts';
import { configSources } from '../repository/node/config/config-sources.ts';
import { type ConfigSources, loadServerConfig } from '../server/config/load-config.ts';
import { formatProblem } from '../server/config/problem.ts';
import type { ServerConfig } from '../server/config/server-config.ts';
import { isLoopback } from '../server/listen-address.ts';
import { logText } from '../server/log-text.ts';
import { type ReferenceServer, startServer } from '../server/reference-server.ts';
import { usageError } from './arguments.ts';
import type { CommandWorld } from './command.ts';
import { formatWarning, writeText } from './output.ts';
import { readServeFlags, rootFlag } from './serve-flags.ts';

/** What `packwire serve` does. @returns the exit code. @throws {GitError} when it cannot start */
export async function runServer(args: readonly string[], world: CommandWorld): Promise<number> {
  const sources = readSources(args, world);
  const onWarning = (text: string): void => void world.errors.write(`warning: ${text}\n`);
  const load = (): Promise<ServerConfig> =>
    loadServerConfig(sources, (problem) => onWarning(formatProblem(problem)));
  const config = await load();
  const server = await startServer(config, {
    configSources: configSources(world.environment),
    onAccess: (line) => void world.errors.write(`${line}\n`),
    onWarning: (warning) => void world.errors.write(formatWarning(warning)),
    onError: (error, name) => void world.errors.write(`${formatFailure(error, name)}\n`),
  });
  const stopReloading = reloadOnSignal(server, load, world);
  await writeText(world.output, greeting(server, config));
  for (const warning of exposures(config)) onWarning(warning);
  await stopSignal();
  stopReloading();
  await drain(server, config.drainMs, world);
  return 0;
}

function readSources(args: readonly string[], world: CommandWorld): ConfigSources {
  const { file, flags, positionals } = readServeFlags(args, world.environment);
  const [root, ...more] = positionals;
  if (more.length > 0) throw usageError('Expected one directory');
  return {
    file,
    flags: root === undefined ? flags : [...flags, rootFlag(root)],
    environment: world.environment,
    directory: world.directory,
  };
}

function greeting(server: ReferenceServer, { root, create, readOnly }: ServerConfig): string {
  const [first = ''] = server.urls;
  const url = `${first}/hello.git`;
  const lines = [
    `packwire ${AGENT.split('/')[1]} serves the repositories below ${root}`,
    ...server.urls.map((listening) => `listening on ${listening}/`),
    ...server.healthUrls.map((listening) => `health at ${listening}/-/ready`),
    ...server.hostKeys.map(({ type, fingerprint }) => `host key ${type} ${fingerprint}`),
    '',
    create && !readOnly
      ? 'A push to a new name creates the repository. Try:'
      : 'A repository below it goes by its path, so for hello.git:',
    ...(readOnly ? [] : [`    git push ${url} HEAD:main`]),
    `    git clone ${url}`,
    '',
  ];
  return `${lines.join('\n')}\n`;
}

/** What an operator has allowed, and should be reminded of. */
function exposures({ access, listen }: ServerConfig): string[] {
  if (!access.insecureAnonymous) return [];
  return [...listen.http, ...listen.https]
    .filter(({ host }) => !isLoopback(host))
    .map(
      ({ host }) =>
        `${host} can be reached from other machines, and everyone who reaches it may read and write every repository`,
    );
}

function formatFailure(error: unknown, name?: string): string {
  const reason = error instanceof Error ? error : new Error(String(error));
  const cause = reason.cause instanceof Error ? ` (${reason.cause.message})` : '';
  const where = name === undefined ? '' : `${JSON.stringify(name)}: `;
  return logText(`error: ${where}${reason.message}${cause}`);
}

/** @returns stops it */
function reloadOnSignal(
  server: ReferenceServer,
  load: () => Promise<ServerConfig>,
  { errors }: CommandWorld,
): () => void {
  const say = (text: string): void => void errors.write(`${text}\n`);
  let reloading = Promise.resolve();
  const reload = async (): Promise<void> => {
    try {
      const left = await server.reload(await load());
      say('reloaded');
      if (left.length > 0) say(`warning: a new start is needed for what changed in ${left.join(', ')}`);
    } catch (error) {
      say(`${formatFailure(error)}\nThe server goes on as before`);
    }
  };
  // One after the other: the last file counts.
  const onSignal = (): void => {
    reloading = reloading.then(reload);
  };
  process.on('SIGHUP', onSignal);
  return () => process.off('SIGHUP', onSignal);
}

/** Resolves at the first SIGTERM or SIGINT. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    const stop = (): void => {
      process.off('SIGTERM', stop).off('SIGINT', stop);
      resolve();
    };
    process.on('SIGTERM', stop).on('SIGINT', stop);
  });
}

async function drain(server: ReferenceServer, drainMs: number, world: CommandWorld): Promise<void> {
  const { runningCount } = server;
  if (runningCount > 0) {
    const requests = runningCount === 1 ? '1 request' : `${runningCount} requests`;
    world.errors.write(`stopping: waiting up to ${drainMs / 1000} s for ${requests}\n`);
  }
  // A second signal does not wait: by default it ends the process.
  const cutCount = await server.stop(drainMs);
  await writeText(world.errors, cutCount === 0 ? 'stopped\n' : `stopped; ${cutCount} cut\n`);
}
