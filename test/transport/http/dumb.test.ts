import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { createRepositoryDirectory } from '../../../src/repository/node/repository-directory.ts';
import { createGitServer } from '../../../src/transport/http/git-server.ts';
import type { GitServerOptions } from '../../../src/transport/http/options.ts';
import { nodeListener } from '../../../src/transport/node/http-listener.ts';
import { git, gitAsync, scratchDirectory } from '../../support/git.ts';

/** `repo.git`: a pack, loose objects beside it, tags, and a ref to a loose object only. */
function makeRepository(root: string, format: string): string {
  const path = join(root, 'repo.git');
  git(root, 'init', '-q', '--bare', '-b', 'main', `--object-format=${format}`, path);
  const tree = git({ cwd: path, input: '' }, 'mktree').trim();
  const commit = (text: string, ...parents: string[]) =>
    git(path, 'commit-tree', tree, '-m', text, ...parents.flatMap((id) => ['-p', id])).trim();
  const first = commit('first');
  git(path, 'update-ref', 'refs/heads/main', first);
  git(path, 'tag', '-m', 'a tag', 'v1', first);
  git(path, 'tag', '-m', 'a tag of a tag', 'v1-signed', 'v1');
  git(path, 'repack', '-adq');
  git(path, 'update-ref', 'refs/heads/main', commit('second', first));
  git(path, 'update-ref', 'refs/hidden/one', commit('hidden'));
  return path;
}

function served(context: TestContext, root: string, options: Partial<GitServerOptions> = {}) {
  const repositories = createRepositoryDirectory(root);
  context.after(() => repositories[Symbol.asyncDispose]());
  const errors: unknown[] = [];
  const server = createGitServer({
    repositories,
    onError: (error) => void errors.push(error),
    ...options,
  });
  const ask = (target: string, headers: Readonly<Record<string, string>> = {}, method = 'GET') =>
    server.handle(new Request(`http://h/repo.git/${target}`, { method, headers }));
  return { server, ask, errors };
}

async function listening(context: TestContext, root: string): Promise<string> {
  const http = createServer(nodeListener(served(context, root).server));
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  context.after(() => http.closeAllConnections());
  context.after(() => http.close());
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
}

function filesOf(path: string) {
  const objects = join(path, 'objects');
  const pack = readdirSync(join(objects, 'pack')).find((name) => name.endsWith('.pack')) as string;
  const id = git(path, 'rev-parse', 'main').trim();
  return {
    pack: `objects/pack/${pack}`,
    index: `objects/pack/${pack.replace(/pack$/, 'idx')}`,
    loose: `objects/${id.slice(0, 2)}/${id.slice(2)}`,
  };
}

for (const format of ['sha1', 'sha256']) {
  test(`git clones and fetches ${format} without smart HTTP`, async (context) => {
    const root = await scratchDirectory(context);
    const path = makeRepository(root, format);
    const url = `${await listening(context, root)}/repo.git`;
    const dumb = (...args: string[]) => gitAsync({ cwd: root, env: { GIT_SMART_HTTP: '0' } }, ...args);

    const clone = await dumb('clone', '-q', '--mirror', url, 'clone.git');
    assert.equal(clone.status, 0, clone.stderr);
    const refs = (cwd: string) => git(cwd, 'for-each-ref');
    assert.equal(refs(join(root, 'clone.git')), refs(path));
    assert.equal(git(join(root, 'clone.git'), 'symbolic-ref', 'HEAD'), 'refs/heads/main\n');

    const third = git(path, 'commit-tree', 'main^{tree}', '-m', 'third', '-p', 'main').trim();
    git(path, 'update-ref', 'refs/heads/main', third);
    const fetch = await dumb('-C', 'clone.git', 'fetch', '-q');
    assert.equal(fetch.status, 0, fetch.stderr);
    assert.equal(refs(join(root, 'clone.git')), refs(path));
    git(join(root, 'clone.git'), 'fsck', '--strict', '--full');
  });
}

test('lists are those that git update-server-info writes', async (context) => {
  const root = await scratchDirectory(context);
  const path = makeRepository(root, 'sha1');
  const { ask } = served(context, root);
  git(path, 'update-server-info');
  for (const [target, file, type] of [
    ['info/refs', 'info/refs', 'text/plain'],
    ['objects/info/packs', 'objects/info/packs', 'text/plain; charset=utf-8'],
    ['HEAD', 'HEAD', 'text/plain'],
  ] as const) {
    const response = await ask(target);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), type);
    assert.equal(response.headers.get('cache-control'), 'no-cache, max-age=0, must-revalidate');
    assert.equal(await response.text(), readFileSync(join(path, file), 'utf8'));
  }
});

test('a detached HEAD is an id, an unborn one nothing', async (context) => {
  const root = await scratchDirectory(context);
  const path = makeRepository(root, 'sha1');
  const { ask } = served(context, root);
  git(path, 'update-ref', '--no-deref', 'HEAD', 'main');
  assert.equal(await (await ask('HEAD')).text(), git(path, 'rev-parse', 'main'));
  git(path, 'symbolic-ref', 'HEAD', 'refs/heads/nowhere');
  assert.equal(await (await ask('HEAD')).text(), '');
});

test('stored files are given byte for byte, to be kept for a year', async (context) => {
  const root = await scratchDirectory(context);
  const path = makeRepository(root, 'sha1');
  const { ask } = served(context, root);
  const { pack, index, loose } = filesOf(path);
  for (const [target, type] of [
    [pack, 'application/x-git-packed-objects'],
    [index, 'application/x-git-packed-objects-toc'],
    [loose, 'application/x-git-loose-object'],
  ] as const) {
    const bytes = readFileSync(join(path, target));
    const response = await ask(target);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), type);
    assert.equal(response.headers.get('content-length'), String(bytes.length));
    assert.equal(response.headers.get('cache-control'), 'public, max-age=31536000');
    assert.equal(response.headers.get('pragma'), null);
    assert.ok(Date.parse(response.headers.get('expires') ?? '') > Date.now() + 364 * 86_400_000);
    const modified = Math.floor(statSync(join(path, target)).mtimeMs / 1000) * 1000;
    assert.equal(Date.parse(response.headers.get('last-modified') ?? ''), modified);
    assert.deepEqual(Buffer.from(await response.arrayBuffer()), bytes);
  }
});

test('an interrupted download of a pack is taken up where it broke', async (context) => {
  const root = await scratchDirectory(context);
  const path = makeRepository(root, 'sha1');
  const { ask } = served(context, root);
  const { pack } = filesOf(path);
  const bytes = readFileSync(join(path, pack));
  const etag = (await ask(pack, {}, 'HEAD')).headers.get('etag') as string;

  const rest = await ask(pack, { range: 'bytes=20-', 'if-range': etag });
  assert.equal(rest.status, 206);
  assert.equal(rest.headers.get('content-range'), `bytes 20-${bytes.length - 1}/${bytes.length}`);
  assert.equal(rest.headers.get('content-length'), String(bytes.length - 20));
  assert.deepEqual(Buffer.from(await rest.arrayBuffer()), bytes.subarray(20));

  const whole = await ask(pack, { range: 'bytes=20-', 'if-range': '"another"' });
  assert.equal(whole.status, 200);
  assert.deepEqual(Buffer.from(await whole.arrayBuffer()), bytes);

  const beyond = await ask(pack, { range: `bytes=${bytes.length}-` });
  assert.equal(beyond.status, 416);
  assert.equal(beyond.headers.get('content-range'), `bytes */${bytes.length}`);
  assert.equal((await beyond.arrayBuffer()).byteLength, 0);

  const known = await ask(pack, { 'if-none-match': etag });
  assert.equal(known.status, 304);
  assert.equal((await known.arrayBuffer()).byteLength, 0);
});

test('what is not there, or not for clients, is not found', async (context) => {
  const root = await scratchDirectory(context);
  makeRepository(root, 'sha1');
  const { ask, errors } = served(context, root);
  for (const target of [
    'objects/info/alternates',
    'objects/info/http-alternates',
    `objects/00/${'0'.repeat(38)}`,
    `objects/pack/pack-${'0'.repeat(40)}.pack`,
    'config',
    'objects/info/../../config',
    'objects/pack/..%2f..%2fconfig',
    'refs/heads/main',
  ]) {
    assert.equal((await ask(target)).status, 404, target);
  }
  assert.deepEqual(errors, []);
});

test('alternates are given as they are, and a directory of such a name is none', async (context) => {
  const root = await scratchDirectory(context);
  const path = makeRepository(root, 'sha1');
  cpSync(path, join(root, 'other.git'), { recursive: true });
  writeFileSync(join(path, 'objects/info/alternates'), '../../other.git/objects\n');
  mkdirSync(join(path, 'objects/info/http-alternates'));
  const { ask } = served(context, root);
  const alternates = await ask('objects/info/alternates');
  assert.equal(alternates.headers.get('content-type'), 'text/plain');
  assert.equal(alternates.headers.get('cache-control'), 'no-cache, max-age=0, must-revalidate');
  assert.equal(await alternates.text(), '../../other.git/objects\n');
  assert.equal((await ask('objects/info/http-alternates')).status, 404);
  assert.equal((await (await ask('objects/info/packs')).text()).split('\n').length, 3, 'its own pack only');
});

test('a file that becomes shorter while it is read breaks the answer off', async (context) => {
  const root = await scratchDirectory(context);
  const path = makeRepository(root, 'sha1');
  const name = `objects/pack/pack-${'1'.repeat(40)}.pack`;
  writeFileSync(join(path, name), Buffer.alloc(200_000, 1));
  const { ask, errors } = served(context, root);
  const response = await ask(name);
  truncateSync(join(path, name), 100_000);
  await assert.rejects(response.arrayBuffer());
  assert.equal(errors.length, 1);
});

test('who says what is kept from clients says that files are', async (context) => {
  const root = await scratchDirectory(context);
  const path = makeRepository(root, 'sha1');
  const status = async (settings: Readonly<Record<string, string>>, options: Partial<GitServerOptions>) => {
    for (const key of ['http.getanyfile', 'transfer.hiderefs', 'uploadpack.hiderefs']) {
      await gitAsync(path, 'config', '--unset-all', key);
      if (settings[key] !== undefined) git(path, 'config', key, settings[key]);
    }
    const { ask } = served(context, root, options);
    const statuses = new Set<number>();
    for (const target of ['HEAD', 'info/refs', 'objects/info/packs', filesOf(path).pack]) {
      const response = await ask(target);
      statuses.add(response.status);
      const text = await response.text();
      if (target === 'info/refs' && response.status === 200 && Object.keys(settings).length > 1) {
        assert.doesNotMatch(text, /hidden/);
      }
    }
    return [...statuses].join();
  };
  const hidden = { 'transfer.hiderefs': 'refs/hidden' };
  const on = { 'http.getanyfile': 'true' };
  const hides = { fetch: { hiddenRefs: ['refs/hidden'] } };
  const narrow = { fetch: { wantPolicy: 'reachable' } } as const;

  assert.equal(await status({}, {}), '200');
  assert.equal(await status(on, {}), '200');
  assert.equal(await status({ 'http.getanyfile': 'false' }, { dumb: true }), '403');
  assert.equal(await status({}, { dumb: false }), '403');
  assert.equal(await status(on, { dumb: false }), '403');
  assert.equal(await status(hidden, {}), '403');
  assert.equal(await status(hidden, { dumb: true }), '403');
  assert.equal(await status({ 'uploadpack.hiderefs': 'refs/hidden' }, {}), '403');
  assert.equal(await status({ ...hidden, ...on }, {}), '200');
  assert.equal(await status(hidden, { defaults: 'git' }), '200');
  assert.equal(await status({}, hides), '403');
  assert.equal(await status(on, { ...hides, dumb: true }), '403');
  assert.equal(await status({}, narrow), '403');
  assert.equal(await status({}, { ...narrow, dumb: true }), '200');
  assert.equal(await status({}, { fetch: { wantPolicy: 'any' } }), '200');
});

test('the application is told that somebody wants stored files', async (context) => {
  const root = await scratchDirectory(context);
  makeRepository(root, 'sha1');
  const asked: string[] = [];
  const { ask } = served(context, root, {
    authorize: async ({ operation, protocol, name }) => {
      asked.push(`${operation} ${protocol} ${name}`);
      return protocol === 'smart'
        ? { allow: true }
        : { allow: false, status: 401, message: 'Who?', headers: { 'www-authenticate': 'Basic realm="x"' } };
    },
  });
  const refused = await ask('info/refs');
  assert.equal(refused.status, 401);
  assert.equal(refused.headers.get('www-authenticate'), 'Basic realm="x"');
  assert.equal((await ask('info/refs?service=git-upload-pack')).status, 200);
  assert.deepEqual(asked, ['fetch dumb repo.git', 'fetch smart repo.git']);
});

for (const [settings, target, options, status] of [
  [{}, 'git-upload-pack', {}, 200],
  [{}, 'git-receive-pack', {}, 200],
  [{ 'http.uploadpack': 'false' }, 'git-upload-pack', {}, 403],
  [{ 'http.receivepack': 'false' }, 'git-receive-pack', {}, 403],
  [{}, 'git-receive-pack', { defaults: 'git' }, 403],
  [{ 'http.receivepack': 'true' }, 'git-receive-pack', { defaults: 'git' }, 200],
  [
    {},
    'git-receive-pack',
    { defaults: 'git', authorize: async () => ({ allow: true, principal: 'me' }) },
    200,
  ],
  [{ 'http.receivepack': 'nonsense' }, 'git-receive-pack', {}, 500],
] as const satisfies readonly (readonly [object, string, Partial<GitServerOptions>, number])[]) {
  const shown = `${JSON.stringify(settings)} and ${JSON.stringify(options)}`;
  test(`${target} is answered ${status} with ${shown}`, async (context) => {
    const root = await scratchDirectory(context);
    const path = makeRepository(root, 'sha1');
    for (const [key, value] of Object.entries(settings)) git(path, 'config', key, value);
    const { ask, server } = served(context, root, options);
    const advertised = await ask(`info/refs?service=${target}`);
    assert.equal(advertised.status, status);
    await advertised.arrayBuffer();
    const posted = await server.handle(
      new Request(`http://h/repo.git/${target}`, {
        method: 'POST',
        body: '0000',
        headers: { 'content-type': `application/x-${target}-request` },
      }),
    );
    assert.equal(posted.status, status);
    if (status === 403) assert.equal(await posted.text(), `Service not enabled: '${target.slice(4)}'\n`);
  });
}

test('http.maxRequestBuffer bounds requests of fetches, and never beyond what the application allows', async (context) => {
  const root = await scratchDirectory(context);
  const path = makeRepository(root, 'sha1');
  git(path, 'config', 'http.maxRequestBuffer', '1k');
  for (const [limits, bytes, status] of [
    [{}, 1024, 200],
    [{}, 2048, 413],
    [{ maxFetchRequestBytes: 512 }, 1024, 413],
  ] as const) {
    const { server } = served(context, root, { limits });
    const response = await server.handle(
      new Request('http://h/repo.git/git-upload-pack', {
        method: 'POST',
        body: '0000'.repeat(bytes / 4),
        headers: { 'content-type': 'application/x-git-upload-pack-request', 'content-length': String(bytes) },
      }),
    );
    assert.equal(response.status, status);
    await response.arrayBuffer();
  }
});
