import assert from 'node:assert/strict';
import test from 'node:test';
import { reject } from '../../src/repository/push/hooks.ts';
import { gitAsync } from '../support/git.ts';
import { assertClean, ok, scene } from './scene.ts';

test('git shows what the server says when it refuses', async (t) => {
  const { work, remote, server } = await scene(t, {
    authorize: async ({ operation, name, request }) => {
      if (name.startsWith('private')) {
        const { headers } = request;
        if (headers.get('authorization') === `Basic ${btoa('me:secret')}`)
          return { allow: true, principal: 'me' };
        return {
          allow: false,
          status: 401,
          message: 'Who?',
          headers: { 'www-authenticate': 'Basic realm="x"' },
        };
      }
      return operation === 'fetch'
        ? { allow: true }
        : { allow: false, status: 403, message: 'This archive takes no pushes' };
    },
  });
  const absent = await gitAsync(work, 'ls-remote', `${server.url}/absent.git`);
  assert.match(absent.stderr, /remote: Repository not found/);
  assert.match(absent.stderr, /fatal: repository .* not found/);

  const refused = await gitAsync(work, 'push', remote, 'main');
  assert.match(refused.stderr, /remote: This archive takes no pushes/);
  assert.match(refused.stderr, /403/);

  const wrong = await gitAsync(work, 'ls-remote', `http://me:wrong@127.0.0.1:${server.port}/private.git`);
  assert.match(wrong.stderr, /Authentication failed/);
  await ok(gitAsync(work, 'push', '-q', `http://me:secret@127.0.0.1:${server.port}/private.git`, 'main'));
});

test('hooks hear of a push and have their say', async (t) => {
  const heard: string[] = [];
  const { work, remote, stored } = await scene(t, {
    authorize: async () => ({ allow: true, principal: 'A U Thor' }),
    hooks: {
      async preReceive({ commands, principal, say, pushOptions }) {
        say(`hello ${String(principal)} ${pushOptions.join()}`);
        return commands.some(({ name }) => name.endsWith('frozen')) ? reject('it is frozen') : undefined;
      },
      async postReceive({ commands }) {
        heard.push(...commands.map(({ kind, name }) => `${kind} ${name}`));
      },
    },
  });
  const pushed = await ok(gitAsync(work, 'push', '-o', 'a=b', remote, 'main'));
  assert.match(pushed.stderr, /remote: hello A U Thor a=b/);
  const refused = await gitAsync(work, 'push', remote, 'main:frozen');
  assert.match(refused.stderr, /\[remote rejected\] main -> frozen \(it is frozen\)/);
  assert.deepEqual(heard, ['create refs/heads/main']);
  assertClean(stored);
});
