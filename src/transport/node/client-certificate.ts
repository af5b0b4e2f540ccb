/**
 * Certificates by which clients prove who they are over TLS.
 * Spec: RFC 4514, "String Representation of Distinguished Names".
 *
 * @module
 */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { HttpClient } from '../http/options.ts';

export interface ProvedCertificate {
  readonly certificate: NonNullable<HttpClient['certificate']>;
  /** Milliseconds since the epoch. */
  readonly validUntil: number;
}

/**
 * The certificate of whoever is at the other end of `socket`: only one that the server's authorities have issued for
 * clients, and that was valid when the connection was made.
 *
 * `subject` is the whole distinguished name, as `openssl x509 -noout -subject -nameopt RFC2253` prints it: two
 * authorities, or two departments, may each have an alice. `fingerprint` is SHA-256 of the certificate in hex.
 */
export function provedCertificate(socket: Socket): ProvedCertificate | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  return {
    certificate: {
      subject: distinguishedName(certificate.subject),
      fingerprint: certificate.fingerprint256.replace(/:/g, '').toLowerCase(),
    },
    validUntil: Date.parse(certificate.validTo),
  };
}

/** @param lines as node:crypto has it: one relative name a line, the most general first, escaped as RFC 4514 says */
function distinguishedName(lines: string): string {
  const names = lines.split('\n').map((name) => name.split(' + ').reverse().join('+'));
  return names.reverse().join(',');
}
