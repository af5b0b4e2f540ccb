/**
 * Pushes of objects that git would not have written, into repositories that check. Real git makes them and pushes.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { git, gitAsync } from '../support/git.ts';
import { assertClean, commit, objects, ok, refs, scene } from './scene.ts';

/** The scene, its main branch pushed, and a repository that is configured so. */
async function checkingScene(t: TestContext, settings: readonly (readonly [name: string, value: string])[]) {
  const all = await scene(t);
  await ok(gitAsync(all.work, 'push', '-q', all.remote, 'main'));
  for (const [name, value] of settings) git(all.stored, 'config', name, value);
  return all;
}

/** Commit something without an author's email. @returns the id */
function commitWithoutEmail(work: string): string {
  commit(work, 'broken');
  const input = git(work, 'cat-file', 'commit', 'HEAD').replace(/<author@example.com>/, '');
  const id = git({ cwd: work, input }, 'hash-object', '-w', '--literally', '-t', 'commit', '--stdin').trim();
  git(work, 'reset', '-q', '--soft', id);
  return id;
}

/** The same, as a pack of so many objects that it is kept. */
function manyMoreCommits(work: string): void {
  for (let i = 0; i < 40; i++) commit(work, `file-${i}`);
}

for (const setting of ['receive.fsckObjects', 'transfer.fsckObjects']) {
  for (const [what, more] of [
    ['unpacked', () => undefined],
    ['kept', manyMoreCommits],
  ] as const) {
    test(`${setting} refuses a broken commit by name and leaves nothing: pack ${what}`, async (t) => {
      const { work, remote, stored } = await checkingScene(t, [[setting, 'true']]);
      const before = { refs: refs(stored), objects: objects(stored) };
      const id = commitWithoutEmail(work);
      more(work);
      const refused = await gitAsync(work, 'push', remote, 'main');
      assert.match(refused.stderr, new RegExp(`remote: error: object ${id}: missingEmail: invalid author`));
      assert.match(refused.stderr, /remote unpack failed: fsck error in packed object/);
      assert.match(refused.stderr, /\[remote rejected\] main -> main \(unpacker error\)/);
      assert.deepEqual({ refs: refs(stored), objects: objects(stored) }, before);
      assertClean(stored);
    });
  }
}

test('nothing is checked unless it is asked for; receive outweighs transfer', async (t) => {
  const { work, remote } = await checkingScene(t, [
    ['transfer.fsckObjects', 'true'],
    ['receive.fsckObjects', 'false'],
  ]);
  commitWithoutEmail(work);
  await ok(gitAsync(work, 'push', remote, 'main'));
});

test('a message can be made a warning, which the pusher sees', async (t) => {
  const { work, remote } = await checkingScene(t, [
    ['receive.fsckObjects', 'true'],
    ['receive.fsck.missingEmail', 'warn'],
    ['receive.fsck.messageOfTheFuture', 'warn'],
  ]);
  const id = commitWithoutEmail(work);
  const { stderr } = await ok(gitAsync(work, 'push', remote, 'main'));
  assert.match(stderr, new RegExp(`remote: warning: object ${id}: missingEmail: `));
});

test('objects in the skip list are let through', async (t) => {
  const { work, remote, stored } = await checkingScene(t, [
    ['receive.fsckObjects', 'true'],
    ['receive.fsck.skipList', 'SKIP'],
  ]);
  const id = commitWithoutEmail(work);
  const refused = await gitAsync(work, 'push', remote, 'main');
  assert.match(refused.stderr, /\[remote rejected\] main -> main/); // there is no such list
  writeFileSync(join(stored, 'SKIP'), `# old sins\n\n${id} # of long ago\n`);
  await ok(gitAsync(work, 'push', remote, 'main'));
});

test('a .gitmodules that would run a command is refused, wherever its blob comes in the pack', async (t) => {
  const { work, remote } = await checkingScene(t, [['receive.fsckObjects', 'true']]);
  commit(work, '.gitmodules', '[submodule "a"]\n\tpath = a\n\turl = -u./payload\n');
  const id = git(work, 'rev-parse', 'HEAD:.gitmodules').trim();
  const refused = await gitAsync(work, 'push', remote, 'main');
  assert.match(
    refused.stderr,
    new RegExp(`object ${id}: gitmodulesUrl: disallowed submodule url: -u./payload`),
  );
});

test('a tree with .git in it is refused when only a delta makes it so', async (t) => {
  const { work, remote } = await checkingScene(t, [['receive.fsckObjects', 'true']]);
  for (let i = 0; i < 120; i++) writeFileSync(join(work, `a-file-${i}`), `${i}`);
  commit(work, 'many');
  await ok(gitAsync(work, 'push', '-q', remote, 'main'));
  const entries = git(work, 'ls-tree', 'HEAD');
  const head = git(work, 'rev-parse', 'HEAD^{tree}').trim();
  const input = `040000 tree ${head}\t.GIT\n${entries}`;
  const tree = git({ cwd: work, input }, 'mktree').trim();
  const id = git(work, 'commit-tree', '-m', 'bad', '-p', 'HEAD', tree).trim();
  const refused = await gitAsync(work, 'push', remote, `${id}:main`);
  assert.match(refused.stderr, new RegExp(`object ${tree}: hasDotgit: contains '.git'`));
});
