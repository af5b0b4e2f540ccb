/**
 * From what a git:// client asks for to a repository directory, as git-daemon(1) does it.
 *
 * @module
 */
import { lookup } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isGitError } from '../core/errors.ts';
import type { DaemonRequest } from '../transport/git-daemon/request-line.ts';
import { enterRepository } from './find-repository.ts';

export interface DaemonPaths {
  readonly basePath?: string | undefined;
  /** Try a path without the base path where it leads nowhere with it. */
  readonly basePathRelaxed: boolean;
  readonly interpolatedPath?: string | undefined;
  /** Below home directories; empty for these themselves. `undefined`: `~user` is not allowed. */
  readonly userPath?: string | undefined;
  readonly strictPaths: boolean;
  /** What may be served; anything where there are none and paths are not strict. */
  readonly directories: readonly string[];
}

export interface DaemonPath {
  /** The git directory. */
  readonly directory: string;
  /** As it was found: what the access hook is given. */
  readonly path: string;
}

/** Tried in this order, as git's enter_repo() does. */
const SUFFIXES = ['/.git', '', '.git/.git', '.git'];

/**
 * @param log told why there is none
 * @returns `undefined` when the request leads to nothing that may be served
 */
export async function findDaemonPath(
  request: DaemonRequest,
  paths: DaemonPaths,
  log: (message: string) => void,
): Promise<DaemonPath | undefined> {
  const { path: asked } = request;
  if (isAliased(asked)) return refuse(log, `'${asked}': aliased`);
  const expanded = await expand(request, paths, log);
  if (expanded === undefined) return undefined;
  let found = await enter(expanded, paths.strictPaths);
  if (found === undefined && paths.basePath !== undefined && paths.basePathRelaxed) {
    found = await enter(asked, paths.strictPaths);
  }
  if (found === undefined) return refuse(log, `'${expanded}' does not appear to be a git repository`);
  return isListed(found.path, paths) ? found : refuse(log, `'${found.path}': not in directory list`);
}

/** No root, or a segment that is empty, `.` or `..`: two names for one directory. An ending slash is none. */
function isAliased(path: string): boolean {
  if (!path.startsWith('/') && !path.startsWith('~')) return true;
  const segments = path.slice(1).split('/');
  return segments.some((segment, i) => {
    const isLast = i === segments.length - 1;
    return segment === '.' || segment === '..' || (segment === '' && !isLast);
  });
}

async function expand(
  request: DaemonRequest,
  { userPath, interpolatedPath, basePath }: DaemonPaths,
  log: (message: string) => void,
): Promise<string | undefined> {
  const { path } = request;
  if (path.startsWith('~')) {
    if (userPath === undefined) return refuse(log, `'${path}': User-path not allowed`);
    const [, user = '', rest = ''] = /^~([^/]*)(.*)$/s.exec(path) ?? [];
    const home = await homeOf(user);
    return home === undefined ? refuse(log, `'${path}': no such user`) : join(home, userPath) + rest;
  }
  if (interpolatedPath !== undefined && request.hostArgument !== undefined) {
    const interpolated = await interpolate(interpolatedPath, request);
    log(`Interpolated dir '${interpolated}'`);
    return interpolated;
  }
  return basePath === undefined ? path : basePath + path;
}

/** `%H` host, `%CH` its canonical name, `%IP` its address, `%P` port, `%D` the path. */
async function interpolate(format: string, request: DaemonRequest): Promise<string> {
  const { host = '', port = '', path } = request;
  const address = /%(?:IP|CH)/.test(format) && host !== '' ? await addressOf(host) : '';
  const values: Readonly<Record<string, string>> = {
    '%%': '%',
    '%H': host,
    '%CH': address === '' ? '' : host,
    '%IP': address,
    '%P': port,
    '%D': path,
  };
  return format.replace(/%(?:%|H|CH|IP|P|D)/g, (name) => values[name] as string);
}

/** Empty when the name is not known. */
export async function addressOf(host: string): Promise<string> {
  try {
    return (await lookup(host)).address;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return '';
    throw error;
  }
}

async function homeOf(user: string): Promise<string | undefined> {
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n');
  const fields = lines.map((line) => line.split(':')).find(([name]) => name === user && user !== '');
  return fields?.[5];
}

async function enter(path: string, isStrict: boolean): Promise<DaemonPath | undefined> {
  const trimmed = isStrict || path.length < 2 ? path : path.replace(/\/+$/, '');
  for (const suffix of isStrict ? [''] : SUFFIXES) {
    const candidate = trimmed + suffix;
    try {
      return { directory: await enterRepository(candidate, '/', true), path: candidate };
    } catch (error) {
      if (!isGitError(error, 'REPOSITORY_NOT_FOUND')) throw error;
    }
  }
  return undefined;
}

function isListed(path: string, { directories, strictPaths }: DaemonPaths): boolean {
  if (directories.length === 0) return !strictPaths;
  return directories.some((listed) => path === listed || (!strictPaths && path.startsWith(`${listed}/`)));
}

function refuse(log: (message: string) => void, message: string): undefined {
  log(message);
  return undefined;
}
