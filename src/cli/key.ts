/**
 * `packwire key`: the SSH keys and certificate authorities of an access file.
 *
 * @module
 */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { GitError } from '../core/errors.ts';
import { storageError } from '../core/node/storage-error.ts';
import {
  ACCESS_FILE_HELP,
  ACCESS_FILE_OPTIONS,
  CREDENTIAL_HELP,
  CREDENTIAL_OPTIONS,
  locateAccessFile,
  readRestrictions,
} from './access-file-options.ts';
import { readArguments, usageError } from './arguments.ts';
import type { Command, CommandWorld } from './command.ts';
import { writeText } from './output.ts';
import { formatTable } from './table.ts';

export const keyCommand: Command = {
  name: 'key',
  summary: 'add, remove and list SSH keys',
  usage: [
    'key add [<options>] [--access=<file>] <user> <file>|-',
    'key add --authority [--comment=<text>] [--access=<file>] <file>|-',
    'key remove [--revoke] [--access=<file>] <fingerprint>...',
    'key list [--access=<file>] [<user>]',
  ],
  description: `
A user is whoever has the private key of one of the user's public keys, or a certificate with the user's name from
one of the authorities, and logs in as 'git' or under that name.

    add                   add the public key in <file>, such as ~/.ssh/id_ed25519.pub, or on standard input
    remove                forget keys and authorities, by fingerprint (SHA256:…)
    list                  print fingerprints and owners
    --authority           a key whose certificates are taken, instead of a user's
    --revoke              refuse the keys from now on, also in certificates
${CREDENTIAL_HELP}
${ACCESS_FILE_HELP}`,

  async run(args, world) {
    const { values, positionals } = readArguments(args, {
      authority: { type: 'boolean', default: false },
      revoke: { type: 'boolean', default: false },
      ...CREDENTIAL_OPTIONS,
      ...ACCESS_FILE_OPTIONS,
    });
    const [verb, ...rest] = positionals;
    switch (verb) {
      case 'add': {
        const [user, file, ...more] = values.authority ? [undefined, ...rest] : rest;
        if (file === undefined || more.length > 0) {
          throw usageError(values.authority ? 'Expected one file' : 'Expected a user and a file');
        }
        if (values.authority && (values.scope ?? values.repositories ?? values.expires) !== undefined) {
          throw usageError('What an authority signs says itself how long it is good, and has no scope');
        }
        const restrictions = readRestrictions(values, Date.now());
        const path = await locateAccessFile(values, world);
        return add(path, user, await readKey(file, world), restrictions, world);
      }
      case 'remove':
        if (rest.length === 0) throw usageError('Expected the fingerprint of a key');
        return remove(await locateAccessFile(values, world), rest, values.revoke, world);
      case 'list':
        if (rest.length > 1) throw usageError('Expected one user');
        return list(await locateAccessFile(values, world), rest[0], world);
      default:
        throw usageError('Expected add, remove or list');
    }
  },
};

/** Longest key that is read, in bytes. */
const MAX_KEY_BYTES = 64 * 1024;

async function readKey(file: string, { input, directory }: CommandWorld): Promise<string> {
  if (file !== '-') {
    const path = resolve(directory, file);
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      throw storageError(error, `read '${path}'`, path);
    }
  }
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of input as AsyncIterable<Uint8Array>) {
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_KEY_BYTES)
      throw new GitError('INVALID_ARGUMENT', 'Cannot read public key: it is too long');
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** @param user `undefined` for an authority */
async function add(
  path: string,
  user: string | undefined,
  line: string,
  restrictions: ReturnType<typeof readRestrictions>,
  world: CommandWorld,
): Promise<number> {
  const { editAccessFile } = await import('../server/people/edit-access-file.ts');
  const { addAuthority, addKey } = await import('../server/people/change-people.ts');
  const fingerprint = await editAccessFile(path, (contents) =>
    user === undefined
      ? addAuthority(contents, line, restrictions)
      : addKey(contents, user, line, restrictions),
  );
  await writeText(world.output, `${fingerprint}\n`);
  return 0;
}

async function remove(
  path: string,
  fingerprints: readonly string[],
  revoke: boolean,
  world: CommandWorld,
): Promise<number> {
  const { editAccessFile } = await import('../server/people/edit-access-file.ts');
  const { removeKey } = await import('../server/people/change-people.ts');
  await editAccessFile(path, (contents) => {
    for (const fingerprint of fingerprints) removeKey(contents, fingerprint, revoke);
  });
  const done = revoke ? 'revoked' : 'removed';
  await writeText(world.errors, fingerprints.map((fingerprint) => `${done} ${fingerprint}\n`).join(''));
  return 0;
}

async function list(path: string, wanted: string | undefined, world: CommandWorld): Promise<number> {
  const { readAccessContents } = await import('../server/people/edit-access-file.ts');
  const { fingerprintOfLine } = await import('../server/people/change-people.ts');
  const { keys = [], certificateAuthorities = [], revokedKeys = [] } = await readAccessContents(path);
  const stateOf = (fingerprint: string, expiresAt = 'never'): string =>
    revokedKeys.includes(fingerprint) ? 'revoked' : expiresAt;
  const rows = keys
    .filter(({ user }) => wanted === undefined || user === wanted)
    .map(({ key, user, scope = 'all', repositories, expiresAt, comment = '' }) => {
      const fingerprint = fingerprintOfLine(key);
      const where = repositories?.join(',') ?? 'all';
      return [fingerprint, user, scope, where, stateOf(fingerprint, expiresAt), comment];
    });
  const authorities = certificateAuthorities.map(({ key, comment = '' }) => {
    const fingerprint = fingerprintOfLine(key);
    return [fingerprint, '(authority)', '', '', stateOf(fingerprint), comment];
  });
  const titles = ['FINGERPRINT', 'USER', 'SCOPE', 'REPOSITORIES', 'EXPIRES', 'COMMENT'];
  await writeText(world.output, formatTable(titles, wanted === undefined ? [...rows, ...authorities] : rows));
  return 0;
}
