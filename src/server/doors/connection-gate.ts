/**
 * Where connections come in: so many at a time, so many of each network, and whom a proxy brings.
 *
 * @module
 */
import type { Server, Socket } from 'node:net';
import { turns } from '../../core/turns.ts';
import { canonicalAddress } from '../../transport/ip-address.ts';
import { ConnectionCounts } from '../../transport/node/connection-counts.ts';
import type { ProxiedClient } from '../../transport/node/http-client.ts';
import { readProxyHeader } from '../../transport/node/proxy-header.ts';

export interface ConnectionGateSettings {
  readonly maxConnections: number;
  /** Those that are no trusted proxy's; for IPv6, of each /64. */
  readonly maxConnectionsPerAddress: number;
  /** Whether trusted proxies begin each connection with a PROXY header. */
  readonly proxyProtocol: boolean;
  /** Milliseconds until it must have come. */
  readonly proxyHeaderTimeoutMs: number;
  /** @param address of `canonicalAddress` */
  readonly isTrusted: (address: string) => boolean;
}

/**
 * Stands between a server of node:http or node:https and its connections. What is too much is closed at once,
 * without an answer: it costs nothing, and proxies and git clients take it for a server that is busy.
 */
export class ConnectionGate {
  readonly #settings: () => ConnectionGateSettings;
  readonly #open = new Set<Socket>();
  readonly #counts = new ConnectionCounts();
  /** Clients of connections that came through proxies; sockets of TLS show nothing but the ends of the connection. */
  readonly #proxied = new Map<string, ProxiedClient>();

  /** @param settings asked anew for each connection */
  constructor(server: Server, settings: () => ConnectionGateSettings) {
    this.#settings = settings;
    const listeners = server.listeners('connection') as ((this: Server, socket: Socket) => void)[];
    server.removeAllListeners('connection');
    server.on('connection', (socket: Socket) => {
      turns.makeWay();
      this.#admit(socket, () => {
        for (const listener of listeners) listener.call(server, socket);
      });
    });
  }

  get connectionCount(): number {
    return this.#open.size;
  }

  /** The client of a connection that a proxy brought; `undefined` for others. */
  clientOf(socket: Socket): ProxiedClient | undefined {
    return this.#proxied.size === 0 ? undefined : this.#proxied.get(endOf(socket));
  }

  /** Break all that are left, also those that have not said anything yet. */
  closeAll(): void {
    for (const socket of this.#open) socket.destroy();
  }

  #admit(socket: Socket, begin: () => void): void {
    const { maxConnections, proxyProtocol, isTrusted } = this.#settings();
    const peer = canonicalAddress(socket.remoteAddress ?? '');
    if (peer === undefined || this.#open.size >= maxConnections) {
      socket.destroy();
      return;
    }
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
    if (!isTrusted(peer)) {
      if (this.#count(socket, peer)) begin();
    } else if (proxyProtocol) {
      this.#readHeader(socket, begin);
    } else {
      begin(); // it speaks for many
    }
  }

  #readHeader(socket: Socket, begin: () => void): void {
    const give = (): void => void socket.destroy();
    const timer = setTimeout(give, this.#settings().proxyHeaderTimeoutMs);
    socket.once('close', () => clearTimeout(timer)).on('error', give);
    readProxyHeader(socket, {
      refused: give,
      read: (address) => {
        clearTimeout(timer);
        socket.off('error', give);
        if (!this.#enter(socket, address)) return;
        begin();
        // A parser waits for what was read already; TLS has taken it.
        if (socket.listenerCount('data') > 0) socket.resume();
      },
    });
  }

  #enter(socket: Socket, address: string | undefined): boolean {
    const end = endOf(socket);
    this.#proxied.set(end, { address });
    socket.once('close', () => this.#proxied.delete(end));
    return address === undefined || this.#settings().isTrusted(address) || this.#count(socket, address);
  }

  /** @returns whether it may stay */
  #count(socket: Socket, address: string): boolean {
    const isIn = this.#counts.enter(address) <= this.#settings().maxConnectionsPerAddress;
    socket.once('close', () => this.#counts.leave(address));
    if (!isIn) socket.destroy();
    return isIn;
  }
}

function endOf({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}
