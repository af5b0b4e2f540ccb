import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { git, gitAsync } from '../support/git.ts';
import { assertClean, commit, objects, ok, refs, scene } from './scene.ts';

for (const [version, format] of [
  [0, 'sha1'],
  [1, 'sha1'],
  [2, 'sha1'],
  [0, 'sha256'],
  [2, 'sha256'],
] as const) {
  test(`protocol v${version}, ${format}: push, clone, push again, fetch, force, delete, deepen`, async (t) => {
    const hash = `--object-format=${format}`;
    const { directory, root, work, remote, stored, server } = await scene(t, {}, hash);
    if (format === 'sha256') git('/', 'init', '-q', '--bare', '-b', 'main', hash, stored);
    const talk = (cwd: string, ...args: string[]) =>
      ok(gitAsync(cwd, '-c', `protocol.version=${version}`, ...args));

    await talk(work, 'push', '-q', '--follow-tags', remote, 'main', 'HEAD:refs/heads/other');
    await talk(directory, 'clone', '-q', remote, 'clone');
    const clone = join(directory, 'clone');
    git(clone, 'fsck', '--strict');
    assert.deepEqual(objects(clone), objects(work));

    commit(work, 'four');
    await talk(work, 'push', '-q', remote, 'main');
    await talk(clone, 'pull', '-q', '--ff-only');
    assert.equal(git(clone, 'rev-parse', 'HEAD'), git(work, 'rev-parse', 'HEAD'));

    git(work, 'commit', '-q', '--amend', '-m', 'five');
    const refused = await gitAsync(work, 'push', '-q', remote, 'main');
    assert.notEqual(refused.status, 0);
    await talk(work, 'push', '-q', '--force', '--atomic', remote, 'main', ':refs/heads/other');
    await talk(clone, 'fetch', '-q', '--prune');
    assert.equal(git(clone, 'rev-parse', 'origin/main'), git(work, 'rev-parse', 'HEAD'));
    assert.equal(refs(stored), refs(work));

    await talk(directory, 'clone', '-q', '--depth=1', remote, 'shallow');
    const shallow = join(directory, 'shallow');
    assert.equal(git(shallow, 'rev-list', '--count', 'HEAD').trim(), '1');
    await talk(shallow, 'fetch', '-q', '--deepen=1');
    assert.equal(git(shallow, 'rev-list', '--count', 'HEAD').trim(), '2');
    await talk(shallow, 'fetch', '-q', '--unshallow');
    assert.equal(git(shallow, 'rev-list', '--count', 'HEAD').trim(), '4');

    assertClean(stored);
    assert.deepEqual(server.errors, []);
    assert.equal(existsSync(join(root, 'team/hello.git/HEAD')), true);
  });
}
