/**
 * Pushes of objects that collide. Real git makes the pushes; what collides is pretended: see suspicious-sha1.ts, and
 * {@link plant}.
 */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import test, { type TestContext } from 'node:test';
import { deflateSync } from 'node:zlib';
import { openRepository } from '../../src/repository/node/open-repository.ts';
import type { GitServerOptions } from '../../src/transport/http/options.ts';
import { git, gitAsync, gitBytes, scratchDirectory } from '../support/git.ts';
import { ATTACK, suspiciousRuntime } from '../support/suspicious-sha1.ts';
import { assertClean, commit, objects, ok, refs, scene } from './scene.ts';

const MAIN = resolve(import.meta.dirname, '../../src/cli/main.ts');
const PACKWIRE = `${process.execPath} --import ${import.meta.resolve('tsx')} ${MAIN}`;

/** One object: loose when few come, packed when many do. */
for (const [what, unpackLimit] of [
  ['unpacked', 100],
  ['kept', 1],
] as const) {
  for (const path of ['attack', 'second-attack']) {
    test(`a push with an attack is refused by name over HTTP: ${path}, pack ${what}`, async (t) => {
      const { work, remote, stored } = await suspiciousScene(t, { unpackLimit });
      await ok(gitAsync(work, 'push', '-q', remote, 'main'));
      const before = { refs: refs(stored), objects: objects(stored) };

      // The second is sent as a delta of the first.
      commit(work, path, path === 'attack' ? ATTACK : `${'one\n'.repeat(300)}${ATTACK}`);
      const id = git(work, 'rev-parse', `HEAD:${path}`).trim();
      const refused = await gitAsync(work, 'push', remote, 'main');
      assert.match(refused.stderr, new RegExp(`remote: error: Cannot accept object ${id}: .*collide`));
      assert.match(refused.stderr, new RegExp(`remote unpack failed: SHA-1 collision in object ${id}`));
      assert.match(refused.stderr, /\[remote rejected\] main -> main \(unpacker error\)/);
      assert.deepEqual({ refs: refs(stored), objects: objects(stored) }, before);
      assertClean(stored);
    });
  }
}

test('a push with an attack is taken when nobody is to look', async (t) => {
  const { work, remote, stored } = await suspiciousScene(t, { collisionDetection: false });
  commit(work, 'attack', ATTACK);
  await ok(gitAsync(work, 'push', '-q', remote, 'main'));
  git(stored, 'fsck', '--strict');
});

for (const [what, unpackLimit] of [
  ['unpacked', '100'],
  ['kept', '1'],
] as const) {
  test(`a push with another object than the stored one of its id is refused over stdio: pack ${what}`, async (t) => {
    const directory = await scratchDirectory(t);
    const { work, stored, id } = planted(directory);
    git(stored, 'config', 'receive.unpackLimit', unpackLimit);
    const push = (...args: string[]) =>
      gitAsync(work, 'push', `--receive-pack=${PACKWIRE} receive-pack`, stored, ...args);
    const refused = await push('main');
    assert.match(refused.stderr, new RegExp(`Cannot accept object ${id}: another object of the same id`));
    assert.match(refused.stderr, /\[remote rejected\] main -> main \(unpacker error\)/);
    assert.equal(refs(stored), '');
    rmSync(looseFile(stored, id));
    assertClean(stored);

    await ok(push('main'));
    // Now everything is there already, and the same.
    git(work, 'commit', '-q', '--amend', '-m', 'other');
    await ok(push('+main'));
    git(stored, 'fsck', '--strict');
  });
}

test('git index-pack refuses the same', async (t) => {
  const { work, stored, id } = planted(await scratchDirectory(t));
  const pack = gitBytes({ cwd: work, input: 'main\n' }, 'pack-objects', '--revs', '--stdout', '-q');
  for (const program of ['git', PACKWIRE]) {
    writeFileSync(join(work, 'p.pack'), pack);
    const command = `cat ${join(work, 'p.pack')} | ${program} index-pack --stdin`;
    const result = await gitAsync(stored, '-c', `alias.run=!${command}`, 'run');
    assert.notEqual(result.status, 0);
    assert.match(result.stderr, new RegExp(id));
    assert.match(result.stderr, /SHA1 COLLISION FOUND WITH|another object of the same id/);
  }
});

/** A scene whose server takes {@link ATTACK} for what it says. */
async function suspiciousScene(t: TestContext, push: GitServerOptions['push']) {
  const made = await scene(t, {
    repositories: () => openRepository(made.stored, { runtime: suspiciousRuntime() }),
    push,
  });
  mkdirSync(dirname(made.stored), { recursive: true });
  git(made.work, 'init', '-q', '--bare', made.stored);
  return made;
}

/** A work tree, and a repository that has its largest object, but with another content. */
function planted(directory: string) {
  const work = join(directory, 'work');
  const stored = join(directory, 'stored.git');
  git(directory, 'init', '-q', '-b', 'main', work);
  git(directory, 'init', '-q', '--bare', '-b', 'main', stored);
  for (const name of ['one', 'two']) commit(work, name);
  const id = git(work, 'rev-parse', 'HEAD:one').trim();
  plant(stored, id);
  return { work, stored, id };
}

/** Store something else under `id`, as a colliding object would be. */
function plant(repository: string, id: string): void {
  const file = looseFile(repository, id);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, deflateSync(`blob 1200\0${'eno\n'.repeat(300)}`));
  chmodSync(file, 0o444);
}

function looseFile(repository: string, id: string): string {
  return join(repository, 'objects', id.slice(0, 2), id.slice(2));
}
