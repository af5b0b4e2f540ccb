/**
 * The whole server with people, rules and limits, as real clients meet it at each of its doors.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AccessFileContents, addKey, addToken, addUser } from '../../src/server/people/change-people.ts';
import type { ReferenceServer } from '../../src/server/reference-server.ts';
import { loadedConfig, startConfigured } from '../support/configured-server.ts';
import { git, gitAsync, scratchDirectory } from '../support/git.ts';
import { newSshKey, OPENSSH_MISSING } from '../support/openssh.ts';

const RULES = [
  { repositories: ['team/**'], subjects: ['@team'], allow: ['read', 'write', 'create'] },
  { repositories: ['team/**'], subjects: ['@all'], refs: ['refs/heads/main'], deny: ['force', 'delete'] },
  { repositories: ['open'], subjects: ['@all'], allow: ['read'] },
] as const;

interface Scene {
  readonly root: string;
  readonly work: string;
  readonly server: ReferenceServer;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly log: readonly string[];
  /** The file of those who are known. */
  readonly access: string;
  /** URLs of `name` at each door, for alice, for bob and for nobody. */
  url(door: 'http' | 'git', name: string, user?: 'alice' | 'bob'): string;
  /** For GIT_SSH_COMMAND, with alice's key. */
  readonly ssh: string;
}

async function scene(t: TestContext, more: Readonly<Record<string, unknown>> = {}): Promise<Scene> {
  const directory = await scratchDirectory(t);
  const [root, work, access] = ['root', 'work', 'access.json'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  mkdirSync(join(root, 'team'), { recursive: true });
  git('/', 'init', '-q', '-b', 'main', work);
  git(work, 'commit', '-q', '--allow-empty', '-m', 'one');
  git(work, 'commit', '-q', '--allow-empty', '-m', 'two');
  for (const name of ['team/app.git', 'open.git']) git('/', 'clone', '-q', '--bare', work, join(root, name));

  const people: AccessFileContents = {};
  addUser(people, 'alice', ['team']);
  addUser(people, 'bob', []);
  const tokens = { alice: addToken(people, 'alice', {}).text, bob: addToken(people, 'bob', {}).text };
  let ssh = '';
  if (OPENSSH_MISSING === false) {
    const key = newSshKey(directory, 'key');
    addKey(people, 'alice', readFileSync(`${key.path}.pub`, 'utf8').trim(), {});
    ssh = `ssh -F /dev/null -i ${key.path} -o IdentitiesOnly=yes -o IdentityAgent=none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR`;
  }
  writeFileSync(access, JSON.stringify(people), { mode: 0o600 });

  const any = ['127.0.0.1:0'];
  const settings = {
    root,
    create: true,
    listen: { http: any, ssh: OPENSSH_MISSING === false ? any : [], git: any },
    ssh: { hostKeys: join(directory, 'host-keys') },
    access: { file: access, rules: RULES },
    ...more,
  };
  const log: string[] = [];
  const server = await startConfigured(t, settings, { onAccess: (line) => log.push(line) });
  const doors = { http: server.urls[0] as string, git: server.urls.at(-1) as string };
  const url: Scene['url'] = (door, name, user) => {
    const login = user === undefined ? '' : `${user}:${tokens[user]}@`;
    return `${doors[door].replace('://', `://${login}`)}/${name}`;
  };
  return { root, work, server, settings, log, access, url, ssh };
}

const quietly = { GIT_TERMINAL_PROMPT: '0', GIT_ASKPASS: 'true' };
const run = (cwd: string, ...args: readonly string[]) => gitAsync({ cwd, env: quietly }, ...args);

test('each sees what the rules say, however the repository is spelled', async (t) => {
  const { root, work, url, log } = await scene(t);
  symlinkSync('team/app.git', join(root, 'alias'));
  const sees = async (address: string): Promise<boolean> =>
    (await run(work, 'ls-remote', '-q', address)).status === 0;
  for (const name of ['team/app', 'team/app.git', 'team/app.git.git', 'alias', 'alias.git']) {
    assert.equal(await sees(url('http', name, 'alice')), true, name);
    assert.equal(await sees(url('http', name, 'bob')), false, name);
    assert.equal(await sees(url('http', name)), false, name);
    assert.equal(await sees(url('git', name)), false, name);
  }
  assert.equal(await sees(url('http', 'open')), true);
  assert.equal(await sees(url('git', 'open')), true);

  const hidden = await run(work, 'ls-remote', url('http', 'team/app', 'bob'));
  const absent = await run(work, 'ls-remote', url('http', 'team/none', 'bob'));
  assert.match(hidden.stderr, /repository '.*' not found/);
  assert.equal(hidden.stderr.replaceAll('app', 'none'), absent.stderr);
  assert.ok(
    log.some((line) => /^127\.0\.0\.1 alice\/token:\w+ fetch GET \/team\/app\/info\/refs/.test(line)),
  );
  assert.ok(!log.some((line) => line.includes('_')), 'no line shows a secret'); // pw_<id>_<secret>
});

test('a push may do to each ref what the rules say', async (t) => {
  const { root, work, url } = await scene(t);
  const push = (...refs: readonly string[]) => run(work, 'push', url('http', 'team/app', 'alice'), ...refs);
  assert.equal((await push('main:topic')).status, 0);
  assert.equal((await run(work, 'push', url('http', 'team/new', 'alice'), 'main')).status, 0);
  assert.ok(existsSync(join(root, 'team/new.git')));
  assert.match((await run(work, 'push', url('http', 'other/new', 'alice'), 'main')).stderr, /not found/);
  assert.ok(!existsSync(join(root, 'other')));

  const forced = await push('+main~1:main', '+main~1:topic', 'main:third');
  assert.match(forced.stderr, /main~1 -> main \(you may not rewrite this ref\)/);
  assert.match(forced.stderr, /main~1 -> topic \(you may not rewrite this ref\)/);
  assert.match(forced.stderr, /\[new branch\] +main -> third/);
  const deleted = await push('--atomic', ':main', 'main:fourth');
  assert.match(deleted.stderr, /\[remote rejected\] main \(you may not delete this ref\)/);
  assert.equal(
    git(join(root, 'team/app.git'), 'for-each-ref', '--format=%(refname:short)').trim(),
    'main\nthird\ntopic',
  );
});

test('a key opens the same doors as its owner', { skip: OPENSSH_MISSING }, async (t) => {
  const { work, server, ssh } = await scene(t);
  const over = (...args: readonly string[]) =>
    gitAsync({ cwd: work, env: { GIT_SSH_COMMAND: ssh } }, ...args);
  const address = server.urls[1] as string;
  assert.equal((await over('push', `${address}/team/app.git`, 'main:topic')).status, 0);
  const forced = await over('push', `${address}/team/app.git`, '+main~1:main');
  assert.match(forced.stderr, /you may not rewrite this ref/);
  const hidden = await over('ls-remote', `${address}/closed.git`);
  assert.match(hidden.stderr, /^fatal: Cannot find repository$/m);
  assert.equal((await over('ls-remote', `${address}/open.git`)).status, 0);
});

/** A connection to the door of `url` that has begun a packet of a fetch, and sends a byte of it every few milliseconds. */
function trickle({ ssh }: Scene, url: string): { readonly closed: Promise<void>; close(): void } {
  const { protocol, port, hostname, username } = new URL(url);
  const stop = new AbortController();
  const gone = new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve()));
  const close = (): void => stop.abort();
  const drip = (sink: Writable, begin: string, drop: string): void => {
    sink.write(begin);
    const timer = setInterval(() => sink.write(drop), 10);
    sink.on('error', close);
    void gone.then(() => clearInterval(timer));
  };
  if (protocol === 'ssh:') {
    const [program, ...words] = ssh.split(' ') as [string, ...string[]];
    const command = ['-p', port, `${username}@${hostname}`, "git-upload-pack 'team/app.git'"];
    const child = spawn(program, [...words, ...command], { stdio: ['pipe', 'ignore', 'ignore'] });
    child.once('close', close);
    void gone.then(() => child.kill());
    drip(child.stdin, 'ffe0', 'x');
  } else {
    const socket = connect(Number(port), hostname).resume().on('close', close);
    void gone.then(() => socket.destroy());
    const head = 'POST /open.git/git-upload-pack HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n';
    const type = 'Content-Type: application/x-git-upload-pack-request\r\n\r\n';
    if (protocol === 'git:') drip(socket, '0029git-upload-pack /open.git\0host=x.org\0ffe0', 'x');
    else drip(socket, `${head}${type}4\r\nffe0\r\n`, '1\r\nx\r\n');
  }
  return { closed: gone, close };
}

test('whoever trickles is cut at each door, as long as the file says so', async (t) => {
  const floor = (floorBytes: number) => ({
    limits: { floorBytes, floorWindowMs: 60 },
    http: { lingerMs: 50 }, // once it was told, too
  });
  const here = await scene(t, floor(1000));
  const { server, settings } = here;
  await Promise.all(server.urls.map((url) => trickle(here, url).closed));

  await server.reload(await loadedConfig(t, { ...settings, ...floor(0) }));
  const patient = server.urls.map((url) => trickle(here, url));
  const first = await Promise.race([...patient.map(({ closed }) => closed), sleep(1000, 'none')]);
  assert.equal(first, 'none');
  for (const { close } of patient) close();
});

test('a reload changes who may what and how much, and drops nobody', async (t) => {
  const { work, url, server, settings, log } = await scene(t);
  const asBob = () => run(work, 'ls-remote', '-q', url('http', 'team/app', 'bob'));
  assert.notEqual((await asBob()).status, 0);

  const access = {
    ...(settings.access as object),
    rules: [{ repositories: ['**'], subjects: ['@users'], allow: ['read'] }],
  };
  const opened = await loadedConfig(t, { ...settings, access, cacheBytes: 1_000_000 });
  assert.deepEqual(await server.reload(opened), []);
  assert.equal((await asBob()).status, 0);
  assert.notEqual((await run(work, 'push', url('http', 'team/app', 'alice'), 'main:topic')).status, 0);

  const tight = await loadedConfig(t, {
    ...settings,
    access,
    admission: { rates: { identity: { perSecond: 0.01, burst: 1 } } },
  });
  await server.reload(tight);
  await asBob();
  const late = await asBob();
  assert.match(late.stderr, /429/);
  assert.match(log.at(-1) as string, / 429 /);

  assert.deepEqual(await server.reload(await loadedConfig(t, { ...settings, root: work, create: false })), [
    'root',
    'create',
  ]);
});

test('what cannot be used when it is reloaded changes nothing', async (t) => {
  const { work, url, server, settings, access } = await scene(t);
  const config = await loadedConfig(t, settings);
  writeFileSync(access, '{');
  const secretFile = join(work, 'none');
  const broken = {
    ...config,
    access: {
      ...config.access,
      application: {
        secretFile,
        url: 'http://127.0.0.1:1',
        timeoutMs: 1,
        retries: 0,
        maxRunning: 1,
        plainHttp: false,
      },
    },
  };
  await assert.rejects(server.reload(broken), { code: 'STORAGE_FAILED' });
  assert.equal((await run(work, 'ls-remote', '-q', url('http', 'team/app', 'alice'))).status, 0);
});

test('a read-only server, and one whose quota is spent, say so', async (t) => {
  const quota = await scene(t, { admission: { quotas: { repositoryBytes: 1000 } } });
  writeFileSync(join(quota.work, 'file'), randomBytes(20_000));
  git(quota.work, 'add', '.');
  git(quota.work, 'commit', '-qm', 'large');
  const spent = await run(quota.work, 'push', quota.url('http', 'team/app', 'alice'), 'main');
  assert.notEqual(spent.status, 0);
  assert.match(spent.stderr, /remote: error: This repository may take 1 kB, and this push does not fit/);
  assert.equal((await run(quota.work, 'fetch', '-q', quota.url('http', 'team/app', 'alice'))).status, 0);

  const { work, url } = await scene(t, { readOnly: true });
  const refused = await run(work, 'push', url('http', 'team/app', 'alice'), 'main:topic');
  assert.match(refused.stderr, /This server is read-only/);
});

test('it says whether it is ready, and that it is about to stop', async (t) => {
  const { server } = await scene(t, { health: { listen: ['127.0.0.1:0'] } });
  const ready = `${server.healthUrls[0]}/-/ready`;
  assert.deepEqual(await (await fetch(ready)).json(), {
    ready: true,
    draining: false,
    overloaded: [],
    disk: 'ok',
  });
  assert.equal((await fetch(`${server.urls[0]}/-/live`)).status, 200);
});

test('objects that attack clients are refused where the server is told to look', async (t) => {
  const { root, work, url } = await scene(t, { push: { fsckObjects: true } });
  const blob = git({ cwd: work, input: 'x' }, 'hash-object', '-w', '--stdin').trim();
  const tree = git({ cwd: work, input: `100644 blob ${blob}\t.git\n` }, 'mktree').trim();
  const commit = git(work, 'commit-tree', '-m', 'evil', tree).trim();
  const refused = await run(work, 'push', url('http', 'team/app', 'alice'), `${commit}:refs/heads/evil`);
  assert.match(refused.stderr, /contains '\.git'/);
  assert.equal(git(join(root, 'team/app.git'), 'for-each-ref', 'refs/heads/evil'), '');
});
