import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { MemoryBudget } from '../../src/core/memory-budget.ts';
import { nodeRuntime } from '../../src/core/node/runtime.ts';
import { initRepository } from '../../src/repository/node/files-repository.ts';
import { WarmRepositories } from '../../src/repository/node/warm-repositories.ts';
import { git, scratchDirectory } from '../support/git.ts';

const KEEP_OPEN_MS = 40;

test('a repository that nobody uses is closed after a while, and one in use never', async (context) => {
  const path = join(await scratchDirectory(context), 'a.git');
  await (await initRepository(path))[Symbol.asyncDispose]();
  const warm = new WarmRepositories({ keepOpenMs: KEEP_OPEN_MS, memory: new MemoryBudget(1 << 20) });
  context.after(() => warm.close());

  const used = await warm.lease(path);
  await sleep(3 * KEEP_OPEN_MS);
  await used.objects.openReader().then((reader) => reader.release());
  await used[Symbol.asyncDispose]();
  while (await isOpen(used)) await sleep(KEEP_OPEN_MS);
  const again = await warm.lease(path);
  assert.notEqual(again.objects, used.objects);
  await again[Symbol.asyncDispose]();
});

test('when the last one is closed, what it held in memory is given back', async (context) => {
  const path = join(await scratchDirectory(context), 'a.git');
  await (await initRepository(path))[Symbol.asyncDispose]();
  const asked: string[] = [];
  const warm = new WarmRepositories({
    keepOpenMs: KEEP_OPEN_MS,
    quietMs: 1_500, // far from all else here, however busy the machine
    memory: new MemoryBudget(1 << 20),
    runtime: {
      ...nodeRuntime,
      collectGarbage: () => void asked.push('collect'),
      releaseMemory: () => void asked.push('release'),
    },
  });
  context.after(() => warm.close());

  const used = await warm.lease(path);
  await sleep(3 * KEEP_OPEN_MS);
  assert.deepEqual(asked, []);
  await used[Symbol.asyncDispose]();
  while (asked.length === 0) await sleep(KEEP_OPEN_MS / 4);
  await (await warm.lease(path))[Symbol.asyncDispose](); // not quiet yet
  while (asked.length < 3) await sleep(KEEP_OPEN_MS);
  await sleep(6 * KEEP_OPEN_MS);
  assert.deepEqual(asked, ['collect', 'collect', 'release']);
});

async function isOpen({ objects }: Awaited<ReturnType<WarmRepositories['lease']>>): Promise<boolean> {
  try {
    (await objects.openReader()).release();
    return true;
  } catch {
    return false;
  }
}

test('the same repository is lent to all until its configuration changes', async (context) => {
  const path = join(await scratchDirectory(context), 'a.git');
  await (await initRepository(path))[Symbol.asyncDispose]();
  const warm = new WarmRepositories({});
  context.after(() => warm.close());

  const [one, two] = [await warm.lease(path), await warm.lease(path)];
  assert.equal(one.objects, two.objects);
  git(path, 'config', 'transfer.hideRefs', 'refs/secret');
  const three = await warm.lease(path);
  assert.notEqual(three.objects, one.objects);
  assert.equal(three.config?.get('transfer.hiderefs'), 'refs/secret');
  for (const lent of [one, two, three]) await lent[Symbol.asyncDispose]();
});
