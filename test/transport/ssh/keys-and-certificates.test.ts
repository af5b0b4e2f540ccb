import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import fc from 'fast-check';
import { isGitError } from '../../../src/core/errors.ts';
import { trustCertificate } from '../../../src/transport/node/ssh/certificate-trust.ts';
import { keyFingerprint } from '../../../src/transport/node/ssh/key-fingerprint.ts';
import { verifySignature } from '../../../src/transport/node/ssh/verify-signature.ts';
import { parseCertificate } from '../../../src/transport/ssh/certificate.ts';
import { parsePublicKey } from '../../../src/transport/ssh/public-key.ts';
import { parseSignature } from '../../../src/transport/ssh/signature.ts';
import { WireFields } from '../../../src/transport/ssh/wire-fields.ts';
import { scratchDirectory } from '../../support/git.ts';
import { KEY_TYPES, newSshKey, OPENSSH_MISSING, publicBlob, sshKeygen } from '../../support/openssh.ts';

const needs = { skip: OPENSSH_MISSING };

async function newKey(t: TestContext, type: string, bits: string) {
  const directory = await scratchDirectory(t);
  return { directory, ...newSshKey(directory, 'key', type, bits) };
}

const field = (data: Uint8Array | string): Buffer => {
  const bytes = Buffer.from(data);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
};

/** What `ssh-keygen -Y sign` signs of a file. */
const signedData = (message: string): Buffer =>
  Buffer.concat([
    Buffer.from('SSHSIG'),
    field('file'),
    field(''),
    field('sha512'),
    field(createHash('sha512').update(message).digest()),
  ]);

for (const [type, bits] of KEY_TYPES) {
  test(`a signature of ssh-keygen with ${type} ${bits} holds, and no other`, needs, async (t) => {
    const { directory, path, blob } = await newKey(t, type, bits);
    assert.ok(sshKeygen(directory, '-lf', 'key.pub').includes(`${keyFingerprint(blob)} `));
    writeFileSync(join(directory, 'message'), 'hello');
    sshKeygen(directory, '-q', '-Y', 'sign', '-n', 'file', '-f', path, 'message');
    const armored = readFileSync(join(directory, 'message.sig'), 'utf8');
    const fields = new WireFields(
      Buffer.from(armored.replace(/-----.*-----/g, ''), 'base64').subarray(6 + 4),
    );
    assert.deepEqual(Buffer.from(fields.bytes()), Buffer.from(blob));
    for (let i = 0; i < 3; i++) fields.bytes();
    const signature = parseSignature(fields.bytes());
    const key = parsePublicKey(blob);
    assert.ok(verifySignature(key, signedData('hello'), signature));
    assert.ok(!verifySignature(key, signedData('hullo'), signature));
    assert.ok(!verifySignature(key, signedData('hello'), { ...signature, algorithm: 'ssh-rsa' }));
    const other = parsePublicKey((await newKey(t, type, bits)).blob);
    assert.ok(!verifySignature(other, signedData('hello'), signature));
  });
}

/** A key as a security key would hold it, and what it makes of a message. */
function securityKey() {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const point = Buffer.from(publicKey.export({ format: 'jwk' }).x as string, 'base64url');
  const type = 'sk-ssh-ed25519@openssh.com';
  const blob = Buffer.concat([field(type), field(point), field('ssh:')]);
  const signatureOf = (message: Uint8Array, flags: number): Buffer => {
    const sha256 = (data: Uint8Array | string) => createHash('sha256').update(data).digest();
    const tail = Buffer.from([flags, 0, 0, 0, 7]);
    const value = sign(null, Buffer.concat([sha256('ssh:'), tail, sha256(message)]), privateKey);
    return Buffer.concat([field(type), field(value), tail]);
  };
  return { type, blob, signatureOf };
}

test('a security key that was touched counts, as ssh-keygen sees it too', needs, async (t) => {
  const { type, blob, signatureOf } = securityKey();
  const directory = await scratchDirectory(t);
  writeFileSync(join(directory, 'signers'), `alice ${type} ${blob.toString('base64')}\n`);
  const file = Buffer.concat([
    Buffer.from('SSHSIG\0\0\0\x01'),
    field(blob),
    field('file'),
    field(''),
    field('sha512'),
    field(signatureOf(signedData('hello'), 1)),
  ]);
  const text = (file.toString('base64').match(/.{1,70}/g) as string[]).join('\n');
  writeFileSync(
    join(directory, 'sig'),
    `-----BEGIN SSH SIGNATURE-----\n${text}\n-----END SSH SIGNATURE-----\n`,
  );
  execFileSync('ssh-keygen', ['-Y', 'verify', '-f', 'signers', '-I', 'alice', '-n', 'file', '-s', 'sig'], {
    cwd: directory,
    input: 'hello',
  });
  const key = parsePublicKey(blob);
  const verdict = (flags: number) =>
    verifySignature(key, signedData('hello'), parseSignature(signatureOf(signedData('hello'), flags)));
  assert.ok(verdict(1));
  assert.ok(verdict(5));
  assert.ok(!verdict(0));
  assert.ok(!verdict(4));
});

interface Made {
  readonly options?: readonly string[];
  readonly principals?: string;
  readonly type?: string;
}

/** A certificate of a new authority for a new key. */
async function certified(
  t: TestContext,
  { options = [], principals = 'alice,bob', type = 'ed25519' }: Made = {},
) {
  const authority = await newKey(t, type, '3072');
  const { directory, path } = await newKey(t, 'ecdsa', '256');
  const named = principals === '' ? [] : ['-n', principals];
  sshKeygen(
    directory,
    '-q',
    '-s',
    authority.path,
    '-I',
    'laptop of alice',
    '-z',
    '42',
    ...named,
    ...options,
    `${path}.pub`,
  );
  return { blob: publicBlob(`${path}-cert.pub`), authorities: new Set([keyFingerprint(authority.blob)]) };
}

const NOW = Math.floor(Date.now() / 1000);

for (const type of ['ed25519', 'rsa']) {
  test(`a certificate of a trusted ${type} authority says who it stands for`, needs, async (t) => {
    const { blob, authorities } = await certified(t, { type, options: ['-V', '-1h:+1h'] });
    const certificate = trustCertificate(blob, { authorities, now: NOW });
    assert.ok(!('distrusted' in certificate));
    assert.deepEqual(certificate.principals, ['alice', 'bob']);
    assert.deepEqual([certificate.keyId, certificate.serial], ['laptop of alice', 42n]);
  });
}

test('a certificate is not taken when anything is wrong with it', needs, async (t) => {
  const reason = async (made: Made, changes: Partial<Parameters<typeof trustCertificate>[1]> = {}) => {
    const { blob, authorities } = await certified(t, made);
    const verdict = trustCertificate(blob, { authorities, now: NOW, ...changes });
    return 'distrusted' in verdict ? verdict.distrusted : 'trusted';
  };
  assert.equal(await reason({}, { authorities: new Set() }), 'its authority is not trusted');
  assert.equal(await reason({ options: ['-h'] }), 'it is for hosts');
  assert.equal(await reason({ principals: '' }), 'it names nobody');
  assert.equal(await reason({ options: ['-V', '+1h:+2h'] }), 'it is not valid yet');
  assert.equal(await reason({ options: ['-V', '-2h:-1h'] }), 'it has expired');
  assert.equal(
    await reason({ options: ['-O', 'force-command=sh'] }),
    'its option force-command is not supported',
  );
  assert.equal(await reason({}, { isRevoked: ({ serial }) => serial === 42n }), 'it was revoked');
  assert.equal(await reason({}), 'trusted');
});

test('a certificate with any byte changed is not taken', needs, async (t) => {
  const { blob, authorities } = await certified(t);
  fc.assert(
    fc.property(fc.nat(blob.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const changed = Uint8Array.from(blob);
      changed[at] = (changed[at] as number) ^ change;
      try {
        assert.ok('distrusted' in trustCertificate(changed, { authorities, now: NOW }));
      } catch (error) {
        assert.ok(isGitError(error, 'PROTOCOL_VIOLATION', 'UNSUPPORTED'), String(error));
      }
    }),
  );
});

test('keys that are too weak, of other types or malformed are refused', needs, async (t) => {
  const { blob } = await newKey(t, 'ed25519', '256');
  assert.throws(() => parsePublicKey(blob.subarray(0, -1)), { code: 'PROTOCOL_VIOLATION' });
  assert.throws(() => parsePublicKey(Buffer.concat([blob, Buffer.of(0)])), { code: 'PROTOCOL_VIOLATION' });
  assert.throws(() => parsePublicKey(field('ssh-dss')), { code: 'UNSUPPORTED' });
  const weak = Buffer.concat([field('ssh-rsa'), field(Buffer.of(3)), field(Buffer.alloc(128, 0x55))]);
  assert.throws(() => parsePublicKey(weak), { code: 'UNSUPPORTED' });
  assert.throws(() => parseCertificate(blob), { code: 'PROTOCOL_VIOLATION' });
});

test('a point beside its curve is no key, whoever signs with it', () => {
  for (const type of ['ecdsa-sha2-nistp256', 'sk-ecdsa-sha2-nistp256@openssh.com']) {
    const point = Buffer.alloc(65, 4);
    const application = type.startsWith('sk-') ? [field('ssh:')] : [];
    const key = parsePublicKey(Buffer.concat([field(type), field('nistp256'), field(point), ...application]));
    const numbers = Buffer.concat([field(Buffer.of(1)), field(Buffer.of(1))]);
    const tail = type.startsWith('sk-') ? [Buffer.of(1, 0, 0, 0, 1)] : [];
    const signature = parseSignature(Buffer.concat([field(type), field(numbers), ...tail]));
    assert.throws(() => verifySignature(key, Buffer.from('hello'), signature), {
      code: 'PROTOCOL_VIOLATION',
    });
  }
});
