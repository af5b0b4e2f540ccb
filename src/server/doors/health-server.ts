/**
 * A port for nothing but questions about health, where neither crowds nor limits of others are in the way.
 *
 * @module
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerHealth, type HealthState } from './health.ts';
import { listenError } from './listen-error.ts';

export interface HealthServer {
  /** Without a slash at the end: `http://127.0.0.1:9090`. */
  readonly url: string;
  readonly port: number;
  /** Close at once: last of all doors, so that a server that drains can say so. */
  close(): Promise<void>;
}

const MAX_CONNECTIONS = 64;
const HEAD_TIMEOUT_MS = 5_000;
const KEEP_ALIVE_MS = 60_000;
const MAX_HEAD_BYTES = 8 * 1024;

/** @throws {GitError} INVALID_ARGUMENT when the address cannot be listened on */
export async function listenHealth(
  { host, port }: { readonly host: string; readonly port: number },
  state: HealthState,
): Promise<HealthServer> {
  const server = createServer(
    {
      requestTimeout: HEAD_TIMEOUT_MS,
      headersTimeout: HEAD_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: 1_000,
      maxHeaderSize: MAX_HEAD_BYTES,
    },
    (request, response) => {
      if (answerHealth(request, response, state)) return;
      response.writeHead(404, { 'content-length': 0 });
      response.end();
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, host, port)));
    server.listen(port, host, resolve);
  });
  const taken = (server.address() as AddressInfo).port;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}`,
    port: taken,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
