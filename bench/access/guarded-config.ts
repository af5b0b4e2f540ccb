/**
 * A server with everything that guards one: users with tokens, rules, rates, gates and quotas.
 *
 * @module
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatAccessToken, hashSecret, makeAccessToken } from '../../src/server/access/access-token.ts';

/** As a company of some size has them. */
const USERS = 1_000;
const GROUPS = 20;
const TOKENS_A_USER = 3;

export interface GuardedConfig {
  /** Path of the configuration file. */
  readonly file: string;
  /** The value of an Authorization header that may read everything. */
  readonly authorization: string;
}

/** @param directory where its files go; @param root the repositories, of which the user may read each */
export function writeGuardedConfig(directory: string, root: string): GuardedConfig {
  const users = Object.fromEntries(
    Array.from({ length: USERS }, (_, n) => [`user-${n}`, { groups: [`team-${n % GROUPS}`] }]),
  );
  const tokens = Array.from({ length: USERS * TOKENS_A_USER }, (_, n) => tokenOf(`user-${n % USERS}`));
  const accessFile = join(directory, 'access.json');
  const stored = tokens.map(({ secret: _, ...token }) => token);
  writeFileSync(accessFile, JSON.stringify({ users, tokens: stored }), { mode: 0o600 });

  const [asking] = tokens as [(typeof tokens)[number]];
  const rules = [
    ...Array.from({ length: GROUPS }, (_, n) => ({
      repositories: [`team-${n}/**`],
      subjects: [`@team-${n}`],
      allow: ['read', 'write', 'create'],
    })),
    { repositories: ['**'], subjects: ['user-1', 'user-2', 'user-3'], allow: ['admin'] },
    { repositories: ['secret/**'], subjects: ['@all'], deny: ['read'] },
    { repositories: ['**'], subjects: ['@team-0'], allow: ['read'] },
  ];
  const file = join(directory, 'packwire.json');
  // So many from one address as the load brings; everything else is as it is by default.
  const rate = { perSecond: 1e6, burst: 1e6 };
  writeFileSync(
    file,
    JSON.stringify({
      root,
      listen: { http: ['127.0.0.1:0'] },
      access: { file: accessFile, rules },
      admission: {
        rates: { identity: rate, address: rate },
        quotas: { repositoryBytes: '100g', ownerBytes: '100g' },
      },
      accessLog: false,
    }),
  );
  const text = formatAccessToken({ id: asking.id, secret: asking.secret });
  return { file, authorization: `Basic ${Buffer.from(`${asking.user}:${text}`).toString('base64')}` };
}

function tokenOf(user: string) {
  const { id, secret } = makeAccessToken();
  return { id, secret, hash: hashSecret(secret), user, scope: 'read' };
}
