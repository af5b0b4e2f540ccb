import assert from 'node:assert/strict';
import test from 'node:test';
import type { AccessRequest } from '../../../src/server/access/authorizer.ts';
import { decideAccess } from '../../../src/server/access/decide-access.ts';
import { createRuleAuthorizer } from '../../../src/server/access/rule-authorizer.ts';
import { ANONYMOUS } from '../../../src/server/access/subject.ts';

const alice = { name: 'alice', groups: [] };
const bob = { name: 'bob', groups: [] };
const authorizer = createRuleAuthorizer(() => [
  { repositories: ['**'], subjects: ['@users'], allow: ['read', 'write'] },
  { repositories: ['**'], subjects: ['alice'], allow: ['create'] },
]);

async function outcome(
  subject: AccessRequest['subject'],
  operation: AccessRequest['operation'],
  isThere: boolean,
) {
  let looked = 0;
  const mustMake = async (): Promise<boolean> => {
    looked++;
    return !isThere;
  };
  const asked: AccessRequest = { subject, repository: 'a', operation, transport: 'http' };
  const { request, decision } = await decideAccess(authorizer, asked, mustMake, {});
  return { allowed: decision.allowed, create: request.create === true, looked };
}

test('a repository is looked for only for those who may push to it', async () => {
  assert.deepEqual(await outcome(ANONYMOUS, 'push', false), { allowed: false, create: false, looked: 0 });
  assert.deepEqual(await outcome(bob, 'fetch', false), { allowed: true, create: false, looked: 0 });
  assert.deepEqual(await outcome(bob, 'push', true), { allowed: true, create: false, looked: 1 });
});

test('one that is not there is made only by those who may make it', async () => {
  assert.deepEqual(await outcome(bob, 'push', false), { allowed: false, create: true, looked: 1 });
  assert.deepEqual(await outcome(alice, 'push', false), { allowed: true, create: true, looked: 1 });
});
