import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { createHttpAccess } from '../../../src/server/access/http-access.ts';
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
