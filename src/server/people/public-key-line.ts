/**
 * Public keys as OpenSSH writes them to files: `ssh-ed25519 AAAA… alice@laptop`.
 * Spec: sshd(8), "AUTHORIZED_KEYS FILE FORMAT", without options.
 *
 * @module
 */
import { GitError } from '../../core/errors.ts';
import { keyFingerprint } from '../../transport/node/ssh/key-fingerprint.ts';
import { isCertificateType } from '../../transport/ssh/certificate.ts';
import { parsePublicKey } from '../../transport/ssh/public-key.ts';

export interface PublicKeyLine {
  /** `ssh-ed25519` */
  readonly type: string;
  readonly fingerprint: string;
  /** Type and key without the comment, as they are kept. */
  readonly key: string;
  readonly comment: string;
}

const SHAPE = /^([a-z0-9@.-]{1,100}) ([A-Za-z0-9+/]{1,10000}={0,2})(?:[ \t](.*))?$/;

/** @throws {GitError} INVALID_ARGUMENT that says why, PROTOCOL_VIOLATION, UNSUPPORTED */
export function parsePublicKeyLine(text: string): PublicKeyLine {
  const line = text.trim();
  if (line.includes('PRIVATE KEY'))
    throw noKey('this is a private key, which stays with its owner: give that in the file that ends in .pub');
  const [, type, base64, comment = ''] = SHAPE.exec(line) ?? [];
  if (type === undefined || base64 === undefined) {
    throw noKey('it is one line: a type such as ssh-ed25519, the key, and perhaps a comment');
  }
  if (isCertificateType(type))
    throw noKey('this is a certificate: give the key of its authority as an authority');
  const blob = new Uint8Array(Buffer.from(base64, 'base64'));
  if (typeIn(blob) !== type) throw noKey(`it does not hold the ${type} that it says`);
  parsePublicKey(blob);
  return { type, fingerprint: keyFingerprint(blob), key: `${type} ${base64}`, comment: comment.trim() };
}

function typeIn(blob: Uint8Array): string {
  const length = blob[3] ?? 0; // no type is longer than 255
  return String.fromCharCode(...blob.subarray(4, 4 + length));
}

function noKey(why: string): GitError {
  return new GitError('INVALID_ARGUMENT', `Cannot read public key: ${why}`);
}
