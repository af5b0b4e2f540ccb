/**
 * Slowloris on SSH: handshakes that never end.
 *
 * @module
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'ssh2';
import { OPENSSH_MISSING } from '../../support/openssh.ts';
import { addressOf } from '../support/addresses.ts';
import { makeKnownUser } from '../support/known-user.ts';
import { politeGit } from '../support/polite-git.ts';
import { openSocket } from '../support/raw-exchange.ts';
import { fillTiny, TINY } from '../support/served-root.ts';
import { HOST } from '../support/server-config.ts';
import type { Finding, OwnGround, Scenario } from './scenario.ts';
import { SlowConnections } from './slow-connections.ts';

const COUNT = 100;
/** Who shakes hands and then does not say who they are. Each costs the server a key exchange. */
const NAMELESS = 50;
const GRACE_MS = 5_000;
const PATIENCE_MS = 60_000;

export const slowHandshakes: Scenario = {
  name: 'slow handshakes',
  does: `on SSH ${COUNT} connections say nothing, ${COUNT} a byte a second, ${NAMELESS} not who they are, again and again`,
  holds: 'they are cut when their time is over, and who has a key gets in',
  on: 'own',
  skip: () => (OPENSSH_MISSING === false ? undefined : OPENSSH_MISSING),
  run: async (ground) => {
    const { ssh, server } = await startWithSsh(ground);
    const port = server.process.ports.ssh;
    const attack = new HandshakeAttack(port);
    const end = performance.now() + ground.seconds * 1000;
    const waits: number[] = [];
    const broken: string[] = [];
    while (performance.now() < end) {
      const wait = await untilServed(ssh, ground.scratch, port);
      if (wait === undefined) broken.push(`who has a key did not get in within ${PATIENCE_MS / 1000} s`);
      else waits.push(wait);
      await sleep(500);
    }
    const figure = `${attack.describe()}; honest logins: ${waits.length}, the slowest after ${(Math.max(...waits) / 1000).toFixed(1)} s`;
    attack.close();
    return { figure, broken } satisfies Finding;
  },
};

async function startWithSsh({ scratch, watch }: OwnGround) {
  const root = join(scratch, 'served');
  mkdirSync(root);
  fillTiny(root);
  const { accessFile, sshCommand } = makeKnownUser(scratch);
  const server = await watch({
    root,
    keepOpenMs: 2_000,
    ssh: { hostKeys: join(scratch, 'host-keys'), loginGraceMs: GRACE_MS },
    access: { file: accessFile },
  });
  return { server, ssh: `${sshCommand} -p ${server.process.ports.ssh}` };
}

/** @returns milliseconds until a real client was served, however often it had to try; `undefined` for never */
async function untilServed(ssh: string, cwd: string, port: number): Promise<number | undefined> {
  const began = performance.now();
  while (performance.now() - began < PATIENCE_MS) {
    const run = { cwd, env: { GIT_SSH_COMMAND: ssh }, timeoutMs: PATIENCE_MS };
    const { status } = await politeGit(run, 'ls-remote', '-q', `ssh://git@${HOST}:${port}/${TINY}`);
    if (status === 0) return performance.now() - began;
    await sleep(200);
  }
  return undefined;
}

class HandshakeAttack {
  readonly #port: number;
  readonly #nameless = new Set<Client>();
  #silent: SlowConnections;
  #dripping: SlowConnections;
  readonly #timer: NodeJS.Timeout;
  #waves = 1;

  constructor(port: number) {
    this.#port = port;
    this.#silent = new SlowConnections(port, { count: COUNT });
    this.#dripping = this.#drip();
    this.#greet();
    // When their time is over, the next ones come.
    this.#timer = setInterval(() => {
      this.#silent.close();
      this.#dripping.close();
      this.#silent = new SlowConnections(port, { count: COUNT });
      this.#dripping = this.#drip();
      this.#greet();
      this.#waves++;
    }, GRACE_MS * 2);
  }

  describe(): string {
    return `${this.#waves} waves; silent: ${this.#silent.describe()}; dripping: ${this.#dripping.describe()}`;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#silent.close();
    this.#dripping.close();
    for (const client of this.#nameless) client.destroy();
  }

  #drip(): SlowConnections {
    return new SlowConnections(this.#port, { count: COUNT, first: 'SSH-2.0-slow\r\n', drip: '\0' });
  }

  #greet(): void {
    for (let n = 0; n < NAMELESS; n++) {
      const client = new Client();
      this.#nameless.add(client);
      client.on('error', () => undefined).on('close', () => void this.#nameless.delete(client));
      const sock = openSocket(this.#port, addressOf(n));
      client.connect({ sock, username: 'git', authHandler: () => undefined });
    }
  }
}
