/**
 * Whether a key made a signature.
 *
 * @module
 */
import { createHash, createPublicKey, type JsonWebKey, type KeyObject, verify } from 'node:crypto';
import { GitError } from '../../../core/errors.ts';
import type { Curve, PublicKey } from '../../ssh/public-key.ts';
import { ecdsaNumbers, type Signature, USER_PRESENT } from '../../ssh/signature.ts';

interface CurveFacts {
  readonly name: string;
  readonly coordinateBytes: number;
  readonly hash: string;
}

const CURVES: Readonly<Record<Curve, CurveFacts>> = {
  nistp256: { name: 'P-256', coordinateBytes: 32, hash: 'sha256' },
  nistp384: { name: 'P-384', coordinateBytes: 48, hash: 'sha384' },
  nistp521: { name: 'P-521', coordinateBytes: 66, hash: 'sha512' },
};

/** SHA-1, under `ssh-rsa`, is not among them. */
const RSA_HASHES: Readonly<Record<string, string>> = { 'rsa-sha2-256': 'sha256', 'rsa-sha2-512': 'sha512' };

/**
 * A signature of a security key counts only if somebody touched it.
 *
 * @throws {GitError} PROTOCOL_VIOLATION when the signature is malformed, or the key is none: a point beside its curve
 */
export function verifySignature(key: PublicKey, message: Uint8Array, signature: Signature): boolean {
  const { algorithm, value, securityKey } = signature;
  if (key.kind === 'rsa') {
    const hash = Object.hasOwn(RSA_HASHES, algorithm) ? RSA_HASHES[algorithm] : undefined;
    return hash !== undefined && verify(hash, message, keyObject(key), value);
  }
  if (algorithm !== algorithmOf(key)) return false;
  const covered = key.application === undefined ? message : touched(key.application, message, securityKey);
  if (covered === undefined) return false;
  if (key.kind === 'ed25519') return verify(null, covered, keyObject(key), value);
  const { coordinateBytes, hash } = CURVES[key.curve];
  const numbers = ecdsaNumbers(value, coordinateBytes);
  return verify(hash, covered, { key: keyObject(key), dsaEncoding: 'ieee-p1363' }, numbers);
}

/** The algorithm of a key's signatures: not that of RSA keys, which have several. */
function algorithmOf(key: Exclude<PublicKey, { kind: 'rsa' }>): string {
  const plain = key.kind === 'ed25519' ? 'ssh-ed25519' : `ecdsa-sha2-${key.curve}`;
  return key.application === undefined ? plain : `sk-${plain}@openssh.com`;
}

/** What a security key signs of a message. @returns `undefined` when nobody touched it */
function touched(
  application: string,
  message: Uint8Array,
  securityKey: Signature['securityKey'],
): Uint8Array | undefined {
  if (securityKey === undefined || (securityKey.flags & USER_PRESENT) === 0) return undefined;
  const between = Buffer.alloc(5);
  between.writeUInt8(securityKey.flags, 0);
  between.writeUInt32BE(securityKey.counter, 1);
  return Buffer.concat([sha256(application), between, sha256(message)]);
}

function sha256(data: Uint8Array | string): Buffer {
  return createHash('sha256').update(data).digest();
}

function keyObject(key: PublicKey): KeyObject {
  try {
    return createPublicKey({ key: webKey(key), format: 'jwk' });
  } catch (error) {
    if (!isOfCrypto(error)) throw error;
    throw new GitError('PROTOCOL_VIOLATION', 'Cannot use this SSH key: it is none', {}, error);
  }
}

/** What node:crypto and OpenSSL say against a key. */
function isOfCrypto(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^ERR_(?:CRYPTO|OSSL)_/.test(String(error.code));
}

function webKey(key: PublicKey): JsonWebKey {
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
  switch (key.kind) {
    case 'ed25519':
      return { kty: 'OKP', crv: 'Ed25519', x: text(key.point) };
    case 'rsa':
      return { kty: 'RSA', e: text(key.exponent), n: text(key.modulus) };
    case 'ecdsa': {
      const { name, coordinateBytes } = CURVES[key.curve];
      const y = 1 + coordinateBytes;
      return { kty: 'EC', crv: name, x: text(key.point.subarray(1, y)), y: text(key.point.subarray(y)) };
    }
  }
}
