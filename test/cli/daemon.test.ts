import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import test, { type TestContext } from 'node:test';
import { Daemon } from '../../src/cli/daemon.ts';
import { readDaemonSettings } from '../../src/cli/daemon-options.ts';
import { type DaemonPaths, findDaemonPath } from '../../src/cli/daemon-paths.ts';
import { encodeText } from '../../src/core/bytes.ts';
import { createThreadTaskPool } from '../../src/pack/node/thread-task-pool.ts';
import { parseDaemonRequest } from '../../src/transport/git-daemon/request-line.ts';
import { git, gitAsync, scratchDirectory } from '../support/git.ts';

interface RunningDaemon {
  readonly url: string;
  readonly port: number;
  readonly root: string;
  readonly log: () => string;
}

/** A daemon in this process over a directory with `hello.git`, which has one commit; stopped when the test ends. */
async function daemon(t: TestContext, ...args: readonly string[]): Promise<RunningDaemon> {
  const root = await scratchDirectory(t);
  git(root, 'init', '-q', '-b', 'main', 'work');
  writeFileSync(join(root, 'work/file'), 'hello\n');
  git(join(root, 'work'), 'add', '.');
  git(join(root, 'work'), 'commit', '-qm', 'one');
  git(root, 'clone', '-q', '--bare', 'work', 'hello.git');
  writeFileSync(join(root, 'hello.git/git-daemon-export-ok'), '');
  const errors = new PassThrough();
  let log = '';
  errors.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  const world = {
    input: new PassThrough(),
    output: new PassThrough(),
    errors,
    environment: {},
    directory: root,
    isTerminal: false,
  };
  const settings = readDaemonSettings(
    ['--verbose', '--listen=127.0.0.1', ...args].map((arg) => arg.replaceAll('ROOT', root)),
  );
  settings.port = 0; // any free one
  const tasks = createThreadTaskPool();
  const stop = new AbortController();
  const running = new Daemon(settings, tasks, world);
  const ended = running.run(stop.signal);
  t.after(async () => {
    stop.abort();
    await ended;
    await tasks.close();
  });
  while (!log.includes('Ready to rumble')) await once(errors, 'data');
  const port = Number(/git:\/\/127\.0\.0\.1:(\d+)/.exec(running.urls[0] ?? '')?.[1]);
  return { url: `git://127.0.0.1:${port}`, port, root, log: () => log };
}

for (const version of ['0', '1', '2']) {
  test(`git clones over git:// with protocol version ${version}`, async (t) => {
    const { url, root, log } = await daemon(t, '--base-path=ROOT', 'ROOT');

    const run = await gitAsync(
      root,
      '-c',
      `protocol.version=${version}`,
      'clone',
      '-q',
      `${url}/hello`,
      'copy',
    );

    assert.equal(run.status, 0, run.stderr);
    assert.equal(readFileSync(join(root, 'copy/file'), 'utf8'), 'hello\n');
    assert.match(log(), /^\[\d+\] Ready to rumble\n\[\d+\] Connection from 127\.0\.0\.1:\d+\n/);
    assert.match(log(), /Request upload-pack for '\/hello'\n/);
  });
}

test('git pushes and gets archives where that is enabled', async (t) => {
  const { url, root } = await daemon(
    t,
    '--base-path=ROOT',
    '--enable=receive-pack',
    '--enable=upload-archive',
  );
  git(join(root, 'work'), 'commit', '-q', '--allow-empty', '-m', 'two');

  const push = await gitAsync(join(root, 'work'), 'push', `${url}/hello.git`, 'main');
  const archive = await gitAsync(root, 'archive', `--remote=${url}/hello.git`, 'main', 'file');
  const unknown = await gitAsync(root, 'archive', `--remote=${url}/hello.git`, 'nothing');

  assert.equal(push.status, 0, push.stderr);
  assert.equal(git(join(root, 'hello.git'), 'log', '-1', '--format=%s', 'main'), 'two\n');
  assert.equal(archive.status, 0, archive.stderr);
  assert.equal(archive.stdout, git(join(root, 'work'), 'archive', 'main', 'file'));
  assert.match(unknown.stderr, /remote: fatal: no such ref: nothing/);
  assert.equal(unknown.status, 1);
});

const DENIED = 'access denied or repository not exported';
for (const [what, args, command, prepare, told] of [
  ['a repository that is not there', [], ['ls-remote', '/none.git'], '', 'no such repository'],
  ['one that is not exported', [], ['ls-remote', '/hello.git'], 'unexport', 'repository not exported'],
  ['a push', [], ['push', '/hello.git', 'main'], '', 'service not enabled'],
  ['what its configuration forbids', [], ['ls-remote', '/hello.git'], 'forbid', 'service not enabled'],
  ['one behind dots', [], ['ls-remote', '/../hello.git'], '', 'no such repository'],
  [
    'one of another directory',
    ['--base-path=ROOT', 'ROOT/other'],
    ['ls-remote', '/hello.git'],
    '',
    'no such repository',
  ],
] as const) {
  test(`the daemon refuses ${what}`, async (t) => {
    for (const [option, reason] of [
      ['--no-informative-errors', DENIED] as const,
      ['--informative-errors', told] as const,
    ]) {
      const { url, root } = await daemon(t, option, ...(args.length === 0 ? ['--base-path=ROOT'] : args));
      const repository = join(root, 'hello.git');
      if (prepare === 'unexport') rmSync(join(repository, 'git-daemon-export-ok'));
      if (prepare === 'forbid') git(repository, 'config', 'daemon.uploadpack', 'false');
      const [name, path, ...rest] = command;
      const { status, stderr } = await gitAsync(join(root, 'work'), name, url + path, ...rest);
      assert.equal(status, 128);
      assert.match(stderr, new RegExp(`fatal: remote error: ${reason}: ${path.replaceAll('.', '\\.')}`));
    }
  });
}

test('an access hook refuses with its own words', async (t) => {
  const { url, root } = await daemon(
    t,
    '--base-path=ROOT',
    '--informative-errors',
    '--access-hook=ROOT/hook',
  );
  writeFileSync(join(root, 'hook'), '#!/bin/sh\necho "not today, $1"\nexit 1\n');
  chmodSync(join(root, 'hook'), 0o755);
  const { stderr } = await gitAsync(root, 'ls-remote', `${url}/hello.git`);
  assert.match(stderr, /remote error: not today, upload-pack: \/hello\.git/);
});

test('a client that sends no request is cut', async (t) => {
  const { port } = await daemon(t, '--init-timeout=1');
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'close');
});

test('what is no request is answered with nothing', async (t) => {
  const { port, log } = await daemon(t);
  for (const bytes of ['GET / HTTP/1.1\r\n\r\n', '000cgit-x /a', 'ffff', '0000']) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.resume();
    socket.end(bytes);
    await once(socket, 'close');
    assert.equal(socket.bytesRead, 0);
  }
  assert.match(log(), /Protocol error: 'git-x \/a'/);
});

test('beyond --max-connections the newest of a client with several makes room', async (t) => {
  const { port } = await daemon(t, '--max-connections=2');
  const sockets = await Promise.all(
    [1, 2].map(async () => {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      return socket;
    }),
  );
  const closed = Promise.race(sockets.map((socket) => once(socket, 'close')));
  const third = connect(port, '127.0.0.1');
  await closed;
  assert.equal(sockets.filter((socket) => socket.destroyed).length, 1);
  third.destroy();
  for (const socket of sockets) socket.destroy();
});

const PATHS: DaemonPaths = { basePathRelaxed: false, strictPaths: false, directories: [] };
for (const [asked, paths, expected] of [
  ['/hello', { basePath: 'ROOT' }, 'ROOT/hello.git'],
  ['/hello.git/', { basePath: 'ROOT' }, 'ROOT/hello.git'],
  ['ROOT/hello', {}, 'ROOT/hello.git'],
  ['ROOT/hello', { strictPaths: true, directories: ['ROOT'] }, undefined],
  ['ROOT/hello.git', { strictPaths: true, directories: ['ROOT/hello.git'] }, 'ROOT/hello.git'],
  ['ROOT/hello.git', { strictPaths: true, directories: ['ROOT'] }, undefined],
  ['ROOT/hello.git', { basePath: '/nonexistent', basePathRelaxed: true }, 'ROOT/hello.git'],
  ['ROOT/hello.git', { directories: ['ROOT/hello'] }, undefined],
  ['ROOT/./hello.git', {}, undefined],
  ['ROOT//hello.git', {}, undefined],
  ['~root/hello.git', {}, undefined],
  ['/.git', { interpolatedPath: 'ROOT/%H%D' }, 'ROOT/work/.git'],
] as const) {
  test(`${asked} with ${JSON.stringify(paths)} leads to ${expected}`, async (t) => {
    const root = await scratchDirectory(t);
    git(root, 'init', '-q', '--bare', 'hello.git');
    git(root, 'init', '-q', 'work');
    const rooted = (text: string): string => text.replaceAll('ROOT', root);
    const settings = JSON.parse(rooted(JSON.stringify({ ...PATHS, ...paths }))) as DaemonPaths;
    const request = parseDaemonRequest(encodeText(`git-upload-pack ${rooted(asked)}\0host=work\0`));
    const found = await findDaemonPath(request, settings, () => undefined);
    assert.equal(found?.path, expected && rooted(expected));
  });
}

for (const [arg, message] of [
  ['--timeout=3a', "invalid timeout '3a', expecting a non-negative integer"],
  ['--init-timeout=-3', "invalid init-timeout '-3', expecting a non-negative integer"],
  ['--max-connections=x', "invalid max-connections 'x', expecting an integer"],
  ['--enable=shell', 'No such service shell'],
  ['--strict-paths', "option --strict-paths requires '<directory>' arguments"],
  ['--base-path=/nonexistent', "base-path '/nonexistent' does not exist or is not a directory"],
  ['--log-destination=x', "unknown log destination 'x'"],
] as const) {
  test(`the daemon does not start with ${arg}`, () => {
    assert.throws(() => readDaemonSettings([arg]), { code: 'INVALID_ARGUMENT', message });
  });
}
