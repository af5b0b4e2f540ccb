/**
 * Refs that a repository's configuration hides: the real git sees the same through packwire as from itself.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseGitConfig } from '../../src/repository/git-config.ts';
import { configuredHiddenRefs } from '../../src/repository/hidden-ref-config.ts';
import { git, gitAsync, scratchDirectory } from '../support/git.ts';
import { serveDirectory } from './http-server.ts';

const CONFIG =
  '[transfer]\n\thideRefs = refs/a\n[receive]\n\thideRefs = !refs/a/b\n' +
  '[uploadpack]\n\thideRefs = refs/u\n[transfer]\n\thideRefs = refs/c\n';

test('patterns come in the order of the file, those of the other service left out', () => {
  const config = parseGitConfig(CONFIG);
  assert.deepEqual(configuredHiddenRefs(config, 'receive'), ['refs/a', '!refs/a/b', 'refs/c']);
  assert.deepEqual(configuredHiddenRefs(config, 'uploadpack'), ['refs/a', 'refs/u', 'refs/c']);
  assert.deepEqual(configuredHiddenRefs(undefined, 'receive'), []);
});

for (const version of [0, 2]) {
  test(`git ls-remote and fetch, v${version}, see no ref that uploadpack.hideRefs or transfer.hideRefs hides`, async (t) => {
    const root = await scratchDirectory(t);
    const repository = join(root, 'hidden.git');
    git(root, 'init', '-q', '--bare', '-b', 'main', repository);
    const tree = git(repository, 'mktree').trim();
    const [shown = '', hidden = ''] = ['shown', 'hidden'].map((message) =>
      git(repository, 'commit-tree', '-m', message, tree).trim(),
    );
    git(repository, 'update-ref', 'refs/heads/main', shown);
    git(repository, 'update-ref', 'refs/heads/secret/plan', hidden);
    git(repository, 'update-ref', 'refs/internal/1', hidden);
    git(repository, 'config', 'uploadpack.hideRefs', 'refs/heads/secret');
    git(repository, 'config', 'transfer.hideRefs', 'refs/internal');
    const { url } = await serveDirectory(t, root);

    const protocol = ['-c', `protocol.version=${version}`];
    const listed = await gitAsync(root, ...protocol, 'ls-remote', `${url}/hidden.git`);
    assert.equal(listed.stdout, git(root, ...protocol, 'ls-remote', repository));
    git(root, 'init', '-q', 'client');
    const fetched = await gitAsync(join(root, 'client'), ...protocol, 'fetch', `${url}/hidden.git`, hidden);
    assert.notEqual(fetched.status, 0);
  });
}
