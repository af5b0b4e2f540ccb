/**
 * The application that decides about access stops answering.
 *
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { addressOf } from '../support/addresses.ts';
import { post, rawExchange } from '../support/raw-exchange.ts';
import { fillTiny, refsOf, TINY } from '../support/served-root.ts';
import { HOST } from '../support/server-config.ts';
import { makeCommit, NO_ID, type PushOutcome, push, pushBody } from '../support/small-pushes.ts';
import type { WatchedServer } from '../support/watched-server.ts';
import { describeHonest, workHonestly } from './honest-client.ts';
import type { Finding, OwnGround, Scenario } from './scenario.ts';

const TIMEOUT_MS = 1_000;
const RETRIES = 1;
/** Each question may take so long, and a push asks twice. */
const REFUSED_WITHIN_MS = 15_000;

export const hangingApplication: Scenario = {
  name: 'hanging authorizer',
  does: 'the application that is asked about access takes questions and answers none, or nonsense, or not about changes',
  holds: 'nobody is let in meanwhile, nobody waits for long, and with the first answer all is as before',
  on: 'own',
  async run(ground) {
    const application = await FakeApplication.start();
    try {
      return await new HangingTrial(application, await start(ground, application), ground).run();
    } finally {
      application.close();
    }
  },
};

async function start({ scratch, watch }: OwnGround, application: FakeApplication): Promise<WatchedServer> {
  const root = join(scratch, 'served');
  mkdirSync(root);
  fillTiny(root);
  const secretFile = join(scratch, 'secret');
  writeFileSync(secretFile, 'between-the-two-of-us\n', { mode: 0o600 });
  return await watch({
    root,
    keepOpenMs: 2_000,
    access: { application: { url: application.url, secretFile, timeoutMs: TIMEOUT_MS, retries: RETRIES } },
  });
}

class HangingTrial {
  readonly #application: FakeApplication;
  readonly #server: WatchedServer;
  readonly #ground: OwnGround;
  readonly #broken: string[] = [];
  #refused = 0;
  #slowestMs = 0;

  constructor(application: FakeApplication, server: WatchedServer, ground: OwnGround) {
    this.#application = application;
    this.#server = server;
    this.#ground = ground;
  }

  async run(): Promise<Finding> {
    await this.#expectWork('before');
    const third = (this.#ground.seconds * 1000) / 3;
    for (const mood of ['hangs', 'talks nonsense', 'hangs about changes'] as const) {
      this.#application.mood = mood;
      await this.#press(mood, performance.now() + third);
    }
    this.#application.mood = 'answers';
    const figure = await this.#expectWork('after');
    return {
      figure: `${this.#refused} refused, the slowest after ${(this.#slowestMs / 1000).toFixed(1)} s; then ${figure}`,
      broken: this.#broken,
    };
  }

  async #expectWork(when: string): Promise<string> {
    const honest = await workHonestly(this.#server, this.#ground.scratch);
    this.#broken.push(...honest.broken.map((sentence) => `${when}: ${sentence}`));
    return describeHonest(honest);
  }

  async #press(mood: Mood, end: number): Promise<void> {
    const held = refsOf(join(this.#server.root, TINY)).size;
    const client = async (n: number): Promise<void> => {
      for (let round = 0; performance.now() < end; round++) {
        const began = performance.now();
        if (mood !== 'hangs about changes' && (n + round) % 2 === 0) await this.#fetch(mood, n);
        else await this.#push(mood);
        this.#slowestMs = Math.max(this.#slowestMs, performance.now() - began);
      }
    };
    await Promise.all(Array.from({ length: this.#ground.clients }, (_, n) => client(n)));
    if (refsOf(join(this.#server.root, TINY)).size !== held)
      this.#broken.push(`${mood}: a push went through`);
  }

  async #fetch(mood: Mood, n: number): Promise<void> {
    const body = Buffer.from('0014command=ls-refs\n0000');
    const request = post(`/${TINY}/git-upload-pack`, body, { 'git-protocol': 'version=2' });
    const { status, how } = await rawExchange(this.#server.port, request, REFUSED_WITHIN_MS, addressOf(n));
    if (how === 'held')
      this.#broken.push(`${mood}: a fetch got no answer within ${REFUSED_WITHIN_MS / 1000} s`);
    else if (status === 200) this.#broken.push(`${mood}: a fetch was let in`);
    else this.#refused++;
  }

  async #push(mood: Mood): Promise<void> {
    const { id, pack } = makeCommit(undefined, crypto.getRandomValues(new Uint8Array(100)));
    const body = pushBody([{ ref: `refs/heads/${id}`, oldId: NO_ID, newId: id }], pack);
    const outcome: PushOutcome = await push(this.#server.port, TINY, body);
    if (outcome.kind === 'acknowledged') this.#broken.push(`${mood}: a push was let in`);
    else this.#refused++;
  }
}

type Mood = 'answers' | 'hangs' | 'talks nonsense' | 'hangs about changes';

/** Says yes to all, when it is in the mood. */
class FakeApplication {
  mood: Mood = 'answers';
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<FakeApplication> {
    const server = createServer();
    const application = new FakeApplication(server);
    server.on('request', (request, response) => void application.#answer(request, response));
    await new Promise<void>((done) => {
      server.listen(0, HOST, done);
    });
    return application;
  }

  get url(): string {
    return `http://${HOST}:${(this.#server.address() as AddressInfo).port}/`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = JSON.parse(await text(request)) as { changes?: unknown[] };
    const isAboutChanges = request.url === '/authorize-changes';
    if (this.mood === 'hangs' || (this.mood === 'hangs about changes' && isAboutChanges)) return;
    if (this.mood === 'talks nonsense') return void response.end('{"allowed":"certainly"}');
    if (request.url === '/authorize') return void response.end('{"allowed":true}');
    if (isAboutChanges) return void response.end(JSON.stringify({ refusals: body.changes?.map(() => null) }));
    response.writeHead(204).end();
  }
}
