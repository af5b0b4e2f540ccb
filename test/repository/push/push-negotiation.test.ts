/** push.negotiate: the real git asks by a fetch what is here before it packs. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DEFAULT_LIMITS } from '../../../src/core/limits.ts';
import { receivePack } from '../../../src/protocol/receive-pack.ts';
import { uploadPack } from '../../../src/protocol/upload-pack.ts';
import { openRepository } from '../../../src/repository/node/open-repository.ts';
import { git, gitAsync, scratchDirectory } from '../../support/git.ts';
import { gitDaemon } from '../../support/git-daemon.ts';

test('a pusher that negotiates sends only what is new, although it knows no ref that is here', async (t) => {
  const scratch = await scratchDirectory(t);
  const [server, client] = [join(scratch, 'server.git'), join(scratch, 'client')];
  git('/', 'init', '-q', '-b', 'main', client);
  for (let n = 0; n < 20; n++) {
    writeFileSync(join(client, 'file'), String(n));
    git(client, 'add', 'file');
    git(client, 'commit', '-q', '-m', String(n));
  }
  git(scratch, 'clone', '-q', '--bare', client, server);
  // The server goes on: the ref it shows is unknown to the client.
  const next = git(server, 'commit-tree', '-p', 'main', '-m', 'next', 'main^{tree}').trim();
  git(server, 'update-ref', 'refs/heads/main', next);
  git(client, 'commit', '-q', '--allow-empty', '-m', 'ours');

  const repository = await openRepository(server);
  t.after(() => repository[Symbol.asyncDispose]());
  const asked: string[] = [];
  const { url } = await gitDaemon(t, ({ service, protocolVersion, signal }, stream) => {
    asked.push(`${service} ${protocolVersion}`);
    const options = { mode: 'stateful', protocolVersion, limits: DEFAULT_LIMITS, signal } as const;
    return service === 'git-upload-pack'
      ? uploadPack(repository, stream, options)
      : receivePack(repository, stream, options);
  });
  const push = (negotiate: boolean, name: string) =>
    gitAsync(client, '-c', `push.negotiate=${negotiate}`, 'push', '--progress', `${url}/x`, `main:${name}`);

  const negotiated = await push(true, 'negotiated');
  assert.equal(negotiated.status, 0, negotiated.stderr);
  assert.match(negotiated.stderr, /Total 1 /);
  assert.ok(asked.includes('git-upload-pack 2'), asked.join());
  assert.equal(git(server, 'rev-list', '--count', 'negotiated').trim(), '21');

  git(server, 'update-ref', '-d', 'refs/heads/negotiated');
  assert.match((await push(false, 'plain')).stderr, /Total 61 /);
});
