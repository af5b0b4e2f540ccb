/**
 * Public keys as SSH sends them.
 * Spec: RFC 4253 section 6.6 (rsa), RFC 5656 section 3.1 (ecdsa), RFC 8709 section 4 (ed25519); OpenSSH's PROTOCOL.u2f
 * for keys that live in security keys.
 *
 * @module
 */
import { GitError } from '../../core/errors.ts';
import { WireFields } from './wire-fields.ts';

export type Curve = 'nistp256' | 'nistp384' | 'nistp521';

/** `application` is what a security key signs for, `ssh:` by default. Bytes are views of the blob. */
export type PublicKey =
  | { readonly kind: 'ed25519'; readonly point: Uint8Array; readonly application?: string | undefined }
  | {
      readonly kind: 'ecdsa';
      readonly curve: Curve;
      /** Uncompressed: 4, x, y. */
      readonly point: Uint8Array;
      readonly application?: string | undefined;
    }
  | { readonly kind: 'rsa'; readonly exponent: Uint8Array; readonly modulus: Uint8Array };

const COORDINATE_BYTES: Readonly<Record<Curve, number>> = { nistp256: 32, nistp384: 48, nistp521: 66 };
const ED25519_BYTES = 32;
/** Smaller ones can be broken, larger ones cost the server more than the client. */
const RSA_MODULUS_BYTES = { least: 2048 / 8, most: 16384 / 8 };

/** How the fields after the type name are read, by it. */
const READERS: Readonly<Record<string, (fields: WireFields) => PublicKey>> = {
  'ssh-ed25519': readEd25519,
  'ssh-rsa': readRsa,
  'ecdsa-sha2-nistp256': (fields) => readEcdsa(fields, 'nistp256'),
  'ecdsa-sha2-nistp384': (fields) => readEcdsa(fields, 'nistp384'),
  'ecdsa-sha2-nistp521': (fields) => readEcdsa(fields, 'nistp521'),
  'sk-ssh-ed25519@openssh.com': (fields) => ({ ...readEd25519(fields), application: fields.text() }),
  'sk-ecdsa-sha2-nistp256@openssh.com': (fields) => ({
    ...readEcdsa(fields, 'nistp256'),
    application: fields.text(),
  }),
};

/**
 * @throws {GitError} PROTOCOL_VIOLATION for a blob that is malformed; UNSUPPORTED for keys of other types, and for RSA
 * keys below 2048 or above 16384 bits
 */
export function parsePublicKey(blob: Uint8Array): PublicKey {
  const fields = new WireFields(blob);
  const key = readPublicKey(fields.text(), fields);
  fields.end();
  return key;
}

/** The fields of a key of `type`, as they stand in a certificate too. @throws {GitError} as {@link parsePublicKey} */
export function readPublicKey(type: string, fields: WireFields): PublicKey {
  const read = Object.hasOwn(READERS, type) ? READERS[type] : undefined;
  if (read === undefined) {
    throw new GitError('UNSUPPORTED', 'Cannot use this SSH key: its type is not supported', { type });
  }
  return read(fields);
}

function readEd25519(fields: WireFields): Extract<PublicKey, { kind: 'ed25519' }> {
  const point = fields.bytes();
  if (point.length !== ED25519_BYTES) throw malformed('ed25519 keys have 32 bytes');
  return { kind: 'ed25519', point };
}

function readEcdsa(fields: WireFields, curve: Curve): Extract<PublicKey, { kind: 'ecdsa' }> {
  if (fields.text() !== curve) throw malformed('its curve is not the one its type names');
  const point = fields.bytes();
  if (point[0] !== 4 || point.length !== 1 + 2 * COORDINATE_BYTES[curve]) {
    throw malformed('its point is not of its curve');
  }
  return { kind: 'ecdsa', curve, point };
}

function readRsa(fields: WireFields): PublicKey {
  const exponent = fields.mpint();
  const modulus = fields.mpint();
  const { least, most } = RSA_MODULUS_BYTES;
  if (modulus.length < least || modulus.length > most) {
    throw new GitError('UNSUPPORTED', 'Cannot use this SSH key: RSA keys have 2048 to 16384 bits', {
      bits: modulus.length * 8,
    });
  }
  return { kind: 'rsa', exponent, modulus };
}

function malformed(why: string): GitError {
  return new GitError('PROTOCOL_VIOLATION', `Cannot read SSH key: ${why}`);
}
