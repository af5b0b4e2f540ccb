/**
 * Users, and what shows that somebody is one, as the server looks them up: an access file, or another store.
 *
 * @module
 */
import type { Certificate } from '../../transport/ssh/certificate.ts';
import type { Subject } from './subject.ts';
import type { TokenStore } from './token-authenticator.ts';

/** Asked anew each time: what was taken back a moment ago is gone. */
export interface People extends TokenStore {
  /**
   * @param fingerprint of an SSH key: `SHA256:…`
   * @returns `undefined` for a key that is nobody's, that was taken back or has expired
   */
  userOfKey(fingerprint: string): Promise<Subject | undefined>;
  /** Fingerprints of those whose SSH certificates are taken. */
  authorities(): ReadonlySet<string>;
  /** Whether the key in a certificate, or that of its authority, was taken back. */
  isRevoked(certificate: Certificate): boolean;
  /**
   * The name of the user who has listed a TLS certificate. Without it nobody has one.
   *
   * @param certificate `subject` as RFC 4514 writes it, the whole of it; `fingerprint` SHA-256 in hex, small letters
   */
  userOfTlsCertificate?(certificate: {
    readonly subject: string;
    readonly fingerprint: string;
  }): Promise<string | undefined>;
}
