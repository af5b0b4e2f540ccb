/**
 * What somebody does to SSH who has a key.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cloneRequest } from '../../../bench/pack/requests.ts';
import { OPENSSH_MISSING } from '../../support/openssh.ts';
import { TINY } from '../support/served-root.ts';
import { makeCommit, NO_ID, pushBody } from '../support/small-pushes.ts';
import { SshAttacker } from '../support/ssh-attacker.ts';
import type { Finding, Scenario } from './scenario.ts';
import { HonestOverSsh, SSH_IDLE_MS, type SshGround, startSshGround } from './ssh-ground.ts';

/** How many do each of it at a time. */
const EACH = 5;
/** More than the server lets one connection have. */
const SESSIONS = 200;
const MAX_SESSIONS = 10;
const LONGEST_STAY_MS = 400;
const DRIP_MS = 500;
/** Who reads nothing may stay for two silences, of the command and of the connection, and is let go in 2 s. */
const LONGEST_UNREAD_MS = 2 * SSH_IDLE_MS + 10_000;

export const sshCrowd: Scenario = {
  name: 'ssh crowd',
  does: `somebody with a key sends packs by the byte, never reads clones, opens ${SESSIONS} sessions in each connection, sends 30 kB of command, floods and vanishes, ${EACH} times at a time each`,
  holds:
    'clones that nobody reads are cut, no connection has more sessions than it may, and others are served',
  on: 'own',
  skip: () => (OPENSSH_MISSING === false ? undefined : OPENSSH_MISSING),
  run: async (ground) => {
    const scene = await startSshGround(ground);
    const end = performance.now() + ground.seconds * 1000;
    const crowd = new Crowd(scene, () => performance.now() >= end);
    const honest = new HonestOverSsh();
    await Promise.all([crowd.press(), honest.work(scene, ground.scratch, () => performance.now() >= end)]);
    const broken = [...honest.broken, ...crowd.broken];
    return { figure: `${crowd.describe()}; ${honest.describe()}`, broken } satisfies Finding;
  },
};

class Crowd {
  readonly broken: string[] = [];
  readonly #scene: SshGround;
  readonly #isOver: () => boolean;
  readonly #counts = new Map<string, number>();
  readonly #clone: Buffer;
  #longestUnreadMs = 0;

  constructor(scene: SshGround, isOver: () => boolean) {
    this.#scene = scene;
    this.#isOver = isOver;
    this.#clone = cloneRequest(join(scene.server.root, scene.large[0] as string));
  }

  describe(): string {
    const counts = [...this.#counts].map(([what, count]) => `${count} ${what}`).join(', ');
    return `${counts}; nobody who read nothing stayed longer than ${(this.#longestUnreadMs / 1000).toFixed(1)} s`;
  }

  async press(): Promise<void> {
    const ways: Readonly<Record<string, (attacker: SshAttacker) => Promise<void>>> = {
      'packs by the byte': (attacker) => this.#trickle(attacker),
      'clones not read': (attacker) => this.#readNothing(attacker, false),
      'sockets not read': (attacker) => this.#readNothing(attacker, true),
      'connections of too many sessions': (attacker) => this.#openMany(attacker),
      'oversized commands': (attacker) => this.#sayTooMuch(attacker),
      floods: (attacker) => this.#flood(attacker),
      'rekeys without end': (attacker) => attacker.flood((protocol) => void protocol.rekey(), this.#isOver),
      'tiny packets': (attacker) => this.#takeTinyPackets(attacker),
      'gone within a pack': (attacker) => this.#vanish(attacker),
    };
    await Promise.all(
      Object.entries(ways).flatMap(([what, way], w) =>
        Array.from({ length: EACH }, (_, n) => this.#comeAgain(what, way, w * EACH + n)),
      ),
    );
  }

  async #comeAgain(what: string, way: (attacker: SshAttacker) => Promise<void>, n: number): Promise<void> {
    while (!this.#isOver()) {
      const attacker = new SshAttacker(this.#scene.port, n, { privateKey: this.#scene.hostileKey });
      const over = setInterval(() => this.#isOver() && attacker.vanish(), 100);
      if (await attacker.ready()) {
        await way(attacker);
        this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
      }
      clearInterval(over);
      attacker.vanish();
      await sleep(50);
    }
  }

  async #trickle(attacker: SshAttacker): Promise<void> {
    const channel = await attacker.exec(`git-receive-pack '/${TINY}'`);
    if (channel === undefined) return;
    const { body, packAt } = aPush(2_000);
    channel.resume();
    let isOpen = true;
    channel.on('close', () => (isOpen = false));
    channel.write(body.subarray(0, packAt + 100));
    for (let at = packAt + 100; isOpen && attacker.isOpen && at < body.length - 1; at++) {
      channel.write(body.subarray(at, at + 1));
      await sleep(DRIP_MS);
    }
  }

  async #readNothing(attacker: SshAttacker, isDeaf: boolean): Promise<void> {
    const channel = await attacker.exec(`git-upload-pack '/${this.#scene.large[0]}'`);
    if (channel === undefined) return;
    channel.write(this.#clone);
    if (isDeaf) {
      const { id } = (channel as unknown as { readonly outgoing: { readonly id: number } }).outgoing;
      attacker.protocol.channelWindowAdjust(id, 2 ** 31);
      attacker.socket.pause();
    }
    const began = performance.now();
    // A socket that is not read does not see its end: what is sent to one that is closed does.
    const asking = setInterval(() => attacker.protocol.ping(), 500);
    const isCut = await Promise.race([
      isDeaf ? attacker.closed.then(() => true) : ended(channel, attacker),
      sleep(LONGEST_UNREAD_MS, false),
    ]);
    clearInterval(asking);
    const heldMs = performance.now() - began;
    this.#longestUnreadMs = Math.max(this.#longestUnreadMs, heldMs);
    if (!isCut && !this.#isOver()) {
      this.broken.push(`a clone that nobody read was there after ${(heldMs / 1000).toFixed(1)} s`);
    }
  }

  async #openMany(attacker: SshAttacker): Promise<void> {
    let open = 0;
    await Promise.all(
      Array.from({ length: SESSIONS }, async () => {
        const channel = await attacker.exec(`git-receive-pack '/${TINY}'`);
        if (channel !== undefined) open++;
      }),
    );
    if (open > MAX_SESSIONS) this.broken.push(`a connection had ${open} sessions`);
    await sleep(LONGEST_STAY_MS);
  }

  async #sayTooMuch(attacker: SshAttacker): Promise<void> {
    for (const command of [
      `git-upload-pack '/${'a/'.repeat(15_000)}'`,
      `git-upload-pack ${'"\\a'.repeat(10_000)}`,
      `${"'a' ".repeat(7_500)}`,
      `git-upload-pack '/${TINY}${'\n'.repeat(30_000)}'`,
    ]) {
      const channel = await attacker.exec(command);
      channel?.resume();
      channel?.stderr.resume();
      if (channel !== undefined) await ended(channel, attacker);
    }
  }

  async #flood(attacker: SshAttacker): Promise<void> {
    attacker.socket.pause();
    attacker.protocol.session(0, 2 ** 31, 32_768);
    await attacker.flood((protocol) => {
      for (let i = 0; i < 100; i++) {
        protocol.env(0, 'GIT_PROTOCOL', `version=2:${'x'.repeat(900)}`, true);
        protocol.env(0, 'LD_PRELOAD', 'x', true);
        protocol.pty(0, 1, 1, 1, 1, 'vt100', null, true);
        protocol.ping();
        protocol.tcpipForward('0.0.0.0', 0, true);
        protocol.directTcpip(i, 2 ** 31, 32_768, {
          srcIP: '1.1.1.1',
          srcPort: 1,
          dstIP: '127.0.0.1',
          dstPort: 22,
        });
        protocol.session(1000 + i, 2 ** 31, 32_768);
        protocol.channelClose(i);
      }
    }, this.#isOver);
  }

  async #takeTinyPackets(attacker: SshAttacker): Promise<void> {
    attacker.protocol.session(0, 2 ** 31, Math.floor(Math.random() * 3));
    attacker.protocol.exec(0, `git-upload-pack '/${TINY}'`, true);
    await Promise.race([attacker.closed, sleep(LONGEST_STAY_MS)]);
  }

  async #vanish(attacker: SshAttacker): Promise<void> {
    const channel = await attacker.exec(`git-receive-pack '/${TINY}'`);
    const { body, packAt } = aPush(50_000);
    channel?.resume();
    channel?.write(body.subarray(0, packAt + Math.floor(Math.random() * (body.length - packAt))));
    await sleep(Math.random() * LONGEST_STAY_MS);
  }
}

/** A push of a file of so many bytes, and where its pack begins. */
function aPush(sizeBytes: number): { readonly body: Uint8Array; readonly packAt: number } {
  const { id, pack } = makeCommit(undefined, randomBytes(sizeBytes));
  const body = pushBody([{ ref: 'refs/heads/crowd', oldId: NO_ID, newId: id }], pack);
  return { body, packAt: body.length - pack.length };
}

/** Whatever it was: told by an exit code, or by the end of everything. */
async function ended(channel: NodeJS.EventEmitter, { closed }: SshAttacker): Promise<boolean> {
  const exit = new Promise<void>((resolve) => channel.once('exit', () => resolve()));
  await Promise.race([exit, closed]);
  return true;
}
