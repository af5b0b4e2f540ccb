import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { createRepositoryDirectory } from '../../../../src/repository/node/repository-directory.ts';
import { loadHostKeys } from '../../../../src/transport/node/ssh/host-keys.ts';
import type { SshEvent, SshServerOptions } from '../../../../src/transport/node/ssh/ssh-options.ts';
import { createSshServer } from '../../../../src/transport/node/ssh/ssh-server.ts';
import { gitOverSsh } from '../../../../src/transport/ssh/git-over-ssh.ts';
import { git, gitAsync, scratchDirectory } from '../../../support/git.ts';
import { KEY_TYPES, newSshKey, OPENSSH_MISSING, sshKeygen } from '../../../support/openssh.ts';

const needs = { skip: OPENSSH_MISSING };

interface Scene {
  readonly directory: string;
  readonly root: string;
  readonly work: string;
  readonly port: number;
  readonly events: SshEvent[];
  /** The command for GIT_SSH_COMMAND, with a key or without. */
  ssh(key?: string, ...options: string[]): string;
}

async function scene(
  t: TestContext,
  options: (scene: { directory: string; root: string }) => Partial<SshServerOptions> = () => ({}),
): Promise<Scene> {
  const directory = await scratchDirectory(t);
  const [root, work] = [join(directory, 'root'), join(directory, 'work')];
  mkdirSync(root);
  git('/', 'init', '-q', '-b', 'main', work);
  writeFileSync(join(work, 'file'), 'hello\n');
  git(work, 'add', '.');
  git(work, 'commit', '-qm', 'one');
  git('/', 'clone', '-q', '--bare', work, join(root, 'app.git'));
  const repositories = createRepositoryDirectory(root);
  const events: SshEvent[] = [];
  const hostKeys = await loadHostKeys(join(directory, 'host'));
  const server = createSshServer({
    hostKeys: hostKeys.map(({ privateKey }) => privateKey),
    authenticator: { key: () => Promise.resolve('somebody') },
    nameOf: String,
    serve: gitOverSsh({ repositories: (name, { intent }) => repositories.resolve(name, intent) }),
    onEvent: (event) => events.push(event),
    ...options({ directory, root }),
  });
  const port = await server.listen('127.0.0.1', 0);
  t.after(() => server.drain(0));
  const known = hostKeys
    .map(({ path }) => sshKeygen('/', '-yf', path))
    .map((key) => `[127.0.0.1]:${port} ${key}`);
  writeFileSync(join(directory, 'known_hosts'), known.join(''));
  const ssh = (key?: string, ...more: string[]): string =>
    [
      'ssh -F /dev/null -o BatchMode=yes -o IdentitiesOnly=yes -o IdentityAgent=none -o StrictHostKeyChecking=yes',
      `-o UserKnownHostsFile=${join(directory, 'known_hosts')} -p ${port}`,
      key === undefined ? '-o IdentityFile=none' : `-i ${key}`,
      ...more,
    ].join(' ');
  return { directory, root, work, port, events, ssh };
}

const overSsh = (cwd: string, command: string, ...args: string[]) =>
  gitAsync(cwd, '-c', `core.sshCommand=${command}`, ...args);

for (const version of [0, 2]) {
  test(`git clones, pushes and fetches over SSH, protocol v${version}`, needs, async (t) => {
    const { directory, work, root, ssh, events } = await scene(t);
    const command = ssh(newSshKey(directory, 'key').path);
    const url = 'ssh://git@127.0.0.1/app.git';
    const config = ['-c', `protocol.version=${version}`];
    const cloned = await overSsh(directory, command, ...config, 'clone', '-q', url, 'clone');
    assert.deepEqual(cloned, { status: 0, stdout: '', stderr: '' });
    git(work, 'commit', '-q', '--allow-empty', '-m', 'two');
    const pushed = await overSsh(work, command, ...config, 'push', '-q', url, 'main', 'main:refs/heads/b');
    assert.deepEqual(pushed, { status: 0, stdout: '', stderr: '' });
    const fetched = await overSsh(join(directory, 'clone'), command, ...config, 'fetch', '-q', 'origin');
    assert.deepEqual(fetched, { status: 0, stdout: '', stderr: '' });
    assert.equal(git(join(directory, 'clone'), 'rev-parse', 'origin/b'), git(work, 'rev-parse', 'main'));
    git(join(root, 'app.git'), 'fsck', '--strict');
    const commands = events.filter((event) => event.kind === 'command');
    assert.deepEqual(
      commands.map(({ service, path, exitCode }) => [service, path, exitCode]),
      [
        ['git-upload-pack', '/app.git', 0],
        ['git-receive-pack', '/app.git', 0],
        ['git-upload-pack', '/app.git', 0],
      ],
    );
  });
}

test('keys of every type are known by their fingerprint, others are nobody', needs, async (t) => {
  const wanted = new Map<string, string>();
  const { directory, ssh } = await scene(t, () => ({
    authenticator: { key: (_login, { fingerprint }) => Promise.resolve(wanted.get(fingerprint)) },
  }));
  for (const [type, bits] of KEY_TYPES) {
    const { path, fingerprint } = newSshKey(directory, `${type}-${bits}`, type, bits);
    const refused = await overSsh(directory, ssh(path), 'ls-remote', 'ssh://git@127.0.0.1/app.git');
    assert.match(refused.stderr, /Permission denied \(publickey\)/, `${type} ${bits}`);
    wanted.set(fingerprint, 'alice');
    const known = await overSsh(directory, ssh(path), 'ls-remote', 'ssh://git@127.0.0.1/app.git');
    assert.equal(known.status, 0, `${type} ${bits}: ${known.stderr}`);
  }
});

test('a certificate of a trusted authority lets its principals in', needs, async (t) => {
  let authority = '';
  const { directory, ssh, events } = await scene(t, () => ({
    authenticator: {
      key: () => Promise.resolve(undefined),
      certificate: (_login, { principals }) => Promise.resolve(principals.find((name) => name === 'alice')),
      authorities: () => new Set([authority]),
    },
  }));
  for (const [type, bits] of KEY_TYPES) {
    const ca = newSshKey(directory, `ca-${type}-${bits}`);
    const key = newSshKey(directory, `user-${type}-${bits}`, type, bits);
    sshKeygen('/', '-q', '-s', ca.path, '-I', 'laptop', '-n', 'alice', `${key.path}.pub`);
    const asked = await overSsh(directory, ssh(key.path), 'ls-remote', 'ssh://git@127.0.0.1/app.git');
    assert.match(asked.stderr, /Permission denied \(publickey\)/);
    authority = ca.fingerprint;
    const known = await overSsh(directory, ssh(key.path), 'ls-remote', 'ssh://git@127.0.0.1/app.git');
    assert.equal(known.status, 0, `${type} ${bits}: ${known.stderr}`);
  }
  assert.equal(events.filter(({ kind }) => kind === 'login').length, KEY_TYPES.length);
});

/** Run ssh itself. */
async function run(command: string, ...args: string[]) {
  const child = spawn('sh', ['-c', `exec ${command} "$@"`, 'ssh', 'git@127.0.0.1', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => (stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  const [status] = await once(child, 'close');
  return { status: status as number, stdout, stderr };
}

test('a shell gets a friendly line, and everything but git is refused', needs, async (t) => {
  const { directory, ssh } = await scene(t);
  const command = ssh(newSshKey(directory, 'key').path);
  const shell = await run(command, '-T');
  assert.deepEqual(shell, {
    status: 1,
    stdout: '',
    stderr: "Hi somebody! You've successfully authenticated, but packwire does not provide shell access.\r\n",
  });
  assert.equal((await run(command, '-tt')).stderr.split('!')[0], 'Hi somebody');
  for (const other of ['id', "git-upload-pack 'a' 'b'", "git-upload-pack '/app.git'; id", 'git-shell']) {
    const { status, stdout, stderr } = await run(command, other);
    assert.deepEqual([status, stdout], [128, '']);
    assert.match(stderr, /^fatal: unrecognized command: only git-upload-pack/);
  }
  const forwarded = await run(
    ssh(newSshKey(directory, 'other').path, '-o ExitOnForwardFailure=yes'),
    '-N',
    '-R',
    '0:127.0.0.1:1',
  );
  assert.notEqual(forwarded.status, 0);
  assert.match((await run(command, '-W', '127.0.0.1:1')).stderr, /administratively prohibited/);
  assert.match((await run(command, '-s', 'sftp')).stderr, /subsystem request failed/);
});

test('git archive asks over SSH', needs, async (t) => {
  const { directory, ssh, work } = await scene(t);
  const command = ssh(newSshKey(directory, 'key').path);
  const args = [
    'archive',
    '--remote=ssh://git@127.0.0.1/app.git',
    '--format=tar',
    '-o',
    join(directory, 'a.tar'),
    'main',
  ];
  const { status, stderr } = await overSsh(directory, command, ...args);
  assert.equal(status, 0, stderr);
  git(work, 'archive', '--format=tar', '-o', join(directory, 'b.tar'), 'main');
  assert.deepEqual(readFileSync(join(directory, 'a.tar')), readFileSync(join(directory, 'b.tar')));
});

test('what may not be done is refused in a sentence, and hooks hear who it was', needs, async (t) => {
  const pushers: unknown[] = [];
  const { directory, ssh, work } = await scene(t, ({ root }) => ({
    serve: gitOverSsh({
      repositories: (name, { intent }) => createRepositoryDirectory(root).resolve(name, intent),
      authorize: async ({ operation, name, principal, address }) =>
        operation === 'push' && name === 'app.git'
          ? `${String(principal)} at ${address} may only read here`
          : undefined,
      hooks: {
        preReceive: async ({ principal }) => void pushers.push(principal),
      },
    }),
  }));
  const command = ssh(newSshKey(directory, 'key').path);
  const refused = await overSsh(work, command, 'push', 'ssh://git@127.0.0.1/app.git', 'main:b');
  assert.match(refused.stderr, /^fatal: somebody at 127\.0\.0\.1 may only read here$/m);
  assert.deepEqual(pushers, []);
  assert.equal((await overSsh(work, command, 'push', '-q', 'ssh://git@127.0.0.1/app', 'main:b')).status, 0);
  assert.deepEqual(pushers, ['somebody']);
});

/** More than any client's window, until somebody stops it. */
function endless(): { serve(): AsyncGenerator<Uint8Array>; readonly stopped: Promise<void> } {
  const { promise: stopped, resolve } = withResolvers();
  return {
    stopped,
    async *serve() {
      try {
        for (;;) yield new Uint8Array(64 * 1024);
      } finally {
        resolve();
      }
    },
  };
}

function withResolvers() {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

for (const [what, leave] of [
  ['goes away', true],
  ['takes nothing any more', false],
] as const) {
  test(`a client that ${what} ends what it asked for`, needs, async (t) => {
    const work = endless();
    const errors: unknown[] = [];
    const { directory, ssh, events } = await scene(t, () => ({
      serve: work.serve,
      onError: (error) => errors.push(error),
      limits: leave ? {} : { idleTimeoutMs: 300 },
    }));
    const args = [
      ...ssh(newSshKey(directory, 'key').path).split(' '),
      'git@127.0.0.1',
      "git-upload-pack 'a'",
    ];
    const child = spawn(args[0] as string, args.slice(1), { stdio: ['pipe', 'pipe', 'ignore'] });
    t.after(() => child.kill('SIGKILL'));
    await once(child.stdout, 'readable'); // and never read
    if (leave) child.kill('SIGKILL');
    await work.stopped;
    while (!events.some(({ kind }) => kind === 'command'))
      await new Promise((resolve) => setTimeout(resolve, 5));
    const ended = events.find((event) => event.kind === 'command');
    assert.equal(ended?.exitCode, 128);
    assert.deepEqual(errors, []);
  });
}

test('a repository that is not there is a sentence and exit code 128', needs, async (t) => {
  const { directory, ssh } = await scene(t);
  const command = ssh(newSshKey(directory, 'key').path);
  const { status, stderr } = await run(command, "git-upload-pack '/none.git'");
  assert.equal(status, 128);
  assert.match(stderr, /^fatal: /);
});

test('six keys may be tried, and a login takes its time', needs, async (t) => {
  const { directory, ssh, port, events } = await scene(t, () => ({
    authenticator: { key: () => Promise.resolve(undefined) },
    limits: { loginGraceMs: 300 },
  }));
  const keys = Array.from({ length: 8 }, (_, i) => `-i ${newSshKey(directory, `key-${i}`).path}`);
  const { stderr } = await run(ssh(undefined, ...keys), 'git-upload-pack', 'a');
  assert.match(stderr, /closed|reset|disconnect/i);
  assert.deepEqual(events.at(-1), {
    kind: 'refused',
    address: '127.0.0.1',
    why: 'too many attempts to log in',
  });
  const silent = connect(port, '127.0.0.1').resume();
  await once(silent, 'close');
  assert.deepEqual(events.at(-1), { kind: 'refused', address: '127.0.0.1', why: 'no login in time' });
});

test('who is nobody yet cannot keep others out for long', needs, async (t) => {
  const { port, events } = await scene(t, () => ({ limits: { maxUnauthenticated: 2 } }));
  const sockets = [1, 2, 3].map(() => connect(port, '127.0.0.1').resume());
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  await Promise.any(sockets.map((socket) => once(socket, 'close')));
  assert.deepEqual(events, [{ kind: 'refused', address: '127.0.0.1', why: 'too many connections' }]);
});

test('a trusted proxy says who its client is', needs, async (t) => {
  const { directory, port, events, ssh } = await scene(t, () => ({ isTrustedProxy: () => true }));
  const proxy = join(directory, 'proxy.cjs');
  writeFileSync(
    proxy,
    `const s = require('net').connect(${port}, '127.0.0.1');
     s.write('PROXY TCP4 203.0.113.7 10.0.0.1 5 22\\r\\n');
     process.stdin.pipe(s).pipe(process.stdout);`,
  );
  const command = ssh(newSshKey(directory, 'key').path, `-o "ProxyCommand=${process.execPath} ${proxy}"`);
  const proxied = await run(command, "git-upload-pack '/none'");
  assert.equal(proxied.status, 128, proxied.stderr);
  assert.ok(events.some((event) => event.kind === 'login' && event.login.address === '203.0.113.7'));
  const plain = await run(ssh(newSshKey(directory, 'other').path), 'id');
  assert.equal(plain.status, 255);
});
