import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openRepository } from '../../../src/repository/node/open-repository.ts';
import { git, scratchDirectory } from '../../support/git.ts';
import { makePushHistory } from '../../support/push-history.ts';

/** A fork that borrows from a repository with `main`, `side` and the tag `v1`. */
async function fork(t: TestContext) {
  const scratch = await scratchDirectory(t);
  const history = makePushHistory(scratch);
  const directory = join(scratch, 'fork.git');
  git(
    scratch,
    'clone',
    '-q',
    '-s',
    '--bare',
    '--branch=main',
    '--single-branch',
    history.directory,
    directory,
  );
  const tips = async (hooks: 'none' | 'own' = 'own'): Promise<string[]> => {
    await using repository = await openRepository(directory, { hooks });
    return [...((await repository.alternateTips?.()) ?? [])].sort();
  };
  return { ...history, scratch, fork: directory, tips };
}

test('what the repository that is borrowed from has refs to, each once', async (t) => {
  const { third, side, tag, tips } = await fork(t);
  assert.deepEqual(await tips(), [third, side, tag].sort());
});

for (const [prefixes, expected] of [
  ['refs/tags', 'tag'],
  ['refs/tags/', 'tag'],
  ['refs/heads/side refs/notes', 'side'],
  ['refs/heads/si', undefined], // for-each-ref wants whole parts of names
  ['refs/heads/side/', undefined],
] as const) {
  test(`core.alternateRefsPrefixes=${prefixes}`, async (t) => {
    const scene = await fork(t);
    git(scene.fork, 'config', 'core.alternateRefsPrefixes', prefixes);
    const listed = git(
      scene.scratch,
      '--git-dir',
      join(scene.directory, '.git'),
      'for-each-ref',
      ...prefixes.split(' '),
    );
    const ids = listed
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.slice(0, 40));
    assert.deepEqual(ids, expected === undefined ? [] : [scene[expected]]);
    assert.deepEqual(await scene.tips(), ids);
  });
}

test('core.alternateRefsCommand may be a file of the borrowing repository, and is given the path of the other', async (t) => {
  const scene = await fork(t);
  const script = join(scene.fork, 'listed');
  writeFileSync(script, '#!/bin/sh\ngit --git-dir="$1" for-each-ref --format="%(objectname)" refs/tags\n');
  chmodSync(script, 0o755);
  git(scene.fork, 'config', 'core.alternateRefsCommand', './listed');
  assert.deepEqual(await scene.tips(), [scene.tag]);
  assert.deepEqual(await scene.tips('none'), [], 'programs of the repository are not run');
});
