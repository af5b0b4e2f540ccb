import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { initRepository } from '../../src/repository/node/files-repository.ts';
import { createRepositoryDirectory } from '../../src/repository/node/repository-directory.ts';
import { parseRepositoryName } from '../../src/repository/node/repository-name.ts';
import { git, scratchDirectory } from '../support/git.ts';

async function make(path: string): Promise<void> {
  await (await initRepository(path))[Symbol.asyncDispose]();
}

for (const [name, segments] of [
  ['app', ['app']],
  ['team/app.git', ['team', 'app.git']],
  ['ü b/c', ['ü b', 'c']],
  ['', undefined],
  ['/app', undefined],
  ['app/', undefined],
  ['a//b', undefined],
  ['..', undefined],
  ['a/../b', undefined],
  ['.', undefined],
  ['a/.git', undefined],
  ['.hidden', undefined],
  ['a\\b', undefined],
  ['a\0b', undefined],
  ['a\nb', undefined],
  ['a\ud800', undefined],
  ['x'.repeat(201), undefined],
  [`${'a/'.repeat(32)}a`, undefined],
] as const) {
  test(`${JSON.stringify(name.slice(0, 40))} is ${segments === undefined ? 'no name' : 'a name'}`, () => {
    assert.deepEqual(parseRepositoryName(name, false), segments);
  });
}

test('on Windows drives, streams and dropped endings are no names', () => {
  for (const name of ['c:', 'a/b:c', 'a.', 'a ', 'a|b'])
    assert.equal(parseRepositoryName(name, true), undefined, name);
});

test('names find bare repositories with or without .git, and work trees', async (context) => {
  const root = await scratchDirectory(context);
  await make(join(root, 'team/app.git'));
  await make(join(root, 'plain'));
  git(root, 'init', '--quiet', 'tree');
  mkdirSync(join(root, 'empty'));
  await using directory = createRepositoryDirectory(root);
  for (const [name, expected] of [
    ['team/app', 'team/app.git'],
    ['team/app.git', 'team/app.git'],
    ['plain', 'plain'],
    ['plain.git', 'plain'],
    ['tree', 'tree/.git'],
    ['team', undefined],
    ['empty', undefined],
    ['absent', undefined],
    ['team/app.git/objects', undefined],
  ] as const) {
    const repository = await directory(name, { intent: 'read' });
    assert.equal(repository?.path, expected && join(root, expected), name);
    await repository?.[Symbol.asyncDispose]();
  }
  assert.equal(await directory.resolve('absent', 'write'), undefined);
});

test('a root that is not there has no repositories', async (context) => {
  const root = join(await scratchDirectory(context), 'absent');
  assert.equal(await createRepositoryDirectory(root).resolve('app', 'read'), undefined);
});

test('names never lead out of the root, symbolic links included', async (context) => {
  const scratch = await scratchDirectory(context);
  const root = join(scratch, 'root');
  await make(join(scratch, 'secret.git'));
  await make(join(root, 'app.git'));
  symlinkSync(join(scratch, 'secret.git'), join(root, 'link.git'));
  symlinkSync(scratch, join(root, 'up'));
  symlinkSync('app.git', join(root, 'alias.git'));
  mkdirSync(join(root, 'pointer'));
  writeFileSync(join(root, 'pointer/.git'), 'gitdir: ../../secret.git\n');
  await using directory = createRepositoryDirectory(root, { create: true });
  for (const name of ['../secret', 'link', 'up/secret', 'pointer', '/secret', 'a/../../secret']) {
    assert.equal(await directory.resolve(name, 'read'), undefined, name);
  }
  for (const name of ['../new', 'link', 'up/new', 'a/../../new', '.new', 'a\\b']) {
    assert.equal(await directory.resolve(name, 'write'), undefined, name);
  }
  await using alias = await directory.resolve('alias', 'read');
  assert.equal(alias?.path, join(root, 'app.git'));
  assert.deepEqual(readdirSync(scratch).sort(), ['root', 'secret.git']);
});

test('a push to a new name makes a bare repository; many at once get the same one', async (context) => {
  const root = join(await scratchDirectory(context), 'repos');
  const made: string[] = [];
  await using directory = createRepositoryDirectory(root, {
    create: true,
    onCreate: (path) => made.push(path),
  });
  await using other = createRepositoryDirectory(root, { create: true });
  assert.equal(await directory.resolve('team/new', 'read'), undefined);
  const pushes = Array.from({ length: 10 }, (_, n) =>
    (n % 2 === 0 ? directory : other).resolve(n % 3 === 0 ? 'team/new' : 'team/new.git', 'write'),
  );
  for (const repository of await Promise.all(pushes)) {
    assert.equal(repository?.path, join(root, 'team/new.git'));
    assert.deepEqual(await repository?.refs.read('HEAD'), { kind: 'symbolic', target: 'refs/heads/main' });
    await repository?.[Symbol.asyncDispose]();
  }
  assert.ok(made.length >= 1);
  assert.deepEqual(readdirSync(join(root, 'team')), ['new.git']);
});

test('no repository is made inside another, or where something else is', async (context) => {
  const root = await scratchDirectory(context);
  await make(join(root, 'app.git'));
  git(root, 'init', '--quiet', 'tree');
  mkdirSync(join(root, 'taken.git'));
  writeFileSync(join(root, 'taken.git/notes'), '');
  writeFileSync(join(root, 'file'), '');
  await using directory = createRepositoryDirectory(root, { create: true });
  for (const name of ['app.git/x', 'app.git/refs/heads/x', 'tree/x', 'taken', 'file/x']) {
    assert.equal(await directory.resolve(name, 'write'), undefined, name);
  }
  assert.deepEqual(readdirSync(root).sort(), ['app.git', 'file', 'taken.git', 'tree']);
});

test('a broken repository is an error, not an absence', async (context) => {
  const root = await scratchDirectory(context);
  await make(join(root, 'head.git'));
  writeFileSync(join(root, 'head.git/HEAD'), '');
  await make(join(root, 'config.git'));
  writeFileSync(join(root, 'config.git/config'), '[');
  await using directory = createRepositoryDirectory(root, { create: true });
  for (const name of ['head', 'config']) {
    await assert.rejects(directory.resolve(name, 'read'), { code: 'REPOSITORY_INVALID' }, name);
  }
});

test('a repository that was deleted is gone, one made anew is a new one, and its config counts', async (context) => {
  const root = await scratchDirectory(context);
  const path = join(root, 'app.git');
  await make(path);
  await using directory = createRepositoryDirectory(root);
  const id = '1'.repeat(40);
  const before = await directory.resolve('app', 'write');
  await before?.refs.update([{ name: 'refs/heads/main', newId: id, expected: undefined }], { atomic: true });
  rmSync(path, { recursive: true });
  assert.equal(await directory.resolve('app', 'read'), undefined);

  git(root, 'init', '--quiet', '--bare', '--object-format=sha256', path);
  const after = await directory.resolve('app', 'read');
  assert.equal(after?.format.name, 'sha256');
  assert.deepEqual(await after?.refs.list(), []);

  git(path, 'config', 'core.logAllRefUpdates', 'always');
  await using configured = await directory.resolve('app', 'write');
  const update = { name: 'refs/tags/v1', newId: '1'.repeat(64), expected: undefined };
  await configured?.refs.update([update], { atomic: true, reflogMessage: 'push' });
  assert.equal(existsSync(join(path, 'logs/refs/tags/v1')), true);
  for (const repository of [before, after]) await repository?.[Symbol.asyncDispose]();
});

test('repositories stay usable while they are lent, however many others are asked for', async (context) => {
  const root = await scratchDirectory(context);
  const names = ['a', 'b', 'c', 'd'];
  for (const name of names) {
    await make(join(root, `${name}.git`));
    git({ cwd: join(root, `${name}.git`), input: name }, 'hash-object', '-w', '--stdin');
  }
  const id = git({ cwd: root, input: 'a' }, 'hash-object', '--stdin').trim();
  await using directory = createRepositoryDirectory(root, { maxOpen: 1 });
  const lent = await directory.resolve('a', 'read');
  for (let round = 0; round < 3; round++) {
    await Promise.all(
      names.map(async (name) => {
        const repository = await directory.resolve(name, 'read');
        await repository?.[Symbol.asyncDispose]();
        await repository?.[Symbol.asyncDispose](); // safe to call twice
      }),
    );
  }
  const reader = await lent?.objects.openReader();
  assert.equal(reader?.has(id), true);
  reader?.release();
  await lent?.[Symbol.asyncDispose]();
});
