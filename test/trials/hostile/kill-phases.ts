/**
 * kill -9 in each phase of a push.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { git } from '../../support/git.ts';
import { Acknowledged } from '../support/acknowledged.ts';
import { openSocket, post } from '../support/raw-exchange.ts';
import { fillTiny, refsOf, removeLocks, TINY, unsound } from '../support/served-root.ts';
import { type MadeCommit, makeCommit, NO_ID, push, pushBody } from '../support/small-pushes.ts';
import { becomesTrue } from '../support/waiting.ts';
import type { Finding, OwnGround, Scenario } from './scenario.ts';

/**
 * Where the server is when it is killed. Hooks stop it where they are run; the other moments are met by what was sent
 * and what came back.
 */
const PHASES = [
  'half of the commands sent',
  'half of the pack sent',
  'all sent',
  'pre-receive',
  'update',
  'reference-transaction',
  'post-receive',
  'answered',
] as const;
type Phase = (typeof PHASES)[number];

/** Of these the server has not begun to move refs. */
const BEFORE_REFS: readonly Phase[] = [
  'half of the commands sent',
  'half of the pack sent',
  'pre-receive',
  'update',
];
const HOOKS: readonly string[] = ['pre-receive', 'update', 'reference-transaction', 'post-receive'];
const ROUNDS = 3;
const FILE_BYTES = 300_000;
const PATIENCE_MS = 10_000;

export const killPhases: Scenario = {
  name: 'kill -9',
  does: `the server is killed ${ROUNDS} times in each of ${PHASES.length} phases of a push, and started again`,
  holds: 'each acknowledged push is there, no other is there by half, and the next push goes through',
  on: 'own',
  run: (ground) => new Killings(ground).run(),
};

class Killings {
  readonly #ground: OwnGround;
  readonly #root: string;
  readonly #repository: string;
  readonly #promises = new Acknowledged();
  readonly #broken: string[] = [];
  #kills = 0;
  #locks = 0;
  #n = 0;

  constructor(ground: OwnGround) {
    this.#ground = ground;
    this.#root = join(ground.scratch, 'served');
    this.#repository = join(this.#root, TINY);
  }

  async run(): Promise<Finding> {
    mkdirSync(this.#root);
    fillTiny(this.#root);
    // git's own housekeeping outlives the server that asked for it, and fsck cannot look at what it moves.
    git(this.#repository, 'config', 'receive.autogc', 'false');
    for (const phase of PHASES) {
      for (let round = 0; round < ROUNDS; round++) await this.#killIn(phase, round);
    }
    const quarantines = readdirSync(join(this.#repository, 'objects')).filter((name) =>
      name.includes('incoming-'),
    );
    const figure =
      `${this.#kills} kills, ${this.#promises.count} pushes acknowledged, ` +
      `${this.#locks} stale locks, ${quarantines.length} quarantines left for git gc`;
    return { figure, broken: this.#broken };
  }

  async #killIn(phase: Phase, round: number): Promise<void> {
    const ref = `refs/heads/killed-${++this.#n}`;
    const commit = makeCommit(undefined, randomBytes(FILE_BYTES));
    const server = await this.#ground.start({ root: this.#root });
    this.#promises.attempt(ref, commit.id);
    const hold = HOOKS.includes(phase) ? this.#holdIn(phase) : undefined;
    const client = new KilledPush(server.port, ref, commit);
    await this.#reach(phase, round, client, hold);
    await server.kill();
    this.#kills++;
    if (client.isAcknowledged) this.#promises.acknowledge(ref, commit.id);
    client.close();
    hold?.letGo();
    await this.#judge(`${phase}, kill ${round + 1}`, ref, BEFORE_REFS.includes(phase));
  }

  async #reach(phase: Phase, round: number, client: KilledPush, hold: HeldHook | undefined): Promise<void> {
    if (phase === 'half of the commands sent') {
      await client.sendCommands(0.5);
      await sleep(50);
    } else if (phase === 'half of the pack sent') {
      await client.sendPack(0.5);
      await sleep(50);
    } else {
      await client.sendPack(1);
      if (phase === 'all sent') return void (await sleep(round * 5));
      const reached = hold === undefined ? () => client.isAcknowledged : () => hold.isReached;
      if (!(await becomesTrue(reached, PATIENCE_MS))) this.#broken.push(`${phase} was not reached`);
    }
  }

  /** As the operator finds it, and then as the next client does. */
  async #judge(what: string, ref: string, mustBeAbsent: boolean): Promise<void> {
    const held = refsOf(this.#repository);
    const broken = this.#promises.broken(held);
    if (mustBeAbsent && held.has(ref)) broken.push(`${ref} was moved before its time`);
    broken.push(...(await unsound(this.#root, [TINY])));
    this.#locks += removeLocks(this.#repository);

    await using server = await this.#ground.start({ root: this.#root });
    const next = makeCommit(held.get(ref), randomBytes(100));
    const body = pushBody([{ ref, oldId: held.get(ref) ?? NO_ID, newId: next.id }], next.pack);
    const outcome = await push(server.port, TINY, body);
    if (outcome.kind === 'acknowledged') this.#promises.acknowledge(ref, next.id);
    else broken.push(`the next push was ${JSON.stringify(outcome)}`);
    this.#broken.push(...broken.map((sentence) => `${what}: ${sentence}`));
  }

  /** A hook that says that it runs, and goes on when it may. */
  #holdIn(hook: string): HeldHook {
    const [reached, held] = ['reached', 'held'].map((name) => join(this.#ground.scratch, name)) as [
      string,
      string,
    ];
    const path = join(this.#repository, 'hooks', hook);
    mkdirSync(join(this.#repository, 'hooks'), { recursive: true });
    rmSync(reached, { force: true });
    writeFileSync(held, '');
    writeFileSync(path, `#!/bin/sh\n: >'${reached}'\nwhile test -e '${held}'; do sleep 0.05; done\n`);
    chmodSync(path, 0o755);
    return {
      get isReached() {
        return existsSync(reached);
      },
      letGo() {
        rmSync(held);
        rmSync(path);
      },
    };
  }
}

interface HeldHook {
  readonly isReached: boolean;
  /** Let it end, and run it no more. */
  letGo(): void;
}

/** A push that is sent as far as is wanted. */
class KilledPush {
  readonly #socket: Socket;
  readonly #request: Buffer;
  readonly #packBytes: number;
  #answer = '';
  #sent = 0;

  constructor(port: number, ref: string, { id, pack }: MadeCommit) {
    this.#socket = openSocket(port);
    this.#packBytes = pack.length;
    const body = pushBody([{ ref, oldId: NO_ID, newId: id }], pack);
    this.#request = Buffer.concat(post(`/${TINY}/git-receive-pack`, body));
    this.#socket.setEncoding('latin1').on('data', (text: string) => {
      this.#answer += text;
    });
  }

  /** Whether the report has come, and says yes. */
  get isAcknowledged(): boolean {
    return this.#answer.includes('unpack ok') && /ok refs\//.test(this.#answer);
  }

  sendCommands(part: number): Promise<void> {
    return this.#sendTo(Math.floor((this.#request.length - this.#packBytes) * part));
  }

  sendPack(part: number): Promise<void> {
    return this.#sendTo(this.#request.length - Math.floor(this.#packBytes * (1 - part)));
  }

  close(): void {
    this.#socket.destroy();
  }

  #sendTo(end: number): Promise<void> {
    const bytes = this.#request.subarray(this.#sent, end);
    this.#sent = end;
    return new Promise((resolve) => {
      this.#socket.write(bytes, () => resolve());
    });
  }
}
