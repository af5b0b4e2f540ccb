/**
 * OpenSSH's certificates: a public key, who it stands for and for how long, signed by an authority.
 * Spec: OpenSSH, PROTOCOL.certkeys.
 *
 * @module
 */
import { concatBytes, encodeText } from '../../core/bytes.ts';
import { GitError } from '../../core/errors.ts';
import { type PublicKey, readPublicKey } from './public-key.ts';
import { WireFields } from './wire-fields.ts';

export interface Certificate {
  readonly kind: 'user' | 'host';
  readonly key: PublicKey;
  /** The key alone as a blob, for its fingerprint: what a plain key of the same pair would be. */
  readonly keyBlob: Uint8Array;
  readonly serial: bigint;
  /** Free text of the authority, for logs. */
  readonly keyId: string;
  /** User names it is good for; none means none here, where OpenSSH's own rule for users is the same. */
  readonly principals: readonly string[];
  /** Seconds since the epoch: from, and up to but without. 2^64 - 1 for ever. */
  readonly validAfter: bigint;
  readonly validBefore: bigint;
  /** Name and data; a server refuses those it does not know. */
  readonly criticalOptions: ReadonlyMap<string, Uint8Array>;
  readonly authority: PublicKey;
  /** The authority's key as a blob, for its fingerprint. */
  readonly authorityBlob: Uint8Array;
  /** What the authority signed, and its signature. */
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
}

const SUFFIX = '-cert-v01@openssh.com';
const KINDS: Readonly<Record<number, Certificate['kind']>> = { 1: 'user', 2: 'host' };

/** Whether an algorithm or key type is one of certificates. */
export function isCertificateType(type: string): boolean {
  return type.endsWith(SUFFIX);
}

/** The algorithm of the key inside: `ssh-ed25519` of `ssh-ed25519-cert-v01@openssh.com`. */
function plainType(type: string): string {
  if (!isCertificateType(type)) return type;
  const plain = type.slice(0, -SUFFIX.length);
  return plain.startsWith('sk-') ? `${plain}@openssh.com` : plain;
}

/**
 * Read a certificate; nothing of it is verified. Bytes are views of `blob`, but for `keyBlob`.
 *
 * @throws {GitError} PROTOCOL_VIOLATION when it is malformed; UNSUPPORTED for keys of other types
 */
export function parseCertificate(blob: Uint8Array): Certificate {
  const fields = new WireFields(blob);
  const type = fields.text();
  if (!isCertificateType(type)) throw malformed('it is none');
  fields.bytes(); // the nonce, there so that nobody can choose what is signed
  const keyStart = fields.position;
  const key = readPublicKey(plainType(type), fields);
  const keyBlob = plainBlob(plainType(type), blob.subarray(keyStart, fields.position));
  const serial = fields.uint64();
  const kind = KINDS[fields.uint32()];
  if (kind === undefined) throw malformed('it is neither for users nor for hosts');
  const keyId = fields.text();
  const principals = readTexts(fields.bytes());
  const validAfter = fields.uint64();
  const validBefore = fields.uint64();
  const criticalOptions = readOptions(fields.bytes());
  readOptions(fields.bytes()); // extensions: they permit terminals and forwarding, which nobody has here
  fields.bytes(); // reserved
  const authorityBlob = fields.bytes();
  const signed = blob.subarray(0, fields.position);
  const signature = fields.bytes();
  fields.end();
  return {
    kind,
    key,
    keyBlob,
    serial,
    keyId,
    principals,
    validAfter,
    validBefore,
    criticalOptions,
    authority: readAuthority(authorityBlob),
    authorityBlob,
    signed,
    signature,
  };
}

function plainBlob(type: string, fields: Uint8Array): Uint8Array {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, type.length);
  return concatBytes(length, encodeText(type), fields);
}

/** An authority is a plain key: certificates do not sign certificates. */
function readAuthority(blob: Uint8Array): PublicKey {
  const fields = new WireFields(blob);
  const type = fields.text();
  if (isCertificateType(type)) throw malformed('its authority is a certificate');
  const key = readPublicKey(type, fields);
  fields.end();
  return key;
}

function readTexts(bytes: Uint8Array): string[] {
  const fields = new WireFields(bytes);
  const texts: string[] = [];
  while (!fields.atEnd) texts.push(fields.text());
  return texts;
}

function readOptions(bytes: Uint8Array): Map<string, Uint8Array> {
  const fields = new WireFields(bytes);
  const options = new Map<string, Uint8Array>();
  while (!fields.atEnd) {
    const name = fields.text();
    if (options.has(name)) throw malformed('an option stands there twice');
    options.set(name, fields.bytes());
  }
  return options;
}

function malformed(why: string): GitError {
  return new GitError('PROTOCOL_VIOLATION', `Cannot read SSH certificate: ${why}`);
}
