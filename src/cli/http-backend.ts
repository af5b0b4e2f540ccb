/**
 * `packwire http-backend`: git-http-backend(1).
 *
 * @module
 */
import { join, posix, resolve } from 'node:path';
import { GitError, isGitError } from '../core/errors.ts';
import type { Limits } from '../core/limits.ts';
import { createThreadTaskPool } from '../pack/node/thread-task-pool.ts';
import type { TaskPool } from '../pack/task-pool.ts';
import type { Identity } from '../refs/ref-database.ts';
import { GitConfig } from '../repository/git-config.ts';
import { inNamespace } from '../repository/namespace.ts';
import { configSources } from '../repository/node/config/config-sources.ts';
import { openRepository } from '../repository/node/files-repository.ts';
import { kindOf } from '../repository/node/git-directory.ts';
import type { Repository } from '../repository/repository.ts';
import { createGitServer } from '../transport/http/git-server.ts';
import { type CgiEnvironment, type CgiRequest, readCgiRequest, serveCgi } from '../transport/node/cgi.ts';
import { readArguments, usageError } from './arguments.ts';
import type { Command, CommandWorld } from './command.ts';
import { enterRepository } from './find-repository.ts';
import { writeText } from './output.ts';
import { failureSentence, untilSignal } from './service-command.ts';

export const httpBackendCommand: Command = {
  name: 'http-backend',
  summary: 'answer one HTTP request, as a CGI program of a web server',
  usage: ['http-backend'],
  description: `
Takes the environment of git-http-backend, so that a web server can be told to run it instead: for Apache, with
a script 'git-http-backend' that says 'exec packwire http-backend',

    SetEnv GIT_PROJECT_ROOT /srv/git
    SetEnv GIT_HTTP_EXPORT_ALL
    ScriptAlias /git/ /usr/local/bin/git-http-backend/

    GIT_PROJECT_ROOT      the repositories; PATH_INFO is looked for below it. PATH_TRANSLATED counts without it
    GIT_HTTP_EXPORT_ALL   serve repositories without a file git-daemon-export-ok, too
    GIT_HTTP_MAX_REQUEST_BUFFER
                          the largest fetch request, in bytes (10m); http.maxRequestBuffer may allow less
    REMOTE_USER           who pushes: unless http.receivePack is set, only those the web server knows may
    GIT_COMMITTER_NAME, GIT_COMMITTER_EMAIL
                          who is named in reflogs, instead of REMOTE_USER and REMOTE_ADDR

http.uploadPack, http.receivePack and http.getAnyFile of the repository say what it offers. Why a request was
refused is written to standard error. 'packwire serve' needs no web server, and is faster.`,

  async run(args, world) {
    const { positionals } = readArguments(args, {});
    if (positionals.length > 0) throw usageError('Expected no arguments');
    let request: PreparedRequest;
    try {
      request = prepare(world);
    } catch (error) {
      if (!isGitError(error)) throw error;
      await writeText(world.errors, `fatal: ${error.message}\n`);
      await writeText(world.output, SERVER_ERROR);
      return 0; // as http-backend: it has said so
    }
    try {
      await untilSignal((stopped) => serve(request, world, stopped));
      return 0;
    } catch (error) {
      await writeText(world.errors, `fatal: ${failureSentence(error)}\n`);
      return 1; // all that tells the web server that its answer is cut
    }
  },
};

const SERVER_ERROR =
  'Status: 500 Internal Server Error\r\nExpires: Fri, 01 Jan 1980 00:00:00 GMT\r\nPragma: no-cache\r\n' +
  'Cache-Control: no-cache, max-age=0, must-revalidate\r\n\r\n';

interface PreparedRequest extends CgiRequest {
  /** The directory that names of repositories start from. */
  readonly root: string;
  readonly limits: Partial<Limits>;
}

/** @throws {GitError} for an environment that http-backend does not take either */
function prepare({ environment, directory }: CommandWorld): PreparedRequest {
  const { root, path } = locate(environment, directory);
  return { ...readCgiRequest(environment, path), root, limits: limitsOf(environment) };
}

/** Where repositories are looked for, and the path of the request below that. */
function locate(
  environment: CgiEnvironment,
  directory: string,
): { readonly root: string; readonly path: string } {
  const { GIT_PROJECT_ROOT: root, PATH_INFO: info, PATH_TRANSLATED: translated } = environment;
  if (root !== undefined && root !== '') {
    if (info === undefined || info === '') {
      throw new GitError('INVALID_ARGUMENT', 'GIT_PROJECT_ROOT is set but PATH_INFO is not');
    }
    if (isAliased(info)) throw new GitError('INVALID_ARGUMENT', `'${info}': aliased`);
    return { root: resolve(directory, root), path: info };
  }
  if (translated === undefined || translated === '') {
    throw new GitError('INVALID_ARGUMENT', 'No GIT_PROJECT_ROOT or PATH_TRANSLATED from server');
  }
  return { root: '/', path: resolve(directory, translated) };
}

/** Another spelling of a path: not below the root, or with segments that lead nowhere or back. */
function isAliased(path: string): boolean {
  return !path.startsWith('/') || path !== posix.normalize(path);
}

/** The value has git's units: it is read as one of the configuration. */
function limitsOf({ GIT_HTTP_MAX_REQUEST_BUFFER: value }: CgiEnvironment): Partial<Limits> {
  if (value === undefined) return {};
  const name = 'git.http_max_request_buffer';
  const maxFetchRequestBytes = new GitConfig([{ name, value }]).getInteger(name);
  return maxFetchRequestBytes === undefined ? {} : { maxFetchRequestBytes };
}

async function serve(
  request: PreparedRequest,
  { environment, input, output, errors }: CommandWorld,
  stopped: AbortSignal,
): Promise<void> {
  const tasks = createThreadTaskPool(); // starts threads only when a push is large
  const user = environment.REMOTE_USER;
  const server = createGitServer({
    defaults: 'git',
    repositories: (name) => exportedRepository(join(request.root, name), environment, tasks),
    authorize: async () => ({ allow: true, principal: user === '' ? undefined : user }),
    limits: request.limits,
    push: { identity: identityOf(environment), onMessage: (text) => void errors.write(text) },
    onError: (error) => void errors.write(`fatal: ${failureSentence(error)}\n`),
  });
  const gone = new AbortController();
  output.on('error', (error) => gone.abort(error));
  try {
    await serveCgi(server, request, {
      input,
      output,
      signal: AbortSignal.any([gone.signal, stopped]),
      onRefusal: (sentence) => void errors.write(`${sentence}\n`),
    });
  } finally {
    input.destroy(); // what the client still sends is for nobody
    await tasks.close();
  }
}

/** @returns `undefined` where nothing is, or nothing that may be served */
async function exportedRepository(
  path: string,
  environment: CgiEnvironment,
  tasks: TaskPool,
): Promise<Repository | undefined> {
  let gitDirectory: string;
  try {
    gitDirectory = await enterRepository(path, '/', false);
  } catch (error) {
    if (isGitError(error, 'REPOSITORY_NOT_FOUND')) return undefined;
    throw error;
  }
  const isExported =
    environment.GIT_HTTP_EXPORT_ALL !== undefined ||
    (await kindOf(join(gitDirectory, 'git-daemon-export-ok'))) !== 'absent';
  if (!isExported) return undefined;
  const repository = await openRepository(gitDirectory, {
    tasks,
    hooks: 'own',
    maintenance: true,
    configSources: configSources(environment),
  });
  const { GIT_NAMESPACE: namespace = '' } = environment;
  return namespace === '' ? repository : inNamespace(repository, namespace);
}

/** Who is named in reflogs, and to hooks. */
function identityOf(environment: CgiEnvironment): Identity {
  const user = environment.REMOTE_USER || 'anonymous';
  const host = environment.REMOTE_ADDR || '(none)';
  const now = new Date();
  return {
    name: environment.GIT_COMMITTER_NAME ?? user,
    email: environment.GIT_COMMITTER_EMAIL ?? `${user}@http.${host}`,
    timeSeconds: Math.floor(now.getTime() / 1000),
    zoneMinutes: -now.getTimezoneOffset(),
  };
}
