import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { authenticateToken } from '../../src/server/access/token-authenticator.ts';
import { AccessFile } from '../../src/server/people/access-file.ts';
import { scratchDirectory } from '../support/git.ts';
import { newSshKey, OPENSSH_MISSING } from '../support/openssh.ts';
import { type CommandResult, runHere } from './run-packwire.ts';

interface Office {
  readonly cwd: string;
  readonly path: string;
  run(...args: string[]): Promise<CommandResult>;
  contents(): Record<string, unknown>;
}

/** A directory with an access file that the environment names. */
async function office(t: TestContext): Promise<Office> {
  const cwd = await scratchDirectory(t);
  const path = join(cwd, 'access.json');
  return {
    cwd,
    path,
    run: (...args) => runHere(args, { cwd, env: { PACKWIRE_ACCESS_FILE: 'access.json' } }),
    contents: () => JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>,
  };
}

const quiet = (stderr: string): CommandResult => ({ status: 0, stdout: '', stderr });

test('users come, change their groups and go', async (t) => {
  const { run, contents, path } = await office(t);
  assert.deepEqual(
    await run('user', 'add', 'alice', '--group=team', '--group', 'staff'),
    quiet('added alice, in team, staff\n'),
  );
  assert.deepEqual(await run('user', 'add', 'bob'), quiet('added bob\n'));
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(
    await run('user', 'remove', 'alice', '--group=staff'),
    quiet('removed alice from staff\n'),
  );
  assert.deepEqual(await run('token', 'create', 'bob').then(({ status }) => status), 0);
  assert.equal(
    (await run('user', 'list')).stdout,
    'USER   GROUPS  TOKENS  KEYS\nalice  team    0       0\nbob            1       0\n',
  );
  assert.deepEqual(
    await run('user', 'remove', 'bob'),
    quiet('removed bob, and 1 tokens, keys and certificates\n'),
  );
  assert.deepEqual(contents(), { users: { alice: { groups: ['team'] } }, tokens: [] });
});

test('a token is printed once, alone, and is good for what was said', async (t) => {
  const { run, path, contents } = await office(t);
  await run('user', 'add', 'alice');
  const made = await run(
    ...[
      'token',
      'create',
      'alice',
      '--scope=read',
      '--repositories=team/app,team/lib',
      '--repositories=docs',
    ],
    ...['--expires=90d', '--comment=laptop'],
  );
  assert.match(made.stdout, /^pw_\w{12}_\w{43}\n$/);
  const text = made.stdout.trim();
  const [, id, secret] = text.split('_') as [string, string, string];
  assert.match(made.stderr, new RegExp(`^token ${id} of alice, good until \\d{4}-`));
  const subject = await authenticateToken(await AccessFile.open(path), text);
  const expiresAt = subject?.credential?.expiresAt ?? 0;
  assert.ok(Math.abs(expiresAt - Date.now() - 90 * 86_400_000) < 60_000);
  assert.deepEqual(subject?.credential, {
    kind: 'token',
    id,
    scope: 'read',
    repositories: ['team/app', 'team/lib', 'docs'],
    expiresAt,
  });

  const listed = await run('token', 'list', 'alice');
  assert.match(
    listed.stdout,
    new RegExp(`^${id}  alice  read   team/app,team/lib,docs  \\d.*Z  laptop$`, 'm'),
  );
  const hash = ((contents().tokens as { hash: string }[])[0] as { hash: string }).hash;
  for (const { stdout, stderr } of [listed, await run('user', 'list'), { ...made, stdout: '' }]) {
    assert.ok(!`${stdout}${stderr}`.includes(secret) && !`${stdout}${stderr}`.includes(hash));
  }
  assert.ok(!JSON.stringify(contents()).includes(secret));

  assert.deepEqual(await run('token', 'revoke', text), quiet(`revoked ${id}\n`));
  assert.equal(await authenticateToken(await AccessFile.open(path), text), undefined);
  const again = await run('token', 'revoke', id);
  assert.deepEqual(
    [again.status, again.stderr],
    [128, `fatal: Cannot change access file: there is no token "${id}"\n`],
  );
});

test('keys are added from files, named by their fingerprints, and taken back', {
  skip: OPENSSH_MISSING,
}, async (t) => {
  const { cwd, run, path } = await office(t);
  await run('user', 'add', 'alice');
  const [key, authority] = [newSshKey(cwd, 'key'), newSshKey(cwd, 'ca')];
  assert.deepEqual(await run('key', 'add', 'alice', 'key.pub', '--scope=read', '--comment=laptop'), {
    status: 0,
    stdout: `${key.fingerprint}\n`,
    stderr: '',
  });
  assert.equal((await run('key', 'add', '--authority', 'ca.pub')).stdout, `${authority.fingerprint}\n`);
  const file = await AccessFile.open(path);
  assert.equal((await file.userOfKey(key.fingerprint))?.name, 'alice');
  assert.deepEqual([...file.authorities()], [authority.fingerprint]);
  const { stdout } = await run('key', 'list');
  assert.match(stdout, new RegExp(`^${escaped(key.fingerprint)}  alice +read   all +never +laptop$`, 'm'));
  assert.match(stdout, new RegExp(`^${escaped(authority.fingerprint)}  \\(authority\\) +never$`, 'm'));

  const twice = await run('key', 'add', 'alice', 'key.pub');
  assert.equal(twice.stderr, 'fatal: Cannot change access file: alice has this key already\n');
  const secret = await run('key', 'add', 'alice', 'key');
  assert.match(secret.stderr, /^fatal: Cannot read public key: this is a private key/);

  assert.deepEqual(
    await run('key', 'remove', '--revoke', key.fingerprint),
    quiet(`revoked ${key.fingerprint}\n`),
  );
  await file.reload();
  assert.equal(await file.userOfKey(key.fingerprint), undefined);
  assert.match((await run('key', 'add', 'alice', 'key.pub')).stderr, /this key was revoked/);
  assert.deepEqual(
    await run('key', 'remove', authority.fingerprint),
    quiet(`removed ${authority.fingerprint}\n`),
  );
});

test('a key comes from standard input too', { skip: OPENSSH_MISSING }, async (t) => {
  const { cwd, path, run } = await office(t);
  await run('user', 'add', 'alice');
  const key = newSshKey(cwd, 'key');
  const input = readFileSync(`${key.path}.pub`);
  const { stdout } = await runHere(['key', 'add', 'alice', '-', '--access', path], { cwd, input });
  assert.equal(stdout, `${key.fingerprint}\n`);
});

test('the access file is that of the option, of the configuration or of the environment', async (t) => {
  const cwd = await scratchDirectory(t);
  writeFileSync(
    join(cwd, 'packwire.json'),
    '{ "listen": { "ssh": ["0"] }, "access": { "file": "of-config.json" } }',
  );
  const env = { PACKWIRE_ACCESS_FILE: 'of-environment.json', PACKWIRE_CONFIG: 'packwire.json' };
  const made: string[] = [];
  for (const [args, environment] of [
    [['--access=of-option.json'], env],
    [['--config=packwire.json'], env],
    [[], env],
    [[], { PACKWIRE_CONFIG: 'packwire.json' }],
  ] as const) {
    const name = `user${made.length}`;
    const { status, stderr } = await runHere(['user', 'add', name, ...args], { cwd, env: environment });
    assert.equal(status, 0, stderr);
    made.push(name);
  }
  const usersOf = (file: string): string[] =>
    Object.keys((JSON.parse(readFileSync(join(cwd, file), 'utf8')) as { users: object }).users);
  assert.deepEqual(usersOf('of-option.json'), ['user0']);
  assert.deepEqual(usersOf('of-config.json'), ['user1', 'user3']);
  assert.deepEqual(usersOf('of-environment.json'), ['user2']);
});

for (const [line, status, message] of [
  ['user add', 129, 'Expected one name'],
  ['user add a:b', 128, 'Cannot change access file: "a:b" is no name for a user or group'],
  ['user add @team', 128, 'Cannot change access file: "@team" is no name for a user or group'],
  ['user remove nobody', 128, 'Cannot change access file: there is no user "nobody"'],
  ['user rename', 129, 'Expected add, remove or list'],
  ['token create nobody', 128, 'Cannot change access file: there is no user "nobody"'],
  ['token create alice --scope=all', 129, "Option '--scope' wants read, write or admin, got 'all'"],
  [
    'token create alice --expires=soon',
    129,
    "Option '--expires' wants a time such as 12h, 90d or 2w, or a date such as 2027-01-31, got 'soon'",
  ],
  [
    'token create alice --expires=2020-01-01',
    129,
    "Option '--expires' wants a time to come, got '2020-01-01'",
  ],
  [
    'token revoke pw_0123456789ab_short',
    129,
    'Expected the id of a token: what is between pw_ and the next _',
  ],
  ['key add alice', 129, 'Expected a user and a file'],
  ['key add --authority', 129, 'Expected one file'],
  [
    'key add --authority ca.pub --scope=read',
    129,
    'What an authority signs says itself how long it is good, and has no scope',
  ],
] as const) {
  test(`${line}: ${message}`, async (t) => {
    const { run } = await office(t);
    const result = await run(...line.split(' '));
    assert.equal(result.status, status);
    assert.equal(result.stderr.split('\n')[0], `${status === 129 ? 'error' : 'fatal'}: ${message}`);
  });
}

test('without any word about it, there is no access file', async (t) => {
  const { status, stderr } = await runHere(['user', 'list'], { cwd: await scratchDirectory(t) });
  assert.equal(status, 129);
  assert.match(stderr, /^error: Which access file\? Give --access=<file> or --config=<file>$/m);
});

function escaped(text: string): string {
  return text.replace(/[+/:]/g, '\\$&');
}
