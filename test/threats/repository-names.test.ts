import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import fc from 'fast-check';
import type { AccessRule } from '../../src/server/access/access-rules.ts';
import { createRuleAuthorizer } from '../../src/server/access/rule-authorizer.ts';
import { git, scratchDirectory } from '../support/git.ts';
import { guardedServer } from '../support/guarded-server.ts';

const rules: readonly AccessRule[] = [
  { repositories: ['open/**'], subjects: ['@all'], allow: ['read'] },
  { repositories: ['**'], subjects: ['alice'], allow: ['read'] },
];

/** `open/app` is for everybody, `team/secret` is not, `outside` is nobody's. */
async function servedTree(t: TestContext) {
  const directory = await scratchDirectory(t);
  const root = join(directory, 'root');
  for (const path of ['root/open/app.git', 'root/team/secret.git', 'outside.git']) {
    git(directory, 'init', '-q', '--bare', join(directory, path));
  }
  symlinkSync('../team/secret.git', join(root, 'open/link.git'));
  symlinkSync('../team', join(root, 'open/team'));
  symlinkSync('../../outside.git', join(root, 'open/out.git'));
  symlinkSync('../..', join(root, 'open/up'));
  mkdirSync(join(root, 'open/empty'));
  return guardedServer(t, { root, authorizer: createRuleAuthorizer(() => rules), create: true });
}

/** The status of a request whose target goes out as it is: no client tidies it up. */
function statusOf(port: number, target: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', reject).on('close', () => resolve(Number(text.slice(9, 12))));
    socket.write(Buffer.from(`GET ${target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`, 'latin1'));
  });
}

const FETCH = '/info/refs?service=git-upload-pack';

const WAYS_TO_THE_SECRET = [
  '/team/secret',
  '/team/secret.git',
  '/team/secret.git/',
  '/team/secret.git.git',
  '/team/secret.git/.git',
  '/TEAM/SECRET',
  '/team//secret',
  '//team/secret',
  '/./team/secret',
  '/open/../team/secret',
  '/open/%2e%2e/team/secret',
  '/open/.%2e/team/secret',
  '/open%2f..%2fteam/secret',
  '/open/..%2fteam%2fsecret',
  '/open/..%5cteam/secret',
  '/open/..\\team\\secret',
  '/open/%252e%252e/team/secret',
  '/open/%c0%ae%c0%ae/team/secret',
  '/open/\u2025/team/secret',
  '/open/app/../../team/secret',
  '/team%2fsecret',
  '/team/secret%00',
  '/open/app%00/../team/secret',
  '/team/secret%20',
  '/team/secret;x',
  '/open/link',
  '/open/link.git',
  '/open/team/secret',
  '/open/team/secret.git',
  '/open/out',
  '/open/up/outside',
  '/open/up/root/team/secret',
  '/../outside',
  '/%2e%2e/outside',
  'http://h/team/secret',
  'http://h/open/../team/secret',
] as const;

test('whatever a URL spells, what may not be read is not read, by any protocol', async (t) => {
  const { port } = await servedTree(t);
  assert.equal(await statusOf(port, `/open/app${FETCH}`), 200);
  assert.equal(await statusOf(port, '/open/app/HEAD'), 200);
  for (const way of WAYS_TO_THE_SECRET) {
    for (const rest of [FETCH, '/HEAD', '/objects/info/packs', '/info/refs']) {
      const status = await statusOf(port, `${way}${rest}`);
      assert.ok([400, 401, 404].includes(status), `${way}${rest} is answered ${status}`);
    }
  }
});

test('files of a repository that are no objects are not served, however they are spelled', async (t) => {
  const { port } = await servedTree(t);
  for (const file of [
    'config',
    'hooks/update',
    'objects/../config',
    'objects/info/../../config',
    'objects/%2e%2e/config',
    'objects/pack/../../config',
    'objects/pack/..%2f..%2fconfig',
    'objects/info/packs/../../../config',
    'HEAD/../config',
    'refs/heads/main',
    'packed-refs',
    'logs/HEAD',
    'objects/info/commit-graph',
    'objects/tmp_objdir-incoming-x/pack/pack-1.pack',
    `objects/pack/pack-${'0'.repeat(40)}.keep`,
  ]) {
    const status = await statusOf(port, `/open/app/${file}`);
    assert.ok([400, 401, 404].includes(status), `${file} is answered ${status}`);
  }
});

test('no pieces of paths put together in any way lead to what may not be read', async (t) => {
  const { port } = await servedTree(t);
  const piece = fc.constantFrom(
    ...[
      '/',
      '//',
      '.',
      '..',
      '%2e',
      '%2f',
      '%5c',
      '\\',
      '%00',
      '.git',
      'open',
      'app',
      'team',
      'secret',
      'link',
      'up',
      'outside',
      'root',
    ],
  );
  const paths = fc.array(piece, { minLength: 1, maxLength: 8 }).map((pieces) => `/${pieces.join('')}`);
  await fc.assert(
    fc.asyncProperty(paths, async (path) => {
      const status = await statusOf(port, `${path}${FETCH}`);
      if (status === 200)
        assert.match(new URL(`http://h${path}`).pathname, /^\/+open\/app(?:\.git)?(?:\/\.git)?\/?$/);
    }),
    { numRuns: 300 },
  );
});
