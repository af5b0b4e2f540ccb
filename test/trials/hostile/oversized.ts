/**
 * Too much of everything, one request after another.
 *
 * @module
 */
import { type RawAnswer, rawExchange } from '../support/raw-exchange.ts';
import { OVERSIZED_REQUESTS, type OversizedRequest } from './oversized-requests.ts';
import type { Scenario } from './scenario.ts';

const PATIENCE_MS = 180_000;
/** From there on it is worth a word. */
const LONG_SECONDS = 2;
const LONG_HEALTH_MS = 50;
/** What a side-band packet of the third band begins with. */
const BAND_OF_ERRORS = '\u0003';

export const oversized: Scenario = {
  name: 'oversized',
  does: `${OVERSIZED_REQUESTS.length} requests that are too much of something`,
  holds: 'each is refused or answered, and none costs much memory',
  on: 'shared',
  async run({ server }) {
    const broken: string[] = [];
    const slow: string[] = [];
    const counts = { refused: 0, closed: 0, answered: 0 };
    for (const request of OVERSIZED_REQUESTS) {
      await server.slowestAnswer();
      const answer = await rawExchange(server.port, request.request(), PATIENCE_MS);
      const verdict = verdictOf(answer);
      if (verdict === 'held') broken.push(`${request.name}: no answer within ${PATIENCE_MS / 1000} s`);
      else counts[verdict]++;
      if (verdict === 'answered' && request.mayPass !== true) broken.push(`${request.name}: was taken`);
      if (!server.process.isRunning) return died(request);
      const healthMs = await server.slowestAnswer();
      if (answer.seconds > LONG_SECONDS || healthMs > LONG_HEALTH_MS) {
        slow.push(`${request.name}: ${answer.seconds.toFixed(1)} s, health ${healthMs.toFixed(0)} ms`);
      }
    }
    const { refused, closed, answered } = counts;
    const figure = [`${refused} refused, ${closed} closed on, ${answered} answered`, ...slow].join('; ');
    return { figure, broken };
  },
};

function died({ name }: OversizedRequest) {
  return { figure: name, broken: [`${name}: the server ended`] };
}

/** `closed` is refused too, without a word. */
export function verdictOf({ status, text, how }: RawAnswer): 'refused' | 'closed' | 'answered' | 'held' {
  if (how === 'held') return 'held';
  if (status === undefined) return 'closed';
  if (status !== 200 && status !== 206) return 'refused';
  const body = text.slice(text.indexOf('\r\n\r\n') + 4);
  return /ERR |unpack [^o]|[0-9a-f]{4}ng /.test(body) || body.includes(BAND_OF_ERRORS)
    ? 'refused'
    : 'answered';
}
