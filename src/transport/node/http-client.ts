/**
 * Who sent a request: the peer of the connection, or whom a trusted proxy says it speaks for.
 *
 * @module
 */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type ForwardedHeader, forwardedAddress } from '../http/forwarded.ts';
import type { HttpClient } from '../http/options.ts';
import { canonicalAddress } from '../ip-address.ts';
import { type ProvedCertificate, provedCertificate } from './client-certificate.ts';

/** Proxies whose word counts. They must overwrite, or add to, what clients send under these headers. */
export interface TrustedProxy {
  /** @param address of `canonicalAddress` */
  isTrusted(address: string): boolean;
  /** The header in which they say who the user is, in lower case. Without it none does. */
  readonly userHeader?: string | undefined;
  /** The header in which they say who asked them. Default `x-forwarded-for`. */
  readonly forwardedHeader?: ForwardedHeader | undefined;
}

export interface Sender {
  readonly client: HttpClient;
  /** Headers that say things of the client, and that nobody trusted has said: as if they were not there. */
  readonly unbelieved: readonly string[];
}

/** Whoever is behind a proxy that does not speak HTTP. */
export interface ProxiedClient {
  /** `undefined` when the proxy does not know, or speaks for itself: nobody whose headers would be believed. */
  readonly address: string | undefined;
}

/** What headers say of clients, in lower case. */
const CLAIMS = ['x-forwarded-for', 'forwarded', 'x-real-ip'];
const NONE: readonly string[] = [];

interface Peer {
  readonly address: string | undefined;
  readonly proved: ProvedCertificate | undefined;
}

/** Longest user name looked at, in characters. */
const MAX_USER = 256;

/** Looks at each connection once. */
export class Senders {
  readonly #peers = new WeakMap<Socket, Peer>();
  readonly #proxied: (socket: Socket) => ProxiedClient | undefined;

  /** @param proxied where a connection comes from, when that is not the socket's own peer */
  constructor(proxied: (socket: Socket) => ProxiedClient | undefined = () => undefined) {
    this.#proxied = proxied;
  }

  /** @param proxies without it every header is the application's own to judge */
  of({ socket, headers }: IncomingMessage, proxies: TrustedProxy | undefined): Sender {
    const { address, proved } = this.#peerOf(socket);
    const certificate =
      proved !== undefined && Date.now() < proved.validUntil ? proved.certificate : undefined;
    if (proxies === undefined) return { client: { address, certificate }, unbelieved: NONE };
    if (address === undefined || !proxies.isTrusted(address)) {
      const claims = proxies.userHeader === undefined ? CLAIMS : [...CLAIMS, proxies.userHeader];
      return { client: { address, certificate }, unbelieved: present(claims, headers) };
    }
    const { forwardedHeader = 'x-forwarded-for', userHeader } = proxies;
    const client: HttpClient = {
      address: forwardedAddress(forwardedHeader, textOf(headers, forwardedHeader), address, (hop) =>
        proxies.isTrusted(hop),
      ),
      certificate,
      proxyUser: userHeader === undefined ? undefined : userIn(textOf(headers, userHeader)),
    };
    const others = CLAIMS.filter((name) => name !== forwardedHeader);
    return { client, unbelieved: present(others, headers) };
  }

  #peerOf(socket: Socket): Peer {
    const known = this.#peers.get(socket);
    if (known !== undefined) return known;
    const { address } = this.#proxied(socket) ?? { address: canonicalAddress(socket.remoteAddress ?? '') };
    const peer = { address, proved: provedCertificate(socket) };
    this.#peers.set(socket, peer);
    return peer;
  }
}

function userIn(value: string | null): string | undefined {
  return value === null || value === '' || value.length > MAX_USER ? undefined : value;
}

/** @returns several of one name joined with commas, which is nobody's name */
function textOf(headers: IncomingHttpHeaders, name: string): string | null {
  const value = headers[name];
  return (Array.isArray(value) ? value.join(', ') : value) ?? null;
}

function present(names: readonly string[], headers: IncomingHttpHeaders): readonly string[] {
  const found = names.filter((name) => headers[name] !== undefined);
  return found.length === 0 ? NONE : found;
}
