import assert from 'node:assert/strict';
import test from 'node:test';
import { formatAccessToken, makeAccessToken } from '../../../src/server/access/access-token.ts';
import { claimOf, secretIn } from '../../../src/server/access/http-evidence.ts';

const token = formatAccessToken(makeAccessToken());
const basic = (user: string, password: string) => secretIn({ scheme: 'basic', user, password });

test('a token as the password of any user, as the user, or as bearer', () => {
  assert.deepEqual(basic('alice', token), { kind: 'token', user: 'alice', secret: token });
  assert.deepEqual(basic(token, ''), { kind: 'token', user: '', secret: token });
  assert.deepEqual(basic(token, 'x-oauth-basic'), { kind: 'token', user: '', secret: token });
  assert.deepEqual(secretIn({ scheme: 'bearer', token }), { kind: 'token', user: '', secret: token });
  assert.deepEqual(basic('alice', 'pw_short'), { kind: 'password', user: 'alice', secret: 'pw_short' });
});

test('what the carrier says: the user of a proxy before a certificate', () => {
  const certificate = { subject: 'CN=alice', fingerprint: 'ab' };
  assert.equal(claimOf({ address: '::1' }), undefined);
  assert.deepEqual(claimOf({ certificate }), { kind: 'tls-certificate', user: '', ...certificate });
  assert.deepEqual(claimOf({ certificate, proxyUser: 'bob' }), { kind: 'proxy', user: 'bob' });
});
