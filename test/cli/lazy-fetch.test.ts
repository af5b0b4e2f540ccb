/** Serving a partial clone: what it misses is fetched when, and only when, whoever serves it says so. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { git, gitAsync, scratchDirectory } from '../support/git.ts';
import { makePushHistory } from '../support/push-history.ts';
import { MAIN, TSX } from './run-packwire.ts';

const UPLOAD_PACK = `'${process.execPath}' --import '${TSX}' '${MAIN}' upload-pack`;

/** A bare clone without blobs of a repository that has them. */
async function scene(t: TestContext) {
  const directory = await scratchDirectory(t);
  const history = makePushHistory(directory);
  const stored = join(directory, 'stored.git');
  const origin = join(history.directory, '.git');
  for (const name of ['allowFilter', 'allowAnySHA1InWant'])
    git(origin, 'config', `uploadpack.${name}`, 'true');
  git(directory, 'clone', '-q', '--bare', '--filter=blob:none', `file://${origin}`, stored);
  const missing = (): number =>
    git({ cwd: stored, env: { GIT_NO_LAZY_FETCH: '1' } }, 'rev-list', '--objects', '--all', '--missing=print')
      .split('\n')
      .filter((line) => line.startsWith('?')).length;
  const serve = (env: Readonly<Record<string, string>>, ...args: readonly string[]) =>
    gitAsync({ cwd: directory, env }, ...args.map((arg) => (arg === 'STORED' ? stored : arg)));
  return { ...history, directory, stored, missing, serve };
}

test('a clone is refused that needs what is missing, and complete when it may be fetched', async (t) => {
  const { directory, missing, serve, third } = await scene(t);
  const lacking = missing();
  assert.ok(lacking > 0, 'blobs are missing');
  for (const env of [{}, { GIT_NO_LAZY_FETCH: '1' }]) {
    const refused = await serve(env, 'clone', '-q', '--no-local', '-u', UPLOAD_PACK, 'STORED', 'refused');
    assert.notEqual(refused.status, 0);
    assert.match(refused.stderr, /corruption on the remote side/);
    assert.equal(missing(), lacking);
  }
  const cloned = await serve(
    { GIT_NO_LAZY_FETCH: '0' },
    ...['clone', '-q', '--no-local', '-u', UPLOAD_PACK, 'STORED', 'client'],
  );
  assert.equal(cloned.status, 0, cloned.stderr);
  assert.equal(missing(), 0);
  const client = join(directory, 'client');
  assert.equal(git(client, 'rev-parse', 'HEAD').trim(), third);
  git(client, 'fsck', '--strict');
});

test('a missing object that is wanted by its id is fetched where any object may be wanted', async (t) => {
  const { directory, stored, blob, missing, serve } = await scene(t);
  const lacking = missing();
  const client = join(directory, 'client');
  git(directory, 'init', '-q', client);
  const fetch = ['-C', client, 'fetch', '-q', '--upload-pack', UPLOAD_PACK, 'STORED', blob] as const;
  const lazy = { GIT_NO_LAZY_FETCH: '0' };
  assert.match((await serve(lazy, ...fetch)).stderr, /not our ref/);
  assert.equal(missing(), lacking, 'nothing is fetched for who may not have it');
  git(stored, 'config', 'uploadpack.allowAnySHA1InWant', 'true');
  const fetched = await serve(lazy, ...fetch);
  assert.equal(fetched.status, 0, fetched.stderr);
  assert.equal(git(client, 'cat-file', '-t', blob).trim(), 'blob');
  assert.equal(missing(), lacking - 1);
});
