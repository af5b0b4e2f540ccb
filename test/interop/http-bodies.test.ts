import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import test from 'node:test';
import { git, gitAsync } from '../support/git.ts';
import { assertClean, commit, ok, refs, scene } from './scene.ts';

test('a push of more than the post buffer arrives in chunks, after a probe', async (t) => {
  const { work, remote, stored, server } = await scene(t);
  commit(work, 'large', randomBytes(3 << 20));
  await ok(gitAsync(work, '-c', 'http.postBuffer=65536', 'push', '-q', remote, 'main'));
  const posts = server.requests.filter(({ method }) => method === 'POST');
  assert.deepEqual(
    posts.map(({ headers }) => headers['content-length'] ?? headers['transfer-encoding']),
    ['4', 'chunked'],
  );
  assert.equal(refs(stored).split(' ')[0], git(work, 'rev-parse', 'HEAD').trim());
  assertClean(stored);
});

test('a fetch with many haves arrives compressed', async (t) => {
  const { directory, work, remote, server } = await scene(t);
  await ok(gitAsync(work, 'push', '-q', remote, 'main'));
  await ok(gitAsync(directory, 'clone', '-q', remote, 'clone'));
  const clone = join(directory, 'clone');
  // Sixty commits the server does not know are asked about before what is common.
  const lines = ['reset refs/heads/own', 'from refs/remotes/origin/main', ''];
  for (let i = 0; i < 60; i++) {
    lines.push('commit refs/heads/own', `committer C <c@x> ${2_000_000_000 + i} +0000`, 'data 1', 'x', '');
  }
  git({ cwd: clone, input: `${lines.join('\n')}\n` }, 'fast-import', '--quiet');
  for (const version of [0, 2]) {
    commit(work, `for-v${version}`);
    await ok(gitAsync(work, 'push', '-q', remote, 'main'));
    server.requests.length = 0;
    await ok(gitAsync(clone, '-c', `protocol.version=${version}`, 'fetch', '-q', 'origin'));
    assert.ok(server.requests.some(({ headers }) => headers['content-encoding'] === 'gzip'));
    assert.equal(git(clone, 'rev-parse', 'origin/main'), git(work, 'rev-parse', 'HEAD'));
  }
  assert.deepEqual(server.errors, []);
});

test('a blobless clone fills in what a checkout needs', async (t) => {
  const { directory, work, remote } = await scene(t);
  await ok(gitAsync(work, 'push', '-q', remote, 'main'));
  await ok(gitAsync(directory, 'clone', '-q', '--filter=blob:none', remote, 'clone'));
  const clone = join(directory, 'clone');
  assert.equal(git(clone, 'status', '--porcelain'), '');
  await ok(gitAsync(clone, 'checkout', '-q', 'HEAD~2'));
});
