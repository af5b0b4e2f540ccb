/**
 * Slowloris: heads of requests that never end.
 *
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { TINY } from '../support/served-root.ts';
import { describeHonest, workHonestly } from './honest-client.ts';
import type { Scenario } from './scenario.ts';
import { SlowConnections } from './slow-connections.ts';

const COUNT = 400;

export const slowHeads: Scenario = {
  name: 'slow heads',
  does: `${COUNT} connections send the head of a request, a byte a second`,
  holds: 'others are served',
  on: 'shared',
  async run({ server, seconds, scratch }) {
    const slow = new SlowConnections(server.port, {
      count: COUNT,
      first: `GET /${TINY}/info/refs?service=git-upload-pack HTTP/1.1\r\nhost: a\r\nx-slow: `,
      drip: 'a',
    });
    await sleep((seconds * 1000) / 2);
    const honest = await workHonestly(server, scratch);
    await sleep((seconds * 1000) / 2);
    const figure = `${slow.describe()}; ${describeHonest(honest)}`;
    slow.close();
    return { figure, broken: honest.broken };
  },
};
