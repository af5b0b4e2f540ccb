/**
 * One HTTP listener of the reference server: opens a port, serves, and drains when it is told to stop.
 *
 * @module
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GitError } from '../core/errors.ts';
import { textAnswer } from '../transport/http/answer.ts';
import type { GitServer } from '../transport/http/options.ts';
import { nodeListener, type RequestSummary } from '../transport/node/http-listener.ts';

export interface HttpServerOptions {
  /** Name or address, without brackets. */
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Milliseconds without one byte sent or taken by a client. */
  readonly idleTimeoutMs?: number | undefined;
  readonly onFinish?: ((summary: RequestSummary) => void) | undefined;
  readonly onError?: ((error: unknown) => void) | undefined;
}

export interface RunningHttpServer {
  /** As clients write it, without a slash at the end: `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly port: number;
  /** Requests being served now. */
  readonly runningCount: number;
  /**
   * Take no new connection or request, and let those that run finish for at most `deadlineMs` milliseconds; then
   * cut them. May be called again with a nearer deadline.
   *
   * @returns how many requests were cut, once every connection is closed
   */
  drain(deadlineMs: number): Promise<number>;
}

/** Time to read the head of a request: 60 s, Node's own default. Bodies may take as long as bytes keep coming. */
const HEADERS_TIMEOUT_MS = 60_000;
/** git makes its requests one right after the other; this also spares scripts a connection each. */
const KEEP_ALIVE_MS = 15_000;
/** For cut work to release what it holds before its connection is broken under it. */
const RELEASE_MS = 2_000;
/** For requests that were under way when the last one ended: they are told to come back later. */
const LATE_REQUEST_MS = 100;

/** @throws {GitError} INVALID_ARGUMENT when the port is in use, or the address cannot be listened on */
export async function listenHttp(git: GitServer, options: HttpServerOptions): Promise<RunningHttpServer> {
  const running = new HttpServer(git, options);
  await running.listen(options);
  return running;
}

class HttpServer implements RunningHttpServer {
  readonly #server: Server;
  readonly #stop = new AbortController();
  readonly #host: string;
  #runningCount = 0;
  #draining = false;
  #port = 0;
  #closed: Promise<void> | undefined;
  /** Called when the last running request has ended. */
  #whenQuiet: (() => void) | undefined;

  constructor(git: GitServer, { host, idleTimeoutMs, onFinish, onError }: HttpServerOptions) {
    this.#host = host;
    const listenerOptions = {
      signal: this.#stop.signal,
      idleTimeoutMs,
      onError,
      onFinish: (summary: RequestSummary) => {
        this.#runningCount--;
        onFinish?.(summary);
        if (this.#runningCount === 0) this.#whenQuiet?.();
      },
    };
    const counted: GitServer = {
      handle: (request) => git.handle(request),
      exchange: async (exchange) =>
        this.#draining
          ? textAnswer(503, 'The server is shutting down', { 'retry-after': '10', connection: 'close' })
          : git.exchange(exchange),
    };
    const listener = nodeListener(counted, listenerOptions);
    const continueListener = nodeListener(counted, { ...listenerOptions, sendContinue: true });
    this.#server = createServer({
      requestTimeout: 0, // Node's default of 300 s would cut long pushes; silence is timed by the listener
      headersTimeout: HEADERS_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
    });
    this.#server.on('request', (request, response) => {
      this.#runningCount++;
      listener(request, response);
    });
    this.#server.on('checkContinue', (request, response) => {
      this.#runningCount++;
      continueListener(request, response);
    });
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `http://${this.#host.includes(':') ? `[${this.#host}]` : this.#host}:${this.port}`;
  }

  get runningCount(): number {
    return this.#runningCount;
  }

  listen({ host, port }: HttpServerOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error) => reject(listenError(error, host, port)));
      this.#server.listen(port, host, () => {
        this.#port = (this.#server.address() as AddressInfo).port;
        resolve();
      });
    });
  }

  async drain(deadlineMs: number): Promise<number> {
    this.#draining = true;
    this.#closed ??= new Promise((resolve) => this.#server.close(() => resolve()));
    await settledWithin(this.#quiet(), deadlineMs);
    const cutCount = this.#runningCount;
    this.#stop.abort(new GitError('ABORTED', 'Stopped: the server is shutting down'));
    await settledWithin(this.#quiet(), RELEASE_MS);
    this.#server.closeIdleConnections();
    await settledWithin(this.#closed, LATE_REQUEST_MS);
    // What is left never sent a request, which Node does not count as idle, or does not read its answer.
    this.#server.closeAllConnections();
    await this.#closed;
    return cutCount;
  }

  #quiet(): Promise<void> {
    if (this.#runningCount === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#whenQuiet = resolve;
    });
  }
}

async function settledWithin(promise: Promise<void>, ms: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  await Promise.race([
    promise,
    new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    }),
  ]);
  clearTimeout(timer);
}

const LISTEN_PROBLEMS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use',
  EACCES: 'the system does not allow it (ports below 1024 need privileges)',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'there is no such host',
};

function listenError(error: NodeJS.ErrnoException, host: string, port: number): GitError {
  const problem = LISTEN_PROBLEMS[error.code ?? ''] ?? error.message;
  return new GitError(
    'INVALID_ARGUMENT',
    `Cannot listen on ${host}:${port}: ${problem}`,
    { host, port },
    error,
  );
}
