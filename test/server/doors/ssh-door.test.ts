import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { createRepositoryDirectory } from '../../../src/repository/node/repository-directory.ts';
import { formatAccessToken, hashSecret, makeAccessToken } from '../../../src/server/access/access-token.ts';
import { Identities } from '../../../src/server/access/identities.ts';
import type { People } from '../../../src/server/access/people.ts';
import { identifyAmong } from '../../../src/server/access/people-identifier.ts';
import { createRuleAuthorizer } from '../../../src/server/access/rule-authorizer.ts';
import { createSshAccess } from '../../../src/server/access/ssh-access.ts';
import type { Credential } from '../../../src/server/access/subject.ts';
import type { StoredToken } from '../../../src/server/access/token-authenticator.ts';
import { formatSshAccess } from '../../../src/server/access-log.ts';
import { listenSsh, type SshDoorOptions } from '../../../src/server/doors/ssh-door.ts';
import { type HostKey, keyFingerprint } from '../../../src/ssh.ts';
import { gitOverSsh } from '../../../src/transport/ssh/git-over-ssh.ts';
import { git, gitAsync, scratchDirectory } from '../../support/git.ts';
import { newSshKey, OPENSSH_MISSING, type SshKey, sshKeygen } from '../../support/openssh.ts';

const needs = { skip: OPENSSH_MISSING };

const RULES = [
  { repositories: ['app'], subjects: ['@team'], allow: ['read', 'write'] },
  { repositories: ['open'], subjects: ['@users'], allow: ['read'] },
] as const;

interface HeldKey extends Partial<Credential> {
  readonly user: string;
}

interface Scene {
  readonly directory: string;
  readonly port: number;
  readonly door: Awaited<ReturnType<typeof listenSsh>>;
  readonly lines: string[];
  readonly refused: string[];
  readonly keys: Map<string, HeldKey>;
  readonly tokens: Map<string, StoredToken>;
  readonly authorities: Set<string>;
  readonly revoked: Set<string>;
  /** A new key of `user`. */
  keyOf(user: string): SshKey;
  /** `git ls-remote` of a repository, with a key and as a login; the first line of what it says. */
  ask(repository: string, key: string | undefined, options?: Asking): Promise<string>;
  run(args: readonly string[], key: string | undefined, options?: Asking): ReturnType<typeof gitAsync>;
}

interface Asking {
  readonly login?: string;
  readonly ssh?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

async function scene(
  t: TestContext,
  options: Partial<SshDoorOptions> = {},
  passwords = false,
): Promise<Scene> {
  const directory = await scratchDirectory(t);
  const root = join(directory, 'root');
  mkdirSync(root);
  git('/', 'init', '-q', '-b', 'main', join(directory, 'work'));
  git(join(directory, 'work'), 'commit', '-q', '--allow-empty', '-m', 'one');
  for (const name of ['app.git', 'open.git']) {
    git('/', 'clone', '-q', '--bare', join(directory, 'work'), join(root, name));
  }
  const repositories = createRepositoryDirectory(root);
  const [keys, tokens] = [new Map<string, HeldKey>(), new Map<string, StoredToken>()];
  const [authorities, revoked] = [new Set<string>(), new Set<string>()];
  const groups: Readonly<Record<string, readonly string[]>> = { alice: ['team'], bob: [] };
  const people: People = {
    token: async (id) => tokens.get(id),
    groupsOf: async (user) => groups[user],
    userOfKey: async (fingerprint) => {
      const { user, ...bounds } = keys.get(fingerprint) ?? { user: '' };
      const held = groups[user];
      return (
        held && { name: user, groups: held, credential: { kind: 'ssh-key', id: fingerprint, ...bounds } }
      );
    },
    authorities: () => authorities,
    isRevoked: ({ keyBlob, authorityBlob }) =>
      [keyBlob, authorityBlob].some((blob) => revoked.has(keyFingerprint(blob))),
  };
  const access = createSshAccess({
    authorizer: createRuleAuthorizer(() => RULES),
    identities: new Identities(identifyAmong(people)),
    locate: async (path) => ({ name: path.replace(/\.git$/, '') }),
    authorities: people.authorities,
    isRevoked: people.isRevoked,
    passwords,
  });
  const [lines, refused]: [string[], string[]] = [[], []];
  const door = await listenSsh({
    host: '127.0.0.1',
    port: 0,
    hostKeyDirectory: join(directory, 'host'),
    access,
    serve: gitOverSsh({ repositories: (name, { intent }) => repositories.resolve(name, intent) }),
    onCommand: (command) => lines.push(formatSshAccess(command)),
    onRefused: (_address, why) => refused.push(why),
    ...options,
  });
  t.after(() => door.drain(0));
  const { port } = door;
  knowHost(directory, port, door.hostKeys);
  const run: Scene['run'] = (args, key, { login = 'git', ssh = [], env = {}, cwd = directory } = {}) => {
    const command = [
      'ssh -F /dev/null -o IdentitiesOnly=yes -o IdentityAgent=none -o StrictHostKeyChecking=yes',
      `-o UserKnownHostsFile=${join(directory, 'known_hosts')} -p ${port}`,
      key === undefined ? '-o IdentityFile=none' : `-i ${key}`,
      `-o User=${login}`,
      ...ssh,
    ].join(' ');
    return gitAsync({ cwd, env }, '-c', `core.sshCommand=${command}`, ...args);
  };
  return {
    ...{ directory, port, door, lines, refused, keys, tokens, authorities, revoked, run },
    keyOf(user) {
      const key = newSshKey(directory, `${user}-${keys.size}`);
      keys.set(key.fingerprint, { user });
      return key;
    },
    async ask(repository, key, asking) {
      const { status, stderr } = await run(['ls-remote', `ssh://127.0.0.1/${repository}`], key, asking);
      return status === 0 ? 'ok' : (stderr.split(/\r?\n/)[0] ?? '');
    },
  };
}

function knowHost(directory: string, port: number, hostKeys: readonly HostKey[]): void {
  const known = hostKeys.map(({ path }) => `[127.0.0.1]:${port} ${sshKeygen('/', '-yf', path)}`);
  writeFileSync(join(directory, 'known_hosts'), known.join(''));
}

const NOT_THERE = 'fatal: Cannot find repository';

test('what may not be seen does not exist', needs, async (t) => {
  const { ask, keyOf, run, lines, directory } = await scene(t);
  const [alice, bob] = [keyOf('alice').path, keyOf('bob').path];
  assert.equal(await ask('app', alice), 'ok');
  assert.equal(await ask('app.git', alice, { login: 'alice' }), 'ok');
  assert.equal(await ask('open', bob), 'ok');
  assert.equal(await ask('app', bob), NOT_THERE);
  assert.equal(await ask('none', bob), NOT_THERE);
  assert.equal(await ask('none', alice), NOT_THERE);
  const cwd = join(directory, 'work');
  const pushed = await run(['push', 'ssh://127.0.0.1/open', 'main:new'], bob, { cwd });
  assert.match(pushed.stderr, /^fatal: You may not push here$/m);
  const hidden = await run(['push', 'ssh://127.0.0.1/app', 'main:new'], bob, { cwd });
  assert.match(hidden.stderr, /^fatal: Cannot find repository$/m);
  assert.equal((await run(['push', '-q', 'ssh://127.0.0.1/app', 'main:new'], alice, { cwd })).status, 0);
  assert.match(
    lines[0] ?? '',
    /^127\.0\.0\.1 alice\/ssh-key:SHA256:\S+ fetch SSH git-upload-pack \/app 0 \d+ms \d+B$/,
  );
  assert.match(lines.at(-1) ?? '', / alice\/ssh-key:\S+ push SSH git-receive-pack \/app 0 /);
});

test('unknown keys, and logins of others, come not in', needs, async (t) => {
  const { ask, keyOf, keys, directory } = await scene(t);
  const alice = keyOf('alice');
  const denied = /Permission denied \(publickey\)/;
  assert.match(await ask('app', newSshKey(directory, 'stranger').path), denied);
  assert.match(await ask('app', alice.path, { login: 'bob' }), denied);
  assert.match(await ask('app', undefined), denied);
  assert.equal(await ask('app', alice.path), 'ok');
  keys.clear();
  assert.match(await ask('app', alice.path), denied);
});

test('a key that is for one repository, or to read, does no more', needs, async (t) => {
  const { ask, keyOf, keys, run, directory } = await scene(t);
  const { path, fingerprint } = keyOf('alice');
  keys.set(fingerprint, { user: 'alice', scope: 'read', repositories: ['app'] });
  assert.equal(await ask('app', path), 'ok');
  assert.equal(await ask('open', path), NOT_THERE);
  const pushed = await run(['push', 'ssh://127.0.0.1/app', 'main:x'], path, { cwd: join(directory, 'work') });
  assert.match(pushed.stderr, /^fatal: The key SHA256:\S+ may read only$/m);
});

/** A connection that stays open; others run their commands over it. */
async function shared(t: TestContext, { directory, port }: Scene, key: string): Promise<string[]> {
  const control = join(directory, 'control');
  const options = ['-F', '/dev/null', '-o', 'IdentitiesOnly=yes', '-o', 'StrictHostKeyChecking=yes'];
  const known = ['-o', `UserKnownHostsFile=${join(directory, 'known_hosts')}`, '-p', String(port), '-i', key];
  const args = [...options, ...known, '-o', 'BatchMode=yes', '-M', '-S', control, '-N', 'git@127.0.0.1'];
  const master = spawn('ssh', args, { stdio: 'ignore' });
  t.after(() => master.kill());
  while (!existsSync(control)) await new Promise((resolve) => setTimeout(resolve, 10));
  return [`-S ${control}`, '-o ControlMaster=no'];
}

test('a key that is taken back while its connection is open does nothing new', needs, async (t) => {
  const all = await scene(t);
  const { ask, keyOf, keys, door } = all;
  const { path, fingerprint } = keyOf('alice');
  const ssh = await shared(t, all, path);
  const overIt = () => ask('app', undefined, { ssh });
  assert.equal(await overIt(), 'ok');
  const gone = 'fatal: Access denied: what you logged in with is not valid any more';
  keys.clear();
  assert.equal(await overIt(), gone);
  keys.set(fingerprint, { user: 'alice' });
  assert.equal(await overIt(), 'ok');
  keys.set(fingerprint, { user: 'bob' });
  assert.equal(await overIt(), gone);
  assert.equal(door.connectionCount, 1);
});

test('new host keys are for new connections, those that are open go on', needs, async (t) => {
  const all = await scene(t);
  const { ask, keyOf, door, directory, port } = all;
  const alice = keyOf('alice').path;
  const ssh = await shared(t, all, alice);
  const before = door.hostKeys[0]?.fingerprint;
  await door.reload({ hostKeyDirectory: join(directory, 'other') });
  assert.notEqual(door.hostKeys[0]?.fingerprint, before);
  assert.match(await ask('app', alice), /REMOTE HOST IDENTIFICATION HAS CHANGED|@@@/);
  assert.equal(await ask('app', undefined, { ssh }), 'ok');
  knowHost(directory, port, door.hostKeys);
  assert.equal(await ask('app', alice), 'ok');
  writeFileSync(join(directory, 'other', 'ssh_host_rsa_key'), 'no key');
  await assert.rejects(door.reload({ hostKeyDirectory: join(directory, 'other') }), {
    code: 'INVALID_ARGUMENT',
  });
  assert.equal(await ask('app', alice), 'ok');
});

test(
  'certificates count for their principals, until they or their authority are taken back',
  needs,
  async (t) => {
    const { ask, authorities, revoked, directory } = await scene(t);
    const authority = newSshKey(directory, 'authority');
    const made = (name: string, ...principals: string[]): SshKey => {
      const key = newSshKey(directory, name);
      sshKeygen(
        '/',
        '-q',
        '-s',
        authority.path,
        '-I',
        name,
        '-z',
        '7',
        '-n',
        principals.join(','),
        `${key.path}.pub`,
      );
      return key;
    };
    const laptop = made('laptop', 'git', 'alice');
    const denied = /Permission denied/;
    assert.match(await ask('app', laptop.path), denied);
    authorities.add(authority.fingerprint);
    assert.equal(await ask('app', laptop.path), 'ok');
    assert.equal(await ask('app', laptop.path, { login: 'alice' }), 'ok');
    assert.match(await ask('app', laptop.path, { login: 'bob' }), denied);
    const both = made('both', 'alice', 'bob');
    assert.match(await ask('app', both.path), denied);
    assert.equal(await ask('app', both.path, { login: 'alice' }), 'ok');
    assert.equal(await ask('app', both.path, { login: 'bob' }), NOT_THERE);
    assert.match(await ask('app', made('shared', 'git').path), denied);
    revoked.add(laptop.fingerprint);
    assert.match(await ask('app', laptop.path), denied);
    assert.equal(await ask('app', both.path, { login: 'alice' }), 'ok');
    revoked.add(authority.fingerprint);
    assert.match(await ask('app', both.path, { login: 'alice' }), denied);
  },
);

test(
  'a certificate whose authority is dropped while its connection is open does nothing new',
  needs,
  async (t) => {
    const all = await scene(t);
    const { ask, authorities, directory } = all;
    const authority = newSshKey(directory, 'authority');
    const key = newSshKey(directory, 'laptop');
    sshKeygen('/', '-q', '-s', authority.path, '-I', 'laptop', '-n', 'alice', `${key.path}.pub`);
    authorities.add(authority.fingerprint);
    const ssh = await shared(t, all, key.path);
    assert.equal(await ask('app', undefined, { ssh }), 'ok');
    authorities.clear();
    assert.match(await ask('app', undefined, { ssh }), /^fatal: Access denied/);
  },
);

for (const passwords of [true, false]) {
  test(
    `tokens are ${passwords ? '' : 'not '}taken as passwords${passwords ? ' when that is said' : ''}`,
    needs,
    async (t) => {
      const { ask, tokens, directory } = await scene(t, {}, passwords);
      const token = makeAccessToken();
      tokens.set(token.id, { id: token.id, hash: hashSecret(token.secret), user: 'alice' });
      const typed = (secret: string): Promise<string> => {
        const program = join(directory, 'askpass');
        writeFileSync(program, `#!/bin/sh\necho '${secret}'\n`, { mode: 0o700 });
        const env = { SSH_ASKPASS: program, SSH_ASKPASS_REQUIRE: 'force' };
        return ask('app', undefined, { env, ssh: ['-o NumberOfPasswordPrompts=1'] });
      };
      if (passwords) assert.equal(await typed(formatAccessToken(token)), 'ok');
      else assert.match(await typed(formatAccessToken(token)), /Permission denied \(publickey\)/);
      assert.match(await typed('alice'), /Permission denied/);
    },
  );
}

test('one address cannot keep others out', needs, async (t) => {
  const { port, refused, door } = await scene(t, { limits: { maxUnauthenticatedPerAddress: 2 } });
  const sockets = [1, 2, 3].map(() => connect(port, '127.0.0.1').resume());
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  await Promise.any(sockets.map((socket) => once(socket, 'close')));
  assert.deepEqual(refused, ['too many connections from there']);
  assert.equal(door.connectionCount, 2);
});
