import assert from 'node:assert/strict';
import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import type { GitError } from '../../../src/core/errors.ts';
import { hashSecret } from '../../../src/server/access/access-token.ts';
import { authenticateToken } from '../../../src/server/access/token-authenticator.ts';
import { AccessFile } from '../../../src/server/people/access-file.ts';
import { fingerprintOf } from '../../../src/server/people/certified-key.ts';
import { parseCertificate } from '../../../src/transport/ssh/certificate.ts';
import { parsePublicKey } from '../../../src/transport/ssh/public-key.ts';
import { scratchDirectory } from '../../support/git.ts';
import { KEY_TYPES, newSshKey, OPENSSH_MISSING, publicBlob, sshKeygen } from '../../support/openssh.ts';

const SECRET = 'a'.repeat(43);
const TOKEN = `pw_0123456789ab_${SECRET}`;
const WITH_TOKEN = {
  users: { alice: { groups: ['team'] } },
  tokens: [{ id: '0123456789ab', hash: hashSecret(SECRET), user: 'alice' }],
};

interface Opened {
  readonly path: string;
  readonly file: AccessFile;
  readonly warnings: GitError[];
  /** Replace the contents as editors and our own commands do. */
  write(contents: unknown): void;
  /** Let time pass. */
  wait(ms: number): void;
}

async function opened(t: TestContext, contents: unknown): Promise<Opened> {
  const path = join(await scratchDirectory(t), 'access.json');
  const write = (next: unknown): void => {
    const text = typeof next === 'string' ? next : JSON.stringify(next);
    writeFileSync(`${path}.new`, text, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  };
  write(contents);
  const warnings: GitError[] = [];
  let now = 0;
  const file = await AccessFile.open(path, {
    onWarning: (warning) => warnings.push(warning),
    now: () => now,
  });
  return { path, file, warnings, write, wait: (ms) => (now += ms) };
}

test('a token is its user’s, with the groups of that user', async (t) => {
  const { file } = await opened(t, WITH_TOKEN);
  const subject = await authenticateToken(file, TOKEN);
  assert.deepEqual([subject?.name, subject?.groups], ['alice', ['team']]);
  assert.equal(await authenticateToken(file, `pw_0123456789ab_${'b'.repeat(43)}`), undefined);
});

test('a token that was revoked is refused after a second at the latest', async (t) => {
  const { file, write, wait } = await opened(t, WITH_TOKEN);
  write({ ...WITH_TOKEN, tokens: [] });
  wait(999);
  assert.notEqual(
    await authenticateToken(file, TOKEN),
    undefined,
    'the file is looked at once a second only',
  );
  wait(1);
  assert.equal(await authenticateToken(file, TOKEN), undefined);
});

test('the tokens of a user who is gone are nobody’s', async (t) => {
  const { file } = await opened(t, { ...WITH_TOKEN, users: {} });
  assert.equal(await authenticateToken(file, TOKEN), undefined);
});

test('a file that is broken, missing or open to others changes nothing, and is said once', async (t) => {
  const { path, file, warnings, write, wait } = await opened(t, WITH_TOKEN);
  const breakages: readonly (readonly [() => void, RegExp])[] = [
    [() => write('{ "users": '), /error: a value is missing/],
    [() => write({ users: 1 }), /users: must be an object/],
    [() => rmSync(path), /there is no/],
    [
      () => {
        write({});
        chmodSync(path, 0o644);
      },
      /others may read or write/,
    ],
  ];
  for (const [breakIt, expected] of breakages) {
    breakIt();
    warnings.length = 0;
    for (let look = 0; look < 3; look++) {
      wait(1000);
      assert.notEqual(await authenticateToken(file, TOKEN), undefined);
    }
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]?.message as string, expected);
    assert.equal(await file.reload(), false);
  }
  write({});
  assert.equal(await file.reload(), true);
  assert.equal(await authenticateToken(file, TOKEN), undefined);
});

test('reload() does not wait for the second', async (t) => {
  const { file, write } = await opened(t, WITH_TOKEN);
  write({});
  assert.equal(await file.reload(), true);
  assert.equal(await authenticateToken(file, TOKEN), undefined);
});

test('many who ask at once look at the file once', async (t) => {
  const { file, write, wait } = await opened(t, WITH_TOKEN);
  write({});
  wait(1000);
  const answers = await Promise.all(Array.from({ length: 20 }, () => authenticateToken(file, TOKEN)));
  assert.deepEqual(new Set(answers), new Set([undefined]));
});

test('what cannot be used is refused at the start', async (t) => {
  const path = join(await scratchDirectory(t), 'access.json');
  await assert.rejects(AccessFile.open(path), { code: 'STORAGE_FAILED' });
  writeFileSync(path, '{ "tokens": [{}] }', { mode: 0o600 });
  await assert.rejects(AccessFile.open(path), {
    code: 'INVALID_ARGUMENT',
    message: /tokens\[0\].id: is missing/,
  });
});

test('keys of every type are found by their fingerprints', { skip: OPENSSH_MISSING }, async (t) => {
  const directory = await scratchDirectory(t);
  const keys = KEY_TYPES.map(([type, bits], at) => newSshKey(directory, `key${at}`, type, bits));
  const lines = keys.map(({ path }) => readFileSync(`${path}.pub`, 'utf8').trim());
  const entries = lines.map((key, at) => ({ key, user: at === 4 ? 'gone' : 'alice', scope: 'read' }));
  const { file, write, wait } = await opened(t, {
    users: { alice: { groups: ['team'] } },
    keys: [...entries.slice(1), { ...entries[0], expiresAt: '2027-01-01' }],
  });
  const before = Date.UTC(2026, 0, 1);
  const fingerprints = keys.map(({ fingerprint }) => fingerprint);
  const names = async (now: number): Promise<(string | undefined)[]> =>
    Promise.all(fingerprints.map(async (one) => (await file.userOfKey(one, now))?.name));
  assert.deepEqual(await names(before), ['alice', 'alice', 'alice', 'alice', undefined]);
  assert.deepEqual(await names(Date.UTC(2027, 0, 1)), [undefined, 'alice', 'alice', 'alice', undefined]);
  assert.deepEqual((await file.userOfKey(fingerprints[1] as string))?.credential, {
    kind: 'ssh-key',
    id: fingerprints[1],
    scope: 'read',
    repositories: undefined,
    expiresAt: undefined,
  });
  write({ users: { alice: {} }, keys: entries, revokedKeys: [fingerprints[1]] });
  wait(1000);
  assert.deepEqual(await names(before), ['alice', undefined, 'alice', 'alice', undefined]);
});

test('the fingerprint of a certified key is that of the key alone', { skip: OPENSSH_MISSING }, async (t) => {
  const directory = await scratchDirectory(t);
  const authority = newSshKey(directory, 'ca');
  for (const [type, bits] of KEY_TYPES) {
    const key = newSshKey(directory, `${type}-${bits}`, type, bits);
    assert.equal(fingerprintOf(parsePublicKey(key.blob)), key.fingerprint);
    sshKeygen(directory, '-q', '-s', authority.path, '-I', 'id', '-n', 'alice', `${key.path}.pub`);
    const certificate = parseCertificate(publicBlob(`${key.path}-cert.pub`));
    assert.equal(fingerprintOf(certificate.key), key.fingerprint);
  }
});

test('authorities and keys in certificates can be taken back', { skip: OPENSSH_MISSING }, async (t) => {
  const directory = await scratchDirectory(t);
  const [authority, key] = [newSshKey(directory, 'ca'), newSshKey(directory, 'key')];
  sshKeygen(directory, '-q', '-s', authority.path, '-I', 'id', '-n', 'alice', `${key.path}.pub`);
  const certificate = parseCertificate(publicBlob(`${key.path}-cert.pub`));
  const people = { certificateAuthorities: [{ key: readFileSync(`${authority.path}.pub`, 'utf8') }] };
  const { file, write } = await opened(t, people);
  assert.deepEqual([...file.authorities()], [authority.fingerprint]);
  assert.equal(file.isRevoked(certificate), false);
  write({ ...people, revokedKeys: [key.fingerprint] });
  await file.reload();
  assert.deepEqual([...file.authorities()], [authority.fingerprint]);
  assert.equal(file.isRevoked(certificate), true);
  write({ ...people, revokedKeys: [authority.fingerprint] });
  await file.reload();
  assert.deepEqual([...file.authorities()], []);
  assert.equal(file.isRevoked(certificate), true);
});

test('who does not wait sees a change after a second and a look', async (t) => {
  const { file, write, wait } = await opened(t, {});
  write({ users: { alice: {} } });
  wait(1000);
  file.authorities();
  assert.deepEqual(await file.groupsOf('alice'), []);
});

test('a TLS certificate is that of the user who has listed it, by fingerprint or by its whole subject', async (t) => {
  const fingerprint = 'ab'.repeat(32);
  const { file } = await opened(t, {
    users: { alice: {}, bob: {} },
    tlsCertificates: [
      { fingerprint, user: 'alice' },
      { subject: 'CN=bob,O=Example', user: 'bob' },
    ],
  });
  const userOf = (subject: string, of: string): Promise<string | undefined> =>
    file.userOfTlsCertificate({ subject, fingerprint: of });
  assert.equal(await userOf('CN=any', fingerprint), 'alice');
  assert.equal(await userOf('CN=bob,O=Example', '00'), 'bob');
  assert.equal(await userOf('CN=bob', '00'), undefined);
});
