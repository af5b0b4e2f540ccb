import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { fileMeasures, ownerByPath } from '../../../src/server/admission/measures.ts';
import { objectBytes, objectBytesOfAll } from '../../../src/server/admission/object-bytes.ts';
import type { PushedTo } from '../../../src/server/admission/quotas.ts';
import { git, scratchDirectory } from '../../support/git.ts';

/** A bare repository with a loose object and a pack. */
function makeRepository(root: string, name: string): string {
  const path = join(root, name);
  git(root, 'init', '--quiet', '--bare', path);
  git({ cwd: path, input: 'packed' }, 'hash-object', '-w', '--stdin');
  const tree = git({ cwd: path, input: '' }, 'mktree').trim();
  git(path, 'update-ref', 'refs/heads/main', git(path, 'commit-tree', tree, '-m', 'one').trim());
  git(path, 'repack', '--quiet', '-ad');
  git({ cwd: path, input: 'loose' }, 'hash-object', '-w', '--stdin');
  return path;
}

/** The sizes of all files below, as `find` adds them up. */
function found(directory: string): number {
  const sizes = execFileSync('find', [directory, '-type', 'f', '-printf', '%s\n'], { encoding: 'utf8' });
  return sizes.split('\n').reduce((sum, size) => sum + Number(size), 0);
}

test('objectBytes() is what the files below objects take, but for quarantines and links', async (t) => {
  const root = await scratchDirectory(t);
  const path = makeRepository(root, 'app.git');
  const objects = join(path, 'objects');
  const bytes = found(objects);
  assert.ok(bytes > 100);
  assert.equal(await objectBytes(path), bytes);
  for (const quarantine of ['tmp_objdir-incoming-x1', 'incoming-x2']) {
    await mkdir(join(objects, quarantine, 'pack'), { recursive: true });
    await writeFile(join(objects, quarantine, 'pack/pack-1.pack'), 'x'.repeat(5000));
  }
  await symlink(root, join(objects, 'link'));
  assert.equal(await objectBytes(path), bytes);
  assert.equal(await objectBytes(join(root, 'absent.git')), 0);
});

test('objectBytesOfAll() finds every repository below, bare or not', async (t) => {
  const root = await scratchDirectory(t);
  const [bare, deep, work] = ['app.git', 'deep/er/app.git', 'work/.git'].map((name) =>
    makeRepository(root, name),
  );
  const expected = [bare, deep, work].reduce((sum, path) => sum + found(join(path as string, 'objects')), 0);
  await writeFile(join(root, 'work/file'), 'x'.repeat(5000));
  assert.equal(await objectBytesOfAll(root), expected);
});

test('an owner is the first directory of the name; at the top there is none', () => {
  assert.deepEqual(['team/app', 'team/sub/app', 'app', '/app'].map(ownerByPath), [
    'team',
    'team',
    undefined,
    undefined,
  ]);
});

test('an owner is measured by its directory, above repositories of either kind', async (t) => {
  const root = await scratchDirectory(t);
  const app = makeRepository(root, 'team/app.git');
  const deep = makeRepository(root, 'team/sub/deep.git');
  const work = makeRepository(root, 'team/work/.git');
  makeRepository(root, 'other/app.git');
  const expected = [app, deep, work].reduce((sum, path) => sum + found(join(path, 'objects')), 0);
  const pushedTo = (name: string, path: string) =>
    ({ name, owner: 'team', repository: { path } }) as unknown as PushedTo & { owner: string };
  for (const [name, path] of [
    ['team/app', app],
    ['team/sub/deep', deep],
    ['team/work', work],
  ] as const) {
    assert.equal(await fileMeasures.owner(pushedTo(name, path), {}), expected, name);
  }
  await assert.rejects(fileMeasures.owner(pushedTo('a/b/team/app', app), {}), { code: 'INVALID_ARGUMENT' });
  await assert.rejects(
    fileMeasures.repository({ name: 'm', owner: undefined, repository: {} as PushedTo['repository'] }, {}),
    { code: 'INVALID_ARGUMENT' },
  );
});
