/**
 * What those do to SSH who are not let in.
 *
 * @module
 */
import type { ConnectConfig } from 'ssh2';
import { OPENSSH_MISSING } from '../../support/openssh.ts';
import { SshAttacker, withKeys } from '../support/ssh-attacker.ts';
import type { Finding, Scenario } from './scenario.ts';
import { HonestOverSsh, startSshGround, unknownKey } from './ssh-ground.ts';

/** How many come again and again, of each kind. */
const EACH = 6;
const KEYS = 20;

export const sshStrangers: Scenario = {
  name: 'ssh strangers',
  does: `on SSH ${EACH} at a time try ${KEYS} wrong keys or passwords, ask without end before they log in, or exchange keys all the time`,
  holds: 'nobody of them gets in, and who has a key does',
  on: 'own',
  skip: () => (OPENSSH_MISSING === false ? undefined : OPENSSH_MISSING),
  run: async (ground) => {
    const scene = await startSshGround(ground);
    const end = performance.now() + ground.seconds * 1000;
    const isOver = (): boolean => performance.now() >= end;
    const crowd = new Strangers(scene.port, isOver);
    const honest = new HonestOverSsh();
    await Promise.all([crowd.press(), honest.work(scene, ground.scratch, isOver)]);
    const broken = [...honest.broken, ...crowd.broken];
    return { figure: `${crowd.describe()}; ${honest.describe()}`, broken } satisfies Finding;
  },
};

type Way = (stranger: SshAttacker, isOver: () => boolean) => Promise<void>;

const WAYS: Readonly<
  Record<string, { readonly config: () => Omit<ConnectConfig, 'sock'>; readonly way: Way }>
> = {
  'with wrong keys': {
    config: () => withKeys(Array.from({ length: KEYS }, unknownKey)),
    way: ({ closed }) => closed,
  },
  'with wrong passwords': {
    config: () => ({
      authHandler: Array.from({ length: KEYS }, () => ({
        type: 'password' as const,
        username: 'git',
        password: 'x'.repeat(20_000),
      })),
    }),
    way: ({ closed }) => closed,
  },
  asking: {
    config: () => ({ authHandler: () => undefined }),
    way: async (stranger, isOver) => {
      if (!(await shaken(stranger))) return;
      stranger.socket.pause(); // and hears no answer
      await stranger.flood((protocol) => {
        for (let i = 0; i < 500; i++) protocol.ping();
        for (let i = 0; i < 50; i++) protocol.session(i, 2 ** 31, 0);
      }, isOver);
    },
  },
  'exchanging keys': {
    config: () => ({
      authHandler: () => undefined,
      algorithms: { kex: ['diffie-hellman-group16-sha512'] },
    }),
    way: async (stranger, isOver) => {
      if (await shaken(stranger)) await stranger.flood((protocol) => void protocol.rekey(), isOver);
    },
  },
};

async function shaken({ client, closed }: SshAttacker): Promise<boolean> {
  const handshake = new Promise<boolean>((resolve) => client.once('handshake', () => resolve(true)));
  return await Promise.race([handshake, closed.then(() => false)]);
}

class Strangers {
  readonly broken: string[] = [];
  readonly #port: number;
  readonly #isOver: () => boolean;
  readonly #counts = new Map<string, number>();

  constructor(port: number, isOver: () => boolean) {
    this.#port = port;
    this.#isOver = isOver;
  }

  async press(): Promise<void> {
    const kinds = Object.keys(WAYS);
    await Promise.all(
      kinds.flatMap((kind, k) => Array.from({ length: EACH }, (_, n) => this.#comeAgain(kind, k * EACH + n))),
    );
  }

  describe(): string {
    return [...this.#counts].map(([kind, count]) => `${count} came ${kind}`).join(', ');
  }

  async #comeAgain(kind: string, n: number): Promise<void> {
    const { config, way } = WAYS[kind] as (typeof WAYS)[string];
    while (!this.#isOver()) {
      const stranger = new SshAttacker(this.#port, n, config());
      void stranger.ready().then((isIn) => {
        if (isIn) this.broken.push(`a stranger ${kind} was let in`);
      });
      const over = setInterval(() => this.#isOver() && stranger.vanish(), 100);
      await way(stranger, this.#isOver);
      clearInterval(over);
      stranger.vanish();
      this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
