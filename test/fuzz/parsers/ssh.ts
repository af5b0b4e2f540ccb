/**
 * Parsers of what SSH clients send before anybody knows them: keys, certificates, signatures, command lines.
 *
 * @module
 */
import { createECDH, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import type { Random } from '../../../fixtures/random.ts';
import { concatBytes, decodeLatin1, encodeLatin1, encodeText, writeUint32 } from '../../../src/core/bytes.ts';
import { isGitError } from '../../../src/core/errors.ts';
import { trustCertificate } from '../../../src/transport/node/ssh/certificate-trust.ts';
import { keyFingerprint } from '../../../src/transport/node/ssh/key-fingerprint.ts';
import { verifySignature } from '../../../src/transport/node/ssh/verify-signature.ts';
import { parseCertificate } from '../../../src/transport/ssh/certificate.ts';
import { parseExecCommand } from '../../../src/transport/ssh/exec-command.ts';
import { parsePublicKey } from '../../../src/transport/ssh/public-key.ts';
import { parseSignature } from '../../../src/transport/ssh/signature.ts';
import type { FuzzedParser } from '../fuzzed-parser.ts';
import { bytes, NUMBER, oneOf, sequence, some } from '../grammar.ts';

const MESSAGE = encodeText('signed');
const NOW_SECONDS = 1_800_000_000;

/** The same ones in every run: their bytes say so. */
const SEED = Uint8Array.from({ length: 32 }, (_, i) => i + 1);
const PRIVATE = createPrivateKey({
  key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), SEED]),
  format: 'der',
  type: 'pkcs8',
});
const POINT = Buffer.from(createPublicKey(PRIVATE).export({ format: 'jwk' }).x as string, 'base64url');
const MODULUS = Uint8Array.from({ length: 257 }, (_, i) => (i === 0 ? 0 : 0x80 | ((i * 37) & 0xff) | 1));

const TYPES = {
  ed25519: 'ssh-ed25519',
  ecdsa: 'ecdsa-sha2-nistp256',
  rsa: 'ssh-rsa',
  securityKey: 'sk-ssh-ed25519@openssh.com',
} as const;

/** What stands behind the type's name, in keys and in certificates. */
const KEY_FIELDS: Readonly<Record<keyof typeof TYPES, Uint8Array>> = {
  ed25519: field(POINT),
  ecdsa: concatBytes(field('nistp256'), field(curvePoint())),
  rsa: concatBytes(field(Uint8Array.of(1, 0, 1)), field(MODULUS)),
  securityKey: concatBytes(field(POINT), field('ssh:')),
};
const KINDS = Object.keys(TYPES) as (keyof typeof TYPES)[];
const KEYS = KINDS.map((kind) => concatBytes(field(TYPES[kind]), KEY_FIELDS[kind]));
const AUTHORITY = KEYS[0] as Uint8Array;

const SIGNATURES = [
  signatureOf(MESSAGE),
  concatBytes(field('rsa-sha2-256'), field(MODULUS.subarray(1))),
  concatBytes(
    field('ecdsa-sha2-nistp256'),
    field(concatBytes(field(MODULUS.subarray(0, 33)), field(Uint8Array.of(1)))),
  ),
  concatBytes(field(TYPES.securityKey), field(new Uint8Array(64)), Uint8Array.of(1, 0, 0, 0, 7)),
];

const WORDS = [
  ...Object.values(TYPES),
  'nistp384',
  'nistp521',
  'rsa-sha2-512',
  '-cert-v01@openssh.com',
  'force-command',
  'source-address',
  '\0\0\0\0',
  '\0\0\0\x01',
  '\0\0\0\x20',
  '\xff\xff\xff\xff',
  '\x04',
];

export const sshParsers: readonly FuzzedParser[] = [
  {
    name: 'ssh-key',
    corpus: KEYS,
    generate: bytes(sequence(fieldOf(oneOf(...Object.values(TYPES))), some(anyField, 4))),
    words: WORDS,
    read(input) {
      const key = parsePublicKey(input);
      for (const signature of SIGNATURES) verifySignature(key, MESSAGE, parseSignature(signature));
    },
  },
  {
    name: 'ssh-signature',
    corpus: SIGNATURES,
    generate: bytes(sequence(fieldOf(oneOf(...Object.values(TYPES), 'rsa-sha2-512')), some(anyField, 3))),
    words: WORDS,
    read(input) {
      const signature = parseSignature(input);
      for (const key of KEYS) {
        try {
          verifySignature(parsePublicKey(key), MESSAGE, signature);
        } catch (error) {
          if (!isGitError(error)) throw error;
        }
      }
    },
  },
  {
    name: 'ssh-certificate',
    corpus: KINDS.map((kind) => certificateOf(kind)),
    generate: (random) => certificateOf(random.pick(KINDS), random),
    words: WORDS,
    seal: signedAgain,
    read(input) {
      const { authorityBlob } = parseCertificate(input);
      const authorities = new Set([keyFingerprint(authorityBlob)]);
      const trusted = trustCertificate(input, { authorities, now: NOW_SECONDS });
      if ('distrusted' in trusted) return;
      const { kind, principals, validAfter, validBefore, criticalOptions } = trusted;
      const isNow = validAfter <= BigInt(NOW_SECONDS) && BigInt(NOW_SECONDS) < validBefore;
      if (kind !== 'user' || principals.length === 0 || !isNow || criticalOptions.size > 0)
        throw new Error('a certificate is trusted that must not be');
    },
  },
  {
    name: 'ssh-command',
    corpus: [
      "git-upload-pack '/team/app.git'",
      "git upload-pack '/it'\\''s'\\!''",
      'git-receive-pack "a\\"b"',
      'git-upload-archive a\\ b',
    ].map(encodeLatin1),
    generate: bytes(
      sequence(
        oneOf('git-upload-pack', 'git receive-pack', 'git-upload-archive', 'git', 'sh', ''),
        some(oneOf(' ', '\t', "'", '"', '\\', "'a'", '/a.git', '-x', '$(id)', '`', ';', '\0', '\n'), 12),
      ),
    ),
    words: ['git-upload-pack ', 'git ', "'", '"', '\\', ' ', '-', '$', '\0', '~', '\n'],
    read(input) {
      const command = parseExecCommand(decodeLatin1(input));
      if (command === undefined) return;
      if (command.path === '' || command.path.startsWith('-') || command.path.includes('\0'))
        throw new Error(`a repository is asked for as ${JSON.stringify(command.path)}`);
    },
  },
];

/** A certificate for users that holds now, by {@link AUTHORITY}; with `random`, mostly. */
function certificateOf(kind: keyof typeof TYPES, random?: Random): Uint8Array {
  const choose = <T>(right: T, ...wrong: readonly T[]): T =>
    random?.chance(0.3) === true ? random.pick(wrong) : right;
  const type = TYPES[kind].replace('@openssh.com', '');
  const text = (items: readonly string[]): Uint8Array => field(concatBytes(...items.map(field)));
  const signed = concatBytes(
    field(`${type}-cert-v01@openssh.com`),
    field(SEED),
    KEY_FIELDS[choose(kind, ...KINDS)],
    uint64(7n),
    uint32(choose(1, 0, 2, 3)),
    field(choose('alice@example.com', '', '\n')),
    text(choose(['alice'], [], ['', 'bob', 'bob'])),
    uint64(choose(0n, BigInt(NOW_SECONDS), 2n ** 64n - 1n)),
    uint64(choose(2n ** 64n - 1n, 0n, BigInt(NOW_SECONDS))),
    text(choose([], ['force-command', 'x'], ['a', '', 'a', ''], ['a'])),
    text(choose(['permit-pty', ''], [])),
    field(''),
    field(choose(AUTHORITY, ...KEYS)),
  );
  return concatBytes(signed, field(signatureOf(signed)));
}

/** With a signature that holds, when it can be read at all. */
function signedAgain(input: Uint8Array): Uint8Array {
  try {
    const { signed } = parseCertificate(input);
    return concatBytes(signed, field(signatureOf(signed)));
  } catch {
    return input; // what is wrong with it is found out when it is read
  }
}

function signatureOf(message: Uint8Array): Uint8Array {
  return concatBytes(field(TYPES.ed25519), field(sign(null, message, PRIVATE)));
}

function curvePoint(): Uint8Array {
  const curve = createECDH('prime256v1');
  curve.setPrivateKey(SEED);
  return new Uint8Array(curve.getPublicKey());
}

function field(data: Uint8Array | string): Uint8Array {
  const content = typeof data === 'string' ? encodeLatin1(data) : data;
  return concatBytes(uint32(content.length), content);
}

function fieldOf(rule: (random: Random) => string): (random: Random) => string {
  return (random) => decodeLatin1(field(rule(random)));
}

/** Of a length that keys and signatures have, or nearly. */
function anyField(random: Random): string {
  const length = random.pick([0, 1, 31, 32, 33, 64, 65, 256, 257]);
  const content = random.chance(0.3)
    ? NUMBER(random)
    : random.pick(['\0', '\x04', '\x7f', '\xff']).repeat(length);
  return decodeLatin1(field(content));
}

function uint32(value: number): Uint8Array {
  const written = new Uint8Array(4);
  writeUint32(written, 0, value);
  return written;
}

function uint64(value: bigint): Uint8Array {
  const written = new Uint8Array(8);
  new DataView(written.buffer).setBigUint64(0, value);
  return written;
}
