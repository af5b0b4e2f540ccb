import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { startConfigured } from '../support/configured-server.ts';
import { git, scratchDirectory } from '../support/git.ts';

/** A repository from which a branch was deleted; its commit is still stored. */
async function served(t: TestContext, settings: Readonly<Record<string, unknown>>) {
  const directory = await scratchDirectory(t);
  const root = join(directory, 'root');
  mkdirSync(root);
  const repository = join(root, 'app.git');
  git(directory, 'init', '-q', '--bare', '-b', 'main', repository);
  git(directory, 'init', '-q', '-b', 'main', 'work');
  const work = join(directory, 'work');
  git(work, 'commit', '-q', '--allow-empty', '-m', 'one');
  git(work, 'commit', '-q', '--allow-empty', '-m', 'a password');
  git(work, 'push', '-q', repository, 'HEAD~:refs/heads/main', 'HEAD:refs/heads/slip');
  git(work, 'push', '-q', repository, ':slip');
  const server = await startConfigured(t, { root, ...settings });
  const id = git(work, 'rev-parse', 'HEAD').trim();
  const fetched = await fetch(`${server.urls[0]}/app/objects/${id.slice(0, 2)}/${id.slice(2)}`);
  return fetched.status;
}

const access = { rules: [{ repositories: ['**'], subjects: ['@all'], allow: ['read'] }] };

test('a commit that was deleted is not handed out to who may read, unless that was asked for', async (t) => {
  assert.equal(await served(t, { access }), 403);
  assert.equal(await served(t, { access, fetch: { dumb: true } }), 200);
});
