import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { ObjectId } from '../../../src/core/object-id.ts';
import { learnedOf } from '../../../src/repository/bitmap-selection/learned-sets.ts';
import { openRepository } from '../../../src/repository/node/open-repository.ts';
import { parseObjectFilter } from '../../../src/repository/object-filter.ts';
import { selectObjects } from '../../../src/repository/select-objects.ts';
import { git, scratchDirectory } from '../../support/git.ts';
import { makeHistory } from '../../support/made-history.ts';
import { allIdsOf } from '../../support/object-selections.ts';

const ALWAYS = { leastLearned: 1 };

/** A repository of one pack, with a line of commits and a branch off it. */
async function branchedRepository(context: Parameters<typeof scratchDirectory>[0]): Promise<{
  directory: string;
  main: ObjectId;
  topic: ObjectId;
}> {
  const directory = await scratchDirectory(context);
  const line = Array.from({ length: 12 }, (_, i) => ({ parents: i === 0 ? [] : [i - 1], time: 60 * i }));
  const commits = makeHistory(directory, [...line, { parents: [5], time: 1000 }]);
  git(directory, '-c', 'repack.writeBitmaps=false', 'repack', '-adq');
  return { directory, main: commits[11] as ObjectId, topic: commits[12] as ObjectId };
}

/** Clone what the refs say, and check it against git. @returns how many sets are known afterwards */
async function checkClone(
  directory: string,
  openAt: Awaited<ReturnType<typeof openRepository>>,
): Promise<number> {
  const wants = [...new Set(git(directory, 'for-each-ref', '--format=%(objectname)').trim().split('\n'))];
  const reader = await openAt.objects.openReader();
  for (const spec of [undefined, 'blob:none']) {
    const filter = spec === undefined ? undefined : parseObjectFilter(spec);
    const selection = await selectObjects(reader, { wants, haves: [], filter, thin: true }, ALWAYS);
    const args = spec === undefined ? [] : [`--filter=${spec}`];
    const listed = git(directory, 'rev-list', '--objects', '--no-object-names', ...args, '--all');
    assert.deepEqual(allIdsOf(reader, selection), listed.trim().split('\n').sort());
  }
  const { sets } = learnedOf(reader.packs);
  reader.release();
  return sets.count;
}

test('a clone is answered from what an earlier one found, whatever becomes of the refs', async (context) => {
  const { directory, main, topic } = await branchedRepository(context);
  await using repository = await openRepository(directory);
  assert.equal(await checkClone(directory, repository), 1);
  assert.equal(await checkClone(directory, repository), 1, 'nothing new to learn');

  const tree = git(directory, 'rev-parse', `${main}^{tree}`).trim();
  const pushed = git(directory, 'commit-tree', '-m', 'pushed', '-p', main, tree).trim();
  git(directory, 'update-ref', 'refs/heads/c11', pushed);
  assert.equal(await checkClone(directory, repository), 2, 'a push: what is new was learned with the rest');

  git(directory, 'update-ref', 'refs/heads/c11', `${main}~3`);
  await checkClone(directory, repository); // forced back
  git(directory, 'update-ref', '-d', 'refs/heads/c12', topic);
  await checkClone(directory, repository);
  git(directory, 'update-ref', 'refs/heads/c11', main);
  await checkClone(directory, repository);
});

test('what was learned is used beside new packs, and forgotten when the packs are replaced', async (context) => {
  const { directory, main } = await branchedRepository(context);
  await using repository = await openRepository(directory);
  await checkClone(directory, repository);

  // A thin pack is completed with copies of objects that lie in the first pack as well.
  const source = await scratchDirectory(context);
  git('/', 'clone', '-q', directory, join(source, 'work'));
  const work = join(source, 'work');
  git(work, 'checkout', '-q', '-b', 'new', main);
  git(work, 'rm', '-q', 'shared');
  git(work, '-c', 'user.name=A', '-c', 'user.email=a@example.com', 'commit', '-qm', 'Remove it');
  git(directory, 'config', 'receive.unpackLimit', '1');
  git(work, 'push', '-q', 'origin', 'new');
  assert.equal(packCount(directory), 2);
  await checkClone(directory, repository);

  git(directory, '-c', 'repack.writeBitmaps=false', 'repack', '-adq');
  assert.equal(packCount(directory), 1);
  assert.equal(await checkClone(directory, repository), 1, 'learned anew');
});

test('clones of any branches, one after another, select what git lists', async (context) => {
  const directory = await scratchDirectory(context);
  const parents = (i: number): number[] =>
    i === 0 ? [] : i % 5 === 4 ? [i - 1, i - 3] : [i - 1 - (i % 3 === 2 ? 1 : 0)];
  const commits = makeHistory(
    directory,
    Array.from({ length: 25 }, (_, i) => ({ parents: parents(i), time: 60 * i })),
  );
  git(directory, '-c', 'repack.writeBitmaps=false', 'repack', '-adq');
  await using repository = await openRepository(directory);
  const reader = await repository.objects.openReader();
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.constantFrom(...commits), { minLength: 1, maxLength: 4 }),
      async (wants) => {
        const selection = await selectObjects(reader, { wants, haves: [], thin: false }, ALWAYS);
        const listed = git(directory, 'rev-list', '--objects', '--no-object-names', ...wants);
        assert.deepEqual(allIdsOf(reader, selection), listed.trim().split('\n').sort());
      },
    ),
    { numRuns: 40 },
  );
  reader.release();
});

function packCount(directory: string): number {
  return readdirSync(join(directory, 'objects', 'pack')).filter((name) => name.endsWith('.pack')).length;
}
