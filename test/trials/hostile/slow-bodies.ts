/**
 * Slowloris in the body: requests whose head is whole, and whose body never ends.
 *
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { postHead } from '../support/raw-exchange.ts';
import { TINY } from '../support/served-root.ts';
import { makeCommit, NO_ID, pushBody } from '../support/small-pushes.ts';
import { describeHonest, workHonestly } from './honest-client.ts';
import type { Scenario } from './scenario.ts';
import { SlowConnections } from './slow-connections.ts';

const COUNT = 100;
const NEVER_REACHED_BYTES = 1_000_000;

export const slowBodies: Scenario = {
  name: 'slow bodies',
  does: `${COUNT} fetches and ${COUNT} pushes send their bodies a byte a second, as many of each nothing more at all`,
  holds: 'others are served, and who is silent is cut',
  on: 'shared',
  async run({ server, seconds, scratch }) {
    const attacks = [fetchBegun(), pushBegun()].flatMap((first) => [
      new SlowConnections(server.port, { count: COUNT, first, drip: '0' }),
      new SlowConnections(server.port, { count: COUNT, first }),
    ]);
    await sleep((seconds * 1000) / 2);
    const honest = await workHonestly(server, scratch);
    await sleep((seconds * 1000) / 2);
    const [fetches, silentFetches, pushes, silentPushes] = attacks.map((attack) => attack.describe());
    for (const attack of attacks) attack.close();
    return {
      figure: `fetches: ${fetches}; silent: ${silentFetches}; pushes: ${pushes}; silent: ${silentPushes}; ${describeHonest(honest)}`,
      broken: honest.broken,
    };
  },
};

function fetchBegun(): string {
  const path = `/${TINY}/git-upload-pack`;
  return `${postHead(path, NEVER_REACHED_BYTES, { 'git-protocol': 'version=2' })}0014command=ls-refs\n`;
}

/** All but the last bytes of a pack, and then more than there will be. */
function pushBegun(): Uint8Array {
  const { id, pack } = makeCommit(undefined, Buffer.from('slow'));
  const body = pushBody([{ ref: 'refs/heads/slow', oldId: NO_ID, newId: id }], pack.subarray(0, -30));
  return Buffer.concat([Buffer.from(postHead(`/${TINY}/git-receive-pack`, NEVER_REACHED_BYTES)), body]);
}
