import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { warmMemory } from '../../src/core/memory-budget.ts';
import { nodeRuntime } from '../../src/core/node/runtime.ts';
import { SHA1 } from '../../src/core/object-id.ts';
import { objectIdOf } from '../../src/odb/loose-object.ts';
import { createMemoryPackSink } from '../../src/pack/pack-sink.ts';
import { git, gitBytes, scratchDirectory } from '../support/git.ts';
import { ingest, objectsIn } from '../support/ingest.ts';
import { chunked } from '../support/streams.ts';

test('objects are right in a process that has no memory to spare for their bases', async (t) => {
  const limit = warmMemory.limitBytes;
  t.after(() => warmMemory.setLimit(limit));
  warmMemory.setLimit(0);
  const directory = await scratchDirectory(t);
  git(directory, 'init', '-q', '--bare', 'a.git');
  const repository = join(directory, 'a.git');
  const texts = Array.from({ length: 30 }, (_, i) => `${'a line like others\n'.repeat(40)}${i}\n`);
  const stream = texts.map((text) => `blob\ndata ${text.length}\n${text}\n`).join('');
  git({ cwd: repository, input: stream }, 'fast-import', '--quiet');
  const ids = git(repository, 'cat-file', '--batch-all-objects', '--batch-check=%(objectname)');
  const pack = gitBytes({ cwd: repository, input: ids }, 'pack-objects', '--stdout', '-q');
  const sink = createMemoryPackSink();
  const indexed = await ingest(chunked(pack), { sink });
  assert.ok(indexed.deltaCount > 0);
  for (const { id, kind, data } of objectsIn(indexed, sink)) {
    assert.equal(objectIdOf(SHA1, kind, data, nodeRuntime), id);
  }
});
