import assert from 'node:assert/strict';
import { createHash, createPrivateKey } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import ssh2 from 'ssh2';
import { armouredEd25519Key, loadHostKeys } from '../../../../src/transport/node/ssh/host-keys.ts';
import { keyFingerprint } from '../../../../src/transport/node/ssh/key-fingerprint.ts';
import { scratchDirectory } from '../../../support/git.ts';
import { OPENSSH_MISSING, sshKeygen } from '../../../support/openssh.ts';

/** DER before the seed of an Ed25519 key: RFC 8410. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** One key for each number; two in 256 begin with a zero, in the point or in the seed. */
function keyOfSeed(number: number) {
  const seed = createHash('sha256').update(`seed ${number}`).digest();
  return createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
}

test('keys are made on the first start, for their owner only, and used again on the next', async (t) => {
  const directory = join(await scratchDirectory(t), 'host');
  const made = await loadHostKeys(directory);
  assert.deepEqual(
    made.map(({ type }) => type),
    ['ssh-ed25519', 'ssh-rsa'],
  );
  for (const { path } of made) assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(directory).sort(), ['ssh_host_ed25519_key', 'ssh_host_rsa_key']);
  assert.deepEqual(await loadHostKeys(directory), made);
});

test('OpenSSH reads the keys that are made', { skip: OPENSSH_MISSING }, async (t) => {
  for (const { path, fingerprint } of await loadHostKeys(join(await scratchDirectory(t), 'host'))) {
    const blob = Buffer.from(sshKeygen('/', '-yf', path).split(' ')[1] as string, 'base64');
    assert.equal(keyFingerprint(blob), fingerprint);
  }
});

test('a key may begin with zeros', { skip: OPENSSH_MISSING }, async (t) => {
  const directory = await scratchDirectory(t);
  for (let number = 0; number < 300; number += 1) {
    const key = keyOfSeed(number);
    const { x = '', d = '' } = key.export({ format: 'jwk' });
    const zeros = [x, d].some((value) => Buffer.from(value, 'base64url')[0] === 0);
    const text = armouredEd25519Key(key);
    const parsed = ssh2.utils.parseKey(text);
    assert.ok(!(parsed instanceof Error), `seed ${number}`);
    assert.ok(parsed.verify('data', parsed.sign('data')));
    if (!zeros) continue;
    const path = join(directory, String(number));
    writeFileSync(path, text, { mode: 0o600 });
    const [, blob = ''] = sshKeygen('/', '-yf', path).split(' ');
    assert.deepEqual(Buffer.from(blob.trim(), 'base64').subarray(-32), Buffer.from(x, 'base64url'));
  }
});

test('a file that is no key, or that others may read, is refused and left as it is', async (t) => {
  const directory = await scratchDirectory(t);
  const path = join(directory, 'ssh_host_ed25519_key');
  mkdirSync(directory, { recursive: true });
  writeFileSync(path, 'no key', { mode: 0o600 });
  await assert.rejects(loadHostKeys(directory), { code: 'INVALID_ARGUMENT', detail: { path } });
  assert.equal(readFileSync(path, 'utf8'), 'no key');
  chmodSync(path, 0o644);
  await assert.rejects(loadHostKeys(directory), {
    code: 'INVALID_ARGUMENT',
    message: `Cannot use host key '${path}': others may read it: chmod 600 '${path}'`,
  });
});
