/**
 * Clients that go away in the middle of everything.
 *
 * @module
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cloneRequest } from '../../../bench/pack/requests.ts';
import { addressOf } from '../support/addresses.ts';
import { openSocket, post } from '../support/raw-exchange.ts';
import { TINY } from '../support/served-root.ts';
import { makeCommit, NO_ID, pushBody } from '../support/small-pushes.ts';
import { describeHonest, workHonestly } from './honest-client.ts';
import type { Scenario } from './scenario.ts';

const AT_ONCE = 20;
const LONGEST_STAY_MS = 400;

export const vanishingClients: Scenario = {
  name: 'vanishing clients',
  does: `${AT_ONCE} clients at a time begin a clone or a push and are gone within ${LONGEST_STAY_MS} ms`,
  holds: 'others are served',
  on: 'shared',
  async run({ server, seconds, scratch, large }) {
    const clones = large.map((name) =>
      Buffer.concat(
        post(`/${name}/git-upload-pack`, cloneRequest(join(server.root, name)), {
          'git-protocol': 'version=2',
        }),
      ),
    );
    const end = performance.now() + seconds * 1000;
    let vanished = 0;
    const vanish = async (n: number): Promise<void> => {
      while (performance.now() < end) {
        const request = n % 2 === 0 ? (clones[n % clones.length] as Buffer) : partOfPush();
        const socket = openSocket(server.port, addressOf(n));
        socket.write(request);
        socket.resume();
        await sleep(Math.random() * LONGEST_STAY_MS);
        socket.destroy();
        vanished++;
      }
    };
    const clients = Array.from({ length: AT_ONCE }, (_, n) => vanish(n));
    await sleep((seconds * 1000) / 2);
    const honest = await workHonestly(server, scratch);
    await Promise.all(clients);
    return { figure: `${vanished} vanished; ${describeHonest(honest)}`, broken: honest.broken };
  },
};

/** Some of the bytes of a push, maybe none of its body. */
function partOfPush(): Buffer {
  const { id, pack } = makeCommit(undefined, crypto.getRandomValues(new Uint8Array(20_000)));
  const body = pushBody([{ ref: 'refs/heads/vanished', oldId: NO_ID, newId: id }], pack);
  const whole = Buffer.concat(post(`/${TINY}/git-receive-pack`, body));
  return whole.subarray(0, whole.length - 1 - Math.floor(Math.random() * body.length));
}
