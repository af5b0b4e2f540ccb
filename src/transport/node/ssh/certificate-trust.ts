/**
 * Whether a certificate says who somebody is.
 * Spec: OpenSSH, PROTOCOL.certkeys; sshd_config(5), TrustedUserCAKeys.
 *
 * @module
 */
import { type Certificate, parseCertificate } from '../../ssh/certificate.ts';
import { parseSignature } from '../../ssh/signature.ts';
import { keyFingerprint } from './key-fingerprint.ts';
import { verifySignature } from './verify-signature.ts';

export interface CertificateTrust {
  /** Fingerprints of the authorities whose word is taken. */
  readonly authorities: ReadonlySet<string>;
  /** Whether the certificate was taken back: by its authority, serial number and id. */
  readonly isRevoked?: ((certificate: Certificate) => boolean) | undefined;
  /** Seconds since the epoch. */
  readonly now: number;
}

/** Why a certificate is not taken, for the log. */
export type Distrust = { readonly distrusted: string };

/**
 * @returns the certificate when its authority is trusted and signed it, it is for users, valid now, and for somebody
 * @throws {GitError} PROTOCOL_VIOLATION, UNSUPPORTED when it cannot be read
 */
export function trustCertificate(blob: Uint8Array, trust: CertificateTrust): Certificate | Distrust {
  const certificate = parseCertificate(blob);
  const why = reasonAgainst(certificate, trust);
  return why === undefined ? certificate : { distrusted: why };
}

function reasonAgainst(certificate: Certificate, trust: CertificateTrust): string | undefined {
  const { kind, authority, authorityBlob, signed, signature, principals } = certificate;
  if (!trust.authorities.has(keyFingerprint(authorityBlob))) return 'its authority is not trusted';
  if (!verifySignature(authority, signed, parseSignature(signature))) return 'its signature is wrong';
  if (kind !== 'user') return 'it is for hosts';
  if (principals.length === 0) return 'it names nobody';
  const now = BigInt(trust.now);
  if (now < certificate.validAfter) return 'it is not valid yet';
  if (now >= certificate.validBefore) return 'it has expired';
  // force-command, source-address, verify-required: what restricts a certificate in a way that is not enforced here
  // must make it useless.
  for (const name of certificate.criticalOptions.keys()) return `its option ${name} is not supported`;
  if (trust.isRevoked?.(certificate) === true) return 'it was revoked';
  return undefined;
}
