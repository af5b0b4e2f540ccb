/**
 * Many small pushes from many clients, to branches of their own and to one that all want.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Acknowledged, ContendedRef } from '../support/acknowledged.ts';
import { addressOf } from '../support/addresses.ts';
import { refsOf, unsound } from '../support/served-root.ts';
import {
  type MadeCommit,
  makeCommit,
  NO_ID,
  type PushOutcome,
  push,
  pushBody,
} from '../support/small-pushes.ts';
import type { Scenario, SharedGround } from './scenario.ts';

const REPOSITORIES = 4;
const CONTENDED = 'refs/heads/contended';
/** Each client deletes a branch of its own after so many pushes and begins another. */
const PUSHES_A_BRANCH = 10;
const LARGEST_FILE_BYTES = 20_000;

export const pushFlood: Scenario = {
  name: 'push flood',
  does: 'each client pushes commit after commit to four repositories, every third one to a branch that all want',
  holds: 'each acknowledged push is there, in order, and git finds nothing wrong',
  on: 'shared',
  async run(ground) {
    const flood = new Flood(ground);
    await flood.prepare();
    await Promise.all(Array.from({ length: ground.clients }, (_, n) => flood.client(n)));
    const broken = [...flood.broken(), ...(await unsound(ground.server.root, flood.repositories))];
    return { figure: flood.describe(), broken };
  },
};

class Flood {
  /** New ones each time. */
  readonly repositories: readonly string[];
  readonly #ground: SharedGround;
  /** One a client: each comes from an address of its own. */
  readonly #agents: readonly Agent[];
  readonly #own = Array.from({ length: REPOSITORIES }, () => new Acknowledged());
  readonly #contended = Array.from({ length: REPOSITORIES }, () => new ContendedRef());
  /** What each contended ref held first, and holds as far as is known. */
  readonly #first: string[] = [];
  readonly #tips: string[] = [];
  readonly #counts: Record<PushOutcome['kind'], number> = {
    acknowledged: 0,
    refused: 0,
    'turned away': 0,
    unanswered: 0,
  };
  readonly #problems: string[] = [];
  #endsAt = 0;
  #began = 0;

  constructor(ground: SharedGround) {
    this.#ground = ground;
    const name = `flood-${randomBytes(4).toString('hex')}`;
    this.repositories = Array.from({ length: REPOSITORIES }, (_, n) => `${name}-${n}.git`);
    this.#agents = Array.from(
      { length: ground.clients },
      (_, n) => new Agent({ keepAlive: true, localAddress: addressOf(n) }),
    );
  }

  /** Make the repositories, by pushing to them. */
  async prepare(): Promise<void> {
    for (const [at, repository] of this.repositories.entries()) {
      const commit = makeCommit(undefined, randomBytes(100));
      const outcome = await this.#push(0, at, CONTENDED, NO_ID, commit);
      if (outcome.kind !== 'acknowledged') this.#problems.push(`${repository} could not be made`);
      this.#first.push(commit.id);
      this.#tips.push(commit.id);
    }
    this.#began = performance.now();
    this.#endsAt = this.#began + this.#ground.seconds * 1000;
  }

  async client(n: number): Promise<void> {
    const at = n % REPOSITORIES;
    let held: string | undefined;
    for (let round = 0; performance.now() < this.#endsAt; round++) {
      const ref = `refs/heads/client-${n}/${Math.floor(round / PUSHES_A_BRANCH)}`;
      if (round % PUSHES_A_BRANCH === 0) held = undefined;
      held = await this.#pushOwn(n, at, ref, held);
      if (round % 3 === 0) await this.#pushContended(n, at);
      if (round % PUSHES_A_BRANCH === PUSHES_A_BRANCH - 1 && n % 2 === 0)
        await this.#delete(n, at, ref, held);
    }
  }

  broken(): string[] {
    for (const agent of this.#agents) agent.destroy();
    return [
      ...this.#problems,
      ...this.repositories.flatMap((repository, at) => {
        const held = refsOf(join(this.#ground.server.root, repository));
        const contended = this.#contended[at]?.broken(this.#first[at] as string, held.get(CONTENDED)) ?? [];
        return [...(this.#own[at]?.broken(held) ?? []), ...contended].map((what) => `${repository}: ${what}`);
      }),
    ];
  }

  describe(): string {
    const seconds = (performance.now() - this.#began) / 1000;
    const { acknowledged, refused, unanswered } = this.#counts;
    return (
      `${acknowledged} acknowledged (${(acknowledged / seconds).toFixed(0)}/s), ${refused} lost the race, ` +
      `${this.#counts['turned away']} told to come later, ${unanswered} unanswered`
    );
  }

  async #pushOwn(n: number, at: number, ref: string, held: string | undefined): Promise<string | undefined> {
    const promises = this.#own[at] as Acknowledged;
    const commit = makeCommit(held, randomBytes(1 + Math.floor(Math.random() * LARGEST_FILE_BYTES)));
    promises.attempt(ref, commit.id);
    const outcome = await this.#push(n, at, ref, held ?? NO_ID, commit);
    if (outcome.kind === 'acknowledged') {
      promises.acknowledge(ref, commit.id);
      return commit.id;
    }
    if (outcome.kind === 'refused' || outcome.kind === 'unanswered') {
      this.#problems.push(`a push to ${ref} was ${outcome.kind}: ${outcome.reason}`);
    }
    if (outcome.kind !== 'unanswered') promises.refuse(ref, held);
    return held;
  }

  async #pushContended(n: number, at: number): Promise<void> {
    const tip = this.#tips[at] as string;
    const commit = makeCommit(tip, randomBytes(100));
    const outcome = await this.#push(n, at, CONTENDED, tip, commit);
    if (outcome.kind === 'unanswered')
      this.#problems.push(`a contended push was unanswered: ${outcome.reason}`);
    if (outcome.kind !== 'acknowledged') return;
    this.#contended[at]?.acknowledge(tip, commit.id);
    this.#tips[at] = commit.id;
  }

  async #delete(n: number, at: number, ref: string, held: string | undefined): Promise<void> {
    if (held === undefined) return;
    const promises = this.#own[at] as Acknowledged;
    promises.attempt(ref, undefined);
    const outcome = await this.#push(n, at, ref, held, undefined);
    if (outcome.kind === 'acknowledged') promises.acknowledge(ref, undefined);
    else if (outcome.kind !== 'unanswered') promises.refuse(ref, held);
  }

  async #push(
    n: number,
    at: number,
    ref: string,
    oldId: string,
    commit: MadeCommit | undefined,
  ): Promise<PushOutcome> {
    const body = pushBody([{ ref, oldId, newId: commit?.id ?? NO_ID }], commit?.pack);
    const outcome = await push(
      this.#ground.server.port,
      this.repositories[at] as string,
      body,
      this.#agents[n],
    );
    this.#counts[outcome.kind]++;
    if (outcome.kind === 'turned away') await sleep(Number(outcome.retryAfter ?? 1) * 1000);
    return outcome;
  }
}
