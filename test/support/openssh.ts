/**
 * OpenSSH's programs: clients for the SSH server, and judges of keys.
 *
 * @module
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { keyFingerprint } from '../../src/transport/node/ssh/key-fingerprint.ts';

/** For the `skip` of tests: why they cannot run here, or false. */
export const OPENSSH_MISSING: string | false =
  spawnSync('ssh', ['-V']).error === undefined && spawnSync('ssh-keygen', ['-?']).error === undefined
    ? false
    : 'ssh and ssh-keygen are not installed';

/** Run ssh-keygen. @returns what it prints */
export function sshKeygen(cwd: string, ...args: readonly string[]): string {
  return execFileSync('ssh-keygen', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** A key of each type that OpenSSH makes without hardware, with its bits. */
export const KEY_TYPES = [
  ['ed25519', '256'],
  ['ecdsa', '256'],
  ['ecdsa', '384'],
  ['ecdsa', '521'],
  ['rsa', '3072'],
] as const;

export interface SshKey {
  /** The private file; `.pub` is beside it. */
  readonly path: string;
  readonly blob: Uint8Array;
  readonly fingerprint: string;
}

export function newSshKey(directory: string, name: string, type = 'ed25519', bits = '256'): SshKey {
  const path = join(directory, name);
  sshKeygen(directory, '-q', '-t', type, '-b', bits, '-N', '', '-C', '', '-f', path);
  const blob = publicBlob(`${path}.pub`);
  return { path, blob, fingerprint: keyFingerprint(blob) };
}

/** The key or certificate in a public file. */
export function publicBlob(publicFile: string): Uint8Array {
  return Buffer.from(readFileSync(publicFile, 'utf8').split(' ')[1] as string, 'base64');
}
