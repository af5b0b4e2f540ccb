/**
 * Pushes of objects that git would not have written, into repositories that check. Real git makes them and pushes.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { SHA1 } from '../../src/core/object-id.ts';
import { openRepository } from '../../src/repository/node/open-repository.ts';
import { git, gitAsync, gitBytes } from '../support/git.ts';
import { pushByHand } from '../support/push-client.ts';
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
  assert.match(stderr, /remote: warning: skipping unknown msg id 'messageofthefuture'/);
});

test('a message that git holds to be fatal cannot be made a warning: then no push is taken', async (t) => {
  const { work, remote, server } = await checkingScene(t, [
    ['receive.fsckObjects', 'true'],
    ['receive.fsck.unterminatedHeader', 'warn'],
  ]);
  commit(work, 'more');
  const refused = await gitAsync(work, 'push', remote, 'main');
  assert.match(refused.stderr, /\[remote rejected\] main -> main \(unpacker error\)/);
  assert.doesNotMatch(refused.stderr, /unterminated/, 'configuration is not for those who push');
  const said = server.errors.map((error) => (error instanceof Error ? error.message : String(error)));
  assert.deepEqual(said, ['Cannot demote unterminatedheader to warn']);
});

for (const [what, unpackLimit] of [
  ['unpacked', '100'],
  ['kept', '1'],
] as const) {
  for (const [kind, name] of [
    ['blob', 'HEAD:next'],
    ['tree', 'HEAD^{tree}'],
    ['commit', 'HEAD~1'],
  ] as const) {
    test(`a pushed object that refers to a missing ${kind} fails the whole push: pack ${what}`, async (t) => {
      const { work, stored } = await checkingScene(t, [
        ['receive.fsckObjects', 'true'],
        ['receive.unpackLimit', unpackLimit],
      ]);
      const before = { refs: refs(stored), objects: objects(stored) };
      git(work, 'tag', 'fine', 'HEAD');
      commit(work, 'last');
      commit(work, 'next');
      const missing = git(work, 'rev-parse', name).trim();
      const answer = await pushWithout(work, stored, missing, ['refs/heads/main', 'refs/tags/fine']);
      assert.deepEqual(answer.report, [
        'unpack fsck error in packed object',
        'ng refs/heads/main unpacker error',
        'ng refs/tags/fine unpacker error',
        '0000',
      ]);
      assert.match(answer.messages, new RegExp(`^error: .*${missing}`, 'm'));
      assert.deepEqual({ refs: refs(stored), objects: objects(stored) }, before);
      assertClean(stored);
      git(stored, 'config', 'receive.fsckObjects', 'false');
      const unchecked = await pushWithout(work, stored, missing, ['refs/heads/main', 'refs/tags/fine']);
      assert.deepEqual(unchecked.report, [
        'unpack ok',
        'ng refs/heads/main missing necessary objects',
        'ok refs/tags/fine',
        '0000',
      ]);
    });
  }
}

/** Push refs as they are in `work`, by hand, with all objects that are new but one. */
async function pushWithout(work: string, stored: string, missing: string, names: readonly string[]) {
  const here = git(stored, 'rev-parse', 'refs/heads/main').trim();
  const listed = git(work, 'rev-list', '--objects', ...names, `^${here}`);
  const ids = listed
    .split('\n')
    .map((line) => line.slice(0, 40))
    .filter((id) => id !== '' && id !== missing);
  const pack = gitBytes({ cwd: work, input: ids.join('\n') }, 'pack-objects', '--stdout', '-q');
  await using repository = await openRepository(stored);
  const commands = names.map((name) => {
    const held = git(stored, 'for-each-ref', '--format=%(objectname)', name).trim();
    return `${held === '' ? SHA1.zeroId : held} ${git(work, 'rev-parse', name).trim()} ${name}`;
  });
  return await pushByHand(repository, { commands, pack });
}

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
