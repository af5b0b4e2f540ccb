import assert from 'node:assert/strict';
import { appendFileSync, chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { DEFAULT_LIMITS } from '../../src/core/limits.ts';
import { uploadPack } from '../../src/protocol/upload-pack.ts';
import { commandEntry, configSources } from '../../src/repository/node/config/config-sources.ts';
import { openRepository } from '../../src/repository/node/files-repository.ts';
import { git, gitAsync, scratchDirectory } from '../support/git.ts';
import { gitDaemon } from '../support/git-daemon.ts';

const RECORD = `#!/bin/sh
echo "hook running" >&2
echo "$*" >hook.args
tee hook.stdin | "$@"
`;

/** A repository of four commits and a tag, with a program that writes down how it is called. */
async function scene(t: TestContext) {
  const root = await scratchDirectory(t);
  const path = join(root, 'stored.git');
  git(root, 'init', '-q', '--bare', '-b', 'main', path);
  for (let i = 1; i <= 4; i++) {
    const blob = git({ cwd: path, input: `${i}\n` }, 'hash-object', '-w', '--stdin').trim();
    const tree = git({ cwd: path, input: `100644 blob ${blob}\tfile\n` }, 'mktree').trim();
    const parent = i === 1 ? [] : ['-p', 'main'];
    git(
      path,
      'update-ref',
      'refs/heads/main',
      git(path, 'commit-tree', '-m', `${i}`, ...parent, tree).trim(),
    );
  }
  git(path, 'tag', '-am', 'tag', 'v1', 'main~2');
  git(path, 'branch', 'old', 'main~2');
  git(path, 'config', 'uploadpack.allowFilter', 'true');
  writeFileSync(join(path, 'hook'), RECORD);
  chmodSync(join(path, 'hook'), 0o755);
  const global = join(root, 'global');
  writeFileSync(global, '[uploadpack]\npackObjectsHook = ./hook\n');
  const env = { GIT_CONFIG_GLOBAL: global };
  const { url } = await gitDaemon(t, async function* ({ protocolVersion, signal }, stream) {
    const sources = configSources({ GIT_CONFIG_NOSYSTEM: '1', ...env });
    await using repository = await openRepository(path, { configSources: sources });
    yield* uploadPack(repository, stream, {
      mode: 'stateful',
      protocolVersion,
      limits: DEFAULT_LIMITS,
      signal,
    });
  });
  return { root, path, env, url: `${url}/` };
}

for (const [what, prepare, ask] of [
  ['a clone', undefined, ['clone', '-q', '--bare']],
  ['a shallow clone', undefined, ['clone', '-q', '--bare', '--depth=2', '--no-tags']],
  ['a partial clone', undefined, ['clone', '-q', '--bare', '--filter=combine:blob:limit=1024+tree:3']],
  ['a fetch', ['old:refs/heads/old'], ['fetch', '-q']],
  ['a fetch that deepens', ['--depth=1', 'main:refs/heads/main'], ['fetch', '-q', '--depth=2']],
  ['a fetch of all history', ['--depth=2', 'main:refs/heads/main'], ['fetch', '-q', '--unshallow']],
] as const) {
  test(`${what} calls the program as git does`, async (t) => {
    const { root, path, env, url } = await scene(t);
    const calls = [];
    for (const server of [`file://${path}`, url]) {
      const copy = join(root, 'copy.git');
      rmSync(copy, { recursive: true, force: true });
      let command: readonly string[] = [...ask, server, copy];
      if (prepare !== undefined) {
        git(root, 'init', '-q', '--bare', copy);
        git(copy, 'fetch', '-q', `file://${path}`, ...prepare);
        command = ['-C', copy, ...ask, server, 'main'];
      }
      const { status, stderr } = await gitAsync({ cwd: root, env }, ...command);
      assert.deepEqual([status, stderr.includes('hook running')], [0, true], stderr);
      git(copy, 'fsck', '--strict');
      const lines = readFileSync(join(path, 'hook.stdin'), 'utf8').split('\n');
      calls.push({ args: readFileSync(join(path, 'hook.args'), 'utf8'), lines: lines.sort() });
    }
    assert.deepEqual(calls[1], calls[0]);
  });
}

test('the repository itself cannot name the program', async (t) => {
  const { root, path, env, url } = await scene(t);
  writeFileSync(env.GIT_CONFIG_GLOBAL, '');
  appendFileSync(join(path, 'config'), '[uploadpack]\npackObjectsHook = ./hook\n');
  const { status } = await gitAsync(root, 'clone', '-q', '--bare', url, 'copy.git');
  assert.deepEqual([status, existsSync(join(path, 'hook.args'))], [0, false]);
});

test('a program that fails leaves the client with no pack', async (t) => {
  const { root, path, url } = await scene(t);
  writeFileSync(join(path, 'hook'), '#!/bin/sh\ncat >/dev/null\n"$@" </dev/null\nexit 3\n');
  const { status, stderr } = await gitAsync(root, 'clone', '-q', '--bare', url, 'copy.git');
  assert.equal(status, 128);
  assert.match(stderr, /aborting due to possible repository corruption on the remote side/);
});

test('a program whose pack nobody waits for is ended', async (t) => {
  const { path } = await scene(t);
  writeFileSync(join(path, 'hook'), '#!/bin/sh\necho $$ >hook.pid\nsleep 1000\n');
  const sources = { command: [commandEntry('uploadpack.packObjectsHook', './hook')] };
  await using repository = await openRepository(path, { configSources: sources });
  const stopping = new AbortController();
  const call = { args: ['pack-objects'], input: [], onMessage: () => {}, signal: stopping.signal };
  const pack = repository.packProgram?.(call)[Symbol.asyncIterator]();
  const chunk = pack?.next();
  while (!existsSync(join(path, 'hook.pid')) || readFileSync(join(path, 'hook.pid'), 'utf8') === '')
    await setTimeout(5);
  stopping.abort();
  await assert.rejects(async () => chunk, { code: 'ABORTED' });
});
