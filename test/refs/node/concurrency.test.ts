import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SHA1 } from '../../../src/core/object-id.ts';
import { openFilesRefDatabase } from '../../../src/refs/node/files-ref-database.ts';
import { bareRepository, leftovers } from '../../support/bare-repository.ts';
import { spawnShell } from '../../support/shell.ts';

const COUNTER = 'refs/heads/counter';
const STEPS = 60;

/** Moves the counter from each commit to the next until the last; prints `moved` for each step that was its own. */
const COUNT_WITH_GIT = `
while :; do
  now=$(git rev-parse -q --verify ${COUNTER}) || { echo missing; exit 1; }
  next=$(grep "^$now " chain | cut -d' ' -f2)
  test -n "$next" || exit 0
  git update-ref ${COUNTER} $next $now 2>/dev/null && echo moved
done`;

const PACK_WITH_GIT = `
while test -e packing; do git pack-refs --all 2>/dev/null; done`;

test('git and we count up one ref together, while it is packed: no step is lost or done twice', async (context) => {
  const repository = await bareRepository(context, { commits: STEPS + 1 });
  const { commits, path } = repository;
  const next = new Map(commits.map((id, n) => [id, commits[n + 1]]));
  writeFileSync(join(path, 'chain'), commits.map((id) => `${id} ${next.get(id) ?? ''}\n`).join(''));
  writeFileSync(join(path, 'packing'), '');
  repository.git('update-ref', COUNTER, commits[0] as string);
  const refs = await openFilesRefDatabase(path, { format: SHA1 });

  const countHere = async (): Promise<number> => {
    for (let moved = 0; ; ) {
      const now = (await refs.resolve(COUNTER))?.id;
      assert.ok(now !== undefined, 'the counter was missing for a moment');
      const newId = next.get(now);
      if (newId === undefined) return moved;
      const [outcome] = await refs.update([{ name: COUNTER, newId, expected: now }], { atomic: false });
      if (outcome?.ok === true) moved++;
      // Let git have a turn: it starts a process for each step.
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 10));
    }
  };
  const packing = spawnShell(PACK_WITH_GIT, path);
  const [git, ...ours] = await Promise.all([spawnShell(COUNT_WITH_GIT, path), countHere(), countHere()]);
  rmSync(join(path, 'packing'));
  await packing;

  const byGit = git.split('\n').filter((line) => line === 'moved').length;
  assert.doesNotMatch(git, /missing/);
  assert.equal(
    byGit + ours.reduce((sum, moved) => sum + moved, 0),
    STEPS,
    `git ${byGit}, we ${ours.join(' and ')}`,
  );
  assert.equal(repository.git('rev-parse', COUNTER).trim(), commits.at(-1));
  assert.deepEqual(leftovers(path), []);
});

test('branches made and deleted by both beside each other all come out right', async (context) => {
  const repository = await bareRepository(context);
  const { path, commits } = repository;
  const [one] = commits as [string];
  const refs = await openFilesRefDatabase(path, {
    format: SHA1,
    refLockTimeoutMs: 5000,
    packedRefsTimeoutMs: 20_000,
  });
  const rounds = 12;
  const script = `
for n in $(seq ${rounds}); do
  git update-ref refs/heads/g/$n ${one} || echo failed to make $n
  git -c core.packedRefsTimeout=20000 pack-refs --all || echo failed to pack $n
  test $((n % 2)) = 0 || git -c core.packedRefsTimeout=20000 update-ref -d refs/heads/g/$n || echo failed to delete $n
done`;
  const workHere = async (prefix: string) => {
    for (let n = 1; n <= rounds; n++) {
      const name = `refs/heads/${prefix}/${n}`;
      const [made] = await refs.update([{ name, newId: one, expected: undefined }], { atomic: true });
      assert.deepEqual(made, { name, ok: true });
      if (n % 2 === 0) continue;
      const [gone] = await refs.update([{ name, newId: undefined, expected: one }], { atomic: true });
      assert.deepEqual(gone, { name, ok: true });
    }
  };
  const [git] = await Promise.all([spawnShell(script, path), workHere('a'), workHere('b'), workHere('c')]);
  assert.equal(git, '');
  const expected = ['a', 'b', 'c', 'g'].flatMap((prefix) =>
    Array.from({ length: rounds / 2 }, (_, n) => `refs/heads/${prefix}/${2 * n + 2}`),
  );
  const listed = (await refs.list()).map(({ name }) => name);
  assert.deepEqual(listed, expected.sort());
  assert.deepEqual(repository.git('for-each-ref', '--format=%(refname)').trim().split('\n'), listed);
  assert.deepEqual(leftovers(path), []);
});
