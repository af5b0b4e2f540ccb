/**
 * How a server says whether it lives, and whether it is of use: for load balancers and supervisors.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** What a server knows of itself; asked at each question, so it must be at hand. */
export interface ServerHealth {
  /** It takes nothing new any more. */
  readonly draining: boolean;
  /** What it has no room for now: kinds of work, memory. */
  readonly overloaded: readonly string[];
  readonly disk: 'ok' | 'low';
}

export type HealthState = () => ServerHealth;

const LIVE = '/-/live';
const READY = '/-/ready';

/**
 * Answer a question about health: `/-/live` with 200, `/-/ready` with 200, or with 503 when the server drains or is
 * overloaded; as JSON. One that is short of disk goes on serving reads, and says so. Needs no credentials, reads nothing
 * and waits for nothing.
 *
 * @returns whether it was one
 */
export function answerHealth(
  request: IncomingMessage,
  response: ServerResponse,
  state: HealthState,
): boolean {
  const { method = '', url = '' } = request;
  const [path] = url.split('?', 1);
  if (path !== LIVE && path !== READY) return false;
  if (method !== 'GET' && method !== 'HEAD') {
    send(response, 405, { allow: 'GET, HEAD' }, '');
    return true;
  }
  if (path === LIVE) {
    send(response, 200, {}, '{"live":true}\n');
    return true;
  }
  const health = state();
  const ready = !health.draining && health.overloaded.length === 0;
  send(response, ready ? 200 : 503, {}, `${JSON.stringify({ ready, ...health })}\n`);
  return true;
}

function send(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  text: string,
): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'content-length': Buffer.byteLength(text),
    ...headers,
  });
  response.end(text); // of a HEAD nothing is sent
}
