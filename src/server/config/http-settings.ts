/**
 * What HTTP and HTTPS listeners put up with, as settings.
 *
 * @module
 */
import type * as z from 'zod';
import { DEFAULT_HTTP_DOOR_LIMITS, type HttpDoorLimits } from '../doors/http-door-settings.ts';
import { count, duration, group, setting, size } from './setting-types.ts';

const {
  maxConnections,
  maxConnectionsPerAddress,
  headTimeoutMs,
  maxHeadBytes,
  handshakeTimeoutMs,
  keepAliveMs,
  maxRequestsPerConnection,
  lingerMs,
  lingerSilenceMs,
  lingerBytes,
} = DEFAULT_HTTP_DOOR_LIMITS;

export const httpSettings = group('The HTTP and HTTPS listeners.', {
  maxConnections: setting(count(), 'Connections at a time.', maxConnections),
  maxConnectionsPerAddress: setting(
    count(),
    'Of these, those of one address that is no trusted proxy; for IPv6 of a /64.',
    maxConnectionsPerAddress,
  ),
  headTimeoutMs: setting(duration(), 'Time for the whole head of a request.', headTimeoutMs),
  maxHeadBytes: setting(size({ least: 1024 }), 'Bytes of one head.', maxHeadBytes),
  handshakeTimeoutMs: setting(duration(), 'Time for a TLS handshake.', handshakeTimeoutMs),
  keepAliveMs: setting(duration(), 'Time that a connection is kept without a request.', keepAliveMs),
  maxRequestsPerConnection: setting(
    count(),
    'Requests after which a connection is closed.',
    maxRequestsPerConnection,
  ),
  lingerMs: setting(
    duration(),
    'Time for which the rest of a request is read that was answered early, so that its client finds the answer.',
    lingerMs,
  ),
  lingerSilenceMs: setting(duration(), 'Silence that ends it.', lingerSilenceMs),
  lingerBytes: setting(size(), 'Bytes that end it.', lingerBytes),
} satisfies Record<keyof HttpDoorLimits, z.ZodType>);
