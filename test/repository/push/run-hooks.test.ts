import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reject } from '../../../src/repository/push/hooks.ts';
import { askHook, untilAborted } from '../../../src/repository/push/run-hooks.ts';

const never = new AbortController().signal;
const noError = (error: unknown): void => assert.fail(String(error));

test('a hook that says nothing agrees', async () => {
  assert.equal(await askHook(async () => {}, 'hook declined', never, noError), undefined);
  assert.equal(await askHook(() => undefined, 'hook declined', never, noError), undefined);
});

test('a rejection gives its reason, on one line, or the default', async () => {
  assert.equal(await askHook(async () => reject('frozen'), 'hook declined', never, noError), 'frozen');
  assert.equal(await askHook(async () => reject(), 'hook declined', never, noError), 'hook declined');
  assert.equal(await askHook(async () => reject(' '), 'hook declined', never, noError), 'hook declined');
  assert.equal(await askHook(async () => reject('a\nng b'), 'no', never, noError), 'a?ng b');
});

test('a hook that throws, at once or later, declines; what it threw goes to the log only', async () => {
  const errors: unknown[] = [];
  const log = (error: unknown): void => void errors.push(error);
  const failure = new Error('/secret/path');
  const throwing = (): never => {
    throw failure;
  };
  assert.equal(await askHook(throwing, 'hook declined', never, log), 'hook declined');
  assert.equal(await askHook(async () => throwing(), 'hook declined', never, log), 'hook declined');
  assert.deepEqual(errors, [failure, failure]);
});

test('a hook that hangs is left to itself when the signal fires', async () => {
  const controller = new AbortController();
  const hanging = askHook(() => new Promise<void>(() => {}), 'hook declined', controller.signal, noError);
  controller.abort();
  await assert.rejects(hanging, { code: 'ABORTED' });
  await assert.rejects(
    askHook(async () => {}, 'no', controller.signal, noError),
    { code: 'ABORTED' },
  );
});

test('untilAborted() passes results and failures on', async () => {
  assert.equal(await untilAborted(Promise.resolve(1), never), 1);
  await assert.rejects(untilAborted(Promise.reject(new Error('x')), never), { message: 'x' });
});
