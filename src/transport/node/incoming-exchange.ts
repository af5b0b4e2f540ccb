/**
 * A request of node:http as an {@link HttpExchange}.
 *
 * @module
 */
import type { IncomingMessage } from 'node:http';
import type { ByteStream } from '../../core/byte-stream.ts';
import type { HttpExchange } from '../http/options.ts';
import type { Sender } from './http-client.ts';

/** @returns `undefined` when its target cannot be that of a web request */
export function exchangeOf(
  incoming: IncomingMessage,
  { client, unbelieved }: Sender,
  body: ByteStream,
  signal: AbortSignal,
): HttpExchange | undefined {
  const url = urlOf(incoming);
  if (url === undefined) return undefined;
  const isBelieved = (name: string): boolean => unbelieved.length === 0 || !unbelieved.includes(name);
  let request: Request | undefined;
  return {
    get request() {
      return (request ??= toRequest(incoming, url, isBelieved));
    },
    head: {
      method: incoming.method ?? 'GET',
      url,
      // A list only for set-cookie.
      header: (name) => (isBelieved(name) ? ((incoming.headers[name] as string | undefined) ?? null) : null),
    },
    body,
    signal,
    client,
  };
}

/** What would make a part of the path, or swallow it, of what should only be a host: the log would show another request. */
const NOT_IN_HOST = /[/\\?#@]/;

function urlOf(incoming: IncomingMessage): URL | undefined {
  const target = incoming.url ?? '';
  if (NOT_IN_HOST.test(incoming.headers.host ?? '')) return undefined;
  const scheme = 'encrypted' in incoming.socket ? 'https' : 'http';
  // Not `new URL(target, base)`: a target that begins with two slashes would name a host.
  const url = target.startsWith('/')
    ? `${scheme}://${incoming.headers.host ?? 'localhost'}${target}`
    : target;
  try {
    const parsed = new URL(url);
    return parsed.username === '' && parsed.password === '' ? parsed : undefined;
  } catch (error) {
    if (error instanceof TypeError) return undefined; // how URL says what it does not take
    throw error;
  }
}

function toRequest(incoming: IncomingMessage, url: URL, isBelieved: (name: string) => boolean): Request {
  const headers = new Headers();
  for (let i = 0; i + 1 < incoming.rawHeaders.length; i += 2) {
    const name = incoming.rawHeaders[i] as string;
    if (isBelieved(name.toLowerCase())) headers.append(name, incoming.rawHeaders[i + 1] as string);
  }
  return new Request(url, { method: incoming.method ?? 'GET', headers });
}
