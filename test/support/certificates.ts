/**
 * Certificates for TLS, made by openssl.
 *
 * @module
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** For the `skip` of tests: why they cannot run here, or false. */
export const OPENSSL_MISSING: string | false =
  spawnSync('openssl', ['version']).error === undefined ? false : 'openssl is not installed';

/** Run openssl. @returns what it prints */
export function openssl(cwd: string, ...args: readonly string[]): string {
  return execFileSync('openssl', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

export interface MadeCertificate {
  /** Files. */
  readonly certificatePath: string;
  readonly keyPath: string;
  /** The text of them. */
  readonly certificate: string;
  readonly key: string;
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

export function newAuthority(directory: string, name: string): MadeCertificate {
  const [key, certificate] = [`${name}.key`, `${name}.pem`];
  openssl(
    directory,
    'req',
    '-x509',
    ...NEW_KEY,
    '-days',
    '2',
    '-subj',
    `/CN=${name}`,
    '-keyout',
    key,
    '-out',
    certificate,
  );
  return made(directory, name);
}

/** @param extensions lines of an openssl extension file: `subjectAltName=IP:127.0.0.1` */
export function newCertificate(
  directory: string,
  authority: MadeCertificate,
  name: string,
  { subject = `/CN=${name}`, extensions = 'basicConstraints=CA:FALSE' } = {},
): MadeCertificate {
  const [key, request, certificate] = [`${name}.key`, `${name}.csr`, `${name}.pem`];
  openssl(directory, 'req', ...NEW_KEY, '-subj', subject, '-keyout', key, '-out', request);
  writeFileSync(join(directory, `${name}.ext`), extensions);
  const { certificatePath, keyPath } = authority;
  const by = ['-CA', certificatePath, '-CAkey', keyPath, '-CAcreateserial', '-extfile', `${name}.ext`];
  openssl(directory, 'x509', '-req', '-in', request, ...by, '-days', '2', '-out', certificate);
  return made(directory, name);
}

/** One that this machine's clients take, given its authority. */
export function newServerCertificate(
  directory: string,
  authority: MadeCertificate,
  name: string,
): MadeCertificate {
  return newCertificate(directory, authority, name, {
    extensions: 'subjectAltName=IP:127.0.0.1,DNS:localhost',
  });
}

function made(directory: string, name: string): MadeCertificate {
  const [certificatePath, keyPath] = [join(directory, `${name}.pem`), join(directory, `${name}.key`)];
  return {
    certificatePath,
    keyPath,
    certificate: readFileSync(certificatePath, 'utf8'),
    key: readFileSync(keyPath, 'utf8'),
  };
}
