/**
 * The questions by which a client proves who it is, one after another.
 * Spec: RFC 4252.
 *
 * @module
 */
import type { AuthContext, PasswordAuthContext, PublicKeyAuthContext } from 'ssh2';
import ssh2 from 'ssh2';
import { isGitError } from '../../../core/errors.ts';
import { isCertificateType } from '../../ssh/certificate.ts';
import { type PublicKey, parsePublicKey } from '../../ssh/public-key.ts';
import { parseSignature, type Signature } from '../../ssh/signature.ts';
import type { SshLogin } from '../../ssh/ssh-command.ts';
import { trustCertificate } from './certificate-trust.ts';
import { keyFingerprint } from './key-fingerprint.ts';
import type { SshAuthenticator } from './ssh-options.ts';
import { verifySignature } from './verify-signature.ts';

/** Somebody, and how they are known. */
export interface Known {
  readonly principal: unknown;
  readonly how: string;
}

const NO_AUTHORITIES = (): ReadonlySet<string> => new Set();

/**
 * @returns who the client is; `undefined` for nobody
 * @throws whatever the application's authenticator throws
 */
export function authenticate(
  context: AuthContext,
  login: SshLogin,
  authenticator: SshAuthenticator,
): Promise<Known | undefined> {
  switch (context.method) {
    case 'publickey':
      return byKey(context as PublicKeyAuthContext, login, authenticator);
    case 'password':
      return byPassword(context as PasswordAuthContext, login, authenticator);
    default:
      return Promise.resolve(undefined);
  }
}

/** What a client may try, for the answer that sends it on. */
export function methodsOf({ password }: SshAuthenticator): ('publickey' | 'password')[] {
  return password === undefined ? ['publickey'] : ['publickey', 'password'];
}

async function byPassword(
  { password }: PasswordAuthContext,
  login: SshLogin,
  authenticator: SshAuthenticator,
): Promise<Known | undefined> {
  const principal = await authenticator.password?.(login, password);
  return principal === undefined ? undefined : { principal, how: 'password' };
}

async function byKey(
  context: PublicKeyAuthContext,
  login: SshLogin,
  authenticator: SshAuthenticator,
): Promise<Known | undefined> {
  const blob = new Uint8Array(context.key.data);
  let proof: Proof | undefined;
  try {
    proof = proofOf(blob, login, authenticator);
    if (proof === undefined || !isSigned(context, proof.key)) return undefined;
  } catch (error) {
    // What cannot be read proves nothing; the client may try another.
    if (isGitError(error, 'PROTOCOL_VIOLATION', 'UNSUPPORTED')) return undefined;
    throw error;
  }
  const principal = await proof.principal();
  return principal === undefined ? undefined : { principal, how: proof.how };
}

/** What a key or certificate would prove once the client has signed with it. */
interface Proof {
  readonly key: PublicKey;
  readonly how: string;
  principal(): Promise<unknown>;
}

function proofOf(blob: Uint8Array, login: SshLogin, authenticator: SshAuthenticator): Proof | undefined {
  if (!isCertificateType(typeOf(blob))) {
    const fingerprint = keyFingerprint(blob);
    const how = `key ${fingerprint}`;
    return {
      key: parsePublicKey(blob),
      how,
      principal: () => authenticator.key(login, { fingerprint, blob }),
    };
  }
  const { certificate: ask, authorities = NO_AUTHORITIES, isRevoked } = authenticator;
  if (ask === undefined) return undefined;
  const now = Math.floor(Date.now() / 1000);
  const trusted = trustCertificate(blob, { authorities: authorities(), isRevoked, now });
  if ('distrusted' in trusted) return undefined;
  const how = `certificate ${JSON.stringify(trusted.keyId)} serial ${trusted.serial}`;
  return { key: trusted.key, how, principal: () => ask(login, trusted, keyFingerprint(trusted.keyBlob)) };
}

/** The first field of a key. */
function typeOf(blob: Uint8Array): string {
  const length = blob[3] ?? 0; // no type is longer than 255
  return String.fromCharCode(...blob.subarray(4, 4 + length));
}

/** A client asks first whether the key would do: without a signature that is all that is known, and enough. */
function isSigned(context: PublicKeyAuthContext, key: PublicKey): boolean {
  const { signature, blob, hashAlgo } = context;
  if (signature === undefined || blob === undefined) return true;
  const { algo, data } = context.key;
  const bytes = new Uint8Array(signature);
  if (isCertificateType(algo)) return verifySignature(key, blob, parseSignature(bytes));
  if (key.kind !== 'rsa' && key.application !== undefined) {
    return verifySignature(key, blob, securityKeySignature(algo, bytes));
  }
  if (key.kind === 'rsa' && hashAlgo === undefined) return false; // SHA-1
  const plain = ssh2.utils.parseKey(`${algo} ${data.toString('base64')}`);
  return !(plain instanceof Error) && plain.verify(blob, signature, hashAlgo) === true;
}

const FLAGS_AND_COUNTER_BYTES = 5;

/** ssh2 takes the algorithm's name and the length of the value from the front when the name is that of the key. */
function securityKeySignature(algorithm: string, bytes: Uint8Array): Signature {
  const end = bytes.length - FLAGS_AND_COUNTER_BYTES;
  if (end < 0) return { algorithm, value: bytes };
  const tail = new DataView(bytes.buffer, bytes.byteOffset + end);
  return {
    algorithm,
    value: bytes.subarray(0, end),
    securityKey: { flags: tail.getUint8(0), counter: tail.getUint32(1) },
  };
}
