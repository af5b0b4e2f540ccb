import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { concatBytes } from '../../src/core/bytes.ts';
import { HeavyTrees } from '../../src/pack/heavy-trees.ts';
import { createFilePackSink } from '../../src/pack/node/file-pack-sink.ts';
import { createThreadTaskPool } from '../../src/pack/node/thread-task-pool.ts';
import { THREADS_FROM_DELTAS } from '../../src/pack/resolver-threads.ts';
import { git, gitBytes, scratchDirectory } from '../support/git.ts';
import { ingest } from '../support/ingest.ts';
import { chunked } from '../support/streams.ts';

const MIB = 1024 * 1024;

test('the trees under which most is made come first', () => {
  const trees = new HeavyTrees();
  trees.addWhole(0, 2 * MIB);
  trees.addWhole(1, 2 * MIB);
  trees.addWhole(2, 100); // small: what is made from it is not looked at
  for (let entry = 10; entry < 16; entry++) trees.addDelta(entry, entry === 10 ? 0 : entry - 1, 2 * MIB);
  for (let entry = 20; entry < 30; entry++) trees.addDelta(entry, 1, 2 * MIB);
  trees.addDelta(40, 2, 64 * MIB);
  assert.deepEqual([...trees.roots()], [1, 0]);
});

test('a tree with little in it is none of them', () => {
  const trees = new HeavyTrees();
  trees.addWhole(0, 2 * MIB);
  trees.addDelta(1, 0, 2 * MIB);
  assert.deepEqual([...trees.roots()], []);
});

test('many versions of large files are indexed as git does, in this thread and in others', async (t) => {
  const directory = await scratchDirectory(t);
  git(directory, 'init', '-q', '--bare');
  const files = [randomBytes(3 * MIB), randomBytes(3 * MIB)];
  const blobs = Array.from({ length: 24 }, (_, version) => {
    const blob = Buffer.from(files[version % 2] as Buffer);
    randomBytes(100).copy(blob, version * 1000);
    return blob;
  });
  // And enough small ones that threads are worth it.
  for (let i = 0; i < THREADS_FROM_DELTAS + 2000; i++)
    blobs.push(Buffer.from(`${'line\n'.repeat(30)}${i}\n`));
  const stream = blobs.flatMap((blob) => [
    Buffer.from(`blob\ndata ${blob.length}\n`),
    blob,
    Buffer.from('\n'),
  ]);
  git({ cwd: directory, input: Buffer.concat(stream) }, 'fast-import', '--quiet', '--force');
  const ids = git(directory, 'cat-file', '--batch-all-objects', '--batch-check=%(objectname)');
  const pack = gitBytes({ cwd: directory, input: ids }, 'pack-objects', '--stdout', '-q', '--window=20');
  await writeFile(join(directory, 'git.pack'), pack);
  git(directory, 'index-pack', join(directory, 'git.pack'));
  const expected = new Uint8Array(readFileSync(join(directory, 'git.idx')));

  const inline = await ingest(chunked(pack));
  assert.ok(inline.deltaCount > THREADS_FROM_DELTAS);
  assert.deepEqual(concatBytes(...inline.encodeIndex()), expected);

  const tasks = createThreadTaskPool({ threads: 2 });
  t.after(() => tasks.close());
  const sink = await createFilePackSink(join(directory, 'ours.pack'));
  const threaded = await ingest(chunked(pack), { tasks, sink });
  assert.deepEqual(concatBytes(...threaded.encodeIndex()), expected);
  await sink.close();
});
