import assert from 'node:assert/strict';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import * as fc from 'fast-check';
import { encodeText } from '../../src/core/bytes.ts';
import { nodeRuntime } from '../../src/core/node/runtime.ts';
import { BLOB, COMMIT, TREE } from '../../src/core/object-kind.ts';
import { portableRuntime } from '../../src/core/portable/runtime.ts';
import type { Runtime } from '../../src/core/runtime.ts';
import { createFilePackSink } from '../../src/pack/node/file-pack-sink.ts';
import { createThreadTaskPool } from '../../src/pack/node/thread-task-pool.ts';
import { THREADS_FROM_DELTAS } from '../../src/pack/resolver-threads.ts';
import { closureOf } from '../support/closure.ts';
import { git, gitAsync, gitBytes, scratchDirectory } from '../support/git.ts';
import { type IngestOptions, ingest } from '../support/ingest.ts';
import { readObjectsOf } from '../support/object-reader.ts';
import { packOf, wholeEntry } from '../support/pack-builder.ts';
import { anyHistory, buildHistory } from '../support/random-history.ts';
import { chunked } from '../support/streams.ts';

const tasks = createThreadTaskPool({ threads: 2 });
after(() => tasks.close());

async function isSelfContained(pack: Uint8Array, options: IngestOptions = {}): Promise<boolean | undefined> {
  return (await ingest(chunked(pack, [4000]), { findSelfContained: true, ...options })).isSelfContained;
}

/** The pack of exactly these objects. */
function packOfIds(directory: string, ids: readonly string[]): Uint8Array {
  const options = ['pack-objects', '--stdout', '-q', '--delta-base-offset', '--window=50'];
  return gitBytes({ cwd: directory, input: `${ids.join('\n')}\n` }, ...options);
}

for (const [name, runtime] of [
  ['node', nodeRuntime],
  ['portable', portableRuntime],
] as readonly [string, Runtime][]) {
  test(`a pack is self-contained unless one object that another names is left out (${name})`, async (context) => {
    const [plan] = fc.sample(anyHistory(60), 1);
    const { directory } = buildHistory(await scratchDirectory(context), plan ?? []);
    const objects = readObjectsOf(directory);
    const ids = [...objects.keys()];
    assert.equal(await isSelfContained(packOfIds(directory, ids), { runtime }), true);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...ids), async (left) => {
        const others = ids.filter((id) => id !== left);
        const isNamed = closureOf(objects, others).has(left);
        assert.equal(await isSelfContained(packOfIds(directory, others), { runtime }), !isNamed, left);
      }),
      { numRuns: 40 },
    );
  });
}

test('git says the same of packs with and without an object left out', async (context) => {
  const [plan] = fc.sample(anyHistory(30), 1);
  const { directory } = buildHistory(await scratchDirectory(context), plan ?? []);
  const empty = await scratchDirectory(context);
  git(empty, 'init', '-q', '--bare', '.');
  const ids = [...readObjectsOf(directory).keys()];
  await fc.assert(
    fc.asyncProperty(fc.option(fc.constantFrom(...ids)), async (left) => {
      const pack = packOfIds(
        directory,
        ids.filter((id) => id !== left),
      );
      const command = ['index-pack', '--stdin', '--check-self-contained-and-connected'];
      const { status } = await gitAsync({ cwd: empty, input: pack }, ...command);
      rmSync(join(empty, 'objects/pack'), { recursive: true });
      assert.equal(await isSelfContained(pack), status === 0, left ?? 'nothing left out');
    }),
    { numRuns: 20 },
  );
});

test('a pack of a part of a history is not self-contained', async (context) => {
  const [plan] = fc.sample(anyHistory(30), 1);
  const chain = (plan ?? []).map((commit) => ({ ...commit, parents: [1] }));
  const { directory, commits } = buildHistory(await scratchDirectory(context), chain);
  const input = `${commits.at(-1)}\n^${commits[10]}\n`;
  const pack = gitBytes({ cwd: directory, input }, 'pack-objects', '--revs', '--stdout', '-q');
  assert.equal(await isSelfContained(pack), false);
  assert.equal((await ingest(chunked(pack))).isSelfContained, undefined, 'when it is not asked for');
});

const blob = encodeText('content');
const blobId = '6b584e8ece562ebffc15d38808cd6b98fc3d97ea';

function tree(mode: string, id: string): Uint8Array {
  return new Uint8Array(Buffer.concat([Buffer.from(`${mode} f\0`), Buffer.from(id, 'hex')]));
}

for (const [what, entries, expected] of [
  ['a tree that names its blob', [wholeEntry(BLOB, blob), wholeEntry(TREE, tree('100644', blobId))], true],
  [
    'a tree that calls a blob a tree',
    [wholeEntry(BLOB, blob), wholeEntry(TREE, tree('40000', blobId))],
    false,
  ],
  ['a tree with a gitlink', [wholeEntry(TREE, tree('160000', 'ab'.repeat(20)))], true],
  ['a tree that does not parse', [wholeEntry(TREE, encodeText('100644'))], false],
  [
    'a commit of the empty tree, which git does not store',
    [wholeEntry(COMMIT, encodeText('tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n\n'))],
    true,
  ],
] as const) {
  test(`whether a pack is self-contained: ${what}`, async () => {
    assert.equal(await isSelfContained(packOf(entries)), expected);
  });
}

test('a pack whose trees nest deeper than walks go is left to the walk', async (context) => {
  const directory = await scratchDirectory(context);
  git(directory, 'init', '-q', '--bare', '.');
  const commit = (path: string) =>
    `commit refs/heads/main\ncommitter A <a@example.com> 1 +0000\ndata 0\nM 100644 inline ${path}\ndata 1\nx\n`;
  git({ cwd: directory, input: commit('a/b/c/f') + commit('a/b/g') + commit('h') }, 'fast-import', '--quiet');
  const pack = gitBytes({ cwd: directory, input: 'main\n' }, 'pack-objects', '--revs', '--stdout', '-q');
  assert.equal(await isSelfContained(pack, { limits: { maxTreeDepth: 4 } }), true);
  assert.equal(await isSelfContained(pack, { limits: { maxTreeDepth: 3 } }), false);
});

test('threads and scratch files find what is left out of a large pack, and leave nothing behind', async (context) => {
  const scratch = await scratchDirectory(context);
  const directory = join(scratch, 'repository.git');
  git(scratch, 'init', '-q', '--bare', directory);
  // A large directory that grows: more edges than are held in memory, and thousands of deltas.
  const count = 36_000;
  const script = [];
  for (let i = 0; i < count; i++) {
    script.push(`blob\nmark :${i + 1}\ndata ${String(i).length}\n${i}\n`);
  }
  const lines = Array.from({ length: count }, (_, i) => `M 100644 :${i + 1} large/${i}\n`);
  script.push(
    `commit refs/heads/main\nmark :${count + 1}\ncommitter A <a@example.com> 1 +0000\ndata 0\n${lines.join('')}\n`,
  );
  for (let i = 0; i < THREADS_FROM_DELTAS; i++) {
    script.push(`commit refs/heads/main\ncommitter A <a@example.com> ${i + 2} +0000\ndata 0\n`);
    script.push(`M 100644 :${i + 1} d${i % 40}/e/f${i % 7}\nM 100644 :${i + 1} d${(i * 7) % 40}/g\n\n`);
  }
  git({ cwd: directory, input: script.join('') }, 'fast-import', '--quiet');
  const all = git(directory, 'cat-file', '--batch-all-objects', '--batch-check=%(objectname)')
    .trim()
    .split('\n');
  const left = git(directory, 'rev-parse', 'main:d3/e').trim();
  for (const [name, ids, expected] of [
    ['all', all, true],
    ['without', all.filter((id) => id !== left), false],
  ] as const) {
    const sink = await createFilePackSink(join(scratch, `${name}.pack`));
    context.after(() => sink.close());
    const options = { sink, tasks, findSelfContained: true };
    const indexed = await ingest(chunked(packOfIds(directory, ids), [65_536]), options);
    assert.ok(indexed.deltaCount >= THREADS_FROM_DELTAS, `${indexed.deltaCount} deltas`);
    assert.equal(indexed.isSelfContained, expected, name);
  }
  assert.deepEqual(readdirSync(scratch).sort(), ['all.pack', 'repository.git', 'without.pack']);
});
