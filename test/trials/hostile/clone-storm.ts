/**
 * Everybody clones at once.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { cloneRequest, fetchRequest } from '../../../bench/pack/requests.ts';
import type { ReaderResult } from '../../../bench/storm/readers.ts';
import { addressOf } from '../support/addresses.ts';
import { post, rawExchange } from '../support/raw-exchange.ts';
import type { Scenario, SharedGround } from './scenario.ts';

const READERS = resolve(import.meta.dirname, '../../../bench/storm/readers.ts');
const V2 = { 'git-protocol': 'version=2' };
/** As many different fetches beside the clones, none of which was asked for before. */
const FETCHES = 30;
const PATIENCE_MS = 300_000;

export const cloneStorm: Scenario = {
  name: 'clone storm',
  does: 'as many full clones at once as there are clients, a quarter as many without blobs, and fetches beside them',
  holds: 'each is answered in full, or told to come again later',
  on: 'shared',
  async run(ground) {
    const findings: string[] = [];
    const broken: string[] = [];
    for (const name of ground.large) {
      const began = performance.now();
      const repository = join(ground.server.root, name);
      const results = await Promise.all([
        readClones(ground, name, cloneRequest(repository), ground.clients),
        readClones(ground, name, cloneRequest(repository, 'blob:none'), Math.ceil(ground.clients / 4)),
        readFetches(ground, name),
      ]);
      const seconds = (performance.now() - began) / 1000;
      const [asked, complete, turnedAway] = (['asked', 'complete', 'turnedAway'] as const).map((member) =>
        results.reduce((sum, result) => sum + result[member], 0),
      ) as [number, number, number];
      findings.push(
        `${name}: ${complete} of ${asked} in ${seconds.toFixed(1)} s, ${turnedAway} told to come later`,
      );
      if (complete + turnedAway < asked) {
        broken.push(`${name}: ${asked - complete - turnedAway} answers were not whole`);
      }
    }
    return { figure: findings.join('; '), broken };
  },
};

interface Read {
  readonly asked: number;
  readonly complete: number;
  readonly turnedAway: number;
}

/** Clients that read and throw away, in a process of their own. */
async function readClones(
  { server, scratch }: SharedGround,
  name: string,
  body: Uint8Array,
  count: number,
): Promise<Read> {
  const file = join(scratch, `request-${name}-${body.length}-${count}`);
  writeFileSync(file, Buffer.concat(post(`/${name}/git-upload-pack`, body, V2)));
  const readers = [READERS, String(server.port), String(count), file, 'spread'];
  const args = ['-n', '10', process.execPath, '--import', 'tsx', ...readers];
  const child = spawn('nice', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const { complete, turnedAway } = JSON.parse(await text(child.stdout)) as ReaderResult;
  return { asked: count, complete, turnedAway };
}

async function readFetches({ server }: SharedGround, name: string): Promise<Read> {
  const repository = join(server.root, name);
  const bodies = Array.from({ length: FETCHES }, (_, n) => fetchRequest(repository, 10 + n)).filter(
    (body) => body !== undefined,
  );
  const answers = await Promise.all(
    bodies.map((body, n) =>
      rawExchange(server.port, post(`/${name}/git-upload-pack`, body, V2), PATIENCE_MS, addressOf(n)),
    ),
  );
  return {
    asked: bodies.length,
    complete: answers.filter(({ status, how }) => status === 200 && how === 'ended').length,
    turnedAway: answers.filter(({ status }) => status === 429 || status === 503).length,
  };
}
