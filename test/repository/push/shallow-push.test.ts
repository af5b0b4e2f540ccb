/** Pushes from and into shallow repositories: the real git pushing to us. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { DEFAULT_LIMITS } from '../../../src/core/limits.ts';
import { SHA1 } from '../../../src/core/object-id.ts';
import { receivePack } from '../../../src/protocol/receive-pack.ts';
import { initRepository } from '../../../src/repository/node/init-repository.ts';
import { openRepository } from '../../../src/repository/node/open-repository.ts';
import { FilesShallowRoots } from '../../../src/repository/node/shallow-roots.ts';
import { git, gitAsync, scratchDirectory } from '../../support/git.ts';
import { gitDaemon } from '../../support/git-daemon.ts';

interface Scene {
  readonly server: string;
  /** Of `origin`, five commits, the last two. */
  readonly client: string;
  readonly origin: string;
  push(from: string, ...args: readonly string[]): ReturnType<typeof gitAsync>;
  shallow(): string[];
}

async function scene(t: TestContext, config: Readonly<Record<string, string>> = {}): Promise<Scene> {
  const scratch = await scratchDirectory(t);
  const [server, origin, client] = ['server.git', 'origin', 'client'].map((name) => join(scratch, name)) as [
    string,
    string,
    string,
  ];
  git('/', 'init', '-q', '-b', 'main', origin);
  for (const name of '12345') {
    writeFileSync(join(origin, 'file'), name);
    git(origin, 'add', 'file');
    git(origin, 'commit', '-q', '-m', name);
  }
  git(scratch, 'clone', '-q', '--depth=2', `file://${origin}`, client);
  await (await initRepository(server))[Symbol.asyncDispose]();
  for (const [name, value] of Object.entries(config)) git(server, 'config', name, value);
  const repository = await openRepository(server);
  t.after(() => repository[Symbol.asyncDispose]());
  const { url } = await gitDaemon(t, ({ protocolVersion, signal }, stream) =>
    receivePack(repository, stream, { mode: 'stateful', protocolVersion, limits: DEFAULT_LIMITS, signal }),
  );
  const file = join(server, 'shallow');
  return {
    server,
    client,
    origin,
    push: (from, ...args) => gitAsync(from, 'push', `${url}/x`, ...args),
    shallow: () => (existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : []),
  };
}

function subjects(directory: string, revision: string): string {
  return git(directory, 'log', '--format=%s', revision).trim().split('\n').join('');
}

const ALLOWED = { 'receive.shallowUpdate': 'true' };

test('a history that ends early is refused unless receive.shallowUpdate says otherwise', async (t) => {
  const { server, client, push, shallow } = await scene(t);
  const { stderr } = await push(client, 'main');
  assert.match(stderr, /main -> main \(shallow update not allowed\)/);
  assert.deepEqual(shallow(), []);
  assert.equal(git(server, 'for-each-ref'), '');
});

test('with it the repository becomes shallow, where it must', async (t) => {
  const { server, client, push, shallow } = await scene(t, ALLOWED);
  git(client, 'branch', 'older', 'main~1');
  const { status, stderr } = await push(client, 'main', 'older');
  assert.equal(status, 0, stderr);
  assert.deepEqual(shallow(), [git(client, 'rev-parse', 'main~1').trim()]);
  assert.equal(subjects(server, 'main'), '54');
  git(server, 'fsck', '--strict');
  assert.deepEqual(
    readdirSync(server).filter((name) => name.startsWith('shallow')),
    ['shallow'],
  );
});

test('no root is added for a history that is here', async (t) => {
  const { server, origin, client, push, shallow } = await scene(t, ALLOWED);
  assert.equal((await push(origin, 'main')).status, 0);
  git(client, 'commit', '-q', '--allow-empty', '-m', '6');
  const { status, stderr } = await push(client, 'main');
  assert.equal(status, 0, stderr);
  assert.deepEqual(shallow(), []);
  assert.equal(subjects(server, 'main'), '654321');
});

test('a full history is pushed into a shallow repository', async (t) => {
  const { server, origin, client, push, shallow } = await scene(t, ALLOWED);
  await push(client, 'main');
  const before = shallow();
  git(origin, 'commit', '-q', '--allow-empty', '-m', '6');
  const { status, stderr } = await push(origin, 'main');
  assert.equal(status, 0, stderr);
  assert.deepEqual(shallow(), before);
  assert.equal(subjects(server, 'main'), '654');
  git(server, 'fsck', '--strict');
});

test('what a hook refuses adds no root; it reads the history while it is in quarantine', async (t) => {
  const { server, client, push, shallow } = await scene(t, ALLOWED);
  mkdirSync(join(server, 'hooks'), { recursive: true });
  const hook = join(server, 'hooks/pre-receive');
  writeFileSync(
    hook,
    '#!/bin/sh\nread old new ref\ngit log --format=%s $new >read || echo failed >read\nexit 1\n',
  );
  chmodSync(hook, 0o755);
  const { stderr } = await push(client, 'main');
  assert.match(stderr, /pre-receive hook declined/);
  assert.equal(readFileSync(join(server, 'read'), 'utf8'), '5\n4\n');
  assert.deepEqual(shallow(), []);
  assert.deepEqual(
    readdirSync(server).filter((name) => name.startsWith('shallow')),
    [],
  );
});

test('a lock that is held refuses the ref', async (t) => {
  const { server, client, push, shallow } = await scene(t, ALLOWED);
  writeFileSync(join(server, 'shallow.lock'), '');
  const { stderr } = await push(client, 'main');
  assert.match(stderr, /main -> main \(shallow error\)/);
  assert.deepEqual(shallow(), []);
  assert.equal(git(server, 'for-each-ref'), '');
});

test('FilesShallowRoots loses none of many that are added at once', async (t) => {
  const directory = await scratchDirectory(t);
  const roots = new FilesShallowRoots(directory, SHA1, { fsync: false, shared: undefined });
  const ids = Array.from({ length: 12 }, (_, n) => n.toString(16).padStart(40, '0'));
  await Promise.all(ids.map((id) => roots.add([id], {})));
  assert.deepEqual(readFileSync(join(directory, 'shallow'), 'utf8').trimEnd().split('\n').sort(), ids);
});
