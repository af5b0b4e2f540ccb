/**
 * The keys that a server proves itself with: made on the first start, and never again.
 *
 * @module
 */
import { generateKeyPair, type KeyObject, randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import ssh2 from 'ssh2';
import { GitError } from '../../../core/errors.ts';
import { isAbsent, storageError, systemCode } from '../../../core/node/storage-error.ts';
import { ed25519PrivateKey } from '../../ssh/private-key.ts';
import { keyFingerprint } from './key-fingerprint.ts';

export interface HostKey {
  readonly path: string;
  /** `ssh-ed25519`, `ssh-rsa`. */
  readonly type: string;
  /** As users see it when they connect for the first time. */
  readonly fingerprint: string;
  readonly privateKey: string;
}

const KINDS = [
  { name: 'ssh_host_ed25519_key', make: newEd25519Key },
  { name: 'ssh_host_rsa_key', make: newRsaKey },
] as const;

const RSA_BITS = 3072;
/** Characters in a line of an armoured key file. */
const ARMOUR_WIDTH = 70;

/** Whatever the group or others may do to the file. */
const OTHERS = 0o077;

const newKeyPair = promisify(generateKeyPair);

/**
 * The keys in `directory`, under OpenSSH's names. One that is not there is made, readable by its owner only; one that
 * is there is used as it is, or is an error: a server that changed its key by itself would look like an impostor.
 *
 * @throws {GitError} INVALID_ARGUMENT when a file is no private key, has a passphrase, or can be read by others;
 * STORAGE_FAILED
 */
export async function loadHostKeys(directory: string): Promise<HostKey[]> {
  const keys: HostKey[] = [];
  for (const { name, make } of KINDS) {
    const path = join(directory, name);
    try {
      keys.push((await existingKey(path)) ?? (await newKey(directory, path, make)));
    } catch (error) {
      throw storageError(error, 'use host key', path);
    }
  }
  return keys;
}

async function existingKey(path: string): Promise<HostKey | undefined> {
  let privateKey: string;
  try {
    const { mode } = await stat(path);
    if (process.platform !== 'win32' && (mode & OTHERS) !== 0) {
      throw unusable(path, `others may read it: chmod 600 '${path}'`);
    }
    privateKey = await readFile(path, 'utf8');
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
  return describe(path, privateKey);
}

async function newKey(directory: string, path: string, make: () => Promise<string>): Promise<HostKey> {
  const privateKey = await make();
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(privateKey);
      await file.sync();
    } finally {
      await file.close();
    }
    await link(temporary, path); // fails when another process was first
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
    const other = await existingKey(path);
    if (other !== undefined) return other;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
  return describe(path, privateKey);
}

/** Not ssh2's own generator: it drops zeros at the start of a key, and one file in 128 cannot be read again. */
async function newEd25519Key(): Promise<string> {
  const { privateKey } = await newKeyPair('ed25519');
  return armouredEd25519Key(privateKey);
}

/** The text of a key file, of an Ed25519 key. */
export function armouredEd25519Key(key: KeyObject): string {
  const { x = '', d = '' } = key.export({ format: 'jwk' });
  const bytes = ed25519PrivateKey(
    Buffer.from(x, 'base64url'),
    Buffer.from(d, 'base64url'),
    randomBytes(4).readUInt32BE(),
  );
  const text = Buffer.from(bytes).toString('base64');
  const lines = text.match(new RegExp(`.{1,${ARMOUR_WIDTH}}`, 'g')) ?? [];
  return ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join(
    '\n',
  );
}

async function newRsaKey(): Promise<string> {
  const { privateKey } = await newKeyPair('rsa', { modulusLength: RSA_BITS });
  return privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
}

function describe(path: string, privateKey: string): HostKey {
  const parsed = ssh2.utils.parseKey(privateKey);
  if (parsed instanceof Error) throw unusable(path, parsed.message);
  if (!parsed.isPrivateKey()) throw unusable(path, 'it is no private key');
  return { path, type: parsed.type, fingerprint: keyFingerprint(parsed.getPublicSSH()), privateKey };
}

function unusable(path: string, why: string): GitError {
  return new GitError('INVALID_ARGUMENT', `Cannot use host key '${path}': ${why}`, { path });
}
