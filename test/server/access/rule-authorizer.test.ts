import assert from 'node:assert/strict';
import test from 'node:test';
import type { AccessRule } from '../../../src/server/access/access-rules.ts';
import type { AccessRequest, RefChange } from '../../../src/server/access/authorizer.ts';
import { createRuleAuthorizer } from '../../../src/server/access/rule-authorizer.ts';
import { ANONYMOUS, type Credential, type Subject } from '../../../src/server/access/subject.ts';

const ID = '1'.repeat(40);
const alice: Subject = { name: 'alice', groups: ['devs'] };
const bob: Subject = { name: 'bob', groups: [] };
const NOW = Date.parse('2030-01-01T00:00:00Z');

const rules: readonly AccessRule[] = [
  { repositories: ['open/**'], subjects: ['@all'], allow: ['read'] },
  { repositories: ['team/*'], subjects: ['@devs'], allow: ['read', 'write', 'force', 'delete', 'create'] },
  { repositories: ['team/*'], subjects: ['bob'], allow: ['read'] },
  { repositories: ['team/*'], subjects: ['bob'], refs: ['refs/heads/bob/**'], allow: ['write', 'force'] },
  { repositories: ['**'], subjects: ['@all'], refs: ['refs/heads/main'], deny: ['force', 'delete'] },
  { repositories: ['team/secret'], subjects: ['alice'], deny: ['admin'] },
  { repositories: ['team/secret'], subjects: ['alice'], deny: ['read', 'write'] },
];
const authorizer = createRuleAuthorizer(
  () => rules,
  () => NOW,
);

const ask = (subject: Subject, operation: AccessRequest['operation'], repository: string): AccessRequest => ({
  subject,
  operation,
  repository,
  transport: 'http',
});
const change = (name: string, kind: RefChange['kind'], forced = false): RefChange => ({
  name,
  kind,
  oldId: ID,
  newId: ID,
  forced,
});

async function outcome(request: AccessRequest): Promise<string> {
  const decision = await authorizer.decide(request);
  if (decision.allowed) return 'allowed';
  return decision.visible ? 'refused' : 'invisible';
}

test('rules give, and what no rule gives is refused', async () => {
  assert.equal(await outcome(ask(ANONYMOUS, 'fetch', 'open/app')), 'allowed');
  assert.equal(await outcome(ask(ANONYMOUS, 'archive', 'open/app')), 'allowed');
  assert.equal(await outcome(ask(ANONYMOUS, 'push', 'open/app')), 'refused');
  assert.equal(await outcome(ask(ANONYMOUS, 'fetch', 'team/app')), 'invisible');
  assert.equal(await outcome(ask(alice, 'push', 'team/app')), 'allowed');
  assert.equal(await outcome(ask(alice, 'administer', 'team/app')), 'refused');
});

test('one permission for some refs is enough to begin a push', async () => {
  assert.equal(await outcome(ask(bob, 'push', 'team/app')), 'allowed');
  const request = ask(bob, 'push', 'team/app');
  const changes = [
    change('refs/heads/bob/idea', 'create'),
    change('refs/heads/bob/idea', 'update', true),
    change('refs/heads/bob/idea', 'delete'),
    change('refs/heads/main', 'update'),
  ];
  assert.deepEqual(await authorizer.decideChanges(request, changes), [
    undefined,
    undefined,
    'you may not delete this ref',
    'you may not write this ref',
  ]);
});

test('a branch is protected by a rule that denies, whoever else was allowed', async () => {
  const changes = [
    change('refs/heads/main', 'update'),
    change('refs/heads/main', 'update', true),
    change('refs/heads/main', 'delete'),
    change('refs/heads/other', 'update', true),
  ];
  assert.deepEqual(await authorizer.decideChanges(ask(alice, 'push', 'team/app'), changes), [
    undefined,
    'you may not rewrite this ref',
    'you may not delete this ref',
    undefined,
  ]);
});

test('what is denied is denied, and not seen', async () => {
  assert.equal(await outcome(ask(alice, 'fetch', 'team/secret')), 'invisible');
  assert.equal(await outcome(ask(alice, 'push', 'team/secret')), 'invisible');
});

test('making a repository is a permission of its own', async () => {
  assert.equal(await outcome({ ...ask(alice, 'push', 'team/new'), create: true }), 'allowed');
  assert.equal(await outcome({ ...ask(bob, 'push', 'team/new'), create: true }), 'refused');
});

const withCredential = (credential: Partial<Credential>): Subject => ({
  ...alice,
  credential: { kind: 'token', id: 'x', ...credential },
});

test('a credential can only take away', async () => {
  assert.equal(await outcome(ask(withCredential({ scope: 'read' }), 'push', 'team/app')), 'refused');
  assert.equal(await outcome(ask(withCredential({ scope: 'read' }), 'fetch', 'team/app')), 'allowed');
  assert.equal(await outcome(ask(withCredential({ scope: 'admin' }), 'administer', 'team/app')), 'refused');
  const elsewhere = withCredential({ repositories: ['other/*'] });
  assert.equal(await outcome(ask(elsewhere, 'fetch', 'team/app')), 'invisible');
});

test('one that expires during a push ends it', async () => {
  const request = ask(withCredential({ expiresAt: NOW }), 'push', 'team/app');
  assert.equal(await outcome(request), 'invisible');
  assert.deepEqual(await authorizer.decideChanges(request, [change('refs/heads/a', 'create')]), [
    'The token x has expired',
  ]);
});
