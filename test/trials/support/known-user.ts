/**
 * A user of a server, with a token and, where OpenSSH is, a key.
 *
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatAccessToken, hashSecret, makeAccessToken } from '../../../src/server/access/access-token.ts';
import { newSshKey, OPENSSH_MISSING } from '../../support/openssh.ts';

export interface KnownUser {
  readonly name: string;
  /** What goes before the host in a URL of HTTP. */
  readonly httpLogin: string;
  /** For GIT_SSH_COMMAND, without a port; `undefined` where there is no OpenSSH. */
  readonly sshCommand: string | undefined;
  /** Path of the access file that knows them. */
  readonly accessFile: string;
}

const SSH_OPTIONS = [
  'StrictHostKeyChecking=no',
  'UserKnownHostsFile=/dev/null',
  'IdentitiesOnly=yes',
  'BatchMode=yes',
];

/** @param directory where key and access file go */
export function makeKnownUser(directory: string, name = 'alice'): KnownUser {
  const token = makeAccessToken();
  const key = OPENSSH_MISSING === false ? newSshKey(directory, 'key') : undefined;
  const keys = key === undefined ? [] : [{ key: readFileSync(`${key.path}.pub`, 'utf8').trim(), user: name }];
  const tokens = [{ id: token.id, hash: hashSecret(token.secret), user: name }];
  const accessFile = join(directory, 'access.json');
  writeFileSync(accessFile, JSON.stringify({ users: { [name]: { groups: [] } }, tokens, keys }), {
    mode: 0o600,
  });
  return {
    name,
    httpLogin: `${name}:${formatAccessToken(token)}`,
    sshCommand: key && `ssh -q -F none -i '${key.path}' ${SSH_OPTIONS.map((one) => `-o ${one}`).join(' ')}`,
    accessFile,
  };
}
