import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { decodeLatin1 } from '../../../src/core/bytes.ts';
import { REMEMBERED_MS, RecentTips } from '../../../src/protocol/shown-refs/recent-tips.ts';
import { PackedRefs } from '../../../src/refs/packed-refs.ts';
import { createRepositoryDirectory } from '../../../src/repository/node/repository-directory.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import { bareRepository } from '../../support/bare-repository.ts';
import { git } from '../../support/git.ts';
import { packLines } from '../../support/packets.ts';
import { ask, type Question } from '../../support/served-repository.ts';

const MAIN = 'refs/heads/main';
const SHOW: Question = {
  version: 2,
  request: packLines(['command=ls-refs', 'object-format=sha1', '0001', '0000']),
};

function fetchOf(...ids: readonly string[]): Question {
  const wants = ids.map((id) => `want ${id}`);
  const lines = ['command=fetch', 'object-format=sha1', '0001', ...wants, 'done', '0000'];
  return { version: 2, request: packLines(lines) };
}

/** A server's repository of commits without a common history, and no refs yet. */
async function served(context: TestContext, count = 3) {
  const repository = await bareRepository(context, { commits: count });
  const directory = createRepositoryDirectory(dirname(repository.path));
  context.after(() => directory[Symbol.asyncDispose]());
  const answer = async (question: Question): Promise<string> => {
    await using found = (await directory.resolve('bare', 'read')) as Repository;
    return decodeLatin1(await ask(found, question));
  };
  return {
    path: repository.path,
    git: repository.git,
    answer,
    commits: repository.commits as readonly [string, string, string],
    show: () => answer(SHOW),
    isServed: async (id: string) => {
      const text = await answer(fetchOf(id));
      assert.match(text, /packfile\n|not our ref/);
      return text.includes('packfile\n');
    },
  };
}

test('who was shown a tip gets it, though the ref was moved or deleted meanwhile', async (context) => {
  const { git, commits, show, isServed } = await served(context);
  const [one, two, three] = commits;
  git('update-ref', MAIN, one);
  git('update-ref', 'refs/heads/topic', three);
  await show();
  git('update-ref', '-d', 'refs/heads/topic');
  assert.equal(await isServed(three), true);
  git('update-ref', 'refs/heads/new', two);
  git('update-ref', '-d', 'refs/heads/new');
  assert.equal(await isServed(two), false, 'nobody was shown this one');
});

test('so does who was shown packed refs', async (context) => {
  const { git, commits, show, isServed } = await served(context);
  const [one, two, three] = commits;
  git('update-ref', MAIN, two);
  git('update-ref', 'refs/heads/topic', three);
  git('pack-refs', '--all');
  await show();
  git('update-ref', MAIN, one);
  assert.equal(await isServed(two), true);
  git('update-ref', '-d', 'refs/heads/topic');
  assert.equal(await isServed(three), true);
});

test('when many refs move at once, none of them is a search among all', async (context) => {
  const { path, git: run, commits, show, answer } = await served(context, 200);
  const moveAll = (to: (n: number) => string | undefined): void => {
    const input = commits.map((_, n) => `update refs/tags/${n} ${to(n)}\n`).join('');
    git({ cwd: path, input }, 'update-ref', '--stdin');
  };
  moveAll((n) => commits[n]);
  run('pack-refs', '--all');
  await show();
  moveAll(() => commits[0]);
  const looks = context.mock.method(PackedRefs.prototype, 'lowerBound');
  assert.match(await answer(fetchOf(...commits)), /packfile\n/);
  assert.ok(looks.mock.callCount() < 20 * commits.length, `${looks.mock.callCount()} names were looked for`);
});

test('what stood in packed-refs behind a loose ref was not shown', async (context) => {
  const { git, commits, show, isServed } = await served(context);
  const [one, , three] = commits;
  git('update-ref', MAIN, three);
  git('pack-refs', '--all');
  git('update-ref', MAIN, one);
  await show();
  git('pack-refs', '--all');
  await show();
  assert.equal(await isServed(three), false);
});

test('what was hidden is not remembered', async (context) => {
  const { git, commits, show, isServed } = await served(context);
  const [one, , three] = commits;
  git('config', 'transfer.hideRefs', 'refs/heads/secret');
  git('update-ref', MAIN, one);
  git('update-ref', 'refs/heads/secret', three);
  await show();
  git('update-ref', '-d', 'refs/heads/secret');
  assert.equal(await isServed(three), false);
});

test('after a minute it is forgotten', () => {
  let now = 0;
  const recent = new RecentTips(() => now);
  recent.add('a');
  now = REMEMBERED_MS - 1;
  assert.equal(recent.has('a'), true);
  recent.add('b');
  now++;
  assert.equal(recent.has('a'), false);
  assert.equal(recent.has('b'), true);
  recent.add('c');
  assert.equal(recent.has('b'), true, 'each for as long as it was promised');
});

test('however many refs go at once, ten thousand at most are remembered, the last of them', () => {
  const recent = new RecentTips(() => 0);
  for (let n = 0; n < 10_500; n++) recent.add(`${n}`);
  assert.equal(recent.has('499'), false);
  assert.equal(recent.has('500'), true);
  assert.ok(recent.bytes < 2_000_000);
});

test('whatever happens to refs, all that was shown is served', { timeout: 120_000 }, async (context) => {
  const { git, commits, show, isServed } = await served(context);
  const names = [MAIN, 'refs/heads/a', 'refs/tags/a'];
  const step = fc.record({
    isPacked: fc.boolean(),
    isShown: fc.boolean(),
    name: fc.constantFrom(...names),
    /** Where the ref is moved; none deletes it. */
    commit: fc.option(fc.integer({ min: 0, max: 2 })),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 8 }), async (steps) => {
      for (const name of names) git('update-ref', '-d', name);
      const shown = new Set<string>();
      const refs = new Map<string, string>();
      for (const { isPacked, isShown, name, commit } of steps) {
        if (isPacked) git('pack-refs', '--all');
        if (isShown) {
          await show();
          for (const id of refs.values()) shown.add(id);
        }
        if (commit === null) {
          refs.delete(name);
          git('update-ref', '-d', name);
        } else {
          refs.set(name, commits[commit] as string);
          git('update-ref', name, commits[commit] as string);
        }
      }
      for (const id of shown) assert.equal(await isServed(id), true);
    }),
    { numRuns: 30 },
  );
});
