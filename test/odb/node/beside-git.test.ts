import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { DEFAULT_LIMITS } from '../../../src/core/limits.ts';
import { nodeRuntime } from '../../../src/core/node/runtime.ts';
import { SHA1 } from '../../../src/core/object-id.ts';
import { openFilesObjectDatabase } from '../../../src/odb/node/files-object-database.ts';
import { GIT_ENVIRONMENT, git, gitAsync, gitBytes, scratchDirectory } from '../../support/git.ts';
import { allObjects, historyRepository } from '../../support/object-repositories.ts';
import { chunked } from '../../support/streams.ts';

const ROUNDS = 8;

test('pushes and reads go on while git repacks without a pause', async (t) => {
  const source = await historyRepository(t, { commits: 60 });
  const repository = join(await scratchDirectory(t), 'target.git');
  git('/', 'init', '--quiet', '--bare', repository);
  const database = await openFilesObjectDatabase(join(repository, 'objects'), {
    format: SHA1,
    runtime: nodeRuntime,
    fsync: { packs: false, looseObjects: false },
  });
  t.after(() => database.close());

  const loop = spawn('sh', ['-c', 'while git repack -adfq; do :; done'], {
    cwd: repository,
    env: GIT_ENVIRONMENT,
    stdio: 'ignore',
    detached: true, // a group of its own, so that the repack in progress ends with the loop
  });
  const ended = once(loop, 'exit');
  const stop = async () => {
    if (loop.exitCode === null && loop.signalCode === null) process.kill(-(loop.pid as number));
    await ended;
  };
  t.after(stop);

  const held = [];
  const commits = git(source, 'rev-list', '--reverse', 'main').trim().split('\n');
  for (let round = 0; round < ROUNDS; round++) {
    const from = commits[round * 5 - 1];
    const to = commits[round * 5 + 4]!;
    const pack = gitBytes(
      { cwd: source, input: from === undefined ? to : `${to}\n^${from}` },
      'pack-objects',
      '--revs',
      '--thin',
      '--stdout',
      '-q',
    );
    {
      await using transaction = await database.begin();
      await transaction.writePack(chunked(pack, [500]), { limits: DEFAULT_LIMITS, unpackLimit: round % 2 });
      await transaction.commit();
      const { status, stderr } = await gitAsync(repository, 'update-ref', 'refs/heads/main', to);
      assert.equal(status, 0, stderr);
    }
    const reader = await database.openReader();
    held.push({ reader, reachable: git(source, 'rev-list', '--objects', to).trim().split('\n') });
    for (const { reader: one, reachable } of held) {
      for (const line of reachable) {
        const id = line.slice(0, 40);
        assert.ok(one.read(id) !== undefined, `round ${round}: ${id}`);
      }
    }
  }
  await stop();
  for (const { reader } of held) reader.release();
  git(repository, 'fsck', '--strict', '--full');
  git(repository, 'repack', '-adq');
  const main = git(source, 'rev-list', '--objects', commits[ROUNDS * 5 - 1]!)
    .trim()
    .split('\n');
  assert.equal(allObjects(repository).length, main.length);
});
