import assert from 'node:assert/strict';
import test from 'node:test';
import {
  formatAccessToken,
  hashSecret,
  makeAccessToken,
  parseAccessToken,
} from '../../../src/server/access/access-token.ts';
import type { Evidence } from '../../../src/server/access/application-authorizer.ts';
import { createWatchfulAuthorizer, Identities } from '../../../src/server/access/identities.ts';
import type { People } from '../../../src/server/access/people.ts';
import { identifyAmong } from '../../../src/server/access/people-identifier.ts';
import { createRuleAuthorizer } from '../../../src/server/access/rule-authorizer.ts';
import { ANONYMOUS } from '../../../src/server/access/subject.ts';
import type { StoredToken } from '../../../src/server/access/token-authenticator.ts';

const KEY = 'SHA256:aaa';

function village() {
  const users = new Map([
    ['alice', ['team']],
    ['bob', []],
    ['git', []],
  ]);
  /** Owners of SSH keys. */
  const keys = new Map([[KEY, 'alice']]);
  const tokens = new Map<string, StoredToken>();
  const people: People = {
    token: async (id) => tokens.get(id),
    groupsOf: async (user) => users.get(user),
    userOfKey: async (fingerprint) => {
      const name = keys.get(fingerprint) ?? '';
      const groups = users.get(name);
      return groups && { name, groups, credential: { kind: 'ssh-key', id: fingerprint, scope: 'read' } };
    },
    authorities: () => new Set(),
    isRevoked: () => false,
    userOfTlsCertificate: async ({ subject }) => (subject === 'CN=alice' ? 'alice' : undefined),
  };
  const give = (user: string): string => {
    const token = makeAccessToken();
    tokens.set(token.id, { id: token.id, hash: hashSecret(token.secret), user });
    return formatAccessToken(token);
  };
  return { users, keys, tokens, people, give };
}

const certificateOf = (user: string, ...principals: string[]): Evidence => ({
  kind: 'ssh-certificate',
  user,
  fingerprint: 'SHA256:c',
  keyId: 'laptop',
  serial: '7',
  principals,
});

async function nameOf(people: People, evidence: Evidence): Promise<string | undefined> {
  const subject = await identifyAmong(people)(evidence, { address: undefined });
  return subject?.name;
}

test('a key is of its user, for git@ and for the login of that name', async () => {
  const { people, users, keys } = village();
  const key = (user: string, fingerprint = KEY): Evidence => ({ kind: 'ssh-key', user, fingerprint });
  assert.deepEqual(await identifyAmong(people)(key('git'), { address: undefined }), {
    name: 'alice',
    groups: ['team'],
    credential: { kind: 'ssh-key', id: KEY, scope: 'read' },
  });
  assert.equal(await nameOf(people, key('alice')), 'alice');
  assert.equal(await nameOf(people, key('bob')), undefined);
  assert.equal(await nameOf(people, key('')), undefined);
  assert.equal(await nameOf(people, key('git', 'SHA256:other')), undefined);
  keys.clear();
  assert.equal(await nameOf(people, key('git')), undefined);
  keys.set(KEY, 'alice');
  users.delete('alice');
  assert.equal(await nameOf(people, key('git')), undefined);
});

test('a certificate is for its principals: one user for git@, else the one who logs in', async () => {
  const { people } = village();
  assert.equal(await nameOf(people, certificateOf('git', 'alice')), 'alice');
  assert.equal(await nameOf(people, certificateOf('git', 'git', 'alice', 'nobody', 'alice')), 'alice');
  assert.equal(await nameOf(people, certificateOf('git', 'git')), undefined);
  assert.equal(await nameOf(people, certificateOf('git', 'alice', 'bob')), undefined);
  assert.equal(await nameOf(people, certificateOf('bob', 'alice', 'bob')), 'bob');
  assert.equal(await nameOf(people, certificateOf('bob', 'alice')), undefined);
  assert.equal(await nameOf(people, certificateOf('nobody', 'nobody')), undefined);
  assert.equal(await nameOf(people, certificateOf('git')), undefined);
});

test('tokens count whatever the user name, other passwords do not', async () => {
  const { people, give } = village();
  const secret = give('bob');
  assert.equal(await nameOf(people, { kind: 'token', user: '', secret }), 'bob');
  assert.equal(await nameOf(people, { kind: 'password', user: 'alice', secret }), 'bob');
  assert.equal(await nameOf(people, { kind: 'password', user: 'alice', secret: 'alice' }), undefined);
});

test('certificates of TLS by whom they are listed for, users of proxies by their names', async () => {
  const { people } = village();
  const tls = (subject: string): Evidence => ({
    kind: 'tls-certificate',
    user: '',
    subject,
    fingerprint: 'f',
  });
  assert.equal(await nameOf(people, tls('CN=alice')), 'alice');
  assert.equal(await nameOf(people, tls('CN=bob')), undefined);
  assert.equal(await nameOf(people, { kind: 'proxy', user: 'bob' }), 'bob');
  assert.equal(await nameOf(people, { kind: 'proxy', user: '' }), undefined);
  assert.equal(await nameOf(people, { kind: 'proxy', user: 'mallory, alice' }), undefined);
});

test('who somebody is can be asked again, until it is taken back', async () => {
  const { people, give, tokens, users } = village();
  const identities = new Identities(identifyAmong(people));
  const secret = give('alice');
  const subject = await identities.identify({ kind: 'token', user: '', secret }, { address: '::1' });
  assert.ok(subject);
  users.set('alice', ['other']);
  const again = await identities.again(subject);
  assert.deepEqual(again?.groups, ['other']);
  assert.deepEqual((await identities.again(again))?.groups, ['other']);
  tokens.clear();
  assert.equal(await identities.again(subject), undefined);
  assert.equal(await identities.again({ name: 'alice', groups: [] }), undefined);
  assert.equal(await identities.again(ANONYMOUS), ANONYMOUS);
});

test('what belongs to somebody else now, or stands no more, shows nothing', async () => {
  const { people, keys } = village();
  let stands = true;
  const identities = new Identities(identifyAmong(people));
  const evidence = { kind: 'ssh-key', user: 'git', fingerprint: KEY } as const;
  const subject = await identities.identify(evidence, { address: undefined }, () => stands);
  assert.ok(subject);
  stands = false;
  assert.equal(await identities.again(subject), undefined);
  stands = true;
  assert.equal((await identities.again(subject))?.name, 'alice');
  keys.set(KEY, 'bob');
  assert.equal(await identities.again(subject), undefined);
});

test('failures of secrets are counted by what is not secret', async () => {
  const { people, give } = village();
  const attempts: unknown[] = [];
  const identities = new Identities(identifyAmong(people), (attempt, verify) => {
    attempts.push(attempt);
    return verify();
  });
  const secret = give('alice');
  const at = { address: '::1' };
  await identities.identify({ kind: 'token', user: 'x', secret }, at);
  await identities.identify({ kind: 'password', user: 'bob', secret: 'guess' }, at);
  await identities.identify({ kind: 'token', user: '', secret: 'guess' }, at);
  await identities.identify({ kind: 'ssh-key', user: 'git', fingerprint: KEY }, at);
  assert.deepEqual(attempts, [
    { address: '::1', user: parseAccessToken(secret)?.id },
    { address: '::1', user: 'bob' },
    { address: '::1', user: undefined },
  ]);
});

test('refs change only for those who are still who they were', async () => {
  const { people, give, tokens, users } = village();
  const identities = new Identities(identifyAmong(people));
  const rules = createRuleAuthorizer(() => [
    { repositories: ['app'], subjects: ['@team'], allow: ['read', 'write'] },
  ]);
  const authorizer = createWatchfulAuthorizer(rules, identities);
  const secret = give('alice');
  const subject = await identities.identify({ kind: 'token', user: '', secret }, { address: undefined });
  assert.ok(subject);
  const request = { subject, repository: 'app', operation: 'push', transport: 'http' } as const;
  assert.equal((await authorizer.decide(request)).allowed, true);
  const changes = [{ name: 'refs/heads/main', kind: 'create', oldId: '0', newId: '1' }] as const;
  assert.deepEqual(await authorizer.decideChanges(request, changes), [undefined]);
  users.set('alice', []);
  assert.deepEqual(await authorizer.decideChanges(request, changes), ['you may not write this ref']);
  tokens.clear();
  assert.deepEqual(await authorizer.decideChanges(request, changes), [
    'what you logged in with is not valid any more',
  ]);
});
