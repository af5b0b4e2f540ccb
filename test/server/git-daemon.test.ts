import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { startConfigured } from '../support/configured-server.ts';
import { git, gitAsync, scratchDirectory } from '../support/git.ts';

test('the reference server serves fetches and archives over git://, and no pushes', async (t) => {
  const root = await scratchDirectory(t);
  const work = join(root, 'work');
  mkdirSync(work);
  git(work, 'init', '-q', '-b', 'main');
  git(work, 'commit', '-q', '--allow-empty', '-m', 'one');
  git(root, 'clone', '-q', '--bare', 'work', 'served/team/hello.git');
  const server = await startConfigured(t, {
    root: join(root, 'served'),
    listen: { git: ['127.0.0.1:0'], http: [] },
  });
  const url = `${server.urls[0]}/team/hello`;

  const clone = await gitAsync(root, 'clone', '-q', url, 'copy');
  const archive = await gitAsync(root, 'archive', `--remote=${url}`, 'HEAD');
  const push = await gitAsync(work, 'push', url, 'main:other');
  const none = await gitAsync(root, 'ls-remote', `${server.urls[0]}/../work`);

  assert.equal(clone.status, 0, clone.stderr);
  assert.equal(archive.stdout, git(work, 'archive', 'HEAD'));
  assert.match(push.stderr, /remote error: service not enabled/);
  assert.match(none.stderr, /remote error: access denied or repository not exported/);
});
