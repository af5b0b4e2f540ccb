import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { concatBytes } from '../../src/core/bytes.ts';
import { isGitError } from '../../src/core/errors.ts';
import { nodeRuntime } from '../../src/core/node/runtime.ts';
import { bytesToHex, type ObjectFormatName, SHA1 } from '../../src/core/object-id.ts';
import { BLOB, type ObjectKind } from '../../src/core/object-kind.ts';
import { encodePackIndex } from '../../src/pack/idx-format.ts';
import { createFilePackSink } from '../../src/pack/node/file-pack-sink.ts';
import { createThreadTaskPool } from '../../src/pack/node/thread-task-pool.ts';
import { ObjectTable } from '../../src/pack/object-table.ts';
import { createMemoryPackSink } from '../../src/pack/pack-sink.ts';
import { THREADS_FROM_DELTAS } from '../../src/pack/resolver-threads.ts';
import { git, gitBytes, scratchDirectory } from '../support/git.ts';
import { ingest, objectsIn } from '../support/ingest.ts';
import { chunked } from '../support/streams.ts';

/** The files `git index-pack` makes of `pack`. */
async function indexedByGit(directory: string, pack: Uint8Array, format: ObjectFormatName) {
  const path = join(directory, `${Math.random().toString(36).slice(2)}.pack`);
  await writeFile(path, pack);
  git(directory, 'index-pack', '--rev-index', `--object-format=${format}`, path);
  return {
    index: new Uint8Array(readFileSync(path.replace(/pack$/, 'idx'))),
    reverseIndex: new Uint8Array(readFileSync(path.replace(/pack$/, 'rev'))),
  };
}

/** A repository of one object format with `texts` as blobs; the pack of all of them, as `packOptions` make it. */
function packOfTexts(
  directory: string,
  texts: readonly string[],
  packOptions: readonly string[],
): Uint8Array {
  const stream = texts.map((text) => `blob\ndata ${Buffer.byteLength(text)}\n${text}\n`).join('');
  git({ cwd: directory, input: stream }, 'fast-import', '--quiet', '--force');
  const ids = texts.map((text) => git({ cwd: directory, input: text }, 'hash-object', '--stdin').trim());
  return gitBytes(
    { cwd: directory, input: ids.join('\n') },
    'pack-objects',
    '--stdout',
    '-q',
    ...packOptions,
  );
}

for (const format of ['sha1', 'sha256'] as const) {
  test(`any texts, packed by git any way and cut anywhere, are indexed as git does (${format})`, async (context) => {
    const directory = await scratchDirectory(context);
    git(directory, 'init', '-q', '--bare', `--object-format=${format}`);
    // Texts made of a few lines resemble one another, so that git finds deltas.
    const line = fc.constantFrom(
      'one line of some length\n',
      'another line, also long\n',
      'third\n'.repeat(9),
    );
    const anyTexts = fc.uniqueArray(
      fc
        .tuple(fc.array(line, { minLength: 3, maxLength: 40 }), fc.string())
        .map(([lines, end]) => lines.join('') + end),
      { minLength: 1, maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(
        anyTexts,
        fc.subarray(['--delta-base-offset', '--depth=2', '--window=50']),
        fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 5 }),
        async (texts, packOptions, sizes) => {
          const pack = packOfTexts(directory, texts, packOptions);
          const expected = await indexedByGit(directory, pack, format);
          const indexed = await ingest(chunked(pack, sizes), { format });
          assert.deepEqual(concatBytes(...indexed.encodeIndex()), expected.index);
          assert.deepEqual(concatBytes(...indexed.encodeReverseIndex()), expected.reverseIndex);
        },
      ),
      { numRuns: 12 },
    );
  });
}

/** A history whose blobs and trees change a little in each commit. */
function importHistory(directory: string, commits: number): void {
  const stream: string[] = [];
  for (let number = 1; number <= commits; number++) {
    const lines = Array.from({ length: 60 }, (_, i) => `line ${i} of version ${number - (i % 7)}\n`).join('');
    stream.push(
      `commit refs/heads/main\nmark :${number}\ncommitter A <a@b.c> ${1_000_000 + number} +0000\ndata 3\nc\n\n`,
    );
    stream.push(`M 100644 inline dir${number % 40}/file${number % 90}\ndata ${lines.length}\n${lines}\n`);
  }
  git({ cwd: directory, input: stream.join('') }, 'fast-import', '--quiet');
}

describe('a history of thousands of deltas', () => {
  const cleanups: (() => unknown)[] = [];
  after(async () => {
    for (const cleanup of cleanups.reverse()) await cleanup();
  });
  const scratch = () => scratchDirectory({ after: (cleanup) => cleanups.push(cleanup as () => unknown) });
  const tasks = createThreadTaskPool({ threads: 2 });
  cleanups.push(() => tasks.close());
  let directory: string;
  const fileSink = async (name: string) => {
    const sink = await createFilePackSink(join(directory, name));
    cleanups.push(() => sink.close());
    return sink;
  };
  let pack: Uint8Array;

  test('gives the same index from threads and inline as from git', async () => {
    directory = await scratch();
    git(directory, 'init', '-q', '--bare');
    importHistory(directory, 2200);
    const refDeltas = gitBytes({ cwd: directory }, 'pack-objects', '--all', '--stdout', '-q', '--window=4');
    pack = gitBytes(
      directory,
      'pack-objects',
      '--all',
      '--stdout',
      '-q',
      '--delta-base-offset',
      '--window=4',
    );
    for (const [name, bytes] of [
      ['offsets', pack],
      ['ids', refDeltas],
    ] as const) {
      const expected = await indexedByGit(directory, bytes, 'sha1');
      const sink = await fileSink(name);
      const threaded = await ingest(chunked(bytes, [65_536]), { sink, tasks });
      const inline = await ingest(chunked(bytes, [10_000]));
      assert.ok(threaded.deltaCount >= THREADS_FROM_DELTAS, `${threaded.deltaCount} deltas`);
      assert.deepEqual(new Uint8Array(readFileSync(sink.path)), new Uint8Array(bytes));
      for (const indexed of [threaded, inline]) {
        assert.deepEqual(concatBytes(...indexed.encodeIndex()), expected.index);
        assert.deepEqual(concatBytes(...indexed.encodeReverseIndex()), expected.reverseIndex);
      }
    }
  });

  test('an error in a thread is the same GitError as inline', async () => {
    const limits = { maxDeltaDepth: 3 };
    const sink = await fileSink('too-deep');
    const threaded = await ingest(chunked(pack), { sink, tasks, limits }).catch((error: unknown) => error);
    const inline = await ingest(chunked(pack), { limits }).catch((error: unknown) => error);
    assert.ok(isGitError(threaded) && isGitError(inline));
    assert.equal(threaded.code, inline.code);
    assert.equal(typeof threaded.detail.offset, 'number');
    assert.equal(threaded.detail.limit, 3);
  });

  test('an abort stops the threads, and they serve the next pack', async () => {
    const stop = new AbortController();
    const sink = await fileSink('aborted');
    const options = {
      sink,
      tasks,
      signal: stop.signal,
      onProgress: ({ title, finished }: { title: string; finished: boolean }) => {
        if (title === 'Receiving objects' && finished) setImmediate(() => stop.abort());
      },
    };
    await assert.rejects(ingest(chunked(pack), options), { code: 'ABORTED' });
    const next = await fileSink('next');
    assert.ok((await ingest(chunked(pack), { sink: next, tasks })).deltaCount >= THREADS_FROM_DELTAS);
  });

  test('a thin pack made by git is completed, and git finds nothing wrong with it', async () => {
    const half = git(directory, 'rev-parse', 'main~30').trim();
    const input = `main\n^${half}\n`;
    const options = ['pack-objects', '--stdout', '-q', '--thin', '--revs', '--delta-base-offset'];
    const thin = gitBytes({ cwd: directory, input }, ...options);
    const sink = createMemoryPackSink();
    const indexed = await ingest(chunked(thin, [4000]), {
      sink,
      thinBases: {
        read(ids, at) {
          const id = bytesToHex(ids, at, 20);
          const kind = git(directory, 'cat-file', '-t', id).trim() as ObjectKind;
          return { kind, data: gitBytes(directory, 'cat-file', kind, id) };
        },
      },
    });
    assert.ok(indexed.completedCount > 0);
    const expected = await indexedByGit(directory, sink.bytes, 'sha1');
    assert.deepEqual(concatBytes(...indexed.encodeIndex()), expected.index);
    assert.deepEqual(concatBytes(...indexed.encodeReverseIndex()), expected.reverseIndex);
  });

  test('the objects are what git reads', async () => {
    const input = 'main\n^main~4\n';
    const small = gitBytes({ cwd: directory, input }, 'pack-objects', '--stdout', '-q', '--revs');
    const sink = createMemoryPackSink();
    const indexed = await ingest(chunked(small), { sink });
    for (const { id, kind, data } of objectsIn(indexed, sink)) {
      assert.deepEqual(data, new Uint8Array(gitBytes(directory, 'cat-file', kind, id)));
    }
  });

  test('createFilePackSink() does not take a file that exists', async () => {
    const path = join(directory, 'offsets');
    assert.ok(existsSync(path));
    await assert.rejects(createFilePackSink(path), { code: 'STORAGE_FAILED' });
  });
});

test('offsets beyond 2^31 and 2^32 go to the 64-bit table, as git writes them', async () => {
  // Not a real pack: git's own test for this takes one of 4 GiB.
  const table = new ObjectTable(SHA1);
  const offsets = [12, 0x7fffffff, 0x80000000, 0x1_0000_0001];
  offsets.forEach((offset, entry) => {
    table.beginRow(offset, BLOB, offsets.length);
    table.columns.ids[entry * 20] = entry;
    table.count++;
  });
  const index = concatBytes(
    ...encodePackIndex(table, Int32Array.of(0, 1, 2, 3), new Uint8Array(20), nodeRuntime),
  );
  const tables = bytesToHex(index, 8 + 1024 + 4 * 20 + 4 * 4, 4 * 4 + 2 * 8);
  assert.equal(
    tables,
    '0000000c' + '7fffffff' + '80000000' + '80000001' + '0000000080000000' + '0000000100000001',
  );
});
