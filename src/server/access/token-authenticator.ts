/**
 * From the secret of an access token to the subject it belongs to.
 *
 * @module
 */
import { hashSecret, matchesSecret, parseAccessToken } from './access-token.ts';
import type { Scope, Subject } from './subject.ts';

/** A token as it is kept. */
export interface StoredToken {
  readonly id: string;
  /** Of {@link hashSecret}. */
  readonly hash: string;
  readonly user: string;
  readonly scope?: Scope | undefined;
  readonly repositories?: readonly string[] | undefined;
  /** Milliseconds since the epoch. */
  readonly expiresAt?: number | undefined;
}

/** Where tokens and their owners are found. */
export interface TokenStore {
  token(id: string): Promise<StoredToken | undefined>;
  /** @returns the groups of a user; `undefined` when there is no such user any more */
  groupsOf(user: string): Promise<readonly string[] | undefined>;
}

/** Compared with when there is no such token, so that the answer takes as long. */
const NOBODYS_HASH = hashSecret('');

/**
 * @returns `undefined` for a token that does not exist, whose secret is another, whose owner is gone or that has expired:
 * they cannot be told apart from outside
 */
export async function authenticateToken(
  store: TokenStore,
  text: string,
  now: number = Date.now(),
): Promise<Subject | undefined> {
  const token = parseAccessToken(text);
  if (token === undefined) return undefined;
  const stored = await store.token(token.id);
  const matches = matchesSecret(token.secret, stored?.hash ?? NOBODYS_HASH);
  if (!matches || stored === undefined) return undefined;
  const { id, user, scope, repositories, expiresAt } = stored;
  if (expiresAt !== undefined && now >= expiresAt) return undefined;
  const groups = await store.groupsOf(user);
  if (groups === undefined) return undefined;
  return { name: user, groups, credential: { kind: 'token', id, scope, repositories, expiresAt } };
}
