/**
 * Connections that want nothing.
 *
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { TINY } from '../support/served-root.ts';
import { describeHonest, workHonestly } from './honest-client.ts';
import type { Scenario } from './scenario.ts';
import { SlowConnections } from './slow-connections.ts';

const COUNT = 500;
const KIB = 1024;

export const idleConnections: Scenario = {
  name: 'idle connections',
  does: `${COUNT} connections never send a byte, ${COUNT} stay open after one request`,
  holds: 'others are served',
  on: 'shared',
  async run({ server, seconds, scratch }) {
    const before = server.process.figures().residentBytes;
    const silent = new SlowConnections(server.port, { count: COUNT });
    const kept = new SlowConnections(server.port, {
      count: COUNT,
      first: `GET /${TINY}/HEAD HTTP/1.1\r\nhost: a\r\n\r\n`,
    });
    await sleep((seconds * 1000) / 2);
    const bytesEach = (server.process.figures().residentBytes - before) / (2 * COUNT);
    const honest = await workHonestly(server, scratch);
    await sleep((seconds * 1000) / 2);
    const figure =
      `${(bytesEach / KIB).toFixed(1)} KiB each; silent: ${silent.describe()}; kept: ${kept.describe()}; ` +
      describeHonest(honest);
    silent.close();
    kept.close();
    return { figure, broken: honest.broken };
  },
};
