/**
 * Changes of an access file's contents: users, tokens, keys. Members that nobody knows stay where they are.
 *
 * @module
 */
import { GitError } from '../../core/errors.ts';
import { formatAccessToken, hashSecret, makeAccessToken } from '../access/access-token.ts';
import type { Scope } from '../access/subject.ts';
import { isUserName } from './access-schema.ts';
import { parsePublicKeyLine } from './public-key-line.ts';

/** As it is written. Members that nobody knows are not named here; they stay. */
export interface AccessFileContents {
  users?: Record<string, WrittenUser>;
  tokens?: WrittenToken[];
  keys?: WrittenKey[];
  certificateAuthorities?: WrittenAuthority[];
  tlsCertificates?: { user: string }[];
  revokedKeys?: string[];
}

interface WrittenUser {
  groups?: string[];
}

/** What a token or key is good for, and whose it is. Times in ISO 8601. */
interface WrittenCredential {
  user: string;
  scope?: Scope;
  repositories?: string[];
  expiresAt?: string;
  createdAt?: string;
  comment?: string;
}

interface WrittenToken extends WrittenCredential {
  id: string;
  hash: string;
}

interface WrittenKey extends WrittenCredential {
  key: string;
}

export interface WrittenAuthority {
  key: string;
  createdAt?: string;
  comment?: string;
}

export type CredentialRestrictions = Pick<
  WrittenCredential,
  'scope' | 'repositories' | 'expiresAt' | 'createdAt' | 'comment'
>;

/** Make a user, or add one that is there to more groups. @throws {GitError} INVALID_ARGUMENT */
export function addUser(contents: AccessFileContents, name: string, groups: readonly string[]): void {
  for (const one of [name, ...groups]) {
    if (!isUserName(one) || one === '__proto__')
      throw refused(`${JSON.stringify(one)} is no name for a user or group`);
  }
  contents.users ??= {};
  if (!Object.hasOwn(contents.users, name)) contents.users[name] = {};
  const user = existingUser(contents, name);
  if (groups.length > 0) user.groups = [...new Set([...(user.groups ?? []), ...groups])];
}

/** Take a user out of groups. @throws {GitError} INVALID_ARGUMENT when there is none, or not in one of them */
export function removeFromGroups(
  contents: AccessFileContents,
  name: string,
  groups: readonly string[],
): void {
  const user = existingUser(contents, name);
  const missing = groups.find((group) => user.groups?.includes(group) !== true);
  if (missing !== undefined) throw refused(`${name} is not in ${missing}`);
  user.groups = (user.groups ?? []).filter((group) => !groups.includes(group));
}

/**
 * Remove a user, with tokens, keys and TLS certificates: the next user of that name must not inherit them.
 *
 * @returns how many went with it
 * @throws {GitError} INVALID_ARGUMENT when there is none
 */
export function removeUser(contents: AccessFileContents, name: string): number {
  existingUser(contents, name);
  delete contents.users?.[name];
  let removedCount = 0;
  for (const list of ['tokens', 'keys', 'tlsCertificates'] as const) {
    const before: readonly { readonly user: string }[] = contents[list] ?? [];
    const after = before.filter(({ user }) => user !== name);
    removedCount += before.length - after.length;
    if (after.length < before.length) Object.assign(contents, { [list]: after });
  }
  return removedCount;
}

/** @returns the token's id and the text that its owner is shown, once. @throws {GitError} INVALID_ARGUMENT */
export function addToken(
  contents: AccessFileContents,
  user: string,
  restrictions: CredentialRestrictions,
): { readonly id: string; readonly text: string } {
  existingUser(contents, user);
  const token = makeAccessToken();
  contents.tokens ??= [];
  contents.tokens.push({ id: token.id, hash: hashSecret(token.secret), user, ...restrictions });
  return { id: token.id, text: formatAccessToken(token) };
}

/** @throws {GitError} INVALID_ARGUMENT when there is no such token */
export function revokeToken(contents: AccessFileContents, id: string): void {
  const kept = contents.tokens?.filter((token) => token.id !== id) ?? [];
  if (kept.length === (contents.tokens?.length ?? 0))
    throw refused(`there is no token ${JSON.stringify(id)}`);
  contents.tokens = kept;
}

/** @param line as OpenSSH writes public keys. @returns its fingerprint. @throws {GitError} INVALID_ARGUMENT */
export function addKey(
  contents: AccessFileContents,
  user: string,
  line: string,
  restrictions: CredentialRestrictions,
): string {
  existingUser(contents, user);
  const { fingerprint, key, comment } = parsePublicKeyLine(line);
  refuseKnown(contents, fingerprint);
  contents.keys ??= [];
  contents.keys.push({ key, user, ...(comment === '' ? {} : { comment }), ...restrictions });
  return fingerprint;
}

/** As {@link addKey}, for a key whose certificates are taken. */
export function addAuthority(
  contents: AccessFileContents,
  line: string,
  { comment: said, createdAt }: Pick<WrittenAuthority, 'comment' | 'createdAt'>,
): string {
  const { fingerprint, key, comment } = parsePublicKeyLine(line);
  refuseKnown(contents, fingerprint);
  const note = said ?? comment;
  contents.certificateAuthorities ??= [];
  contents.certificateAuthorities.push({
    key,
    ...(createdAt === undefined ? {} : { createdAt }),
    ...(note === '' ? {} : { comment: note }),
  });
  return fingerprint;
}

/**
 * Remove the key or authority of `fingerprint`.
 *
 * @param revoke also write it down as revoked: so that certificates for it are refused, and nobody adds it again
 * @throws {GitError} INVALID_ARGUMENT when there is none and it is not to be revoked
 */
export function removeKey(contents: AccessFileContents, fingerprint: string, revoke: boolean): void {
  const others = <Key extends { readonly key: string }>(keys: Key[]): Key[] =>
    keys.filter(({ key }) => fingerprintOfLine(key) !== fingerprint);
  const before = countKeys(contents);
  if (contents.keys !== undefined) contents.keys = others(contents.keys);
  if (contents.certificateAuthorities !== undefined) {
    contents.certificateAuthorities = others(contents.certificateAuthorities);
  }
  if (revoke) contents.revokedKeys = [...new Set([...(contents.revokedKeys ?? []), fingerprint])];
  else if (countKeys(contents) === before) throw refused(`there is no key ${fingerprint}`);
}

/** `SHA256:…` */
export function fingerprintOfLine(key: string): string {
  return parsePublicKeyLine(key).fingerprint;
}

function countKeys({ keys, certificateAuthorities }: AccessFileContents): number {
  return (keys?.length ?? 0) + (certificateAuthorities?.length ?? 0);
}

function refuseKnown(
  { keys, certificateAuthorities, revokedKeys }: AccessFileContents,
  fingerprint: string,
): void {
  const owner = keys?.find(({ key }) => fingerprintOfLine(key) === fingerprint);
  if (owner !== undefined) throw refused(`${owner.user} has this key already`);
  if (certificateAuthorities?.some(({ key }) => fingerprintOfLine(key) === fingerprint) === true) {
    throw refused('this is the key of an authority already');
  }
  if (revokedKeys?.includes(fingerprint) === true) throw refused('this key was revoked');
}

function existingUser({ users = {} }: AccessFileContents, name: string): WrittenUser {
  const user = Object.hasOwn(users, name) ? users[name] : undefined;
  if (user === undefined) throw refused(`there is no user ${JSON.stringify(name)}`);
  return user;
}

function refused(why: string): GitError {
  return new GitError('INVALID_ARGUMENT', `Cannot change access file: ${why}`);
}
