import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { type Admitted, createHttpAccess } from '../../../src/server/access/http-access.ts';
import { parseAuthorization } from '../../../src/server/access/http-credentials.ts';
import { createRuleAuthorizer } from '../../../src/server/access/rule-authorizer.ts';

const authorizer = createRuleAuthorizer(() => [
  { repositories: ['open'], subjects: ['@all'], allow: ['read'] },
  { repositories: ['team'], subjects: ['alice'], allow: ['read', 'write'] },
]);
const access = createHttpAccess({
  authorizer,
  authenticate: (credentials) =>
    Promise.resolve(
      credentials.scheme === 'basic' && credentials.password === 'right'
        ? { name: credentials.user, groups: [] }
        : undefined,
    ),
});

const basic = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

async function status(operation: 'fetch' | 'push', repository: string, authorization: string | null) {
  const verdict = await access({ operation, repository, authorization });
  return verdict.allow ? 200 : verdict.status;
}

test('what may not be seen does not exist', async () => {
  assert.equal(await status('fetch', 'open', null), 200);
  assert.equal(await status('push', 'open', null), 401);
  assert.equal(await status('fetch', 'team', null), 401);
  assert.equal(await status('fetch', 'no such', null), 401);
  assert.equal(await status('fetch', 'team', basic('bob', 'right')), 404);
  assert.equal(await status('fetch', 'no such', basic('bob', 'right')), 404);
  assert.equal(await status('push', 'open', basic('bob', 'right')), 403);
  assert.equal(await status('push', 'team', basic('alice', 'right')), 200);
  assert.equal(await status('fetch', 'open', basic('alice', 'wrong')), 401);
  assert.equal(await status('fetch', 'open', 'Digest username="alice"'), 401);
});

test('a proxy, then the Authorization header, then a certificate say who it is', async () => {
  const asked: string[] = [];
  const known = (name: string | undefined) =>
    Promise.resolve(name === undefined ? undefined : { name, groups: [] });
  const careful = createHttpAccess({
    authorizer,
    authenticate: async (_credentials, { address }) => {
      asked.push(`header of ${address}`);
      return known('alice');
    },
    recognize: async (claim, { address }) => {
      asked.push(`${claim.kind} of ${address}`);
      const [, name] = claim.kind === 'tls-certificate' ? claim.subject.split('=') : [undefined, claim.user];
      return known(name === 'nobody' ? undefined : name);
    },
  });
  const certificate = (name: string) => ({ subject: `CN=${name}`, fingerprint: 'ab' });
  for (const [client, authorization, repository, expected] of [
    [{ proxyUser: 'alice', certificate: certificate('bob') }, basic('bob', 'x'), 'team', 'alice by proxy'],
    [{ proxyUser: 'nobody', certificate: certificate('alice') }, basic('alice', 'x'), 'team', 401],
    [{ certificate: certificate('bob') }, basic('alice', 'x'), 'team', 'alice by header'],
    [{ certificate: certificate('alice') }, 'Basic ?', 'team', 401],
    [{ certificate: certificate('alice') }, null, 'team', 'alice by tls-certificate'],
    [{ certificate: certificate('nobody') }, null, 'team', 401],
    [{ certificate: certificate('nobody') }, null, 'open', ' by tls-certificate'],
    [{}, null, 'open', ' by nothing'],
  ] as const) {
    asked.length = 0;
    const knock = { operation: 'fetch', repository, authorization } as const;
    const verdict = await careful({ ...knock, client: { address: '::1', ...client } });
    const subject = verdict.allow ? (verdict.principal as Admitted).subject.name : undefined;
    const how = asked.length === 0 ? 'nothing' : asked.join();
    assert.equal(verdict.allow ? `${subject} by ${how.replace(' of ::1', '')}` : verdict.status, expected);
  }
});

test('without anybody to ask, neither proxies nor certificates say anything', async () => {
  const knock = { operation: 'fetch', repository: 'team', authorization: null } as const;
  for (const client of [
    { proxyUser: 'alice' },
    { certificate: { subject: 'CN=alice', fingerprint: 'ab' } },
  ]) {
    const verdict = await access({ ...knock, client });
    assert.ok(!verdict.allow && verdict.status === 401);
  }
});

test('401 asks for a password, so that git does', async () => {
  const verdict = await access({ operation: 'fetch', repository: 'team', authorization: null });
  assert.ok(!verdict.allow);
  assert.deepEqual(verdict.headers, { 'www-authenticate': 'Basic realm="packwire", charset="UTF-8"' });
});

test('the Authorization header: Basic, Bearer, nothing else', () => {
  assert.equal(parseAuthorization(null), undefined);
  assert.deepEqual(parseAuthorization(basic('ålice', 'a:b')), {
    scheme: 'basic',
    user: 'ålice',
    password: 'a:b',
  });
  assert.deepEqual(parseAuthorization('bearer abc.d-e_f=='), { scheme: 'bearer', token: 'abc.d-e_f==' });
  for (const header of ['', 'Basic', 'Basic ???', 'Basic YQ==', 'Bearer', 'Bearer a b', 'Negotiate YQ==']) {
    assert.equal(parseAuthorization(header), 'malformed');
  }
  assert.equal(parseAuthorization(`Bearer ${'a'.repeat(10_000)}`), 'malformed');
});

test('every user and password without colon and NUL come back', () => {
  const text = fc.string({ unit: 'grapheme' }).filter((value) => !value.includes('\0'));
  fc.assert(
    fc.property(
      text.filter((user) => !user.includes(':')),
      text,
      (user, password) => {
        assert.deepEqual(parseAuthorization(basic(user, password)), { scheme: 'basic', user, password });
      },
    ),
  );
});
