/**
 * A server over SSH with somebody honest, somebody who is not and has a key too, and what the honest one does meanwhile.
 *
 * @module
 */
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { armouredEd25519Key } from '../../../src/transport/node/ssh/host-keys.ts';
import { newSshKey } from '../../support/openssh.ts';
import { makeKnownUser } from '../support/known-user.ts';
import { politeGit } from '../support/polite-git.ts';
import { fillRoot, TINY } from '../support/served-root.ts';
import { HOST } from '../support/server-config.ts';
import type { WatchedServer } from '../support/watched-server.ts';
import type { OwnGround } from './scenario.ts';

/** Of silence, so that a short trial sees its end. */
export const SSH_IDLE_MS = 3_000;
const GRACE_MS = 5_000;
const PATIENCE_MS = 60_000;

export interface SshGround {
  readonly server: WatchedServer;
  readonly port: number;
  /** Names below the root that are worth a clone. */
  readonly large: readonly string[];
  /** The private key of somebody known who is hostile. */
  readonly hostileKey: string;
  /** For GIT_SSH_COMMAND, of somebody honest. */
  readonly honestSsh: string;
}

export async function startSshGround({ scratch, repositories, watch }: OwnGround): Promise<SshGround> {
  const root = join(scratch, 'served');
  mkdirSync(root);
  const large = await fillRoot(root, repositories);
  const { accessFile, sshCommand } = makeKnownUser(scratch);
  const { path } = newSshKey(scratch, 'hostile');
  const access = JSON.parse(readFileSync(accessFile, 'utf8'));
  access.users.mallory = { groups: [] };
  access.keys.push({ key: readFileSync(`${path}.pub`, 'utf8').trim(), user: 'mallory' });
  writeFileSync(accessFile, JSON.stringify(access), { mode: 0o600 });
  const server = await watch({
    root,
    keepOpenMs: 2_000,
    limits: { idleTimeoutMs: SSH_IDLE_MS, pushPauseMs: 2 * SSH_IDLE_MS },
    ssh: { hostKeys: join(scratch, 'host-keys'), loginGraceMs: GRACE_MS },
    access: { file: accessFile },
  });
  const { port } = { port: server.process.ports.ssh };
  const hostileKey = readFileSync(path, 'utf8');
  return { server, port, large, hostileKey, honestSsh: `${sshCommand} -p ${port}` };
}

/** The key of nobody. */
export function unknownKey(): string {
  return armouredEd25519Key(generateKeyPairSync('ed25519').privateKey);
}

/** Somebody who clones and pushes over SSH again and again. */
export class HonestOverSsh {
  readonly broken: string[] = [];
  readonly #waits: number[] = [];

  async work({ port, honestSsh }: SshGround, scratch: string, until: () => boolean): Promise<void> {
    const url = `ssh://git@${HOST}:${port}/${TINY}`;
    const env = { GIT_SSH_COMMAND: honestSsh };
    for (let n = 0; !until(); n++) {
      const clone = join(scratch, `honest-${n}`);
      const began = performance.now();
      await this.#persist('clone', { cwd: scratch, env }, ['clone', '-q', '--bare', url, clone]);
      const { stdout } = await politeGit(
        clone,
        'commit-tree',
        'main^{tree}',
        '-p',
        'main',
        '-m',
        `honest ${n}`,
      );
      const push = ['push', '-q', url, `${stdout.trim()}:refs/heads/honest-${n}`];
      await this.#persist('push', { cwd: clone, env }, push);
      this.#waits.push(performance.now() - began);
      await sleep(500);
    }
    if (this.#waits.length === 0) this.broken.push('nobody honest could work');
  }

  describe(): string {
    const slowest = Math.max(...this.#waits) / 1000;
    return `honest clones and pushes: ${this.#waits.length}, the slowest after ${slowest.toFixed(1)} s`;
  }

  /** However often it takes. */
  async #persist(
    what: string,
    run: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
    args: readonly string[],
  ): Promise<void> {
    const began = performance.now();
    for (;;) {
      const { status, stderr } = await politeGit({ ...run, timeoutMs: PATIENCE_MS }, ...args);
      if (status === 0) return;
      if (performance.now() - began > PATIENCE_MS) {
        this.broken.push(`an honest ${what} did not pass within ${PATIENCE_MS / 1000} s: ${stderr.trim()}`);
        return;
      }
      await sleep(200);
    }
  }
}
