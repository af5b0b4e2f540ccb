/**
 * An SSH server that runs git's three services and nothing else.
 *
 * @module
 */
import { createServer, type Server as NetServer, type Socket } from 'node:net';
import ssh2, { type Connection } from 'ssh2';
import { GitError } from '../../../core/errors.ts';
import { turns } from '../../../core/turns.ts';
import { canonicalAddress } from '../../ip-address.ts';
import { ConnectionCounts } from '../connection-counts.ts';
import { readProxyHeader } from '../proxy-header.ts';
import { ReadingTurns } from './reading-turns.ts';
import { SshConnection } from './ssh-connection.ts';
import {
  DEFAULT_SSH_LIMITS,
  type SshLimits,
  type SshServerOptions,
  type SshServerSettings,
} from './ssh-options.ts';

/**
 * What is offered, best first; the client's order decides. Nothing with SHA-1, CBC, or a group below 2048 bits; nor group
 * 18, with which a stranger has the server compute for thirty milliseconds.
 */
const ALGORITHMS = {
  kex: [
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    'diffie-hellman-group16-sha512',
    'diffie-hellman-group14-sha256',
  ],
  serverHostKey: ['ssh-ed25519', 'rsa-sha2-512', 'rsa-sha2-256'],
  cipher: [
    'aes128-gcm@openssh.com',
    'aes256-gcm@openssh.com',
    'chacha20-poly1305@openssh.com',
    'aes128-ctr',
    'aes192-ctr',
    'aes256-ctr',
  ],
  hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com', 'hmac-sha2-256', 'hmac-sha2-512'],
  compress: ['none'],
} as const;

export interface SshServer {
  /** Open the port. @returns the one it has, for `port: 0` */
  listen(host: string, port: number): Promise<number>;
  /** Connections now, proved and not. */
  readonly connectionCount: number;
  /** Commands that run now. */
  readonly runningCount: number;
  /**
   * Go by these settings from now on, all of them: new connections get the new host keys, limits count for all that
   * comes. Connections that are open stay as they are.
   *
   * @throws {GitError} INVALID_ARGUMENT when a host key cannot be used: everything stays as it was
   */
  reload(settings: SshServerSettings): void;
  /** Take nobody new, let those who are there finish within `deadlineMs`, cut the rest. @returns how many were cut */
  drain(deadlineMs: number): Promise<number>;
}

/** @throws {GitError} INVALID_ARGUMENT when a host key cannot be used */
export function createSshServer(options: SshServerOptions): SshServer {
  return new RunningSshServer(options);
}

class RunningSshServer implements SshServer {
  readonly #options: SshServerOptions;
  readonly #net: NetServer;
  readonly #stopped = new AbortController();
  readonly #sockets = new Set<Socket>();
  readonly #turns = new ReadingTurns();
  readonly #counts = new ConnectionCounts();
  readonly #unauthenticated = new Map<Socket, NodeJS.Timeout>();
  readonly #unauthenticatedCounts = new ConnectionCounts();
  /** By which those are counted that are: not those that a proxy opens for itself. */
  readonly #addresses = new WeakMap<Socket, string>();
  /** Where each comes from. */
  readonly #peers = new WeakMap<Socket, string>();
  readonly #connections = new Set<SshConnection>();
  #settings: SshServerSettings;
  #limits: SshLimits;
  /** Speaks the protocol, on connections that are handed to it. */
  #ssh: ssh2.Server;
  #closed: Promise<void> | undefined;

  constructor(options: SshServerOptions) {
    this.#options = options;
    this.#settings = options;
    this.#limits = { ...DEFAULT_SSH_LIMITS, ...options.limits };
    this.#ssh = this.#speaker(options);
    this.#net = createServer({ noDelay: true }, (socket) => this.#admit(socket));
  }

  get connectionCount(): number {
    return this.#sockets.size;
  }

  get runningCount(): number {
    let count = 0;
    for (const connection of this.#connections) count += connection.runningCount;
    return count;
  }

  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#net.once('error', reject);
      this.#net.listen(port, host, () => {
        this.#net.off('error', reject);
        resolve((this.#net.address() as { port: number }).port);
      });
    });
  }

  reload(settings: SshServerSettings): void {
    this.#ssh = this.#speaker(settings);
    this.#settings = settings;
    this.#limits = { ...DEFAULT_SSH_LIMITS, ...settings.limits };
  }

  async drain(deadlineMs: number): Promise<number> {
    this.#closed ??= new Promise<void>((resolve) => this.#net.close(() => resolve()));
    for (const socket of this.#unauthenticated.keys()) socket.destroy();
    for (const connection of this.#connections) connection.finish();
    let cut = 0;
    const deadline = setTimeout(() => {
      cut = this.#sockets.size;
      this.#stopped.abort();
      for (const socket of this.#sockets) socket.destroy();
    }, deadlineMs);
    await this.#closed;
    clearTimeout(deadline);
    return cut;
  }

  #speaker({ hostKeys, limits }: SshServerSettings): ssh2.Server {
    const { keepaliveMs } = { ...DEFAULT_SSH_LIMITS, ...limits };
    try {
      const speaker = new ssh2.Server({
        hostKeys: [...hostKeys],
        algorithms: ALGORITHMS as unknown as ssh2.Algorithms,
        ident: 'packwire',
        keepaliveInterval: keepaliveMs,
        keepaliveCountMax: 3,
      });
      return speaker.on('connection', (connection) => this.#converse(connection));
    } catch (error) {
      throw new GitError('INVALID_ARGUMENT', 'Cannot use the SSH host keys', {}, error);
    }
  }

  #admit(socket: Socket): void {
    turns.makeWay();
    const { maxConnections, maxUnauthenticated, loginGraceMs } = this.#limits;
    const peer = canonicalAddress(socket.remoteAddress ?? '') ?? '';
    socket.on('error', () => socket.destroy()); // a connection that breaks ends what runs on it
    if (this.#sockets.size >= maxConnections || this.#unauthenticated.size >= maxUnauthenticated) {
      this.#refuse(socket, peer, 'too many connections');
      return;
    }
    this.#sockets.add(socket);
    const late = (): void => this.#refuse(socket, this.#addresses.get(socket) ?? peer, 'no login in time');
    this.#unauthenticated.set(socket, setTimeout(late, loginGraceMs));
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#authenticated(socket);
    });
    if (this.#settings.isTrustedProxy?.(peer) !== true) {
      this.#begin(socket, peer);
      return;
    }
    readProxyHeader(socket, {
      refused: (why) => this.#refuse(socket, peer, why),
      read: (address) => {
        if (address === undefined) this.#speak(socket, peer);
        else this.#begin(socket, address);
      },
    });
  }

  /** Unless its address has too many already. */
  #begin(socket: Socket, address: string): void {
    const { maxConnectionsPerAddress, maxUnauthenticatedPerAddress } = this.#limits;
    const count = this.#counts.enter(address);
    const unauthenticated = this.#unauthenticatedCounts.enter(address);
    this.#addresses.set(socket, address);
    socket.once('close', () => this.#counts.leave(address));
    if (count > maxConnectionsPerAddress || unauthenticated > maxUnauthenticatedPerAddress) {
      this.#refuse(socket, address, 'too many connections from there');
      return;
    }
    this.#speak(socket, address);
  }

  #speak(socket: Socket, address: string): void {
    this.#peers.set(socket, address);
    this.#ssh.injectSocket(socket); // which lets it flow again, when a header was read
  }

  /** It is nobody's no more, or gone. */
  #authenticated(socket: Socket): void {
    const grace = this.#unauthenticated.get(socket);
    if (grace === undefined) return;
    clearTimeout(grace);
    this.#unauthenticated.delete(socket);
    const address = this.#addresses.get(socket);
    if (address !== undefined) this.#unauthenticatedCounts.leave(address);
  }

  #refuse(socket: Socket, address: string, why: string): void {
    this.#options.onEvent?.({ kind: 'refused', address, why });
    socket.destroy();
  }

  #converse(connection: Connection): void {
    const socket = socketOf(connection);
    const served = new SshConnection(connection, socket, {
      ...this.#options,
      limits: this.#limits,
      floor: this.#settings.floor,
      turns: this.#turns,
      address: this.#peers.get(socket) ?? '',
      stopped: this.#stopped.signal,
      onAuthenticated: () => this.#authenticated(socket),
    });
    this.#connections.add(served);
    connection.on('close', () => this.#connections.delete(served));
  }
}

/** ssh2 keeps it to itself, and it is the only place where the bytes that wait to be sent can be seen. */
function socketOf(connection: Connection): Socket {
  return (connection as unknown as { readonly _sock: Socket })._sock;
}
