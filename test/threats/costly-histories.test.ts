import assert from 'node:assert/strict';
import test from 'node:test';
import { openRepository } from '../../src/repository/node/open-repository.ts';
import { computeDepth } from '../../src/repository/shallow.ts';
import { git, scratchDirectory } from '../support/git.ts';
import { readerOver, readObjectsOf } from '../support/object-reader.ts';
import { packLines } from '../support/packets.ts';
import { buildHistory } from '../support/random-history.ts';
import { ask, packIds, readAnswer } from '../support/served-repository.ts';

/** Each commit has the two before it as parents: more ways lead down than could ever be walked. */
const LADDER = Array.from({ length: 90 }, (_, content) => ({
  parents: [1, 2],
  skew: 0,
  changes: [{ path: 'f', content: content % 10 }],
  gitlink: false,
  tagged: false,
}));

test('depth is counted once a commit, not once a way to it', async (t) => {
  const { directory, commits } = buildHistory(await scratchDirectory(t), LADDER);
  const reader = readerOver(readObjectsOf(directory));
  const tip = commits.at(-1) as string;
  const { shallow } = await computeDepth(reader, [tip], { depth: 40 }, new Set(), {
    repositoryShallow: new Set(),
  });
  assert.equal(shallow.length, 2);
});

/** Ten names a level, all of the same tree: a few objects, and more paths than could ever be listed. */
function makeBomb(directory: string, levels: number): string {
  let below = `100644 blob ${git({ cwd: directory, input: 'x' }, 'hash-object', '-w', '--stdin').trim()}`;
  for (let level = 0; level < levels; level++) {
    const names = Array.from({ length: 10 }, (_, name) => `${below}\t${name}\n`).join('');
    below = `040000 tree ${git({ cwd: directory, input: names }, 'mktree').trim()}`;
  }
  return git(directory, 'commit-tree', '-m', 'bomb', below.split(' ')[2] as string).trim();
}

test('objects are counted once, not once a path to them', async (t) => {
  const directory = await scratchDirectory(t);
  git(directory, 'init', '-q', '--bare', '-b', 'main', '.');
  const commit = makeBomb(directory, 20);
  git(directory, 'update-ref', 'refs/heads/main', commit);
  await using repository = await openRepository(directory);
  const request = packLines(['command=fetch', '0001', 'no-progress', `want ${commit}`, 'done', '0000']);
  const { pack } = readAnswer(await ask(repository, { version: 2, request }));
  const scratch = await scratchDirectory(t);
  git(scratch, 'init', '-q', '--bare', '.');
  assert.equal(packIds(scratch, pack).length, 22);
});
