/**
 * What a request for a path is about: which repository, and which of its services or files.
 * Spec: gitprotocol-http(5), "URL Format"; git's http-backend for the answers to wrong ones.
 *
 * @module
 */
import { type DumbFile, parseDumbPath } from './dumb-file.ts';

/** The services a URL can name, as they are spelled on the wire. */
export type ServiceName = 'git-upload-pack' | 'git-receive-pack' | 'git-upload-archive';

export type Route =
  /** `GET <name>/info/refs?service=<service>` */
  | { readonly kind: 'advertisement'; readonly name: string; readonly service: string }
  /** `POST <name>/<service>` */
  | { readonly kind: 'exchange'; readonly name: string; readonly service: string }
  /** `GET <name>/<file>`: only clients of the dumb protocol ask for it. */
  | { readonly kind: 'dumb'; readonly name: string; readonly file: DumbFile }
  /** No path of a Git repository, or one whose name cannot be one. */
  | { readonly kind: 'unknown' };

const EXCHANGE = /^(.*)\/(git-[a-z-]+)$/;
const ADVERTISEMENT = /^(.*)\/info\/refs$/;

/** Longest path looked at, in characters, still encoded. */
const MAX_PATH = 4096;

/**
 * Read a path and a query. Pure; never throws.
 *
 * Segments are decoded one by one, so an encoded slash never becomes a separator; a name with an empty, `.` or
 * `..` segment, a NUL or a backslash is `unknown`.
 */
export function parseRoute(pathname: string, query: URLSearchParams): Route {
  if (pathname.length > MAX_PATH) return { kind: 'unknown' };

  const advertisement = ADVERTISEMENT.exec(pathname);
  if (advertisement !== null) {
    const name = repositoryName(advertisement[1] as string);
    if (name === undefined) return { kind: 'unknown' };
    const service = query.get('service');
    return service === null
      ? { kind: 'dumb', name, file: { kind: 'refs' } }
      : { kind: 'advertisement', name, service };
  }

  const exchange = EXCHANGE.exec(pathname);
  if (exchange !== null) {
    const name = repositoryName(exchange[1] as string);
    return name === undefined
      ? { kind: 'unknown' }
      : { kind: 'exchange', name, service: exchange[2] as string };
  }

  const dumb = parseDumbPath(pathname);
  if (dumb === undefined) return { kind: 'unknown' };
  const name = repositoryName(dumb.before);
  return name === undefined ? { kind: 'unknown' } : { kind: 'dumb', name, file: dumb.file };
}

function repositoryName(path: string): string | undefined {
  if (!path.startsWith('/')) return undefined;
  const segments: string[] = [];
  for (const encoded of path.slice(1).split('/')) {
    const segment = decodeSegment(encoded);
    if (segment === undefined || !isPlainSegment(segment)) return undefined;
    segments.push(segment);
  }
  return segments.join('/');
}

function decodeSegment(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded);
  } catch (error) {
    if (error instanceof URIError) return undefined; // a lone percent sign, or bytes that are no UTF-8
    throw error;
  }
}

function isPlainSegment(segment: string): boolean {
  if (segment === '' || segment === '.' || segment === '..') return false;
  return !segment.includes('/') && !segment.includes('\\') && !segment.includes('\0');
}
