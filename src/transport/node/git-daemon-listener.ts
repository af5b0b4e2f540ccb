/**
 * git:// over node:net: as many connections as are allowed, each cut when it stays silent, each held back by its own
 * socket.
 * Spec: git-daemon(1).
 *
 * @module
 */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { ByteStream } from '../../core/byte-stream.ts';
import { GitError } from '../../core/errors.ts';
import { DEFAULT_LIMITS } from '../../core/limits.ts';
import { turns } from '../../core/turns.ts';
import type { DaemonService } from '../git-daemon/request-line.ts';
import { RequestRhythm } from '../request-rhythm.ts';
import type { BodyFloor } from './body-floor.ts';
import { discardRest, end, writeAll } from './byte-streams.ts';
import { requestsOf } from './client-requests.ts';

/** One connection, for logs. */
interface DaemonConnection {
  readonly address: string;
  readonly port: number;
}

export interface DaemonListenerOptions {
  /** Name or address, without brackets; every address of this machine when absent. */
  readonly host?: string | undefined;
  /** 0 takes any free port. */
  readonly port: number;
  /** What a connection says; see serveDaemonConnection. */
  readonly serve: (
    input: ByteStream,
    context: {
      readonly connection: DaemonConnection;
      readonly signal: AbortSignal;
      readonly onRequest: (service: DaemonService) => void;
    },
  ) => ByteStream;
  /** Milliseconds until the request must have come. 0 waits for ever. */
  readonly requestTimeoutMs: number;
  /** Milliseconds without one byte sent or taken by the client. 0 waits for ever. Asked for at each connection, as the next two. */
  readonly idleTimeoutMs: number;
  /** As `idleTimeoutMs`, of a push before its pack. Default that of `DEFAULT_LIMITS`. */
  readonly pushPauseMs?: number | undefined;
  /** What clients must send at the least. Default `DEFAULT_BODY_FLOOR`. */
  readonly floor?: BodyFloor | undefined;
  /** Connections served at a time; beyond it the newest of a client that has several makes room. 0 sets no limit. */
  readonly maxConnections: number;
  readonly onConnect?: ((connection: DaemonConnection) => void) | undefined;
  /** Told once of each connection: with what ended it, when that was no proper end. */
  readonly onDisconnect?: ((connection: DaemonConnection, error: unknown) => void) | undefined;
  /** A connection was closed because there are too many. */
  readonly onDrop?: (() => void) | undefined;
}

export interface DaemonListener {
  /** As clients write it, without a slash at the end: `git://127.0.0.1:9418`. */
  readonly url: string;
  readonly port: number;
  /** Connections being served now. */
  readonly runningCount: number;
  /** Take nothing new, let what runs finish within `deadlineMs`, cut the rest. @returns how many were cut */
  drain(deadlineMs: number): Promise<number>;
}

/** For what a client still sends after its answer: a connection closed on it might lose that. */
const LINGER_MS = 5_000;
/** For a client that did not keep to the rules to read why. */
const FAREWELL_MS = 1_000;
/** The packet that names service and repository. */
const OPENING_PACKETS = 1;
/** For cut work to release what it holds. */
const RELEASE_MS = 2_000;

/** @throws {GitError} INVALID_ARGUMENT when the port is in use, or the address cannot be listened on */
export async function listenGitDaemon(options: DaemonListenerOptions): Promise<DaemonListener> {
  const listener = new Listener(options);
  await listener.listen();
  return listener;
}

interface Running {
  readonly socket: Socket;
  readonly connection: DaemonConnection;
  readonly stop: AbortController;
}

class Listener implements DaemonListener {
  readonly #options: DaemonListenerOptions;
  readonly #server: Server;
  /** The oldest first. */
  readonly #running = new Set<Running>();
  #whenQuiet: (() => void) | undefined;

  constructor(options: DaemonListenerOptions) {
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true, keepAlive: true, noDelay: true }, (socket) =>
      this.#accept(socket),
    );
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    const { host = 'localhost' } = this.#options;
    return `git://${host.includes(':') ? `[${host}]` : host}:${this.port}`;
  }

  get runningCount(): number {
    return this.#running.size;
  }

  listen(): Promise<void> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => {
        const message = `Cannot listen on ${host ?? '*'}:${port}: ${error.code ?? error.message}`;
        reject(new GitError('INVALID_ARGUMENT', message, { port }, error));
      });
      this.#server.listen(port, host, resolve);
    });
  }

  async drain(deadlineMs: number): Promise<number> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await this.#quietWithin(deadlineMs);
    const cutCount = this.#running.size;
    const reason = new GitError('ABORTED', 'Stopped: the server is shutting down');
    for (const { stop } of this.#running) stop.abort(reason);
    await this.#quietWithin(RELEASE_MS);
    for (const { socket } of this.#running) socket.destroy();
    await closed;
    return cutCount;
  }

  #accept(socket: Socket): void {
    turns.makeWay();
    const connection = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 };
    const { maxConnections, onDrop, onConnect } = this.#options;
    if (maxConnections > 0 && this.#running.size >= maxConnections && !this.#makeRoom()) {
      onDrop?.();
      socket.destroy();
      return;
    }
    const running = { socket, connection, stop: new AbortController() };
    this.#running.add(running);
    onConnect?.(connection);
    void this.#serve(running);
  }

  /** End the newest connection of a client that has more than one. */
  #makeRoom(): boolean {
    const seen = new Set<string>();
    let newest: Running | undefined;
    for (const running of this.#running) {
      const { address } = running.connection;
      if (seen.has(address)) newest = running;
      seen.add(address);
    }
    if (newest === undefined) return false;
    newest.stop.abort(new GitError('ABORTED', 'Stopped: there are too many connections'));
    this.#forget(newest);
    newest.socket.destroy();
    return true;
  }

  /** Never rejects: every failure ends the connection and is told. */
  async #serve(running: Running): Promise<void> {
    const { socket, connection, stop } = running;
    const { serve, requestTimeoutMs, idleTimeoutMs, floor, onDisconnect } = this.#options;
    const { pushPauseMs = DEFAULT_LIMITS.pushPauseMs } = this.#options;
    const late = new GitError('ABORTED', 'Stopped: the client sent no request');
    const timer = requestTimeoutMs > 0 ? setTimeout(() => stop.abort(late), requestTimeoutMs) : undefined;
    socket.on('error', () => stop.abort()); // one that nobody listens to would end the process
    socket.on('close', () => stop.abort());
    const client = { signal: stop.signal, idleTimeoutMs };
    let isPush = false;
    const onRequest = (service: DaemonService): void => {
      clearTimeout(timer);
      isPush = service === 'receive-pack';
    };
    const patience = { ...client, pushPauseMs, floor };
    const input = requestsOf(socket, patience, new RequestRhythm(OPENING_PACKETS), () => isPush);
    let failure: unknown;
    try {
      const answer = serve(input, { connection, signal: stop.signal, onRequest });
      await writeAll(answer, socket, client);
      await end(socket, client);
      await discardRest(socket, LINGER_MS);
    } catch (error) {
      failure = error;
      if (!stop.signal.aborted) {
        socket.end(); // it may have been told why
        await discardRest(socket, FAREWELL_MS);
      }
    } finally {
      clearTimeout(timer);
      socket.destroy();
      this.#forget(running);
      onDisconnect?.(connection, failure);
    }
  }

  #forget(running: Running): void {
    this.#running.delete(running);
    if (this.#running.size === 0) this.#whenQuiet?.();
  }

  async #quietWithin(ms: number): Promise<void> {
    if (this.#running.size === 0) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.#whenQuiet = resolve;
      timer = setTimeout(resolve, ms);
    });
    clearTimeout(timer);
  }
}
