import assert from 'node:assert/strict';
import test from 'node:test';
import { GitError } from '../../../src/core/errors.ts';
import type { PushContext } from '../../../src/repository/push/hooks.ts';
import { refCommand } from '../../../src/repository/push/ref-command.ts';
import type { Application } from '../../../src/server/access/application.ts';
import type { AccessRequest } from '../../../src/server/access/authorizer.ts';
import { PushNotifier, type PushNotifierOptions } from '../../../src/server/access/push-notifier.ts';

interface Told {
  readonly id: string;
  readonly repository: string;
  readonly subject: { readonly name: string };
  readonly pushOptions: readonly string[];
  readonly changes: readonly { readonly name: string }[];
}

function notifier(hear: (told: Told) => Promise<unknown>, options: Partial<PushNotifierOptions> = {}) {
  const failures: { code: unknown; repository: string }[] = [];
  const application = {
    askPatiently: (_question: string, body: Told, { signal }: { signal: AbortSignal }) =>
      Promise.race([
        hear(JSON.parse(JSON.stringify(body)) as Told),
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      ]),
  } as unknown as Application;
  const made = new PushNotifier({
    application,
    onError: (error, repository) => void failures.push({ code: (error as GitError).code, repository }),
    ...options,
  });
  return { notifier: made, failures };
}

function push(repository: string, ...names: readonly string[]): PushContext {
  const subject = { name: 'alice', groups: [] };
  const request: AccessRequest = { subject, repository, operation: 'push', transport: 'ssh' };
  return {
    principal: { subject, request },
    commands: names.map((name) => refCommand(name, '0'.repeat(40), '1'.repeat(40))),
    pushOptions: ['ci.skip\n; rm'],
    atomic: false,
  } as unknown as PushContext;
}

test('the application hears who pushed what, where', async () => {
  const heard: Told[] = [];
  const { notifier: telling, failures } = notifier(async (told) => void heard.push(told));
  telling.notify(push('team/app', 'refs/heads/a', 'refs/heads/b'));
  await telling.drain(1_000);
  const { id, ...told } = heard[0] as Told & { readonly at?: unknown };
  assert.match(id, /^[0-9a-f-]{36}$/);
  delete (told as { at?: unknown }).at;
  const ids = { kind: 'create', oldId: '0'.repeat(40), newId: '1'.repeat(40) };
  assert.deepEqual(told, {
    subject: { name: 'alice', groups: [] },
    repository: 'team/app',
    operation: 'push',
    transport: 'ssh',
    atomic: false,
    pushOptions: ['ci.skip\n; rm'],
    changes: [
      { name: 'refs/heads/a', ...ids },
      { name: 'refs/heads/b', ...ids },
    ],
  });
  assert.deepEqual(failures, []);
});

test('pushes of one repository are told in their order, and hold up no other', async () => {
  const heard: string[] = [];
  let letGo = (): void => undefined;
  const slow = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const { notifier: telling } = notifier(async ({ repository, changes }) => {
    if (repository === 'slow') await slow;
    heard.push(`${repository} ${changes[0]?.name}`);
  });
  telling.notify(push('slow', 'one'));
  telling.notify(push('slow', 'two'));
  telling.notify(push('quick', 'one'));
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(heard, ['quick one']);
  letGo();
  await telling.drain(1_000);
  assert.deepEqual(heard, ['quick one', 'slow one', 'slow two']);
});

test('what cannot be told is said, and nothing is thrown at the push', async () => {
  const { notifier: telling, failures } = notifier(() => Promise.reject(new GitError('OVERLOADED', 'away')));
  telling.notify(push('team/app', 'refs/heads/a'));
  telling.notify({ ...push('team/app', 'refs/heads/a'), principal: 'somebody' });
  await telling.drain(1_000);
  assert.deepEqual(failures, [
    { code: 'INVALID_ARGUMENT', repository: '' },
    { code: 'OVERLOADED', repository: 'team/app' },
  ]);
});

test('what waits is bounded, and given up when the server ends', async () => {
  const { notifier: telling, failures } = notifier(() => new Promise(() => undefined), {
    maxWaitingChanges: 3,
  });
  for (const name of ['a', 'b', 'c', 'd']) telling.notify(push(name, 'refs/heads/main'));
  assert.deepEqual(failures, [{ code: 'LIMIT_EXCEEDED', repository: 'd' }]);
  await telling.drain(5);
  assert.deepEqual(
    failures.slice(1).map(({ code }) => code),
    ['ABORTED', 'ABORTED', 'ABORTED'],
  );
});
