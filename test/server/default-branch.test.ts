/** A repository made by its first push: a clone of it checks out what was pushed. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { startConfigured } from '../support/configured-server.ts';
import { git, gitAsync, scratchDirectory } from '../support/git.ts';

for (const [pushed, expected] of [
  [['topic'], 'refs/heads/topic'],
  [['a', 'master', 'z'], 'refs/heads/master'],
  [['master', 'main'], 'refs/heads/main'],
] as const) {
  test(`a first push of ${pushed.join(', ')} makes HEAD ${expected}, and later pushes leave it`, async (t) => {
    const root = await scratchDirectory(t);
    const server = await startConfigured(t, { root, create: true });
    const work = join(root, 'work');
    git(root, 'init', '-q', work);
    git(work, 'commit', '-q', '--allow-empty', '-m', 'first');
    const url = `${server.urls[0]}/new.git`;
    const first = await gitAsync(work, 'push', '-q', url, ...pushed.map((name) => `HEAD:refs/heads/${name}`));
    assert.equal(first.status, 0, first.stderr);
    assert.equal(git(join(root, 'new.git'), 'symbolic-ref', 'HEAD').trim(), expected);

    await gitAsync(work, 'push', '-q', url, 'HEAD:refs/heads/main', 'HEAD:refs/heads/later');
    assert.equal(git(join(root, 'new.git'), 'symbolic-ref', 'HEAD').trim(), expected);
    const clone = await gitAsync(root, 'clone', '-q', url, 'clone');
    assert.equal(clone.stderr, '');
  });
}
