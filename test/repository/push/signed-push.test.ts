/** Signed pushes: the real git with ssh keys, pushing to us. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { decodeText } from '../../../src/core/bytes.ts';
import { DEFAULT_LIMITS } from '../../../src/core/limits.ts';
import { type ReceivePackOptions, receivePack } from '../../../src/protocol/receive-pack.ts';
import { initRepository } from '../../../src/repository/node/init-repository.ts';
import { type OpenRepositoryOptions, openRepository } from '../../../src/repository/node/open-repository.ts';
import { type PushContext, reject } from '../../../src/repository/push/hooks.ts';
import { git, gitAsync, scratchDirectory } from '../../support/git.ts';
import { gitDaemon } from '../../support/git-daemon.ts';

interface Scene {
  readonly server: string;
  readonly client: string;
  readonly logged: unknown[];
  push(...args: readonly string[]): ReturnType<typeof gitAsync>;
}

async function scene(
  t: TestContext,
  serve: Partial<ReceivePackOptions> = {},
  open: OpenRepositoryOptions = {},
  config: Readonly<Record<string, string>> = {},
): Promise<Scene> {
  const scratch = await scratchDirectory(t);
  const [server, client, key] = ['server.git', 'client', 'key'].map((name) => join(scratch, name)) as [
    string,
    string,
    string,
  ];
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', key]);
  writeFileSync(join(scratch, 'signers'), `pusher@example.com ${readFileSync(`${key}.pub`, 'utf8')}`);
  await (await initRepository(server))[Symbol.asyncDispose]();
  git(server, 'config', 'receive.certNonceSeed', 'sekrit');
  git(server, 'config', 'gpg.ssh.allowedSignersFile', '../signers');
  for (const [name, value] of Object.entries(config)) git(server, 'config', name, value);
  const repository = await openRepository(server, open);
  t.after(() => repository[Symbol.asyncDispose]());
  const logged: unknown[] = [];
  const { url } = await gitDaemon(t, ({ protocolVersion, signal }, stream) =>
    receivePack(repository, stream, {
      mode: 'stateful',
      protocolVersion,
      limits: DEFAULT_LIMITS,
      signal,
      onFailure: (error) => logged.push(error),
      ...serve,
    }),
  );
  git('/', 'init', '-q', '-b', 'main', client);
  git(client, 'commit', '-q', '--allow-empty', '-m', 'one');
  git(client, 'config', 'gpg.format', 'ssh');
  git(client, 'config', 'user.signingKey', key);
  return {
    server,
    client,
    logged,
    push: (...args) => gitAsync(client, 'push', `${url}/x`, ...args),
  };
}

function hookThatRecords(server: string, name: string): void {
  const file = join(server, 'hooks', name);
  mkdirSync(join(server, 'hooks'), { recursive: true });
  const script = `env | grep '^GIT_PUSH_CERT' | sort >${name}.env; git cat-file blob $GIT_PUSH_CERT >${name}.cert`;
  writeFileSync(file, `#!/bin/sh\ncat >/dev/null\n${script}\n`);
  chmodSync(file, 0o755);
}

test('hooks of this process see who signed what', async (t) => {
  const seen: PushContext[] = [];
  const { client, push, logged } = await scene(t, {
    hooks: {
      preReceive: async (context) => void seen.push(context),
      postReceive: async (context) => void seen.push(context),
    },
  });
  const { status, stderr } = await push('--signed', '--push-option=ci.skip', 'main');
  assert.equal(status, 0, stderr);
  assert.deepEqual(logged, []);
  const certificate = seen[0]?.pushCertificate;
  assert.deepEqual(seen[1]?.pushCertificate, certificate);
  assert.equal(certificate?.nonce.status, 'OK');
  assert.equal(certificate.signature.status, 'G');
  assert.equal(certificate.signature.signer, 'pusher@example.com');
  assert.equal(certificate.signature.trust, 'fully');
  assert.deepEqual(certificate.certificate.pushOptions, ['ci.skip']);
  const tip = git(client, 'rev-parse', 'main').trim();
  assert.match(decodeText(certificate.certificate.bytes), new RegExp(`^0{40} ${tip} refs/heads/main$`, 'm'));
});

test("the repository's own hooks get git's variables, and the certificate as a blob", async (t) => {
  const { server, push } = await scene(t);
  for (const name of ['pre-receive', 'post-receive']) hookThatRecords(server, name);
  const { status, stderr } = await push('--signed', 'main', 'main:other');
  assert.equal(status, 0, stderr);
  for (const name of ['pre-receive', 'post-receive']) {
    const certificate = readFileSync(join(server, `${name}.cert`), 'utf8');
    const nonce = /^nonce (.*)$/m.exec(certificate)?.[1];
    const lines = readFileSync(join(server, `${name}.env`), 'utf8')
      .trimEnd()
      .split('\n');
    assert.match(lines[0] ?? '', /^GIT_PUSH_CERT=[0-9a-f]{40}$/);
    assert.match(lines[1] ?? '', /^GIT_PUSH_CERT_KEY=SHA256:/);
    assert.deepEqual(lines.slice(2), [
      `GIT_PUSH_CERT_NONCE=${nonce}`,
      'GIT_PUSH_CERT_NONCE_STATUS=OK',
      'GIT_PUSH_CERT_SIGNER=pusher@example.com',
      'GIT_PUSH_CERT_STATUS=G',
    ]);
  }
});

test('a deletion can be signed, and one who is not known signs too', async (t) => {
  const seen: PushContext[] = [];
  const { server, push } = await scene(t, {
    hooks: { postReceive: async (context) => void seen.push(context) },
  });
  await push('main', 'main:gone');
  writeFileSync(join(server, '../signers'), '');
  const { status, stderr } = await push('--signed', '--delete', 'gone');
  assert.equal(status, 0, stderr);
  const { signature, id } = seen[1]?.pushCertificate ?? {};
  assert.equal(signature?.status, 'G');
  assert.equal(signature.trust, 'undefined');
  assert.equal(git(server, 'cat-file', '-t', id as string).trim(), 'blob');
  assert.equal(seen[0]?.pushCertificate, undefined);
});

test('an application demands signatures before it takes a pack', async (t) => {
  const { server, push } = await scene(t, {
    authorizeRefUpdate: (_, { pushCertificate }) =>
      pushCertificate?.signature.status === 'G' ? undefined : reject('sign your push'),
  });
  const bare = await push('main');
  assert.match(bare.stderr, /main -> main \(sign your push\)/);
  const signed = await push('--signed', 'main');
  assert.equal(signed.status, 0, signed.stderr);
  assert.match(git(server, 'for-each-ref'), /refs\/heads\/main/);
});

test('an application checks signatures itself; one that fails at it is told so', async (t) => {
  const seen: unknown[] = [];
  const hooks = {
    preReceive: async ({ pushCertificate }: PushContext) => void seen.push(pushCertificate?.signature),
  };
  const own = await scene(t, {
    hooks,
    verifySignature: async ({ signature }) => ({ status: 'Y', signer: decodeText(signature).slice(0, 10) }),
  });
  await own.push('--signed', 'main');
  const broken = await scene(t, {
    hooks,
    verifySignature: async () => {
      throw new Error('no network');
    },
  });
  await broken.push('--signed', 'main');
  assert.deepEqual(seen, [{ status: 'Y', signer: '-----BEGIN' }, { status: 'E' }]);
  assert.equal(broken.logged.length, 1);
});

test('no program is run that only the repository names, nor any where none may be', async (t) => {
  const seen: unknown[] = [];
  const hooks = {
    preReceive: async ({ pushCertificate }: PushContext) => void seen.push(pushCertificate?.signature.status),
  };
  for (const open of [{}, { hooks: 'none' }] as const) {
    const { server, push } = await scene(t, { hooks }, open, { 'gpg.ssh.program': 'touch' });
    await push('--signed', 'main');
    assert.equal(git(server, 'config', 'gpg.ssh.program').trim(), 'touch');
  }
  assert.deepEqual(seen, ['G', 'E']);
});

test('no certificate is asked for without a seed', async (t) => {
  const scratch = await scene(t, {}, {}, {});
  git(scratch.server, 'config', '--unset', 'receive.certNonceSeed');
  const repository = await openRepository(scratch.server);
  t.after(() => repository[Symbol.asyncDispose]());
  const options = { mode: 'advertise', protocolVersion: 0, limits: DEFAULT_LIMITS } as const;
  for await (const chunk of receivePack(repository, (async function* () {})(), options)) {
    assert.doesNotMatch(decodeText(chunk), /push-cert/);
  }
});
