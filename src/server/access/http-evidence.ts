/**
 * What an HTTP request shows of who sent it, as {@link Evidence}.
 *
 * @module
 */
import type { HttpClient } from '../../transport/http/options.ts';
import { parseAccessToken } from './access-token.ts';
import type { Evidence } from './application-authorizer.ts';
import type { HttpCredentials } from './http-credentials.ts';

/** A token may stand as the password of any user name, or as the user name, as the large hosts have it. */
export function secretIn(credentials: HttpCredentials): Evidence {
  if (credentials.scheme === 'bearer') return { kind: 'token', user: '', secret: credentials.token };
  const { user, password } = credentials;
  if (parseAccessToken(password) !== undefined) return { kind: 'token', user, secret: password };
  if (parseAccessToken(user) !== undefined) return { kind: 'token', user: '', secret: user };
  return { kind: 'password', user, secret: password };
}

/** What the carrier says of a client, beside its address. */
export function claimOf({ proxyUser, certificate }: HttpClient): Evidence | undefined {
  if (proxyUser !== undefined) return { kind: 'proxy', user: proxyUser };
  return certificate && { kind: 'tls-certificate', user: '', ...certificate };
}
