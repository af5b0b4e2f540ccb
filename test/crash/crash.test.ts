/**
 * A server killed with SIGKILL at random moments while git pushes to it: afterwards the repository is whole, and
 * everything the server said `ok` to is there.
 *
 * A few kills by default; `PACKWIRE_CRASHES=100` for the full run.
 */
import assert from 'node:assert/strict';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { git, scratchDirectory } from '../support/git.ts';
import { CrashClient } from './crash-client.ts';
import { CrashServer } from './crash-server.ts';

const CRASHES = Number(process.env.PACKWIRE_CRASHES ?? 2);

test(`a server killed ${CRASHES} times during pushes keeps what it promised`, async (context) => {
  const scratch = await scratchDirectory(context);
  const root = join(scratch, 'served');
  const repository = join(root, 'crash.git');
  git(scratch, 'init', '-q', 'client');
  const client = new CrashClient(join(scratch, 'client'));

  let server = await CrashServer.start(root);
  context.after(() => server.kill());
  let aimMs = await timed(() => client.pushRound(`${server.url}/crash.git`));
  assert.equal(client.unanswered, 0, 'the first round is not disturbed');
  // git's own housekeeping outlives the server that asked for it, and fsck cannot look at what it moves.
  git(repository, 'config', 'receive.autogc', 'false');

  let staleLocks = 0;
  const quarantines = new Set<string>();
  for (let crashes = 0; crashes < CRASHES; ) {
    const { acknowledged, unanswered } = client;
    const { url } = server;
    const killing = pause(aimMs * (0.7 + 0.6 * Math.random())).then(() => server.kill());
    await Promise.all([client.pushRound(`${url}/crash.git`), killing]);
    const cutOff = client.unanswered - unanswered;
    if (cutOff > 0) crashes++;
    // Aim at the time in which pushes end: earlier when all came through, later when none did.
    if (cutOff === 0) aimMs *= 0.85;
    else if (client.acknowledged === acknowledged) aimMs *= 1.15;

    staleLocks += removeLocks(repository);
    git(repository, 'fsck', '--full', '--strict', '--no-dangling');
    assert.deepEqual(client.settle(refsOf(repository)), []);
    for (const name of readdirSync(join(repository, 'objects'))) {
      if (name.includes('incoming-')) quarantines.add(name);
    }
    server = await CrashServer.start(root);
  }

  const unansweredBefore = client.unanswered;
  await client.pushRound(`${server.url}/crash.git`);
  assert.equal(client.unanswered, unansweredBefore, 'a push after the last crash goes through');
  assert.deepEqual(client.settle(refsOf(repository)), []);
  git(repository, 'fsck', '--full', '--strict', '--no-dangling');
  context.diagnostic(
    `${CRASHES} kills: ${client.acknowledged} pushes acknowledged, ${client.unanswered} cut off,` +
      ` ${staleLocks} stale locks, ${quarantines.size} quarantines left`,
  );
});

function refsOf(repository: string): Map<string, string> {
  const lines = git(repository, 'for-each-ref', '--format=%(refname) %(objectname)').trim().split('\n');
  return new Map(lines.map((line) => line.split(' ') as [string, string]));
}

/** What an administrator does after a crash, with git's own locks too. @returns how many there were */
function removeLocks(repository: string): number {
  const names = readdirSync(repository, { recursive: true, encoding: 'utf8' });
  const locks = names.filter((name) => name.endsWith('.lock'));
  for (const name of locks) rmSync(join(repository, name));
  return locks.length;
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
