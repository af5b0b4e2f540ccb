import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { reject } from '../../src/repository/push/hooks.ts';
import type { GitServerOptions } from '../../src/transport/http/options.ts';
import { type GitResult, git, gitAsync, gitBytes, scratchDirectory } from '../support/git.ts';
import { eventually, serveDirectory } from './http-server.ts';

/** A work tree with three commits and a tag, and a server with no repository yet. */
async function scene(t: TestContext, options: Partial<GitServerOptions> = {}, ...initOptions: string[]) {
  const directory = await scratchDirectory(t);
  const root = join(directory, 'repos');
  const work = join(directory, 'work');
  git(directory, 'init', '-q', '-b', 'main', ...initOptions, work);
  for (const name of ['one', 'two', 'three']) commit(work, name);
  git(work, 'tag', '-am', 'first', 'v1');
  const server = await serveDirectory(t, root, options);
  const remote = `${server.url}/team/hello.git`;
  return { directory, root, work, server, remote, stored: join(root, 'team/hello.git') };
}

function commit(work: string, name: string, content: string | Uint8Array = `${name}\n`.repeat(300)): void {
  writeFileSync(join(work, name), content);
  git(work, 'add', '.');
  git(work, 'commit', '-qm', name);
}

async function ok(result: Promise<GitResult>): Promise<GitResult> {
  const seen = await result;
  assert.equal(seen.status, 0, seen.stderr);
  return seen;
}

const refs = (repository: string): string =>
  git(repository, 'for-each-ref', '--format=%(objectname) %(refname)');
const objects = (repository: string): string[] =>
  git(repository, 'cat-file', '--batch-all-objects', '--batch-check').split('\n').sort();

/** Nothing of an unfinished push is left. */
function assertClean(repository: string): void {
  const left = readdirSync(join(repository, 'objects'), { recursive: true }).map(String);
  assert.deepEqual(
    left.filter((name) => /incoming|tmp_|quarantine|\.lock$/.test(name)),
    [],
  );
  git(repository, 'fsck', '--strict', '--full');
}

for (const version of [0, 1, 2]) {
  for (const format of ['sha1', 'sha256']) {
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
}

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
  commit(work, 'four');
  await ok(gitAsync(work, 'push', '-q', remote, 'main'));
  for (const version of [0, 2]) {
    server.requests.length = 0;
    git(clone, 'update-ref', '-d', 'refs/remotes/origin/main');
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

test('git shows what the server says when it refuses', async (t) => {
  const { work, remote, server } = await scene(t, {
    authorize: async ({ operation, name, request }) => {
      if (name.startsWith('private')) {
        const { headers } = request;
        if (headers.get('authorization') === `Basic ${btoa('me:secret')}`)
          return { allow: true, principal: 'me' };
        return {
          allow: false,
          status: 401,
          message: 'Who?',
          headers: { 'www-authenticate': 'Basic realm="x"' },
        };
      }
      return operation === 'fetch'
        ? { allow: true }
        : { allow: false, status: 403, message: 'This archive takes no pushes' };
    },
  });
  const absent = await gitAsync(work, 'ls-remote', `${server.url}/absent.git`);
  assert.match(absent.stderr, /remote: Repository not found/);
  assert.match(absent.stderr, /fatal: repository .* not found/);

  const refused = await gitAsync(work, 'push', remote, 'main');
  assert.match(refused.stderr, /remote: This archive takes no pushes/);
  assert.match(refused.stderr, /403/);

  const wrong = await gitAsync(work, 'ls-remote', `http://me:wrong@127.0.0.1:${server.port}/private.git`);
  assert.match(wrong.stderr, /Authentication failed/);
  await ok(gitAsync(work, 'push', '-q', `http://me:secret@127.0.0.1:${server.port}/private.git`, 'main'));
});

test('hooks hear of a push and have their say', async (t) => {
  const heard: string[] = [];
  const { work, remote, stored } = await scene(t, {
    authorize: async () => ({ allow: true, principal: 'A U Thor' }),
    hooks: {
      async preReceive({ commands, principal, say, pushOptions }) {
        say(`hello ${String(principal)} ${pushOptions.join()}`);
        return commands.some(({ name }) => name.endsWith('frozen')) ? reject('it is frozen') : undefined;
      },
      async postReceive({ commands }) {
        heard.push(...commands.map(({ kind, name }) => `${kind} ${name}`));
      },
    },
  });
  const pushed = await ok(gitAsync(work, 'push', '-o', 'a=b', remote, 'main'));
  assert.match(pushed.stderr, /remote: hello A U Thor a=b/);
  const refused = await gitAsync(work, 'push', remote, 'main:frozen');
  assert.match(refused.stderr, /\[remote rejected\] main -> frozen \(it is frozen\)/);
  assert.deepEqual(heard, ['create refs/heads/main']);
  assertClean(stored);
});

test('a client that leaves in the middle of a clone ends the work', async (t) => {
  const { work, remote, server } = await scene(t);
  commit(work, 'large', randomBytes(24 << 20));
  await ok(gitAsync(work, 'push', '-q', remote, 'main'));
  await eventually(() => server.openCount() === 0, 'the push has ended');

  const tip = git(work, 'rev-parse', 'HEAD').trim();
  const body = `0032want ${tip}\n00000009done\n`;
  const client = httpRequest(`${remote}/git-upload-pack`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-git-upload-pack-request' },
  });
  client.on('error', () => undefined);
  client.end(body);
  const [response] = (await once(client, 'response')) as [IncomingMessage];
  await once(response, 'data');
  assert.equal(server.openCount(), 1);
  response.on('error', () => undefined);
  client.destroy();
  await eventually(() => server.openCount() === 0, 'the clone has ended');
  await eventually(() => server.summaries.at(-1)?.complete === false, 'the log says so');
});

test('a client that leaves in the middle of a push ends the work and leaves nothing', async (t) => {
  const { directory, work, remote, stored, server } = await scene(t);
  await ok(gitAsync(work, 'push', '-q', remote, 'main'));
  const before = refs(stored);
  commit(work, 'large', randomBytes(2 << 20));
  const tip = git(work, 'rev-parse', 'HEAD').trim();
  const old = git(work, 'rev-parse', 'HEAD~').trim();
  const pack = gitBytes(
    { cwd: work, input: `${tip}\n^${old}\n` },
    'pack-objects',
    '--revs',
    '--stdout',
    '-q',
  );
  const line = `${old} ${tip} refs/heads/main\0 report-status side-band-64k`;
  const command = `${(line.length + 4).toString(16).padStart(4, '0')}${line}0000`;

  for (const part of [command.length, command.length + 8, command.length + (pack.length >> 1)]) {
    const client = httpRequest(`${remote}/git-receive-pack`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-git-receive-pack-request', 'transfer-encoding': 'chunked' },
    });
    client.on('error', () => undefined);
    client.write(Buffer.concat([Buffer.from(command), pack]).subarray(0, part));
    await eventually(() => server.openCount() === 1, 'the push has begun');
    if (part > command.length + 100) {
      const incoming = () =>
        readdirSync(join(stored, 'objects')).some((name) => !/^([0-9a-f]{2}|info|pack)$/.test(name));
      await eventually(incoming, 'a quarantine is there');
    }
    client.destroy();
    await eventually(() => server.openCount() === 0, 'the push has ended');
    assertClean(stored);
    assert.equal(refs(stored), before);
  }
  await ok(gitAsync(work, 'push', '-q', remote, 'main'));
  await ok(gitAsync(directory, 'clone', '-q', remote, 'clone'));
});

test('clones during a push see the old state or the new', async (t) => {
  const { directory, work, remote, stored } = await scene(t);
  await ok(gitAsync(work, 'push', '-q', remote, 'main'));
  const old = git(work, 'rev-parse', 'HEAD').trim();
  commit(work, 'large', randomBytes(4 << 20));
  const runs = [
    gitAsync(directory, 'clone', '-q', remote, 'a'),
    gitAsync(work, '-c', 'http.postBuffer=65536', 'push', '-q', remote, 'main'),
    gitAsync(directory, '-c', 'protocol.version=0', 'clone', '-q', remote, 'b'),
  ];
  for (const run of runs) await ok(run);
  for (const name of ['a', 'b']) {
    const seen = git(join(directory, name), 'rev-parse', 'HEAD').trim();
    assert.ok([old, git(work, 'rev-parse', 'HEAD').trim()].includes(seen));
    git(join(directory, name), 'fsck', '--strict');
  }
  assertClean(stored);
});
