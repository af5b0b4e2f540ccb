/**
 * A server whose repositories lie on a disk of its own, small enough to be filled.
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
import type { OwnGround } from './scenario.ts';

export const MIB = 1024 * 1024;
export const DISK_MEBIBYTES = 64;
const BALLAST = 'ballast';
const BALLAST_BYTES = 20 * MIB;

/** A mount that nobody else sees, and that goes away with the process: mount, copy what is to be served, begin. */
const WITHIN_A_SMALL_DISK = `
mount -t tmpfs -o size=$1m packwire-trial "$2" && cp -a "$3/." "$2" || exit 1
shift 3
exec "$@"`;
const UNSHARE = ['unshare', '--mount', '--map-root-user'];

/** @returns why there can be no such disk here */
export function withoutSmallDisks(): string | undefined {
  const { status } = spawnSync(UNSHARE[0] as string, [
    ...UNSHARE.slice(1),
    'mount',
    '-t',
    'tmpfs',
    'x',
    '/mnt',
  ]);
  return status === 0 ? undefined : 'no namespaces of mounts for this user (unshare --mount --map-root-user)';
}

export class SmallDisk {
  readonly server: WatchedServer;
  /** What did not hold. */
  readonly broken: string[] = [];
  readonly #scratch: string;
  readonly #held = new Map<string, string>();
  #clones = 0;

  private constructor(server: WatchedServer, scratch: string) {
    this.server = server;
    this.#scratch = scratch;
  }

  /**
   * A server on a disk with the tiny repository and ballast.
   *
   * @param name of a directory to be made
   * @param freeDiskBytes as in the configuration: below it pushes are shed; 0 sheds none
   */
  static async mount({ scratch, watch }: OwnGround, name: string, freeDiskBytes: number): Promise<SmallDisk> {
    const own = join(scratch, name);
    const [mountPoint, contents] = [join(own, 'disk'), join(own, 'contents')];
    mkdirSync(mountPoint, { recursive: true });
    mkdirSync(contents);
    fillTiny(contents);
    writeFileSync(join(contents, BALLAST), Buffer.alloc(BALLAST_BYTES));
    const mounted = [WITHIN_A_SMALL_DISK, 'sh', `${DISK_MEBIBYTES}`, mountPoint, contents];
    const server = await watch(
      { root: mountPoint, keepOpenMs: 2_000, admission: { shed: { freeDiskBytes } } },
      [...UNSHARE, 'sh', '-c', ...mounted],
    );
    return new SmallDisk(server, own);
  }

  /** How many pushes were acknowledged. */
  get heldCount(): number {
    return this.#held.size;
  }

  /** How often it was cloned. */
  get cloneCount(): number {
    return this.#clones;
  }

  /** Push a commit with a file of so many bytes that nothing makes smaller. */
  async push(fileBytes: number): Promise<PushOutcome> {
    const { id, pack } = makeCommit(undefined, randomBytes(fileBytes));
    const ref = `refs/heads/${id}`;
    const outcome = await push(this.server.port, TINY, pushBody([{ ref, oldId: NO_ID, newId: id }], pack));
    if (outcome.kind === 'acknowledged') this.#held.set(ref, id);
    if (outcome.kind === 'unanswered') this.broken.push(`a push got no answer: ${outcome.reason}`);
    return outcome;
  }

  /** Clone with git; what goes wrong is broken. */
  async clone(): Promise<void> {
    const target = join(this.#scratch, `clone-${this.#clones++}`);
    const url = `${this.server.url}/${TINY}`;
    const { status, stderr } = await politeGit(this.#scratch, 'clone', '-q', '--bare', url, target);
    if (status !== 0) this.broken.push(`a clone from the full disk failed: ${stderr.trim()}`);
    rmSync(target, { recursive: true, force: true });
  }

  /** What git shows to somebody who pushes now; that it is taken is broken. */
  async refusalByGit(): Promise<string> {
    const url = `${this.server.url}/${TINY}`;
    await politeGit(this.#scratch, 'clone', '-q', '--bare', url, 'pusher');
    const { status, stderr } = await politeGit(join(this.#scratch, 'pusher'), 'push', url, 'main:by-git');
    if (status === 0) this.broken.push('git pushed to a disk that is full');
    return stderr;
  }

  dropBallast(): void {
    rmSync(join(this.server.root, BALLAST));
  }

  /** Is everything there that was acknowledged, and the repository sound? What is not is broken. */
  async judge(): Promise<void> {
    // git does not find its way in a mount that it cannot name: it looks at a copy.
    spawnSync('cp', ['-a', join(this.server.root, TINY), this.#scratch]);
    const found = refsOf(join(this.#scratch, TINY));
    for (const [ref, id] of this.#held) {
      if (found.get(ref) !== id) this.broken.push(`${ref} was acknowledged and is ${found.get(ref)}`);
    }
    this.broken.push(...(await unsound(this.#scratch, [TINY])));
  }
}
