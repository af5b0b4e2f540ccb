/**
 * The key inside a certificate, as a blob of its own: what its fingerprint is made of.
 * Spec: RFC 4253 section 6.6, RFC 5656 section 3.1, RFC 8709 section 4; OpenSSH's PROTOCOL.u2f.
 *
 * @module
 */
import { keyFingerprint } from '../../transport/node/ssh/key-fingerprint.ts';
import type { PublicKey } from '../../transport/ssh/public-key.ts';

/** `SHA256:…` of a key, as it would be without a certificate. */
export function fingerprintOf(key: PublicKey): string {
  return keyFingerprint(Buffer.concat(fieldsOf(key).map(withLength)));
}

function fieldsOf(key: PublicKey): Uint8Array[] {
  if (key.kind === 'rsa') return [ascii('ssh-rsa'), positive(key.exponent), positive(key.modulus)];
  const plain = key.kind === 'ed25519' ? [key.point] : [ascii(key.curve), key.point];
  const type = key.kind === 'ed25519' ? 'ssh-ed25519' : `ecdsa-sha2-${key.curve}`;
  if (key.application === undefined) return [ascii(type), ...plain];
  return [ascii(`sk-${type}@openssh.com`), ...plain, Buffer.from(key.application)];
}

/** An mpint: without zeros in front, but one where the number would look negative. */
function positive(magnitude: Uint8Array): Uint8Array {
  const start = magnitude.findIndex((byte) => byte !== 0);
  const digits = start < 0 ? new Uint8Array() : magnitude.subarray(start);
  return (digits[0] ?? 0) >= 0x80 ? Buffer.concat([Uint8Array.of(0), digits]) : digits;
}

function withLength(field: Uint8Array): Uint8Array {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(field.length);
  return Buffer.concat([length, field]);
}

function ascii(text: string): Uint8Array {
  return Buffer.from(text, 'ascii');
}
