/** Git's services as SSH runs them, without SSH: what applications are asked, and what clients get. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { streamOf } from '../../../src/core/byte-stream.ts';
import { GitError } from '../../../src/core/errors.ts';
import type { ClientWork } from '../../../src/transport/client-work.ts';
import type { SshService } from '../../../src/transport/ssh/exec-command.ts';
import { type GitOverSshOptions, gitOverSsh } from '../../../src/transport/ssh/git-over-ssh.ts';
import { memoryHistory } from '../../support/memory-history.ts';
import { packLines, unpackLines } from '../../support/packets.ts';

const { repository, commits } = await memoryHistory();
const CLONE = packLines([`want ${commits.at(-1)} side-band-64k`, '0000', 'done']);

/** Everything that is sent, and what the command ended with. */
async function run(service: SshService, options: Partial<GitOverSshOptions>, input = CLONE) {
  const serve = gitOverSsh({ repositories: async () => repository, ...options });
  const chunks: Uint8Array[] = [];
  let failure: unknown;
  try {
    const output = serve({
      service,
      path: '/team/app.git',
      protocol: undefined,
      principal: 'alice',
      login: { user: 'git', address: '192.0.2.7' },
      input: streamOf(input),
      signal: new AbortController().signal,
      say: () => undefined,
    });
    for await (const chunk of output) chunks.push(chunk.slice());
  } catch (error) {
    failure = error;
  }
  return { lines: unpackLines(Buffer.concat(chunks)), failure };
}

test('admit is told for whom the work is', async () => {
  const works: ClientWork[] = [];
  let released = 0;
  const { failure } = await run('git-upload-pack', {
    admit: async (work) => {
      works.push(work);
      return { release: () => void released++ };
    },
  });
  assert.equal(failure, undefined);
  const client = { address: '192.0.2.7' };
  assert.deepEqual(works, [{ kind: 'clone', repository, principal: 'alice', name: 'team/app.git', client }]);
  assert.equal(released, 1);
});

test('a refusal is a sentence for the client, and the failure of the command', async () => {
  const { lines, failure } = await run('git-upload-pack', {
    admit: () => Promise.reject(new GitError('OVERLOADED', 'Too much', { retryAfterSeconds: 3 })),
  });
  assert.equal(lines.at(-1), 'ERR Too much');
  assert.ok(failure instanceof GitError && failure.code === 'OVERLOADED');
});

test('the authorizer of updates is told who pushes', async () => {
  const principals: unknown[] = [];
  const { lines } = await run(
    'git-receive-pack',
    {
      push: {
        authorizeUpdates: async (updates, { principal }) => {
          principals.push(principal);
          return updates.map(() => ({ reason: 'no' }));
        },
      },
    },
    packLines([`${commits.at(-1)} ${'0'.repeat(40)} refs/heads/main\0report-status delete-refs`, '0000']),
  );
  assert.deepEqual(principals, ['alice']);
  assert.deepEqual(lines.slice(-2), ['ng refs/heads/main no', '0000']);
});
