/**
 * `packwire serve`: the reference server.
 *
 * @module
 */
import { resolve } from 'node:path';
import { AGENT } from '../protocol/capabilities.ts';
import type { WantPolicy } from '../protocol/fetch-context.ts';
import { configSources } from '../repository/node/config/config-sources.ts';
import { formatAccess } from '../server/access-log.ts';
import { logText } from '../server/log-text.ts';
import { type ReferenceServer, startServer } from '../server/reference-server.ts';
import { readArguments, readCount, readSizeBytes, usageError } from './arguments.ts';
import type { Command, CommandWorld } from './command.ts';
import { isLoopback, parseListenAddress } from './listen-address.ts';
import { formatWarning, writeText } from './output.ts';

export const serveCommand: Command = {
  name: 'serve',
  summary: 'serve every repository below a directory over HTTP',
  usage: ['serve [<root>] [--http [<host>:]<port>]... [--create] [<options>]'],
  description: `
Serves the bare repositories below <root> (./repos by default) to git clients: 'hello.git' there is
http://<host>:<port>/hello.git. Who can reach the port may read and write everything; there are no accounts yet.

    --http [<host>:]<port>
                          where to listen: 127.0.0.1:8080 by default; may be given more than once; port 0
                          takes a free one and says which
    --git [<host>:]<port>  serve fetches and archives over git:// too, without pushes; may be given more than once
    --create              make a bare repository on the first push to a new name, and <root> itself
    --read-only           refuse pushes
    --want=<policy>       what clients may fetch by id: advertised (tips of refs), reachable (from them; the
                          default) or any; when it is given, only with any is there the dumb protocol
    --no-dumb             no dumb protocol: its clients copy every object, whether refs reach it or not
    --deny-deletes, --deny-non-fast-forwards
                          refuse pushes that delete branches, or that rewrite them
    --no-hooks            run no program of a repository: neither its hooks nor git's maintenance
    --any-owner           run hooks of repositories that belong to other users too; pushes there are refused otherwise
    --max-pack-size=<n>   refuse pushes of packs above <n> bytes (k, m and g are understood)
    --max-object-size=<n> refuse pushes with larger objects
    --no-collision-detection
                          do not look for SHA-1 collision attacks in pushes: for trusted pushers
    --idle-timeout=<n>    cut a client that neither sends nor reads for <n> seconds (120)
    --cache-bytes=<n>     what is kept in memory for later requests: refs, indexes, closures (128m)
    --keep-open=<n>       close a repository that nobody has used for <n> seconds (300)
    --drain-timeout=<n>   after SIGTERM or SIGINT, wait <n> seconds for running requests (10)
    -q, --quiet           no line for each request

Writes one line for each request to standard error: method, path, status, milliseconds, bytes sent.`,

  async run(args, world) {
    const settings = readSettings(args, world);
    const server = await startServer({
      ...settings.server,
      onAccess: settings.quiet
        ? undefined
        : (summary) => void world.errors.write(`${formatAccess(summary)}\n`),
      onWarning: (warning) => void world.errors.write(formatWarning(warning)),
      onError: (error, name) => void world.errors.write(`${formatFailure(error, name)}\n`),
    });
    await writeText(world.output, greeting(server, settings));
    for (const { host } of settings.server.listeners) {
      if (!isLoopback(host)) await writeText(world.errors, warning(host));
    }
    await stopSignal();
    await drain(server, settings.drainMs, world);
    return 0;
  },
};

type Settings = ReturnType<typeof readSettings>;

const WANT_POLICIES: readonly string[] = ['advertised', 'reachable', 'any'] satisfies WantPolicy[];

function readSettings(args: readonly string[], world: CommandWorld) {
  const { values, positionals } = readArguments(args, {
    http: { type: 'string', multiple: true, default: ['127.0.0.1:8080'] },
    git: { type: 'string', multiple: true, default: [] },
    create: { type: 'boolean', default: false },
    'read-only': { type: 'boolean', default: false },
    want: { type: 'string' },
    dumb: { type: 'boolean', default: true },
    'deny-deletes': { type: 'boolean', default: false },
    'deny-non-fast-forwards': { type: 'boolean', default: false },
    'collision-detection': { type: 'boolean', default: true },
    hooks: { type: 'boolean', default: true },
    'any-owner': { type: 'boolean', default: false },
    'max-pack-size': { type: 'string' },
    'max-object-size': { type: 'string' },
    'idle-timeout': { type: 'string' },
    'cache-bytes': { type: 'string' },
    'keep-open': { type: 'string' },
    'drain-timeout': { type: 'string', default: '10' },
    quiet: { type: 'boolean', short: 'q', default: false },
  });
  const [root = './repos', ...more] = positionals;
  if (more.length > 0) throw usageError('Expected one directory');
  const { want = 'reachable' } = values;
  if (!WANT_POLICIES.includes(want)) {
    throw usageError(`Option '--want' wants advertised, reachable or any, got '${want}'`);
  }
  const packSize = values['max-pack-size'];
  const objectSize = values['max-object-size'];
  const idle = values['idle-timeout'];
  const cache = values['cache-bytes'];
  const keepOpen = values['keep-open'];
  return {
    quiet: values.quiet,
    drainMs: readCount(values['drain-timeout'], 'drain-timeout') * 1000,
    server: {
      root: resolve(world.directory, root),
      listeners: values.http.map((address) => parseListenAddress(address)),
      gitListeners: values.git.map((address) => parseListenAddress(address, 'git')),
      create: values.create,
      readOnly: values['read-only'],
      wantPolicy: want as WantPolicy,
      dumb: values.dumb && (values.want === undefined || want === 'any'),
      collisionDetection: values['collision-detection'],
      hooks: readHooks(values.hooks, values['any-owner']),
      configSources: configSources(world.environment),
      refPolicy: {
        denyDeletes: values['deny-deletes'],
        denyNonFastForwards: values['deny-non-fast-forwards'],
      },
      cacheBytes: cache === undefined ? undefined : readSizeBytes(cache, 'cache-bytes'),
      keepOpenMs: keepOpen === undefined ? undefined : readCount(keepOpen, 'keep-open', 1) * 1000,
      limits: {
        ...(packSize === undefined ? {} : { maxPackBytes: readSizeBytes(packSize, 'max-pack-size') }),
        ...(objectSize === undefined ? {} : { maxObjectBytes: readSizeBytes(objectSize, 'max-object-size') }),
        ...(idle === undefined ? {} : { idleTimeoutMs: readCount(idle, 'idle-timeout', 1) * 1000 }),
      },
    },
  };
}

function readHooks(run: boolean, ofAnyOwner: boolean): 'own' | 'any' | 'none' {
  if (!run) return 'none';
  return ofAnyOwner ? 'any' : 'own';
}

function greeting(server: ReferenceServer, { server: { root, create, readOnly } }: Settings): string {
  const url = `${server.urls[0]}/hello.git`;
  const lines = [
    `packwire ${AGENT.split('/')[1]} serves the repositories below ${root}`,
    ...server.urls.map((listening) => `listening on ${listening}/`),
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

function warning(host: string): string {
  return `warning: ${host} can be reached from other machines, and everyone who reaches it may read and write every repository\n`;
}

function formatFailure(error: unknown, name: string): string {
  const reason = error instanceof Error ? error : new Error(String(error));
  const cause = reason.cause instanceof Error ? ` (${reason.cause.message})` : '';
  return logText(`error: ${JSON.stringify(name)}: ${reason.message}${cause}`);
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
