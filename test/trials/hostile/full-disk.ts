/**
 * A disk that is full, and then is not.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { politeGit } from '../support/polite-git.ts';
import { fillTiny, refsOf, TINY, unsound } from '../support/served-root.ts';
import { makeCommit, NO_ID, type PushOutcome, push, pushBody } from '../support/small-pushes.ts';
import type { WatchedServer } from '../support/watched-server.ts';
import type { Finding, OwnGround, Scenario } from './scenario.ts';

const DISK_MEBIBYTES = 64;
const MIB = 1024 * 1024;
const FILE_BYTES = 5 * MIB;
const BALLAST = 'ballast';
const BALLAST_BYTES = 20 * MIB;

/** A mount that nobody else sees, and that goes away with the process: mount, copy what is to be served, begin. */
const WITHIN_A_SMALL_DISK = `
mount -t tmpfs -o size=$1m packwire-trial "$2" && cp -a "$3/." "$2" || exit 1
shift 3
exec "$@"`;
const UNSHARE = ['unshare', '--mount', '--map-root-user'];

export const fullDisk: Scenario = {
  name: 'full disk',
  does: `pushes fill a disk of ${DISK_MEBIBYTES} MiB and go on when it is full`,
  holds:
    'pushes are refused in words, reads go on, nothing is left behind, and with room pushes are taken again',
  on: 'own',
  skip: () => {
    const { status } = spawnSync(UNSHARE[0] as string, [
      ...UNSHARE.slice(1),
      'mount',
      '-t',
      'tmpfs',
      'x',
      '/mnt',
    ]);
    return status === 0
      ? undefined
      : 'no namespaces of mounts for this user (unshare --mount --map-root-user)';
  },
  async run(ground) {
    const server = await startOnSmallDisk(ground);
    const disk = new SmallDisk(server);
    await disk.fill();
    await disk.pressWhileFull(ground);
    await disk.makeRoom();
    return await disk.judge(ground);
  },
};

async function startOnSmallDisk({ scratch, watch }: OwnGround): Promise<WatchedServer> {
  const [mountPoint, contents] = [join(scratch, 'small-disk'), join(scratch, 'contents')];
  mkdirSync(mountPoint);
  mkdirSync(contents);
  fillTiny(contents);
  writeFileSync(join(contents, BALLAST), Buffer.alloc(BALLAST_BYTES));
  const within = [
    ...UNSHARE,
    'sh',
    '-c',
    WITHIN_A_SMALL_DISK,
    'sh',
    `${DISK_MEBIBYTES}`,
    mountPoint,
    contents,
  ];
  return await watch(
    { root: mountPoint, keepOpenMs: 2_000, admission: { shed: { freeDiskBytes: 0 } } },
    within,
  );
}

class SmallDisk {
  readonly #server: WatchedServer;
  readonly #held = new Map<string, string>();
  readonly #broken: string[] = [];
  #refused = 0;
  #reads = 0;
  #words = '';

  constructor(server: WatchedServer) {
    this.#server = server;
  }

  /** Push until there is no room. */
  async fill(): Promise<void> {
    for (let n = 0; n * FILE_BYTES < DISK_MEBIBYTES * MIB; n++) {
      const outcome = await this.#push(FILE_BYTES);
      if (outcome.kind !== 'acknowledged') return this.#expectRefusal(outcome);
    }
    this.#broken.push('more was taken than the disk holds');
  }

  /** Pushes that do not fit, beside clones that must work. */
  async pressWhileFull({ seconds, scratch }: OwnGround): Promise<void> {
    const end = performance.now() + seconds * 1000;
    const read = async (): Promise<void> => {
      while (performance.now() < end) {
        const target = join(scratch, `clone-${this.#reads++}`);
        const { status, stderr } = await politeGit(
          scratch,
          'clone',
          '-q',
          '--bare',
          `${this.#server.url}/${TINY}`,
          target,
        );
        if (status !== 0) this.#broken.push(`a clone from the full disk failed: ${stderr.trim()}`);
        rmSync(target, { recursive: true, force: true });
      }
    };
    const write = async (): Promise<void> => {
      while (performance.now() < end) this.#expectRefusal(await this.#push(FILE_BYTES * 2));
    };
    await Promise.all([read(), write(), write()]);
  }

  async makeRoom(): Promise<void> {
    rmSync(join(this.#server.root, BALLAST));
    const outcome = await this.#push(FILE_BYTES);
    if (outcome.kind !== 'acknowledged')
      this.#broken.push(`with room again a push was ${JSON.stringify(outcome)}`);
  }

  async judge({ scratch }: OwnGround): Promise<Finding> {
    // git does not find its way in a mount that it cannot name: it looks at a copy.
    spawnSync('cp', ['-a', join(this.#server.root, TINY), scratch]);
    const found = refsOf(join(scratch, TINY));
    for (const [ref, id] of this.#held) {
      if (found.get(ref) !== id) this.#broken.push(`${ref} was acknowledged and is ${found.get(ref)}`);
    }
    const figure =
      `${this.#held.size} pushes acknowledged, ${this.#refused} refused (${this.#words}), ` +
      `${this.#reads} clones while it was full`;
    return { figure, broken: [...this.#broken, ...(await unsound(scratch, [TINY]))] };
  }

  async #push(fileBytes: number): Promise<PushOutcome> {
    const { id, pack } = makeCommit(undefined, randomBytes(fileBytes));
    const ref = `refs/heads/${id}`;
    const outcome = await push(this.#server.port, TINY, pushBody([{ ref, oldId: NO_ID, newId: id }], pack));
    if (outcome.kind === 'acknowledged') this.#held.set(ref, id);
    return outcome;
  }

  #expectRefusal(outcome: PushOutcome): void {
    if (outcome.kind === 'acknowledged') return;
    this.#refused++;
    if (outcome.kind === 'unanswered') this.#broken.push(`a refused push got no answer: ${outcome.reason}`);
    else this.#words = outcome.kind === 'refused' ? outcome.reason : `status ${outcome.status}`;
  }
}
