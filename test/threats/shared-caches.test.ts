import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { createRuleAuthorizer } from '../../src/server/access/rule-authorizer.ts';
import { git, scratchDirectory } from '../support/git.ts';
import { guardedServer } from '../support/guarded-server.ts';

test('no cache between may give to one what another was allowed', async (t) => {
  const root = await scratchDirectory(t);
  const repository = join(root, 'app.git');
  git(root, 'init', '-q', '--bare', '-b', 'main', repository);
  git(root, 'init', '-q', '-b', 'main', 'work');
  git(join(root, 'work'), 'commit', '-q', '--allow-empty', '-m', 'one');
  git(join(root, 'work'), 'push', '-q', repository, 'HEAD:main');
  const [directory = ''] = readdirSync(join(repository, 'objects')).filter((name) => name.length === 2);
  const [loose = ''] = readdirSync(join(repository, 'objects', directory));
  const server = await guardedServer(t, {
    root,
    authorizer: createRuleAuthorizer(() => [{ repositories: ['**'], subjects: ['@users'], allow: ['read'] }]),
    authenticate: () => Promise.resolve({ name: 'alice', groups: [] }),
  });
  for (const path of [
    'info/refs?service=git-upload-pack',
    'info/refs',
    'HEAD',
    'objects/info/packs',
    `objects/${directory}/${loose}`,
  ]) {
    const answer = await fetch(`${server.url}/app/${path}`, { headers: { authorization: 'Bearer x' } });
    assert.equal(answer.status, 200, path);
    const said = answer.headers.get('cache-control') ?? '';
    assert.match(said, /private|no-cache/, `${path}: ${said}`);
    assert.doesNotMatch(said, /public|s-maxage/, `${path}: ${said}`);
    const refused = await fetch(`${server.url}/app/${path}`);
    assert.equal(refused.status, 401);
    assert.match(refused.headers.get('cache-control') ?? '', /no-cache/);
  }
});
