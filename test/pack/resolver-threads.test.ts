import assert from 'node:assert/strict';
import test from 'node:test';
import { GitError } from '../../src/core/errors.ts';
import { DEFAULT_LIMITS } from '../../src/core/limits.ts';
import { nodeRuntime } from '../../src/core/node/runtime.ts';
import { SHA1 } from '../../src/core/object-id.ts';
import { PackCheck } from '../../src/pack/fsck/pack-check.ts';
import { STRICT_FSCK_RULES } from '../../src/pack/fsck/rules.ts';
import { ObjectTable } from '../../src/pack/object-table.ts';
import { createMemoryPackSink } from '../../src/pack/pack-sink.ts';
import { isStopped } from '../../src/pack/resolve-control.ts';
import { resolverThreads } from '../../src/pack/resolver-threads.ts';
import { PackEdges } from '../../src/pack/self-containment.ts';
import type { ResolvePackJob, SeenObjects, TaskPool } from '../../src/pack/task-pool.ts';
import { jobOf } from '../support/resolve-job.ts';

const SAW_NOTHING: SeenObjects = { edges: undefined, findings: undefined };

/** Threads that answer each job with `perform`. */
function poolOf(
  perform: (job: ResolvePackJob) => SeenObjects = () => SAW_NOTHING,
  runtimeName = nodeRuntime.name,
): TaskPool {
  return {
    threads: 3,
    runtimeName,
    warmUp() {},
    async run(_name, input) {
      return perform(input);
    },
    async close() {},
  };
}

const options = { runtime: nodeRuntime, limits: DEFAULT_LIMITS };
const inMemory = createMemoryPackSink();
const onDisk = { ...createMemoryPackSink(), path: '/packs/incoming.pack' };

for (const [what, given] of [
  ['without a pool', { sink: onDisk }],
  ['for a pack that is no file', { sink: inMemory, tasks: poolOf() }],
  ['of another runtime', { sink: onDisk, tasks: poolOf(undefined, 'another') }],
] as const) {
  test(`there are no threads ${what}`, () => {
    assert.equal(resolverThreads({ ...options, ...given }, undefined, undefined), undefined);
  });
}

test('a job goes to the threads of the pool, with what is to be recorded of its objects', async () => {
  const asked: ResolvePackJob[] = [];
  const tasks = poolOf((input) => {
    asked.push(input);
    return SAW_NOTHING;
  });
  const job = jobOf(new ObjectTable(SHA1));
  const bare = resolverThreads({ ...options, sink: onDisk, tasks }, undefined, undefined);
  assert.equal(bare?.count, 3);
  await bare?.resolve(job);
  assert.deepEqual(asked, [{ job, path: onDisk.path, edgesName: undefined, fsck: undefined }]);

  const edges = new PackEdges(SHA1, onDisk);
  const check = new PackCheck(SHA1, STRICT_FSCK_RULES);
  const seeing = resolverThreads({ ...options, sink: onDisk, tasks }, edges, check);
  await Promise.all([seeing?.resolve(job), seeing?.resolve(job)]);
  assert.deepEqual(
    asked.slice(1).map(({ edgesName, fsck }) => [edgesName, fsck]),
    [
      ['edges-1', STRICT_FSCK_RULES],
      ['edges-2', STRICT_FSCK_RULES],
    ],
  );
});

test("what a thread has seen becomes the pack's", async () => {
  const table = new ObjectTable(SHA1);
  table.beginRow(12, 1, 1);
  table.count++;
  const tasks = poolOf(() => ({
    edges: { isWhole: false, blocks: [], inLastBlock: 0, scratchName: 'edges-1', scratchBlocks: 0 },
    findings: { found: [{ entry: 0, message: 'missingTree', text: 'no tree' }], unkept: 0, blobs: [] },
  }));
  const edges = new PackEdges(SHA1, onDisk);
  const check = new PackCheck(SHA1, STRICT_FSCK_RULES);
  await resolverThreads({ ...options, sink: onDisk, tasks }, edges, check)?.resolve(jobOf(table));
  const areInside = (recorded: PackEdges) =>
    recorded.areInside(table, new Int32Array(1), DEFAULT_LIMITS.maxTreeDepth, {});
  assert.equal(await areInside(new PackEdges(SHA1, onDisk)), true);
  assert.equal(await areInside(edges), false);
  assert.equal(check.finish(table).error?.message, 'missingTree');
});

test('when one thread fails the others are stopped', async () => {
  const tasks = poolOf(() => {
    throw new GitError('PACK_CORRUPT', 'Cannot apply delta: it ends early');
  });
  const job = jobOf(new ObjectTable(SHA1));
  assert.equal(isStopped(job.control), false);
  const threads = resolverThreads({ ...options, sink: onDisk, tasks }, undefined, undefined);
  await assert.rejects(async () => threads?.resolve(job), { code: 'PACK_CORRUPT' });
  assert.equal(isStopped(job.control), true);
});
