/** What real git does when there is no room for it, and what applications are told of who asks. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import test from 'node:test';
import { GitError } from '../../src/core/errors.ts';
import { reject } from '../../src/repository/push/hooks.ts';
import type { ClientWork } from '../../src/transport/client-work.ts';
import { gitAsync } from '../support/git.ts';
import { assertClean, commit, ok, scene } from './scene.ts';

const SENTENCE = 'The server is busy; try again later';

/** Refuses the kinds of work in `closed`, and notes what was asked and what became of it. */
function door(code: 'OVERLOADED' | 'RATE_LIMITED' = 'OVERLOADED') {
  const closed = new Set<string>();
  const log: string[] = [];
  let takenBytes = 0;
  const admit = async ({ kind, name, principal }: ClientWork) => {
    log.push(`${kind} ${name} ${String(principal)}`);
    if (closed.has(kind)) throw new GitError(code, SENTENCE, { retryAfterSeconds: 3 });
    return {
      take: (sizeBytes: number) => {
        takenBytes += sizeBytes;
      },
      release: (kept?: boolean) => void log.push(kept === undefined ? 'released' : `released ${kept}`),
    };
  };
  return { closed, log, admit, takenBytes: () => takenBytes };
}

test('clone, fetch and push ask for room, each once', async (t) => {
  const { log, admit, takenBytes } = door();
  const authorize = async () => ({ allow: true, principal: 'alice' }) as const;
  const { directory, work, remote } = await scene(t, { admit, authorize });
  await ok(gitAsync(work, 'push', '-q', remote, 'main'));
  assert.ok(takenBytes() > 0);
  await ok(gitAsync(directory, 'clone', '-q', remote, 'copy'));
  commit(work, 'four');
  await ok(gitAsync(work, 'push', '-q', remote, 'main'));
  await ok(gitAsync(`${directory}/copy`, 'fetch', '-q'));
  await ok(gitAsync(`${directory}/copy`, '-c', 'protocol.version=0', 'fetch', '-q', '--refetch'));
  assert.deepEqual(log, [
    ...['push team/hello.git alice', 'released true'],
    ...['clone team/hello.git alice', 'released'],
    ...['push team/hello.git alice', 'released true'],
    ...['fetch team/hello.git alice', 'released'],
    ...['clone team/hello.git alice', 'released'],
  ]);
});

for (const [code, status] of [
  ['OVERLOADED', 503],
  ['RATE_LIMITED', 429],
] as const) {
  test(`git is told ${status} when its clone or push is refused: ${code}`, async (t) => {
    const { closed, admit } = door(code);
    const { directory, work, remote, server, stored } = await scene(t, { admit });
    await ok(gitAsync(work, 'push', '-q', remote, 'main'));
    for (const kind of ['clone', 'fetch', 'push']) closed.add(kind);

    for (const version of ['0', '2']) {
      const clone = await gitAsync(
        directory,
        '-c',
        `protocol.version=${version}`,
        'clone',
        remote,
        `c${version}`,
      );
      assert.notEqual(clone.status, 0);
      assert.match(clone.stderr, new RegExp(`The requested URL returned error: ${status}`));
    }
    await ok(gitAsync(directory, 'ls-remote', remote));

    // The small one is sent whole; of the large one most is still to come when it is refused.
    for (const sizeBytes of [1000, 12_000_000]) {
      commit(work, `random-${sizeBytes}`, randomBytes(sizeBytes));
      const push = await gitAsync(work, 'push', remote, 'main');
      assert.notEqual(push.status, 0);
      assert.match(push.stderr, new RegExp(`The requested URL returned error: ${status}`));
    }
    assertClean(stored);

    const answer = await fetch(`${remote}/git-upload-pack`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-git-upload-pack-request', 'git-protocol': 'version=2' },
      body: fetchRequest((await ok(gitAsync(work, 'ls-remote', remote, 'main'))).stdout.slice(0, 40)),
    });
    assert.equal(answer.status, status);
    assert.equal(answer.headers.get('retry-after'), '3');
    assert.equal(await answer.text(), `${SENTENCE}\n`);

    closed.clear();
    await ok(gitAsync(work, 'push', '-q', remote, 'main'));
    assert.equal(server.openCount(), 0);
  });
}

function fetchRequest(want: string): string {
  const line = (text: string): string => (text.length + 4).toString(16).padStart(4, '0') + text;
  return `${line('command=fetch')}${line('object-format=sha1')}0001${line(`want ${want}`)}${line('done')}0000`;
}

test('a push whose bytes are refused on the way is told why', async (t) => {
  const { work, remote, stored } = await scene(t, {
    admit: async () => ({
      take: () => {
        throw new GitError('LIMIT_EXCEEDED', 'This repository may take no more than 5 bytes');
      },
      release: () => undefined,
    }),
  });
  const push = await gitAsync(work, 'push', remote, 'main');
  assert.match(push.stderr, /remote: error: This repository may take no more than 5 bytes/);
  assert.match(push.stderr, /\[remote rejected\] main -> main \(unpacker error\)/);
  assertClean(stored);
});

test('rewriting a branch is refused to those who may only add to it', async (t) => {
  const asked: string[] = [];
  const { work, remote, stored } = await scene(t, {
    authorize: async () => ({ allow: true, principal: 'alice' }),
    push: {
      authorizeUpdates: async (updates, { principal }) =>
        updates.map(({ command: { name, kind }, forced }) => {
          asked.push(`${String(principal)} ${kind} ${name} ${forced}`);
          return forced && name !== 'refs/heads/free' ? reject('you may not rewrite this ref') : undefined;
        }),
    },
  });
  await ok(gitAsync(work, 'push', '-q', remote, 'main', 'main:free', 'v1'));
  await ok(gitAsync(work, 'reset', '-q', '--hard', 'HEAD^'));
  commit(work, 'instead');
  const push = await gitAsync(work, 'push', '--force', remote, 'main', 'main:free');
  assert.match(push.stderr, /! \[remote rejected\] main -> main \(you may not rewrite this ref\)/);
  assert.match(push.stderr, /\+ .* main -> free \(forced update\)/);
  assert.deepEqual(asked.slice(3), [
    'alice update refs/heads/free undefined',
    'alice update refs/heads/main undefined',
    'alice update refs/heads/free true',
    'alice update refs/heads/main true',
  ]);
  await ok(gitAsync(work, 'tag', '-f', '-am', 'second', 'v1'));
  const tag = await gitAsync(work, 'push', '--force', remote, 'v1');
  assert.match(tag.stderr, /! \[remote rejected\] v1 -> v1 \(you may not rewrite this ref\)/);
  const atomic = await gitAsync(work, 'push', '--atomic', '--force', remote, 'main', 'main:new');
  assert.match(atomic.stderr, /main -> new \(atomic push failure\)/);
  assertClean(stored);
});

test('a client that goes away does not wait any longer, and leaves nothing open', async (t) => {
  let stopped: (() => void) | undefined;
  let asked: (() => void) | undefined;
  const hasStopped = new Promise<void>((resolve) => {
    stopped = resolve;
  });
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const late: boolean[] = [];
  const { work, remote, server } = await scene(t, {
    admit: async ({ kind }, { signal }) => {
      if (kind === 'push') return { release: () => undefined };
      asked?.();
      await new Promise((resolve) => signal?.addEventListener('abort', resolve));
      stopped?.();
      return { release: () => void late.push(true) };
    },
  });
  await ok(gitAsync(work, 'push', '-q', remote, 'main'));
  const leaving = new AbortController();
  const answer = fetch(`${remote}/git-upload-pack`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-git-upload-pack-request', 'git-protocol': 'version=2' },
    body: fetchRequest((await ok(gitAsync(work, 'ls-remote', remote, 'main'))).stdout.slice(0, 40)),
    signal: leaving.signal,
  });
  await isAsked;
  leaving.abort();
  await assert.rejects(answer);
  await hasStopped;
  while (server.openCount() > 0 || late.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(late, [true]);
});
