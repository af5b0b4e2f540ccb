/** The one name of a repository, however it is spelled: what rules and counts go by. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { initRepository } from '../../src/repository/node/files-repository.ts';
import {
  createRepositoryDirectory,
  type RepositoryDirectory,
} from '../../src/repository/node/repository-directory.ts';
import { nameOfPath } from '../../src/repository/node/repository-name.ts';
import { git, scratchDirectory } from '../support/git.ts';

async function make(path: string): Promise<void> {
  await (await initRepository(path))[Symbol.asyncDispose]();
}

for (const [path, name] of [
  ['app.git', 'app'],
  ['app', 'app'],
  ['team/app.git', 'team/app'],
  ['team/app/.git', 'team/app'],
  ['team/app.git/.git', 'team/app'],
  ['app.git.git', 'app.git'],
  ['.git', undefined],
] as const) {
  test(`nameOfPath(${JSON.stringify(path)}) is ${JSON.stringify(name)}`, () => {
    assert.equal(nameOfPath(path), name);
  });
}

test('every spelling of a repository has its one name, cold and warm', async (context) => {
  const root = await scratchDirectory(context);
  await make(join(root, 'team/app.git'));
  await make(join(root, 'plain'));
  await make(join(root, 'odd.git.git'));
  git(root, 'init', '--quiet', 'tree');
  mkdirSync(join(root, 'store'));
  git(root, 'init', '--quiet', '--separate-git-dir', 'store/apart.git', 'pointer');
  symlinkSync('team', join(root, 'crew'));
  symlinkSync('team/app.git', join(root, 'alias.git'));
  symlinkSync('../plain', join(root, 'team/link'));
  await using directory = createRepositoryDirectory(root);
  for (const [spelled, name] of [
    ['team/app', 'team/app'],
    ['team/app.git', 'team/app'],
    ['crew/app', 'team/app'],
    ['crew/app.git', 'team/app'],
    ['alias', 'team/app'],
    ['alias.git', 'team/app'],
    ['plain', 'plain'],
    ['plain.git', 'plain'],
    ['team/link', 'plain'],
    ['tree', 'tree'],
    ['tree.git', 'tree'],
    ['pointer', 'store/apart'],
    ['store/apart', 'store/apart'],
    ['odd.git', 'odd'], // another, which is not there
    ['odd.git.git', 'odd.git'],
  ] as const) {
    for (const heat of ['cold', 'warm'])
      assert.equal(await directory.nameOf(spelled), name, `${spelled}, ${heat}`);
  }
});

test('app.git.git is app when there is no other, as it is for resolve()', async (context) => {
  const root = await scratchDirectory(context);
  await make(join(root, 'app.git'));
  await using directory = createRepositoryDirectory(root);
  await using repository = await directory.resolve('app.git.git', 'read');
  assert.equal(repository?.path, join(root, 'app.git'));
  assert.equal(await directory.nameOf('app.git.git'), 'app');
});

test('what cannot be a name has none', async (context) => {
  await using directory = createRepositoryDirectory(await scratchDirectory(context));
  for (const name of ['', '/app', 'app/', '..', 'a/../b', 'a/.git', 'a\\b', 'a\nb']) {
    assert.equal(await directory.nameOf(name), undefined, JSON.stringify(name));
  }
});

test('what is not there has the name that it would have', async (context) => {
  const scratch = await scratchDirectory(context);
  const root = join(scratch, 'root');
  mkdirSync(join(root, 'team'), { recursive: true });
  mkdirSync(join(scratch, 'outside'));
  symlinkSync('team', join(root, 'crew'));
  symlinkSync('../outside', join(root, 'out'));
  symlinkSync('nowhere', join(root, 'dangling'));
  await using directory = createRepositoryDirectory(root, { create: true });
  for (const [spelled, name] of [
    ['new', 'new'],
    ['new.git', 'new'],
    ['team/new', 'team/new'],
    ['crew/new.git', 'team/new'],
    ['crew/deep/new', 'team/deep/new'],
    ['team', 'team'],
    ['out/new', 'out/new'],
    ['dangling/new', 'dangling/new'],
  ] as const) {
    assert.equal(await directory.nameOf(spelled), name, spelled);
  }
  assert.equal(existsSync(join(root, 'new.git')), false);
});

test('where there is no root, names are as they are spelled', async (context) => {
  await using directory = createRepositoryDirectory(join(await scratchDirectory(context), 'absent'));
  assert.equal(await directory.nameOf('team/app.git'), 'team/app');
});

test('a repository that cannot be opened keeps its name', async (context) => {
  const root = await scratchDirectory(context);
  await make(join(root, 'broken.git'));
  writeFileSync(join(root, 'broken.git/HEAD'), '');
  symlinkSync('broken.git', join(root, 'alias.git'));
  await using directory = createRepositoryDirectory(root);
  for (const name of ['broken', 'broken.git', 'alias'])
    assert.equal(await directory.nameOf(name), 'broken', name);
  await assert.rejects(directory.resolve('alias', 'read'), { code: 'REPOSITORY_INVALID' });
});

test('names follow what happens on disk', async (context) => {
  const root = await scratchDirectory(context);
  await make(join(root, 'one.git'));
  await make(join(root, 'two.git'));
  symlinkSync('one.git', join(root, 'alias.git'));
  await using directory = createRepositoryDirectory(root);
  assert.equal(await directory.nameOf('alias'), 'one');

  rmSync(join(root, 'alias.git'));
  symlinkSync('two.git', join(root, 'alias.git'));
  assert.equal(await directory.nameOf('alias'), 'two');

  renameSync(join(root, 'two.git'), join(root, 'three.git'));
  assert.equal(await directory.nameOf('alias'), 'alias');
  assert.equal(await directory.nameOf('three'), 'three');

  rmSync(join(root, 'alias.git'));
  await make(join(root, 'alias'));
  assert.equal(await directory.nameOf('alias'), 'alias');
});

/** Few words, so that names meet each other on disk. */
const segment = fc
  .tuple(fc.constantFrom('a', 'b', 'link', 'ü'), fc.constantFrom('', '.git', '.git.git'))
  .map((parts) => parts.join(''));
const spelledName = fc.array(segment, { minLength: 1, maxLength: 3 }).map((segments) => segments.join('/'));

async function pathOf(directory: RepositoryDirectory, name: string): Promise<string | undefined> {
  await using repository = await directory.resolve(name, 'write');
  return repository?.path;
}

test('a push does not change the name of what it makes, and one name is one repository', async (context) => {
  const scratch = await scratchDirectory(context);
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(spelledName, { minLength: 1, maxLength: 6 }), async (names) => {
      const root = join(scratch, String(runs++));
      mkdirSync(join(root, 'a'), { recursive: true });
      symlinkSync('a', join(root, 'link'));
      await using directory = createRepositoryDirectory(root, { create: true });
      const paths = new Map<string, string>();
      for (const name of names) {
        const before = await directory.nameOf(name);
        const path = await pathOf(directory, name);
        const after = await directory.nameOf(name);
        assert.equal(after, before, name);
        if (path === undefined) continue;
        assert.equal(paths.get(after as string) ?? path, path, name);
        paths.set(after as string, path);
        await using fresh = createRepositoryDirectory(root);
        assert.equal(await fresh.nameOf(name), after, name);
      }
    }),
    { numRuns: 25 },
  );
});
