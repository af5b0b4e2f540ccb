/**
 * One request as a web server hands it to a CGI program: its head in environment variables, its body on standard
 * input, the answer on standard output.
 * Spec: RFC 3875; git-http-backend(1), "ENVIRONMENT".
 *
 * @module
 */
import { STATUS_CODES } from 'node:http';
import type { Readable, Writable } from 'node:stream';
import type { ByteStream } from '../../core/byte-stream.ts';
import { decodeText } from '../../core/bytes.ts';
import { GitError } from '../../core/errors.ts';
import type { HttpAnswer } from '../http/answer.ts';
import type { GitServer, RequestHead } from '../http/options.ts';
import { chunksOf, type PeerOptions, writeAll } from './byte-streams.ts';

export type CgiEnvironment = Readonly<Record<string, string | undefined>>;

/** What the environment says about one request. */
export interface CgiRequest {
  readonly environment: CgiEnvironment;
  readonly head: RequestHead;
  /** Bytes of the body; `undefined` when it ends with the input. */
  readonly bodyBytes: number | undefined;
}

export interface CgiPipes {
  readonly input: Readable;
  readonly output: Writable;
  readonly signal: AbortSignal;
  /** Told, for the web server's log, why a request is refused: as http-backend, nearly no refusal has a body. */
  readonly onRefusal: (sentence: string) => void;
}

const NO_TIMEOUT = 0; // the web server times its client

/**
 * @param path as a {@link GitServer} reads it, but not encoded; begins with a slash
 * @throws {GitError} PROTOCOL_VIOLATION when the environment describes no request
 */
export function readCgiRequest(environment: CgiEnvironment, path: string): CgiRequest {
  const { REQUEST_METHOD: method, QUERY_STRING: query } = environment;
  if (method === undefined) throw new GitError('PROTOCOL_VIOLATION', 'No REQUEST_METHOD from server');
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  const host = environment.HTTP_HOST ?? environment.SERVER_NAME ?? 'localhost';
  const base = URL.canParse(`http://${host}/`) ? host : 'localhost';
  const url = new URL(`http://${base}${encoded}${query === undefined || query === '' ? '' : `?${query}`}`);
  return {
    environment,
    head: { method, url, header: (name) => headerOf(environment, name) ?? null },
    bodyBytes: contentLength(environment),
  };
}

/**
 * Answer one request.
 *
 * @throws {GitError} ABORTED, or what the service failed with: the answer has begun then, and is not complete
 */
export async function serveCgi(server: GitServer, request: CgiRequest, pipes: CgiPipes): Promise<void> {
  const { head, environment, bodyBytes } = request;
  const peer: PeerOptions = { signal: pipes.signal, idleTimeoutMs: NO_TIMEOUT };
  const answer = await server.exchange({
    head,
    body: bodyOf(chunksOf(pipes.input, peer), bodyBytes),
    signal: pipes.signal,
    get request() {
      return asRequest(head, environment);
    },
  });
  await send(answer, request, pipes, peer);
}

function headerOf(environment: CgiEnvironment, name: string): string | undefined {
  // What the web server was told to set counts more than what the client sent.
  if (name === 'git-protocol') return environment.GIT_PROTOCOL ?? environment.HTTP_GIT_PROTOCOL;
  const variable = name.toUpperCase().replaceAll('-', '_');
  const isMeta = variable === 'CONTENT_TYPE' || variable === 'CONTENT_LENGTH';
  return environment[isMeta ? variable : `HTTP_${variable}`];
}

/** For the application's callbacks. */
function asRequest({ method, url }: RequestHead, environment: CgiEnvironment): Request {
  const headers = new Headers();
  for (const [variable, value] of Object.entries(environment)) {
    const [, name] = /^(?:HTTP_)?((?<=^HTTP_).+|CONTENT_TYPE|CONTENT_LENGTH)$/.exec(variable) ?? [];
    if (name !== undefined && value !== undefined)
      headers.set(name.toLowerCase().replaceAll('_', '-'), value);
  }
  return new Request(url, { method, headers });
}

/** @returns `undefined` when the body ends with the input. @throws {GitError} PROTOCOL_VIOLATION */
function contentLength({ CONTENT_LENGTH: text }: CgiEnvironment): number | undefined {
  if (text === undefined || text === '') return undefined;
  const length = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(length)) return length;
  throw new GitError('PROTOCOL_VIOLATION', `failed to parse CONTENT_LENGTH: ${text.slice(0, 100)}`);
}

/** The input may stay open behind the body. */
async function* bodyOf(
  chunks: ByteStream,
  lengthBytes: number | undefined,
): AsyncGenerator<Uint8Array, undefined> {
  let left = lengthBytes ?? Number.POSITIVE_INFINITY;
  if (left === 0) return;
  for await (const chunk of chunks) {
    yield chunk.length > left ? chunk.subarray(0, left) : chunk;
    left -= chunk.length;
    if (left <= 0) return;
  }
}

const UNSUPPORTED_TYPE = 415;

/** These come first, as http-backend writes them; its own tests look at the order. */
const FIRST_HEADERS = ['expires', 'pragma', 'cache-control', 'content-length', 'content-type'];

function rank(header: string): number {
  const at = FIRST_HEADERS.indexOf(header);
  return at < 0 ? FIRST_HEADERS.length : at;
}

async function send(
  answer: HttpAnswer,
  { environment, head: { method } }: CgiRequest,
  { output, onRefusal }: CgiPipes,
  peer: PeerOptions,
): Promise<void> {
  const { headers, body } = answer;
  let { status } = answer;
  if (status === 405 && environment.SERVER_PROTOCOL !== 'HTTP/1.1') status = 400;
  const isRefusal = status >= 400 && body instanceof Uint8Array;
  if (isRefusal) onRefusal(decodeText(body).trimEnd());
  const isSilent = method === 'HEAD' || (isRefusal && status !== UNSUPPORTED_TYPE);
  if (isRefusal && isSilent) headers.delete('content-type');

  const lines = [...headers]
    .sort(([a], [b]) => rank(a) - rank(b))
    .map(([name, value]) => `${capitalized(name)}: ${value}\r\n`);
  const statusLine = status === 200 ? '' : `Status: ${status} ${STATUS_CODES[status] ?? 'Unknown'}\r\n`;
  await writeAll(answerBytes(`${statusLine}${lines.join('')}\r\n`, body, isSilent), output, peer);
}

async function* answerBytes(
  head: string,
  body: HttpAnswer['body'],
  isSilent: boolean,
): AsyncGenerator<Uint8Array, undefined> {
  yield new TextEncoder().encode(head);
  if (body === undefined) return;
  if (body instanceof Uint8Array) {
    if (!isSilent) yield body;
  } else if (isSilent) {
    await body[Symbol.asyncIterator]().return?.();
  } else {
    yield* body;
  }
}

/** As git writes them: `Content-Type`. */
function capitalized(name: string): string {
  return name.replace(/(?:^|-)[a-z]/g, (letters) => letters.toUpperCase());
}
