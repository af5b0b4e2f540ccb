/**
 * A {@link GitServer} behind node:http: bodies stream both ways, a full socket holds the service back, and a client
 * that goes away ends the work it caused.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type ByteStream, streamOf } from '../../core/byte-stream.ts';
import { abortError, GitError, isGitError } from '../../core/errors.ts';
import { DEFAULT_LIMITS } from '../../core/limits.ts';
import { Pace } from '../../core/pace.ts';
import { turns } from '../../core/turns.ts';
import { type HttpAnswer, textAnswer } from '../http/answer.ts';
import type { GitServer, HttpClient } from '../http/options.ts';
import { RequestRhythm } from '../request-rhythm.ts';
import { atLeast, type BodyFloor, DEFAULT_BODY_FLOOR } from './body-floor.ts';
import { chunksOf, type PeerOptions, writeAll } from './byte-streams.ts';
import { type ProxiedClient, type Sender, Senders, type TrustedProxy } from './http-client.ts';
import { exchangeOf } from './incoming-exchange.ts';
import { DEFAULT_LINGER, type Linger, lingerOn } from './lingering.ts';

/** What became of one request, for logs. */
export interface RequestSummary {
  readonly method: string;
  /** Path and query as the client sent them. */
  readonly target: string;
  /** The very object that the exchange had. */
  readonly client: HttpClient;
  readonly status: number;
  /** Body bytes sent, without chunk framing. */
  readonly sentBytes: number;
  /** Until the answer was sent, or the connection given up. */
  readonly durationMs: number;
  /** False when the connection broke, was cut, or the work failed after its first byte. */
  readonly complete: boolean;
}

export interface NodeListenerOptions {
  /** Ends every running request, for a server that is shutting down. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds without one byte sent or taken by the client. Default: `DEFAULT_LIMITS.idleTimeoutMs`. */
  readonly idleTimeoutMs?: number | undefined;
  /** What requests must bring at the least; pushes may pause before their pack. Default `DEFAULT_BODY_FLOOR`. */
  readonly bodyFloor?: BodyFloor | undefined;
  /** What is still read of requests that were answered early. Default `DEFAULT_LINGER`. */
  readonly linger?: Linger | undefined;
  /**
   * Proxies whose word about their clients counts. When it is given, headers about clients that come from anybody
   * else are kept from the application; without it nothing is believed and nothing kept.
   */
  readonly trustedProxy?: TrustedProxy | undefined;
  /** Where a connection comes from, when that is not the socket's own peer. */
  readonly proxied?: ((socket: Socket) => ProxiedClient | undefined) | undefined;
  /** Send `100 Continue` when the body is first wanted: for listeners of the `checkContinue` event. */
  readonly sendContinue?: boolean | undefined;
  readonly onFinish?: ((summary: RequestSummary) => void) | undefined;
  /** Told of failures that are bugs; what fails on purpose goes to the onError of the {@link GitServer}. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

export type NodeListener = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * A listener for `http.createServer` or `https.createServer`. Options are read anew for each request.
 *
 * Give that server `requestTimeout: 0`: Node's own default cuts every push longer than five minutes, and silence
 * is timed here.
 */
export function nodeListener(server: GitServer, options: NodeListenerOptions = {}): NodeListener {
  const { signal } = options;
  // One listener for all requests: each adding its own would look like a leak to Node.
  const running = new Set<AbortController>();
  const senders = new Senders(options.proxied);
  signal?.addEventListener('abort', () => {
    for (const gone of running) gone.abort(signal.reason);
  });
  return (incoming, response) => {
    const gone = new AbortController();
    if (signal?.aborted) gone.abort(signal.reason);
    running.add(gone);
    const sender = senders.of(incoming, options.trustedProxy);
    // Every failure is answered, or breaks the connection, inside.
    void serveRequest(server, incoming, sender, response, gone, options).finally(() => running.delete(gone));
  };
}

async function serveRequest(
  server: GitServer,
  incoming: IncomingMessage,
  sender: Sender,
  response: ServerResponse,
  gone: AbortController,
  options: NodeListenerOptions,
): Promise<void> {
  const startedAt = performance.now();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  // Both are followed by 'close'; an 'error' nobody listens to would end the process.
  incoming.on('error', () => gone.abort());
  response.on('error', () => gone.abort());

  const { idleTimeoutMs = DEFAULT_LIMITS.idleTimeoutMs, linger = DEFAULT_LINGER } = options;
  const client: PeerOptions = { signal: gone.signal, idleTimeoutMs };
  let sentBytes = 0;
  let complete = false;
  let lingering: Promise<void> | undefined;
  let endedAt = 0;
  try {
    if (incoming.socket.writableEnded) throw afterLastAnswer();
    // A crowd is let in before the work for it begins: questions of health may stand at its end
    // (`trial:hostile --only="hanging authorizer"`).
    if (turns.isMakingWay()) await new Pace(gone.signal).rest();
    const body = requestBody(incoming, response, client, options);
    const answer = await answerTo(server, incoming, sender, body, gone.signal);
    const onWrite = (sizeBytes: number): void => {
      sentBytes += sizeBytes;
    };
    await send(answer, incoming.method === 'HEAD', response, client, onWrite);
    if (!incoming.complete) lingering = lingerOn(incoming, linger, client);
    await ended(response, client);
    complete = true;
  } catch (error) {
    // Once the head is sent, what fails is the answer's body, and the GitServer has reported it.
    if (!(error instanceof GitError) && !response.headersSent) options.onError?.(error);
    if (gone.signal.aborted || isGitError(error, 'ABORTED') || !response.headersSent) response.destroy();
    else lingering = cut(incoming, response, linger, client);
  } finally {
    endedAt = performance.now();
  }
  await lingering;
  options.onFinish?.({
    method: incoming.method ?? '',
    target: incoming.url ?? '',
    client: sender.client,
    status: response.headersSent ? response.statusCode : 0,
    sentBytes,
    durationMs: endedAt - startedAt,
    complete,
  });
}

/** What is sent behind a request whose answer said that the connection ends is not for us: RFC 9112, section 9.6. */
function afterLastAnswer(): GitError {
  return new GitError(
    'ABORTED',
    'Stopped: the client sent a request after the last answer of its connection',
  );
}

/**
 * Break the connection: how a client learns that a body is not complete. What was written before (a last message
 * of the service) still goes out.
 */
async function cut(
  incoming: IncomingMessage,
  response: ServerResponse,
  linger: Linger,
  client: PeerOptions,
): Promise<void> {
  const { socket } = response;
  if (socket === null) {
    response.destroy();
    return;
  }
  const timer = setTimeout(() => response.destroy(), linger.totalMs);
  response.once('close', () => clearTimeout(timer));
  const lingering = incoming.complete ? undefined : lingerOn(incoming, linger, client);
  socket.destroySoon();
  await lingering;
}

async function* requestBody(
  incoming: IncomingMessage,
  response: ServerResponse,
  client: PeerOptions,
  { sendContinue = false, bodyFloor = DEFAULT_BODY_FLOOR }: NodeListenerOptions,
): AsyncGenerator<Uint8Array, undefined> {
  if (sendContinue) response.writeContinue();
  const chunks = chunksOf(incoming, client);
  const isPush = PUSH.test(incoming.url ?? '');
  yield* atLeast(chunks, bodyFloor, isPush ? new RequestRhythm() : undefined);
}

const PUSH = /^[^?]*\/git-receive-pack(?:\?|$)/;

async function answerTo(
  server: GitServer,
  incoming: IncomingMessage,
  sender: Sender,
  body: ByteStream,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const exchange = exchangeOf(incoming, sender, body, signal);
  if (exchange === undefined) return textAnswer(400, 'Cannot read the request: its target is malformed');
  return server.exchange(exchange);
}

async function send(
  answer: HttpAnswer,
  headOnly: boolean,
  response: ServerResponse,
  client: PeerOptions,
  onWrite: (sizeBytes: number) => void,
): Promise<void> {
  const { status, headers, body } = answer;
  for (const [name, value] of headers) response.setHeader(name, value);
  if (client.signal?.aborted || response.destroyed) {
    if (isStream(body)) await body[Symbol.asyncIterator]().return?.();
    throw abortError(client.signal as AbortSignal);
  }
  if (body instanceof Uint8Array) response.setHeader('content-length', body.length);
  response.writeHead(status);
  if (isStream(body) && headOnly) await body[Symbol.asyncIterator]().return?.();
  else if (body !== undefined && !headOnly) {
    await writeAll(isStream(body) ? body : streamOf(body), response, client, onWrite);
  }
}

function isStream(body: HttpAnswer['body']): body is ByteStream {
  return body !== undefined && !(body instanceof Uint8Array);
}

/** End the response and wait until its last byte was handed to the system. */
function ended(response: ServerResponse, { signal }: PeerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      signal?.removeEventListener('abort', settle);
      if (signal?.aborted) reject(abortError(signal));
      else resolve();
    };
    // A response that waits behind another on its connection is told neither of its end nor of that one's.
    signal?.addEventListener('abort', settle);
    response.once('close', settle);
    response.end(settle);
  });
}
