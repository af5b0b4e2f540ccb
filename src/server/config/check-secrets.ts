/**
 * Whether certificates, keys and secrets are what they should be. Nothing of a secret comes into a sentence.
 *
 * @module
 */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isGitError } from '../../core/errors.ts';
import { systemCode } from '../../core/node/storage-error.ts';
import { checkSecret } from '../access/application-address.ts';
import { secureContextOptions } from '../doors/tls-settings.ts';
import type { Finding } from './check-config.ts';
import type { ServerConfig, TlsConfig } from './server-config.ts';

/** Files that cannot be read are nothing to it: see check-files.ts. @param now milliseconds since the epoch */
export async function checkSecrets(
  { tls, access }: ServerConfig,
  now: number = Date.now(),
): Promise<Finding[]> {
  const findings = tls === undefined ? [] : await checkCertificate(tls, now);
  const secretFile = access.application?.secretFile;
  const secret = secretFile === undefined ? undefined : await textOf(secretFile);
  if (secret === undefined) return findings;
  const sentence = complaintOf(() => checkSecret(secret.trim()));
  if (sentence === undefined) return findings;
  return [...findings, { severity: 'error', path: ['access', 'application', 'secretFile'], sentence }];
}

async function checkCertificate(tls: TlsConfig, now: number): Promise<Finding[]> {
  const [certificate, key, clientAuthorities] = [
    await textOf(tls.certificate),
    await textOf(tls.key),
    tls.clientAuthorities === undefined ? undefined : await textOf(tls.clientAuthorities),
  ];
  if (certificate === undefined || key === undefined) return [];
  const path = ['tls', 'certificate'];
  const sentence = complaintOf(() => secureContextOptions({ certificate, key, clientAuthorities }));
  if (sentence !== undefined) return [{ severity: 'error', path, sentence }];
  const { validTo } = new X509Certificate(certificate);
  if (Date.parse(validTo) > now) return [];
  return [{ severity: 'warning', path, sentence: `it has expired: it was good until ${validTo}` }];
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === '') throw error;
    return undefined;
  }
}

function complaintOf(check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (!isGitError(error)) throw error;
    return error.message;
  }
}
