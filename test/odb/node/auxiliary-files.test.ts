import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import * as fc from 'fast-check';
import type { GitError } from '../../../src/core/errors.ts';
import { warmMemory } from '../../../src/core/memory-budget.ts';
import { nodeRuntime } from '../../../src/core/node/runtime.ts';
import { hexToBytes, objectFormatByName } from '../../../src/core/object-id.ts';
import {
  type FilesObjectDatabaseOptions,
  openFilesObjectDatabase,
} from '../../../src/odb/node/files-object-database.ts';
import type { ObjectDatabase, ObjectReader } from '../../../src/odb/object-database.ts';
import { Bitset } from '../../../src/pack/bitset.ts';
import { type BitmappedRepository, fileIn, plainRepository } from '../../support/bitmapped-repository.ts';
import { git, scratchDirectory } from '../../support/git.ts';

interface OpenOptions extends Pick<FilesObjectDatabaseOptions, 'shortCuts'> {
  readonly format?: 'sha1' | 'sha256';
  /** Where warnings go; else there may be none. */
  readonly warnings?: GitError[];
}

async function openDatabase(
  context: Pick<TestContext, 'after'>,
  repository: { readonly path: string },
  { format = 'sha1', warnings, shortCuts }: OpenOptions = {},
): Promise<ObjectDatabase> {
  const database = await openFilesObjectDatabase(join(repository.path, 'objects'), {
    format: objectFormatByName(format),
    runtime: nodeRuntime,
    shortCuts,
    onWarning: (warning) => (warnings === undefined ? assert.fail(warning) : warnings.push(warning)),
  });
  context.after(() => database.close());
  return database;
}

async function withReader<Result>(
  database: ObjectDatabase,
  use: (reader: ObjectReader) => Result,
): Promise<Result> {
  const reader = await database.openReader();
  try {
    return use(reader);
  } finally {
    reader.release();
  }
}

/** How many objects the commit reaches, by the bitmaps; -1 without. */
function reachedBy(reader: ObjectReader, commit: string): number {
  const { bitmaps } = reader;
  if (bitmaps === undefined) return -1;
  const into = new Bitset(bitmaps.objectCount);
  return bitmaps.orReachable(bitmaps.positionOf(hexToBytes(commit), 0), into) ? into.count() : -1;
}

function reachedByGit(repository: BitmappedRepository, commit: string): number {
  return repository.git('rev-list', '--objects', commit).trim().split('\n').length;
}

const newest = (repository: BitmappedRepository): string => repository.commits.at(-1) as string;
const bitmapsOf = (reader: ObjectReader) => reader.bitmaps;
const graphOf = (reader: ObjectReader) => reader.commitGraph;

/** Four packs under one multi-pack-index with bitmaps. */
function packInPieces({ git: run, path, commits }: BitmappedRepository): void {
  const all = run('for-each-ref', '--format=%(objectname)');
  for (const input of [`${commits[9]}\n`, `${commits[24]}\n`, `${all}^${commits[24]}\n`]) {
    git({ cwd: path, input }, 'pack-objects', '-q', '--revs', `${path}/objects/pack/pack`);
  }
  run('multi-pack-index', 'write', '--bitmap');
}

test('a repository without them has no bitmaps and no commit-graph', async (context) => {
  const database = await openDatabase(context, await plainRepository(context));
  assert.equal(await withReader(database, bitmapsOf), undefined);
  assert.equal(await withReader(database, graphOf), undefined);
});

for (const format of ['sha1', 'sha256'] as const) {
  test(`a reader has the bitmaps of a pack (${format})`, async (context) => {
    const repository = await plainRepository(context, { format });
    repository.git('repack', '-adbq');
    const database = await openDatabase(context, repository, { format });
    const reached = await withReader(database, (reader) => reachedBy(reader, newest(repository)));
    assert.equal(reached, reachedByGit(repository, newest(repository)));
    assert.equal(await withReader(database, bitmapsOf), await withReader(database, bitmapsOf));
  });

  test(`a reader has the bitmaps of a multi-pack-index (${format})`, async (context) => {
    const repository = await plainRepository(context, { format });
    packInPieces(repository);
    const database = await openDatabase(context, repository, { format });
    await withReader(database, (reader) => {
      assert.equal(reader.bitmaps?.packNames.length, 4);
      assert.equal(reachedBy(reader, newest(repository)), reachedByGit(repository, newest(repository)));
      const names = reader.packs.map(({ name }) => name);
      assert.ok(reader.bitmaps.packNames.every((name) => names.includes(name)));
    });
    assert.equal(await withReader(database, bitmapsOf), await withReader(database, bitmapsOf));
  });
}

test('bitmaps come and go with the packs; a reader keeps those it has', async (context) => {
  const repository = await plainRepository(context);
  const database = await openDatabase(context, repository);
  assert.equal(await withReader(database, bitmapsOf), undefined);

  repository.git('repack', '-adbq');
  const before = await database.openReader();
  context.after(() => before.release());
  const expected = reachedByGit(repository, newest(repository));
  assert.equal(reachedBy(before, newest(repository)), expected);

  repository.git('repack', '-adfq', '--no-write-bitmap-index', '--window=0');
  assert.equal(await withReader(database, bitmapsOf), undefined);
  assert.equal(reachedBy(before, newest(repository)), expected);

  packInPieces(repository);
  assert.ok((await withReader(database, bitmapsOf))?.packNames.length === 4);
  repository.git('repack', '-adfbq');
  assert.deepEqual((await withReader(database, bitmapsOf))?.packNames.length, 1);
});

test('the bitmaps that cover most objects are taken', async (context) => {
  const pool = await plainRepository(context, { count: 60 });
  pool.git('repack', '-adbq');
  const fork = await plainRepository(context, { count: 20 });
  fork.git('repack', '-adbq');
  writeFileSync(`${fork.path}/objects/info/alternates`, `${pool.path}/objects\n`);
  const database = await openDatabase(context, fork);
  assert.equal(
    await withReader(database, (reader) => reachedBy(reader, newest(pool))),
    reachedByGit(pool, newest(pool)),
  );
});

test('a reader has the commit-graph as it is written', async (context) => {
  const repository = await plainRepository(context);
  const database = await openDatabase(context, repository);
  const count = () => withReader(database, (reader) => reader.commitGraph?.commitCount);
  assert.equal(await count(), undefined);
  git(
    { cwd: repository.path, input: `${repository.commits[9]}\n` },
    'commit-graph',
    'write',
    '--stdin-commits',
  );
  const first = await count();
  assert.ok(first !== undefined && first <= 10);
  repository.git('commit-graph', 'write', '--reachable');
  assert.equal(await count(), 40);
  assert.equal(await withReader(database, graphOf), await withReader(database, graphOf));
  rmSync(`${repository.path}/objects/info/commit-graph`);
  assert.equal(await count(), undefined);
});

/** Write a chain of three graphs. @returns their names */
function writeChain(repository: BitmappedRepository): string[] {
  for (const count of [10, 25, 40]) {
    const input = repository.commits.slice(0, count).join('\n');
    git({ cwd: repository.path, input }, 'commit-graph', 'write', '--stdin-commits', '--split=no-merge');
  }
  const chain = readFileSync(`${repository.path}/objects/info/commit-graphs/commit-graph-chain`, 'latin1');
  return chain.trim().split('\n');
}

test('a chain of graphs is read, as far as it can be', async (context) => {
  const repository = await plainRepository(context);
  const names = writeChain(repository);
  const warnings: GitError[] = [];
  const database = await openDatabase(context, repository, { warnings });
  const count = () => withReader(database, (reader) => reader.commitGraph?.commitCount);
  assert.equal(await count(), 40);
  assert.equal(warnings.length, 0);

  const directory = `${repository.path}/objects/info/commit-graphs`;
  const chain = readFileSync(`${directory}/commit-graph-chain`);
  rmSync(`${directory}/graph-${names[2]}.graph`);
  rmSync(`${directory}/commit-graph-chain`);
  writeFileSync(`${directory}/commit-graph-chain`, chain);
  assert.equal(await count(), 25);
  assert.deepEqual(
    warnings.map(({ code }) => code),
    ['PACK_CORRUPT'],
  );
  assert.equal(await count(), 25);
  assert.equal(warnings.length, 1);

  writeFileSync(`${directory}/commit-graph-chain`, 'what\n');
  assert.equal(await count(), undefined);
  writeFileSync(`${directory}/commit-graph-chain`, '');
  assert.equal(await count(), undefined);
});

test('a chain of graphs may begin in an alternate', async (context) => {
  const pool = await plainRepository(context);
  const [lowest = '', , top = ''] = writeChain(pool);
  const fork = { path: await scratchDirectory(context) };
  git(fork.path, 'init', '-q', '--bare', '.');
  writeFileSync(`${fork.path}/objects/info/alternates`, `${pool.path}/objects\n`);
  const database = await openDatabase(context, fork);
  assert.equal(await withReader(database, (reader) => reader.commitGraph?.commitCount), 40);

  const from = `${pool.path}/objects/info/commit-graphs`;
  const to = `${fork.path}/objects/info/commit-graphs`;
  mkdirSync(to);
  writeFileSync(`${to}/graph-${top}.graph`, readFileSync(`${from}/graph-${top}.graph`));
  writeFileSync(`${to}/commit-graph-chain`, readFileSync(`${from}/commit-graph-chain`));
  rmSync(`${from}/commit-graph-chain`);
  assert.equal(await withReader(database, (reader) => reader.commitGraph?.commitCount), 40);
  assert.ok(readFileSync(`${from}/graph-${lowest}.graph`).length > 0);
});

for (const [what, ending, prepare] of [
  ['bitmaps', '.bitmap', (repository) => repository.git('repack', '-adbq')],
  ['multi-pack-index', 'multi-pack-index', packInPieces],
  ['bitmaps', '.bitmap', packInPieces],
  [
    'commit-graph',
    'info/commit-graph',
    (repository) => repository.git('commit-graph', 'write', '--reachable'),
  ],
] as const satisfies [string, string, (repository: BitmappedRepository) => unknown][]) {
  test(`${what} with a bit flipped anywhere are passed over with a warning (${ending}, ${prepare.name})`, async (context) => {
    const repository = await plainRepository(context);
    prepare(repository);
    const warnings: GitError[] = [];
    const database = await openDatabase(context, repository, { warnings });
    const file = fileIn(repository.path, ending);
    const good = readFileSync(file);
    const isUsed = (reader: ObjectReader): boolean =>
      (what === 'commit-graph' ? reader.commitGraph : reader.bitmaps) !== undefined;
    assert.equal(await withReader(database, isUsed), true);

    const pass = async (damaged: Uint8Array): Promise<void> => {
      warnings.length = 0;
      rmSync(file);
      writeFileSync(file, damaged);
      assert.equal(await withReader(database, isUsed), false);
      assert.equal(await withReader(database, isUsed), false);
      assert.equal(warnings.length, 1);
      assert.ok(warnings[0]?.code === 'PACK_CORRUPT' || warnings[0]?.code === 'UNSUPPORTED');
      assert.match(warnings[0].message, new RegExp(`^Cannot use ${what}: `));
      await withReader(database, (reader) => assert.ok(reader.read(newest(repository)) !== undefined));
    };
    await fc.assert(
      fc.asyncProperty(fc.nat(8 * good.length - 1), fc.boolean(), async (bit, isCut) => {
        const damaged = isCut ? good.subarray(0, bit >> 3) : Uint8Array.from(good);
        if (!isCut) damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
        await pass(damaged);
      }),
      { numRuns: 60 },
    );
    rmSync(file);
    writeFileSync(file, good);
    assert.equal(await withReader(database, isUsed), true);
  });
}

test('a multi-pack-index of packs that are gone is passed over with a warning', async (context) => {
  const repository = await plainRepository(context);
  packInPieces(repository);
  const stale = fileIn(repository.path, 'multi-pack-index');
  const bitmap = fileIn(repository.path, '.bitmap');
  const [index, bits] = [readFileSync(stale), readFileSync(bitmap)];
  repository.git('repack', '-adq', '--no-write-bitmap-index');
  writeFileSync(stale, index);
  writeFileSync(bitmap, bits);
  const warnings: GitError[] = [];
  const database = await openDatabase(context, repository, { warnings });
  assert.equal(await withReader(database, bitmapsOf), undefined);
  assert.equal(await withReader(database, bitmapsOf), undefined);
  assert.deepEqual(
    warnings.map(({ code }) => code),
    ['PACK_CORRUPT'],
  );
});

test('what is there and is no file is passed over with a warning, and so is a chain of multi-pack-indexes', async (context) => {
  const repository = await plainRepository(context);
  repository.git('repack', '-adq', '--no-write-bitmap-index');
  mkdirSync(fileIn(repository.path, '.pack').replace(/\.pack$/, '.bitmap'));
  mkdirSync(`${repository.path}/objects/pack/multi-pack-index.d`);
  mkdirSync(`${repository.path}/objects/info/commit-graph`);
  const warnings: GitError[] = [];
  const database = await openDatabase(context, repository, { warnings });
  assert.equal(await withReader(database, bitmapsOf), undefined);
  assert.equal(await withReader(database, graphOf), undefined);
  assert.deepEqual(
    warnings.map(({ code }) => code),
    ['UNSUPPORTED', 'STORAGE_FAILED', 'STORAGE_FAILED'],
  );
});

test('short cuts that are switched off are not taken', async (context) => {
  const repository = await plainRepository(context);
  repository.git('commit-graph', 'write', '--reachable');
  packInPieces(repository);
  for (const [shortCuts, hasBitmaps, hasGraph] of [
    [{ commitGraph: false }, true, false],
    [{ bitmaps: false }, false, true],
    [{ multiPackIndex: false }, false, true],
  ] as const) {
    const database = await openDatabase(context, repository, { shortCuts });
    assert.equal((await withReader(database, bitmapsOf)) !== undefined, hasBitmaps);
    assert.equal((await withReader(database, graphOf)) !== undefined, hasGraph);
    await using transaction = await database.begin();
    const reader = await transaction.openReader();
    assert.equal(reader.commitGraph !== undefined, hasGraph);
    reader.release();
  }
});

test('what the budget has no room for is read again when it is asked for', async (context) => {
  const repository = await plainRepository(context);
  repository.git('repack', '-adbq');
  repository.git('commit-graph', 'write', '--reachable');
  const database = await openDatabase(context, repository);
  const held = await database.openReader();
  context.after(() => held.release());
  const expected = reachedBy(held, newest(repository));
  const graph = held.commitGraph;
  warmMemory.evictIdle(-1);
  await withReader(database, (reader) => {
    assert.notEqual(reader.bitmaps, held.bitmaps);
    assert.notEqual(reader.commitGraph, graph);
    assert.equal(reachedBy(reader, newest(repository)), expected);
  });
  assert.equal(reachedBy(held, newest(repository)), expected);
});
