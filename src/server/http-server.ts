/**
 * One HTTP listener of the reference server: opens a port, serves, and drains when it is told to stop.
 *
 * @module
 */
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server as PlainServer,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer, Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { GitError } from '../core/errors.ts';
import { textAnswer } from '../transport/http/answer.ts';
import type { GitServer } from '../transport/http/options.ts';
import type { BodyFloor } from '../transport/node/body-floor.ts';
import type { TrustedProxy } from '../transport/node/http-client.ts';
import { nodeListener, type RequestSummary } from '../transport/node/http-listener.ts';
import { ConnectionGate } from './doors/connection-gate.ts';
import { answerHealth, type HealthState } from './doors/health.ts';
import {
  DEFAULT_HTTP_DOOR_LIMITS,
  type HttpDoorLimits,
  type HttpDoorSettings,
  lingerOf,
} from './doors/http-door-settings.ts';
import { listenError } from './doors/listen-error.ts';
import { secureContextOptions, type TlsSettings } from './doors/tls-settings.ts';

export interface HttpServerOptions extends HttpDoorSettings {
  /** Name or address, without brackets. */
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** For `/-/live` and `/-/ready`, which without it are nothing special. */
  readonly health?: HealthState | undefined;
  /** Told of each request but questions about health. */
  readonly onFinish?: ((summary: RequestSummary) => void) | undefined;
  readonly onError?: ((error: unknown) => void) | undefined;
}

export interface RunningHttpServer {
  /** As clients write it, without a slash at the end: `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly port: number;
  /** Requests being served now. */
  readonly runningCount: number;
  /** Connections open now, whether they ask for something or not. */
  readonly connectionCount: number;
  /**
   * Go by these settings from now on, all of them: what is absent has its default. Connections stay open, requests
   * go on; a certificate counts for connections that are made from now on.
   *
   * @throws {GitError} INVALID_ARGUMENT when they cannot be used: everything stays as it was
   */
  reload(settings: HttpDoorSettings): void;
  /** @throws {GitError} INVALID_ARGUMENT when {@link reload} would */
  checkReload(settings: HttpDoorSettings): void;
  /**
   * Take no new connection or request, and let those that run finish for at most `deadlineMs` milliseconds; then
   * cut them. May be called again with a nearer deadline.
   *
   * @returns how many requests were cut, once every connection is closed
   */
  drain(deadlineMs: number): Promise<number>;
}

/** How often heads are looked at whether they are late. */
const HEAD_CHECK_MS = 1_000;
/** For cut work to release what it holds before its connection is broken under it. */
const RELEASE_MS = 2_000;
/** For requests that were under way when the last one ended: they are told to come back later. */
const LATE_REQUEST_MS = 100;

/** @throws {GitError} INVALID_ARGUMENT when the port is in use, the address cannot be listened on, or TLS not be spoken */
export async function listenHttp(git: GitServer, options: HttpServerOptions): Promise<RunningHttpServer> {
  const running = new HttpServer(git, options);
  await running.listen(options);
  return running;
}

const NOBODY: TrustedProxy = { isTrusted: () => false };

class HttpServer implements RunningHttpServer {
  readonly #server: PlainServer;
  readonly #gate: ConnectionGate;
  readonly #stop = new AbortController();
  readonly #host: string;
  #tls: TlsSettings | undefined;
  #limits: HttpDoorLimits = DEFAULT_HTTP_DOOR_LIMITS;
  #idleTimeoutMs: number | undefined;
  #bodyFloor: BodyFloor | undefined;
  #trustedProxy = NOBODY;
  #proxyProtocol = false;
  #runningCount = 0;
  #draining = false;
  #port = 0;
  #closed: Promise<void> | undefined;
  /** Called when the last running request has ended. */
  #whenQuiet: (() => void) | undefined;

  constructor(git: GitServer, options: HttpServerOptions) {
    this.#host = options.host;
    this.#tls = options.tls;
    this.#server = openServer(options);
    this.#gate = new ConnectionGate(this.#server, () => ({
      ...this.#limits,
      proxyHeaderTimeoutMs: this.#limits.headTimeoutMs,
      proxyProtocol: this.#proxyProtocol,
      isTrusted: (address) => this.#trustedProxy.isTrusted(address),
    }));
    this.#apply(options);
    this.#serve(git, options);
  }

  #serve(git: GitServer, { health, onFinish, onError }: HttpServerOptions): void {
    const counted: GitServer = {
      handle: (request) => git.handle(request),
      exchange: async (exchange) =>
        this.#draining
          ? textAnswer(503, 'The server is shutting down', { 'retry-after': '10', connection: 'close' })
          : git.exchange(exchange),
    };
    const [idleTimeoutMs, bodyFloor] = [() => this.#idleTimeoutMs, () => this.#bodyFloor];
    const [linger, trustedProxy] = [() => lingerOf(this.#limits), () => this.#trustedProxy];
    const listenerOf = (sendContinue: boolean) => {
      const listener = nodeListener(counted, {
        signal: this.#stop.signal,
        get idleTimeoutMs() {
          return idleTimeoutMs();
        },
        get bodyFloor() {
          return bodyFloor();
        },
        get linger() {
          return linger();
        },
        get trustedProxy() {
          return trustedProxy();
        },
        proxied: (socket) => this.#gate.clientOf(socket),
        sendContinue,
        onError,
        onFinish: (summary) => {
          this.#runningCount--;
          onFinish?.(summary);
          if (this.#runningCount === 0) this.#whenQuiet?.();
        },
      });
      return (request: IncomingMessage, response: ServerResponse): void => {
        if (health !== undefined && answerHealth(request, response, health)) return;
        this.#runningCount++;
        listener(request, response);
      };
    };
    this.#server.on('request', listenerOf(false));
    this.#server.on('checkContinue', listenerOf(true));
  }

  checkReload({ tls }: HttpDoorSettings): void {
    if ((tls === undefined) !== (this.#tls === undefined)) {
      throw new GitError('INVALID_ARGUMENT', `Cannot change ${this.url}: one scheme cannot become another`);
    }
    if (tls === undefined) return;
    if (tls.clientAuthorities !== undefined && this.#tls?.clientAuthorities === undefined) {
      const why = 'authorities for clients are taken up when the server starts';
      throw new GitError('INVALID_ARGUMENT', `Cannot change ${this.url}: ${why}`);
    }
    secureContextOptions(tls);
  }

  reload(settings: HttpDoorSettings): void {
    this.checkReload(settings);
    const { tls } = settings;
    if (tls !== undefined && this.#server instanceof TlsServer) {
      this.#server.setSecureContext(secureContextOptions(tls));
      // That clients are asked for certificates stays; without authorities none of them counts.
      this.#tls = { ...tls, clientAuthorities: tls.clientAuthorities ?? this.#tls?.clientAuthorities };
    }
    this.#apply(settings);
  }

  #apply(settings: HttpDoorSettings): void {
    const { limits, idleTimeoutMs, bodyFloor, trustedProxy = NOBODY, proxyProtocol = false } = settings;
    this.#limits = { ...DEFAULT_HTTP_DOOR_LIMITS, ...limits };
    this.#idleTimeoutMs = idleTimeoutMs;
    this.#bodyFloor = bodyFloor;
    this.#trustedProxy = trustedProxy;
    this.#proxyProtocol = proxyProtocol;
    const server: PlainServer & { maxHeaderSize?: number } = this.#server;
    server.headersTimeout = this.#limits.headTimeoutMs;
    server.keepAliveTimeout = this.#limits.keepAliveMs;
    server.maxRequestsPerSocket = this.#limits.maxRequestsPerConnection;
    server.maxHeaderSize = this.#limits.maxHeadBytes;
  }

  get connectionCount(): number {
    return this.#gate.connectionCount;
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    const scheme = this.#tls === undefined ? 'http' : 'https';
    return `${scheme}://${this.#host.includes(':') ? `[${this.#host}]` : this.#host}:${this.port}`;
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
    this.#gate.closeAll(); // those in a handshake are none of Node's
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

function openServer({ tls, limits }: HttpDoorSettings): PlainServer {
  const { handshakeTimeoutMs, headTimeoutMs } = { ...DEFAULT_HTTP_DOOR_LIMITS, ...limits };
  const shared = {
    requestTimeout: 0, // Node's default of 300 s would cut long pushes; silence is timed by the listener
    connectionsCheckingInterval: Math.min(HEAD_CHECK_MS, headTimeoutMs),
  };
  const server =
    tls === undefined
      ? createHttpServer(shared)
      : createHttpsServer({
          ...shared,
          ...secureContextOptions(tls),
          ALPNProtocols: ['http/1.1'],
          handshakeTimeout: handshakeTimeoutMs,
          requestCert: tls.clientAuthorities !== undefined,
          rejectUnauthorized: false, // a certificate may be missing; one that is not sound counts as none
        });
  server.maxHeadersCount = 0; // beyond it headers vanish, such as those a proxy added; bytes are limited
  return server;
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
