/**
 * TLS as the server speaks it: versions 1.2 and 1.3 with forward secrecy and authenticated encryption, HTTP/1.1 inside.
 * Spec: RFC 9325, "Recommendations for Secure Use of TLS".
 *
 * @module
 */
import { constants } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { GitError } from '../../core/errors.ts';

/** PEM, the text of it. */
export interface TlsSettings {
  /** The server's, and those between it and an authority that clients know. */
  readonly certificate: string;
  readonly key: string;
  /**
   * Those whose word about clients is taken. With them every client is asked for a certificate, and may have none.
   * Whether a listener asks is settled when it opens.
   */
  readonly clientAuthorities?: string | undefined;
}

const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/**
 * @throws {GitError} INVALID_ARGUMENT for what is no PEM, a key of another certificate, or one with a passphrase; never
 * with any of the key in it
 */
export function secureContextOptions(settings: TlsSettings): SecureContextOptions {
  const { certificate, key, clientAuthorities } = settings;
  const options: SecureContextOptions = {
    cert: certificate,
    key,
    // None must not mean those that browsers trust.
    ca: clientAuthorities === undefined ? [] : [clientAuthorities],
    minVersion: 'TLSv1.2',
    ciphers: CIPHERS,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  };
  try {
    createSecureContext(options);
  } catch (error) {
    throw new GitError('INVALID_ARGUMENT', `Cannot use the TLS certificate: ${problemOf(error)}`, {}, error);
  }
  return options;
}

/** OpenSSL's own reason, which names what does not fit and quotes nothing. */
function problemOf(error: unknown): string {
  const { code, reason } = error as { readonly code?: unknown; readonly reason?: unknown };
  if (typeof reason === 'string') return reason;
  return typeof code === 'string' ? code : 'it cannot be read';
}
