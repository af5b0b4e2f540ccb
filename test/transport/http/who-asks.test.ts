/** What applications are told of the client with each of their callbacks. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { streamOf } from '../../../src/core/byte-stream.ts';
import { concatBytes, encodeText } from '../../../src/core/bytes.ts';
import { GitError } from '../../../src/core/errors.ts';
import { nodeRuntime } from '../../../src/core/node/runtime.ts';
import { encodePacket, FLUSH_PACKET } from '../../../src/protocol/pkt-line.ts';
import { createMemoryRepository } from '../../../src/repository/memory-repository.ts';
import type { ClientWork } from '../../../src/transport/client-work.ts';
import { createGitServer } from '../../../src/transport/http/git-server.ts';
import type { GitServerOptions, HttpClient } from '../../../src/transport/http/options.ts';

const CLIENT: HttpClient = {
  address: '192.0.2.7',
  certificate: { subject: 'CN=alice', fingerprint: 'AB:CD' },
  proxyUser: 'alice',
};
const ARCHIVE = concatBytes(encodePacket('argument --list\n'), FLUSH_PACKET);

function exchange(
  options: Partial<GitServerOptions>,
  method: string,
  target: string,
  client?: HttpClient,
  body: Uint8Array = ARCHIVE,
) {
  const service = /git-[a-z]+-[a-z]+$/.exec(target)?.[0] ?? '';
  const git = createGitServer({
    repositories: async () => createMemoryRepository({ runtime: nodeRuntime }),
    ...options,
  });
  const headers = { 'content-type': `application/x-${service}-request` };
  return git.exchange({
    request: new Request(`http://h${target}`, { method, headers }),
    body: streamOf(body),
    signal: new AbortController().signal,
    client,
  });
}

for (const [method, target, operation] of [
  ['GET', '/a.git/info/refs?service=git-upload-pack', 'fetch'],
  ['GET', '/a.git/info/refs?service=git-receive-pack', 'push'],
  ['GET', '/a.git/HEAD', 'fetch'],
  ['POST', '/a.git/git-upload-pack', 'fetch'],
  ['POST', '/a.git/git-receive-pack', 'push'],
  ['POST', '/a.git/git-upload-archive', 'archive'],
] as const) {
  test(`${method} ${target} is asked about as ${operation}, with the client and then with its principal`, async () => {
    for (const client of [CLIENT, undefined]) {
      const seen: unknown[] = [];
      await exchange(
        {
          authorize: async (ask) => {
            seen.push([ask.operation, ask.name, ask.client]);
            return { allow: true, principal: 'alice' };
          },
          repositories: async (name, { principal }) => {
            seen.push([name, principal]);
            return undefined;
          },
        },
        method,
        target,
        client,
      );
      assert.deepEqual(seen, [
        [operation, 'a.git', client],
        ['a.git', 'alice'],
      ]);
    }
  });
}

test('admit is told for whom the work is, and with which repository', async () => {
  const repository = createMemoryRepository({ runtime: nodeRuntime });
  const works: ClientWork[] = [];
  const answer = await exchange(
    {
      repositories: async () => repository,
      authorize: async () => ({ allow: true, principal: 'alice' }),
      admit: async (work, { signal }) => {
        assert.ok(signal instanceof AbortSignal);
        works.push(work);
        return { release: () => undefined };
      },
    },
    'POST',
    '/team/a.git/git-upload-archive',
    CLIENT,
  );
  assert.equal(answer.status, 200);
  assert.deepEqual(works, [
    { kind: 'archive', repository, principal: 'alice', name: 'team/a.git', client: CLIENT },
  ]);
});

for (const [code, status] of [
  ['OVERLOADED', 503],
  ['RATE_LIMITED', 429],
] as const) {
  test(`${code} of admit is ${status} with Retry-After, and the repository is let go`, async () => {
    let disposed = 0;
    const reported: unknown[] = [];
    const answer = await exchange(
      {
        repositories: async () => ({
          ...createMemoryRepository({ runtime: nodeRuntime }),
          [Symbol.asyncDispose]: async () => void disposed++,
        }),
        authorize: async () => ({ allow: true, principal: 'alice' }),
        admit: () => Promise.reject(new GitError(code, 'Too much', { retryAfterSeconds: 12 })),
        onError: (error) => void reported.push(error),
      },
      'POST',
      '/a.git/git-upload-archive',
    );
    assert.equal(answer.status, status);
    assert.equal(answer.headers.get('retry-after'), '12');
    assert.deepEqual(answer.body, encodeText('Too much\n'));
    assert.equal(disposed, 1);
    assert.equal(reported.length, 1);
  });
}
