import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { git, gitAsync, gitBytes, scratchDirectory } from '../support/git.ts';
import { pushRequest } from '../support/push-client.ts';
import { MAIN, runHere, spawnPackwire, TSX } from './run-packwire.ts';

const PACKWIRE = `'${process.execPath}' --import '${TSX}' '${MAIN}'`;

/** A bare repository with one commit, and the work tree it came from. */
async function scene(t: TestContext, content: string | Uint8Array = 'hello\n') {
  const directory = await scratchDirectory(t);
  const [work, stored] = [join(directory, 'work'), join(directory, 'stored.git')];
  git('/', 'init', '-q', '-b', 'main', work);
  writeFileSync(join(work, 'file'), content);
  git(work, 'add', '.');
  git(work, 'commit', '-qm', 'one');
  git('/', 'clone', '-q', '--bare', work, stored);
  return { directory, work, stored };
}

for (const version of [0, 2]) {
  test(`git clones, pushes and fetches through the commands, protocol v${version}`, async (t) => {
    const { directory, work, stored } = await scene(t);
    const config = ['-c', `protocol.version=${version}`];
    const cloned = await gitAsync(
      directory,
      ...config,
      'clone',
      '-q',
      '-u',
      `${PACKWIRE} upload-pack`,
      stored,
      'clone',
    );
    assert.deepEqual(cloned, { status: 0, stdout: '', stderr: '' });
    git(work, 'commit', '-q', '--allow-empty', '-m', 'two');
    const push = [
      'push',
      '-q',
      `--receive-pack=${PACKWIRE} receive-pack`,
      stored,
      'main',
      'main:refs/heads/b',
    ];
    assert.deepEqual(await gitAsync(work, ...config, ...push), { status: 0, stdout: '', stderr: '' });
    const clone = join(directory, 'clone');
    const fetched = await gitAsync(
      clone,
      ...config,
      'fetch',
      '-q',
      '--upload-pack',
      `${PACKWIRE} upload-pack`,
      stored,
      'main',
    );
    assert.deepEqual(fetched, { status: 0, stdout: '', stderr: '' });
    assert.equal(git(clone, 'rev-parse', 'FETCH_HEAD'), git(work, 'rev-parse', 'main'));
    git(stored, 'fsck', '--strict');
  });
}

test('two-line scripts named as git names its services are enough', async (t) => {
  const { directory, work, stored } = await scene(t);
  const bin = join(directory, 'bin');
  mkdirSync(bin);
  for (const service of ['upload-pack', 'receive-pack']) {
    writeFileSync(join(bin, `git-${service}`), `#!/bin/sh\nexec ${PACKWIRE} ${service} "$@"\n`);
    chmodSync(join(bin, `git-${service}`), 0o755);
  }
  const services = ['-u', join(bin, 'git-upload-pack')];
  assert.equal((await gitAsync(directory, 'clone', '-q', ...services, stored, 'clone')).status, 0);
  const push = await gitAsync(
    work,
    'push',
    '-q',
    `--receive-pack=${join(bin, 'git-receive-pack')}`,
    stored,
    'main:b',
  );
  assert.equal(push.status, 0);
});

test('upload-pack takes the arguments http-backend gives it', async (t) => {
  const { directory, stored } = await scene(t);
  for (const flag of ['--http-backend-info-refs', '--advertise-refs']) {
    const ours = await runHere(['upload-pack', flag, stored], { cwd: directory });
    const theirs = await gitAsync(directory, 'upload-pack', flag, stored);
    const refsOf = (text: string) => text.split('\n').map((line) => line.split('\0')[0]?.slice(4));
    assert.deepEqual(refsOf(ours.stdout), refsOf(theirs.stdout));
    assert.equal(ours.status, 0);
  }
  const env = { GIT_PROTOCOL: 'version=2' };
  const request = Buffer.from('0014command=ls-refs\n0000');
  const ours = await runHere(['upload-pack', '--stateless-rpc', stored], {
    cwd: directory,
    input: request,
    env,
  });
  const theirs = await gitAsync(
    { cwd: directory, input: request, env },
    'upload-pack',
    '--stateless-rpc',
    stored,
  );
  assert.deepEqual(ours, theirs);
});

test('a repository is looked for as git does', async (t) => {
  const { directory, work, stored } = await scene(t);
  const find = async (...args: string[]) =>
    (await runHere(['upload-pack', '--advertise-refs', ...args], { cwd: directory })).status;
  assert.equal(await find('stored'), 0);
  assert.equal(await find('stored.git/'), 0);
  assert.equal(await find(work), 0);
  assert.equal(await find('--strict', stored), 0);
  assert.equal(await find('--strict', 'stored'), 128);
  assert.equal(await find('--no-strict', 'work'), 0);
});

test('what cannot be served is fatal, with 128, in the words of git', async (t) => {
  const { directory, stored } = await scene(t);
  const env = { GIT_PROTOCOL: 'version=2' };
  assert.deepEqual(await runHere(['upload-pack', 'absent'], { cwd: directory }), {
    status: 128,
    stdout: '',
    stderr: "fatal: 'absent' does not appear to be a git repository\n",
  });
  const input = Buffer.from('zzzz');
  const broken = await runHere(['upload-pack', '--stateless-rpc', stored], {
    cwd: directory,
    input,
    env,
  });
  assert.equal(broken.status, 128);
  assert.match(broken.stdout, /^[0-9a-f]{4}ERR /);
  assert.match(broken.stderr, /^fatal: /);
  assert.equal((await runHere(['receive-pack'], { cwd: directory })).status, 129);
  assert.equal((await runHere(['upload-pack', '--timeout=x', stored], { cwd: directory })).status, 129);
});

test('a reader that goes away ends upload-pack', async (t) => {
  const { directory, stored } = await scene(t, randomBytes(8 << 20));
  const child = spawnPackwire(['upload-pack', '--stateless-rpc', stored], { cwd: directory });
  const tip = git(stored, 'rev-parse', 'HEAD').trim();
  child.stdin?.end(`0032want ${tip}\n00000009done\n`);
  await once(child.stdout!, 'data');
  child.stdout?.destroy();
  const [status] = (await once(child, 'exit')) as [number];
  assert.equal(status, 128);
});

test('a pusher that goes away leaves nothing behind', async (t) => {
  const { directory, work, stored } = await scene(t);
  writeFileSync(join(work, 'large'), randomBytes(2 << 20));
  git(work, 'add', '.');
  git(work, 'commit', '-qm', 'large');
  const [old, tip] = [git(stored, 'rev-parse', 'HEAD').trim(), git(work, 'rev-parse', 'HEAD').trim()];
  const bytes = gitBytes(
    { cwd: work, input: `${tip}\n^${old}\n` },
    'pack-objects',
    '--revs',
    '--stdout',
    '-q',
  );
  const line = `${old} ${tip} refs/heads/main\0 report-status`;
  const command = `${(line.length + 4).toString(16).padStart(4, '0')}${line}0000`;
  const input = Buffer.concat([Buffer.from(command), bytes.subarray(0, bytes.length >> 1)]);
  const result = await runHere(['receive-pack', '--stateless-rpc', stored], { cwd: directory, input });
  assert.match(result.stdout, /unpack (?!ok)/);
  assert.equal(result.status, 1);
  assert.equal(git(stored, 'rev-parse', 'main').trim(), old);
  git(stored, 'fsck', '--strict');
  const left = readdirSync(join(stored, 'objects')).filter((name) => !/^([0-9a-f]{2}|info|pack)$/.test(name));
  assert.deepEqual(left, []);
});

test('receive-pack takes history on trust when it is told to, and from a shallow clone only when it ends here too', async (t) => {
  const { directory, work } = await scene(t);
  git(work, 'commit', '-q', '--allow-empty', '-m', 'two');
  const allButParent = git(work, 'rev-parse', 'HEAD', 'HEAD^{tree}', 'HEAD:file');
  const tip = allButParent.slice(0, 40);
  const pack = gitBytes({ cwd: work, input: allButParent }, 'pack-objects', '--stdout', '-q');
  const push = async (name: string, flags: readonly string[], shallow?: readonly string[]) => {
    const stored = join(directory, name);
    git(directory, 'init', '-q', '--bare', stored);
    const commands = [`${'0'.repeat(40)} ${tip} refs/heads/main`];
    const input = pushRequest({ commands, capabilities: 'report-status', pack, shallow });
    const { stdout, stderr } = await runHere(['receive-pack', '--stateless-rpc', ...flags, stored], {
      cwd: directory,
      input,
    });
    return { stdout, stderr, refs: git(stored, 'for-each-ref', '--format=%(objectname)').trim() };
  };
  const skipping = ['--skip-connectivity-check'];
  const checked = await push('checked.git', []);
  assert.match(checked.stdout, /unpack ok\n.*ng refs\/heads\/main missing necessary objects/);
  assert.match(checked.stderr, new RegExp(`^fatal: Failed to traverse parents of commit ${tip}`));
  assert.equal(checked.refs, '');
  const trusted = await push('trusted.git', skipping);
  assert.deepEqual([trusted.stderr, trusted.refs], ['', tip]);
  assert.match(trusted.stdout, /unpack ok\n.*ok refs\/heads\/main/);
  const shallow = await push('shallow.git', skipping, [tip]);
  assert.match(shallow.stdout, /ng refs\/heads\/main shallow update not allowed/);
});

test('receive-pack that is told to end ends the hook it runs, and the push is undone', async (t) => {
  const { directory, work, stored } = await scene(t);
  mkdirSync(join(stored, 'hooks'), { recursive: true });
  const pid = join(directory, 'pid');
  const hook = `#!/bin/sh\ntrap 'touch ${directory}/ended; exit 1' TERM\necho $PPID $$ >${pid}.new\nmv ${pid}.new ${pid}\nsleep 1000 & wait\n`;
  writeFileSync(join(stored, 'hooks', 'pre-receive'), hook, { mode: 0o755 });
  const pushed = gitAsync(
    work,
    'push',
    `--receive-pack=${PACKWIRE} receive-pack`,
    stored,
    'main:refs/heads/new',
  );
  while (!existsSync(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
  process.kill(Number(readFileSync(pid, 'utf8').split(' ')[0]), 'SIGTERM');
  assert.notEqual((await pushed).status, 0);
  while (!existsSync(join(directory, 'ended'))) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(git(stored, 'for-each-ref', 'refs/heads/new'), '');
});
