/**
 * What a door of the server for HTTP is told.
 *
 * @module
 */
import type { BodyFloor } from '../../transport/node/body-floor.ts';
import type { TrustedProxy } from '../../transport/node/http-client.ts';
import { DEFAULT_LINGER, type Linger } from '../../transport/node/lingering.ts';
import type { TlsSettings } from './tls-settings.ts';

export interface HttpDoorLimits {
  /** Connections at a time. */
  readonly maxConnections: number;
  /** Of these, those of one address that is no trusted proxy; for IPv6 of a /64. */
  readonly maxConnectionsPerAddress: number;
  /** Milliseconds for the whole head of a request, from its first byte, or that of its connection, to the last. */
  readonly headTimeoutMs: number;
  /** Bytes of one head. */
  readonly maxHeadBytes: number;
  /** Milliseconds for a TLS handshake. Stays as it was when the listener opened. */
  readonly handshakeTimeoutMs: number;
  /** Milliseconds that a connection is kept without a request. */
  readonly keepAliveMs: number;
  /** Requests after which a connection is closed, so that clients come back through whatever spreads them. */
  readonly maxRequestsPerConnection: number;
  /** Milliseconds for which the rest of a request is still read that was answered early: {@link Linger}. */
  readonly lingerMs: number;
  /** Milliseconds without a byte that end it. */
  readonly lingerSilenceMs: number;
  /** Bytes that end it. */
  readonly lingerBytes: number;
}

export const DEFAULT_HTTP_DOOR_LIMITS: HttpDoorLimits = {
  maxConnections: 4_096,
  maxConnectionsPerAddress: 256,
  headTimeoutMs: 30_000,
  maxHeadBytes: 16 * 1024, // Node's own
  handshakeTimeoutMs: 10_000,
  keepAliveMs: 15_000, // git makes its requests one right after the other
  maxRequestsPerConnection: 10_000,
  lingerMs: DEFAULT_LINGER.totalMs,
  lingerSilenceMs: DEFAULT_LINGER.silenceMs,
  lingerBytes: DEFAULT_LINGER.bytes,
};

/** What can be replaced while the door is open; new connections and requests go by it. */
export interface HttpDoorSettings {
  /** For HTTPS. A door of one scheme stays that. */
  readonly tls?: TlsSettings | undefined;
  readonly limits?: Partial<HttpDoorLimits> | undefined;
  /** Milliseconds of a request without one byte sent or taken by the client. Default as of the engine's `Limits`. */
  readonly idleTimeoutMs?: number | undefined;
  /** What requests must bring at the least. Default `DEFAULT_BODY_FLOOR`. */
  readonly bodyFloor?: BodyFloor | undefined;
  /** Default: nobody is trusted. */
  readonly trustedProxy?: TrustedProxy | undefined;
  /** Whether trusted proxies begin each connection with a PROXY header. Default false. */
  readonly proxyProtocol?: boolean | undefined;
}

export function lingerOf({ lingerMs, lingerSilenceMs, lingerBytes }: HttpDoorLimits): Linger {
  return { totalMs: lingerMs, silenceMs: lingerSilenceMs, bytes: lingerBytes };
}
