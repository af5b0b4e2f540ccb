/** What real git says over git:// when there is no room for it. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { GitError } from '../../../src/core/errors.ts';
import { DEFAULT_LIMITS } from '../../../src/core/limits.ts';
import { serveDaemonConnection } from '../../../src/transport/git-daemon/serve-connection.ts';
import { listenGitDaemon } from '../../../src/transport/node/git-daemon-listener.ts';
import { git, gitAsync, scratchDirectory } from '../../support/git.ts';
import { memoryHistory } from '../../support/memory-history.ts';

test('git prints the sentence that refuses its clone, fetch or push', async (t) => {
  const { repository } = await memoryHistory();
  const directory = await scratchDirectory(t);
  const asked: string[] = [];
  const server = await listenGitDaemon({
    host: '127.0.0.1',
    port: 0,
    requestTimeoutMs: 0,
    idleTimeoutMs: 10_000,
    maxConnections: 0,
    serve: (input, context) =>
      serveDaemonConnection(
        input,
        {
          limits: DEFAULT_LIMITS,
          open: async () => ({ repository }),
          admit: async ({ kind, client }) => {
            asked.push(`${kind} ${client?.address}`);
            throw new GitError('OVERLOADED', 'The server is busy; try again later', { retryAfterSeconds: 3 });
          },
        },
        context,
      ),
  });
  t.after(() => server.drain(0));
  const url = `${server.url}/app`;
  for (const version of ['0', '1', '2']) {
    const clone = await gitAsync(directory, '-c', `protocol.version=${version}`, 'clone', url, `c${version}`);
    assert.equal(clone.status, 128);
    assert.match(clone.stderr, /fatal: remote error: The server is busy; try again later/);
  }
  git(directory, 'init', '-q', '-b', 'main', 'work');
  const work = `${directory}/work`;
  git(work, 'commit', '-q', '--allow-empty', '-m', 'one');
  const push = await gitAsync(work, 'push', url, 'main:new');
  assert.notEqual(push.status, 0);
  assert.match(push.stderr, /The server is busy; try again later/);
  assert.deepEqual(asked, [...Array.from({ length: 3 }, () => 'clone 127.0.0.1'), 'push 127.0.0.1']);
});
