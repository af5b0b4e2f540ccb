/**
 * An SSH server that runs git's three services and nothing else.
 *
 * @module
 */
import { createServer, type Server as NetServer, type Socket } from 'node:net';
import ssh2, { type Connection } from 'ssh2';
import { isGitError } from '../../../core/errors.ts';
import { parseProxyHeader } from '../../ssh/proxy-protocol.ts';
import { SshConnection } from './ssh-connection.ts';
import { DEFAULT_SSH_LIMITS, type SshLimits, type SshServerOptions } from './ssh-options.ts';

/** What is offered, best first; the client's order decides. Nothing with SHA-1, CBC, or a group below 2048 bits. */
const ALGORITHMS = {
  kex: [
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    'diffie-hellman-group16-sha512',
    'diffie-hellman-group18-sha512',
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
  /** Take nobody new, let those who are there finish within `deadlineMs`, cut the rest. @returns how many were cut */
  drain(deadlineMs: number): Promise<number>;
}

export function createSshServer(options: SshServerOptions): SshServer {
  return new RunningSshServer(options);
}

class RunningSshServer implements SshServer {
  readonly #options: SshServerOptions;
  readonly #limits: SshLimits;
  readonly #net: NetServer;
  readonly #ssh: ssh2.Server;
  readonly #stopped = new AbortController();
  readonly #sockets = new Set<Socket>();
  readonly #unauthenticated = new Set<Socket>();
  readonly #addresses = new WeakMap<Socket, string>();
  readonly #graces = new WeakMap<Socket, NodeJS.Timeout>();
  readonly #connections = new Set<SshConnection>();

  constructor(options: SshServerOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_SSH_LIMITS, ...options.limits };
    this.#ssh = new ssh2.Server({
      hostKeys: [...options.hostKeys],
      algorithms: ALGORITHMS as unknown as ssh2.Algorithms,
      ident: 'packwire',
      keepaliveInterval: this.#limits.keepaliveMs,
      keepaliveCountMax: 3,
    });
    this.#ssh.on('connection', (connection) => this.#converse(connection));
    this.#net = createServer({ noDelay: true }, (socket) => this.#admit(socket));
  }

  get connectionCount(): number {
    return this.#sockets.size;
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

  async drain(deadlineMs: number): Promise<number> {
    const closed = new Promise<void>((resolve) => this.#net.close(() => resolve()));
    for (const socket of this.#unauthenticated) socket.destroy();
    for (const connection of this.#connections) connection.finish();
    let cut = 0;
    const deadline = setTimeout(() => {
      cut = this.#sockets.size;
      this.#stopped.abort();
      for (const socket of this.#sockets) socket.destroy();
    }, deadlineMs);
    await closed;
    clearTimeout(deadline);
    return cut;
  }

  #admit(socket: Socket): void {
    const { maxConnections, maxUnauthenticated, loginGraceMs } = this.#limits;
    const address = socket.remoteAddress ?? '';
    socket.on('error', () => socket.destroy()); // a connection that breaks ends what runs on it
    if (this.#sockets.size >= maxConnections || this.#unauthenticated.size >= maxUnauthenticated) {
      this.#refuse(socket, address, 'too many connections');
      return;
    }
    this.#sockets.add(socket);
    this.#unauthenticated.add(socket);
    const grace = setTimeout(() => this.#refuse(socket, address, 'no login in time'), loginGraceMs);
    socket.once('close', () => {
      clearTimeout(grace);
      this.#sockets.delete(socket);
      this.#unauthenticated.delete(socket);
    });
    this.#graces.set(socket, grace);
    if (this.#options.isTrustedProxy?.(address) === true) this.#readProxyHeader(socket, address);
    else this.#begin(socket, address);
  }

  #begin(socket: Socket, address: string): void {
    this.#addresses.set(socket, address);
    this.#ssh.injectSocket(socket);
  }

  #readProxyHeader(socket: Socket, proxy: string): void {
    let head: Buffer = Buffer.alloc(0);
    const onData = (chunk: Buffer): void => {
      head = Buffer.concat([head, chunk]);
      let header: ReturnType<typeof parseProxyHeader>;
      try {
        header = parseProxyHeader(head);
      } catch (error) {
        if (!isGitError(error)) throw error;
        this.#refuse(socket, proxy, error.message);
        return;
      }
      if (header === 'incomplete') return;
      socket.off('data', onData).pause();
      const rest = head.subarray(header.bytes);
      if (rest.length > 0) socket.unshift(rest);
      this.#begin(socket, header.client?.address ?? proxy); // which lets it flow again
    };
    socket.on('data', onData);
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
      address: this.#addresses.get(socket) ?? '',
      stopped: this.#stopped.signal,
      onAuthenticated: () => {
        clearTimeout(this.#graces.get(socket));
        this.#unauthenticated.delete(socket);
      },
    });
    this.#connections.add(served);
    connection.on('close', () => this.#connections.delete(served));
  }
}

/** ssh2 keeps it to itself, and it is the only place where the bytes that wait to be sent can be seen. */
function socketOf(connection: Connection): Socket {
  return (connection as unknown as { readonly _sock: Socket })._sock;
}
