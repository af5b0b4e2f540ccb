import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { GitError } from '../../../src/core/errors.ts';
import { nodeRuntime } from '../../../src/core/node/runtime.ts';
import { createMemoryRepository } from '../../../src/repository/memory-repository.ts';
import type { ProposedUpdate, PushContext } from '../../../src/repository/push/hooks.ts';
import { refCommand } from '../../../src/repository/push/ref-command.ts';
import type { AccessRule } from '../../../src/server/access/access-rules.ts';
import type { AccessRequest, Authorizer } from '../../../src/server/access/authorizer.ts';
import type { Admitted } from '../../../src/server/access/http-access.ts';
import { createPushAuthorization } from '../../../src/server/access/push-authorization.ts';
import { createRuleAuthorizer } from '../../../src/server/access/rule-authorizer.ts';
import type { Subject } from '../../../src/server/access/subject.ts';

const ZERO = '0'.repeat(40);
const [ONE, TWO] = ['1'.repeat(40), '2'.repeat(40)];
const alice: Subject = { name: 'alice', groups: [] };

const rules: readonly AccessRule[] = [
  { repositories: ['team/*'], subjects: ['alice'], allow: ['read', 'write', 'force', 'delete'] },
  { repositories: ['**'], subjects: ['@all'], refs: ['refs/heads/main'], deny: ['force', 'delete', 'write'] },
];

function admitted(subject: Subject = alice): Admitted {
  const request: AccessRequest = { subject, repository: 'team/app', operation: 'push', transport: 'http' };
  return { subject, request };
}

const create = (name: string): ProposedUpdate => ({
  command: refCommand(name, ZERO, ONE),
  forced: undefined,
});
const update = (name: string, forced?: boolean): ProposedUpdate => ({
  command: refCommand(name, ONE, TWO),
  forced,
});
const deletion = (name: string): ProposedUpdate => ({
  command: refCommand(name, ONE, ZERO),
  forced: undefined,
});

async function push(principal: unknown, symbolic: Readonly<Record<string, string>> = {}) {
  const repository = createMemoryRepository({ runtime: nodeRuntime });
  for (const [name, target] of Object.entries(symbolic)) await repository.refs.setSymbolic(name, target);
  return { repository, principal } as unknown as PushContext;
}

async function refusals(
  updates: readonly ProposedUpdate[],
  {
    authorizer = createRuleAuthorizer(() => rules),
    principal = admitted(),
    symbolic = {},
    timeoutMs = 1_000,
  }: {
    readonly authorizer?: Authorizer;
    readonly principal?: unknown;
    readonly symbolic?: Readonly<Record<string, string>>;
    readonly timeoutMs?: number;
  } = {},
) {
  const errors: unknown[] = [];
  const ask = createPushAuthorization({ authorizer, timeoutMs, onError: (error) => void errors.push(error) });
  const answers = await ask(updates, await push(principal, symbolic), {});
  return { reasons: answers.map((answer) => answer && (answer.reason ?? 'refused')), errors };
}

const answering = (decideChanges: Authorizer['decideChanges']): Authorizer => ({
  decide: () => Promise.resolve({ allowed: true }),
  decideChanges,
});

test('each change has its answer', async () => {
  const { reasons } = await refusals([
    create('refs/heads/new'),
    update('refs/heads/new', true),
    deletion('refs/heads/old'),
    update('refs/heads/main'),
    deletion('refs/heads/main'),
  ]);
  assert.deepEqual(reasons, [
    undefined,
    undefined,
    undefined,
    'you may not write this ref',
    'you may not delete this ref',
  ]);
});

test('what rewrites history is known when the pack has come', async () => {
  const forward: readonly AccessRule[] = [{ repositories: ['**'], subjects: ['alice'], allow: ['write'] }];
  const authorizer = createRuleAuthorizer(() => forward);
  assert.deepEqual((await refusals([update('refs/heads/a')], { authorizer })).reasons, [undefined]);
  assert.deepEqual((await refusals([update('refs/heads/a', false)], { authorizer })).reasons, [undefined]);
  assert.deepEqual((await refusals([update('refs/heads/a', true)], { authorizer })).reasons, [
    'you may not rewrite this ref',
  ]);
});

test('a symbolic ref is no way around the rule for the ref that it leads to', async () => {
  const symbolic = {
    'refs/heads/master': 'refs/heads/trunk',
    'refs/heads/trunk': 'refs/heads/main',
    'refs/heads/other': 'refs/heads/free',
  };
  for (const updates of [
    [create('refs/heads/master')],
    [create('refs/heads/free'), update('refs/heads/master'), deletion('refs/heads/other')],
  ]) {
    const { reasons } = await refusals(updates, { symbolic });
    const expected = updates.map(({ command: { name } }) =>
      name === 'refs/heads/master' ? 'you may not write this ref' : undefined,
    );
    assert.deepEqual(reasons, expected);
  }
});

test('who did not come through an authorizer may not push', async () => {
  const { subject, request } = admitted();
  const others: readonly unknown[] = [
    undefined,
    null,
    '',
    'alice',
    {},
    alice,
    { subject },
    { request },
    { subject: { ...subject, name: 'root' }, request },
  ];
  for (const principal of others) {
    assert.deepEqual((await refusals([create('refs/heads/a')], { principal: principal ?? null })).reasons, [
      'not authorized',
    ]);
  }
});

test('an authorizer that fails, lies about its length or never answers allows nothing', async () => {
  const unclear: readonly [Authorizer['decideChanges'], string][] = [
    [() => Promise.reject(new Error('the password of the database')), 'not authorized'],
    [
      () => Promise.reject(new GitError('OVERLOADED', 'later')),
      'cannot decide about access now, try again later',
    ],
    [
      () => {
        throw new Error('at once');
      },
      'not authorized',
    ],
    [() => Promise.resolve([]), 'not authorized'],
    [() => Promise.resolve([undefined]), 'not authorized'],
    [() => Promise.resolve([undefined, undefined, undefined]), 'not authorized'],
    [() => Promise.resolve([null, false] as never), 'not authorized'],
    [() => Promise.resolve({ length: 2, 0: 0, 1: 0 } as never), 'not authorized'],
    [() => new Promise(() => undefined), 'cannot decide about access now, try again later'],
  ];
  for (const [decideChanges, reason] of unclear) {
    const authorizer = answering(decideChanges);
    const updates = [create('refs/heads/a'), create('refs/heads/b')];
    const { reasons } = await refusals(updates, { authorizer, timeoutMs: 20 });
    assert.deepEqual(reasons, [reason, reason]);
  }
});

test('what it failed of is for the log', async () => {
  const failure = new Error('the password of the database');
  const authorizer = answering(() => Promise.reject(failure));
  const { reasons, errors } = await refusals([create('refs/heads/a')], { authorizer });
  assert.deepEqual([reasons, errors], [['not authorized'], [failure]]);
});

test('a pusher that goes away ends the question', async () => {
  const gone = new AbortController();
  let heard: AbortSignal | undefined;
  const authorizer = answering((_request, _changes, options) => {
    heard = options?.signal;
    return new Promise(() => undefined);
  });
  const asking = createPushAuthorization({ authorizer })([create('refs/heads/a')], await push(admitted()), {
    signal: gone.signal,
  });
  setTimeout(() => gone.abort(), 5);
  await assert.rejects(asking, { code: 'ABORTED' });
  assert.equal(heard?.aborted, true);
});

test('what is refused by name is refused by every name that leads there, and nothing else is', async () => {
  const names = ['a', 'b', 'c', 'd', 'main'].map((name) => `refs/heads/${name}`);
  const links = fc.uniqueArray(fc.tuple(fc.constantFrom(...names.slice(0, 4)), fc.constantFrom(...names)), {
    selector: ([from]) => from,
  });
  await fc.assert(
    fc.asyncProperty(
      links,
      fc.uniqueArray(fc.constantFrom(...names), { minLength: 1 }),
      async (pairs, pushed) => {
        const symbolic = Object.fromEntries(pairs);
        const { reasons } = await refusals(pushed.map(create), { symbolic });
        const leadsToMain = (name: string): boolean => {
          let at: string | undefined = name;
          for (let depth = 0; depth <= 5 && at !== undefined; depth++) {
            if (at === 'refs/heads/main') return true;
            at = symbolic[at];
          }
          return false;
        };
        assert.deepEqual(
          reasons.map((reason) => reason !== undefined),
          pushed.map(leadsToMain),
        );
      },
    ),
  );
});
