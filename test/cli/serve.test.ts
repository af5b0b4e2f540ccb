import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { git, gitAsync, scratchDirectory } from '../support/git.ts';
import { type CommandResult, runHere, spawnPackwire } from './run-packwire.ts';

interface Running {
  readonly child: ChildProcess;
  readonly urls: readonly string[];
  readonly greeting: string;
  /** What it has written to standard error so far. */
  complaints(): string;
  readonly ended: Promise<CommandResult>;
}

/** Start `packwire serve` and wait until it has said where. */
async function serve(t: TestContext, cwd: string, ...args: string[]): Promise<Running> {
  const child = spawnPackwire(['serve', ...args], { cwd });
  t.after(() => child.kill('SIGKILL'));
  let [stdout, stderr] = ['', ''];
  child.stdout?.on('data', (chunk) => (stdout += String(chunk)));
  child.stderr?.on('data', (chunk) => (stderr += String(chunk)));
  const ended = once(child, 'close').then(([status]) => ({ status: status as number, stdout, stderr }));
  while (!stdout.includes('git clone')) {
    const waited = await Promise.race([once(child.stdout!, 'data'), ended]);
    if (!Array.isArray(waited)) throw new Error(`serve ended: ${stderr}`);
  }
  const urls = [...stdout.matchAll(/^listening on (http:\S+)\/$/gm)].map((match) => match[1] as string);
  return { child, urls, greeting: stdout, complaints: () => stderr, ended };
}

async function workTree(t: TestContext): Promise<{ directory: string; work: string }> {
  const directory = await scratchDirectory(t);
  const work = join(directory, 'work');
  git('/', 'init', '-q', work);
  writeFileSync(join(work, 'file'), 'hello\n');
  git(work, 'add', '.');
  git(work, 'commit', '-qm', 'one');
  return { directory, work };
}

test('the lines that serve prints work as they are printed', async (t) => {
  const { directory, work } = await workTree(t);
  const { child, greeting, urls, ended } = await serve(
    t,
    directory,
    ...['--http', '0', '--http', '[::1]:0', '--create', '--drain-timeout=1'],
  );
  assert.match(
    greeting,
    new RegExp(`^packwire \\S+ serves the repositories below ${join(directory, 'repos')}$`, 'm'),
  );
  assert.equal(urls.length, 2);
  assert.match(urls[1] as string, /^http:\/\/\[::1\]:\d+$/);

  const lines = [...greeting.matchAll(/^ {4}git (.+)$/gm)].map((match) => (match[1] as string).split(' '));
  assert.deepEqual(
    lines.map(([verb]) => verb),
    ['push', 'clone'],
  );
  for (const args of lines) {
    const { status, stderr } = await gitAsync(args[0] === 'push' ? work : directory, ...args);
    assert.equal(status, 0, stderr);
  }
  assert.equal(git(join(directory, 'hello'), 'rev-parse', 'HEAD'), git(work, 'rev-parse', 'HEAD'));
  const other = await gitAsync(directory, 'ls-remote', `${urls[1]}/hello.git`);
  assert.match(other.stdout, /refs\/heads\/main/);

  child.kill('SIGTERM');
  const { status, stderr } = await ended;
  assert.equal(status, 0);
  assert.match(
    stderr,
    /^127\.0\.0\.1 - push GET \/hello\.git\/info\/refs\?service=git-receive-pack 200 \d+ms \d+B$/m,
  );
  assert.match(stderr, /^127\.0\.0\.1 - push POST \/hello\.git\/git-receive-pack 200 \d+ms \d+B$/m);
  assert.match(stderr, /stopped\n$/);
});

test('SIGTERM waits for a running push, up to the deadline, and then cuts it', async (t) => {
  const { directory } = await workTree(t);
  const { child, urls, ended } = await serve(t, directory, '--http=0', '--create', '--drain-timeout=1');
  const push = fetch(`${urls[0]}/slow.git/git-receive-pack`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-git-receive-pack-request' },
    body: new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode('00')) }),
    duplex: 'half',
  } as RequestInit).then(
    (response) => response.status,
    () => 'broken',
  );
  while (!existsSync(join(directory, 'repos/slow.git/HEAD')))
    await new Promise((resolve) => setTimeout(resolve, 20));
  child.kill('SIGINT');
  const { status, stderr } = await ended;
  assert.equal(status, 0);
  assert.match(stderr, /^stopping: waiting up to 1 s for 1 request$/m);
  assert.match(stderr, /^stopped; 1 cut$/m);
  assert.notEqual(await push, 200);
});

test('--read-only refuses pushes, and without --create nothing is made', async (t) => {
  const { directory, work } = await workTree(t);
  const root = join(directory, 'r');
  git('/', 'clone', '-q', '--bare', work, join(root, 'a.git'));
  const { urls } = await serve(t, directory, 'r', '--http=0', '--read-only', '--quiet');
  const refused = await gitAsync(work, 'push', `${urls[0]}/a.git`, 'HEAD:other');
  assert.match(refused.stderr, /remote: This server is read-only/);
  const absent = await gitAsync(work, 'ls-remote', `${urls[0]}/b.git`);
  assert.match(absent.stderr, /remote: Repository not found/);
});

test('what cannot be served is said at once', async (t) => {
  const cwd = await scratchDirectory(t);
  writeFileSync(join(cwd, 'file'), '');
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.after(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  for (const [args, status, message] of [
    [['absent'], 128, `Cannot serve '${cwd}/absent': there is no such directory (--create makes it)`],
    [['file'], 128, `Cannot serve '${cwd}/file': it is no directory`],
    [['file', '--create'], 128, `Cannot serve '${cwd}/file': it is no directory`],
    [['file/below', '--create'], 128, `Cannot serve '${cwd}/file/below': it is no directory`],
    [['.', '--http', `127.0.0.1:${port}`], 128, `Cannot listen on 127.0.0.1:${port}: the port is in use`],
    [
      ['.', '--http=192.0.2.1:0', '--insecure-anonymous'],
      128,
      'Cannot listen on 192.0.2.1:0: this machine has no such address',
    ],
    [['a', 'b'], 129, 'Expected one directory'],
  ] as const) {
    const result = await runHere(['serve', ...args], { cwd });
    assert.equal(result.status, status);
    assert.equal(result.stderr.split('\n')[0], `${status === 129 ? 'error' : 'fatal'}: ${message}`);
  }
});

test('whoever may do everything comes from this machine, unless it is said in so many words', async (t) => {
  const cwd = await scratchDirectory(t);
  const refused = await runHere(['serve', '.', '--http=0.0.0.0:0'], { cwd });
  assert.equal(refused.status, 128);
  assert.match(
    refused.stderr,
    /^ {2}--http: error: listen\.http\[0\]: 0\.0\.0\.0 can be reached from other machines/m,
  );
  const { child, ended, complaints } = await serve(t, cwd, '.', '--http=0.0.0.0:0', '--insecure-anonymous');
  while (complaints() === '') await new Promise((resolve) => setTimeout(resolve, 5));
  child.kill('SIGTERM');
  assert.match((await ended).stderr, /^warning: 0\.0\.0\.0 can be reached from other machines/m);
});

for (const [args, problem] of [
  [['--http=here'], '--http: error: listen.http[0]: must be [host:]port'],
  [['--want=all'], '--want: error: fetch.wants: must be advertised, reachable or any, got "all"'],
  [['--ssh=0'], '--ssh: error: listen.ssh: clients of SSH are known by their keys'],
] as const) {
  test(`'serve ${args.join()}' is told what is wrong with it`, async (t) => {
    const { status, stderr } = await runHere(['serve', '.', ...args], { cwd: await scratchDirectory(t) });
    assert.equal(status, 128);
    const [first, second = ''] = stderr.split('\n');
    assert.equal(first, 'fatal: Cannot use this configuration:');
    assert.ok(second.trim().startsWith(problem), second);
  });
}

for (const [options, served] of [
  [[], true],
  [['--want=any'], true],
  [['--want=reachable'], false],
  [['--no-dumb'], false],
] as const) {
  test(`clients without smart HTTP are ${served ? 'served' : 'refused'} by 'serve ${options.join()}'`, async (t) => {
    const { directory, work } = await workTree(t);
    git('/', 'clone', '-q', '--bare', work, join(directory, 'r', 'a.git'));
    const { urls } = await serve(t, directory, 'r', '--http=0', '--quiet', ...options);
    const environment = { GIT_SMART_HTTP: '0' };
    const clone = await gitAsync(
      { cwd: directory, env: environment },
      ...['clone', '-q', `${urls[0]}/a.git`, 'c'],
    );
    assert.equal(clone.status === 0, served, clone.stderr);
  });
}
