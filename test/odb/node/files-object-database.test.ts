import assert from 'node:assert/strict';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { GitError } from '../../../src/core/errors.ts';
import { nodeRuntime } from '../../../src/core/node/runtime.ts';
import { hexToBytes, objectFormatByName, SHA1 } from '../../../src/core/object-id.ts';
import { codeOfKind } from '../../../src/core/object-kind.ts';
import { openFilesObjectDatabase } from '../../../src/odb/node/files-object-database.ts';
import type { ObjectDatabase, ObjectReader } from '../../../src/odb/object-database.ts';
import { git, scratchDirectory } from '../../support/git.ts';
import { allObjects, historyRepository, type KnownObject } from '../../support/object-repositories.ts';
import { drain } from '../../support/streams.ts';

const EMPTY = new Uint8Array(0);
const NO_SUCH_ID = '0123456789'.repeat(4);

async function openDatabase(
  context: Pick<TestContext, 'after'>,
  repository: string,
  {
    objectFormat = 'sha1',
    onWarning = (warning) => {
      throw warning;
    },
  }: { objectFormat?: string; onWarning?: (warning: GitError) => unknown } = {},
): Promise<ObjectDatabase> {
  const database = await openFilesObjectDatabase(join(repository, 'objects'), {
    format: objectFormatByName(objectFormat),
    runtime: nodeRuntime,
    onWarning,
  });
  context.after(() => database.close());
  return database;
}

/** Every way of reading gives what git says. */
async function assertReads(reader: ObjectReader, objects: readonly KnownObject[]): Promise<void> {
  const view = { bytes: EMPTY, start: 0, end: 0, kind: 0 };
  const location = { pack: 0, offset: 0 };
  for (const { id, kind, content } of objects) {
    const raw = hexToBytes(id);
    assert.equal(reader.has(id), true, id);
    assert.deepEqual(reader.readHeader(id), { kind, sizeBytes: content.length });

    const object = reader.read(id);
    assert.ok(object !== undefined && object.kind === kind, id);
    assert.ok(content.equals(object.data), `${kind} ${id}`);

    assert.equal(reader.viewRaw(raw, 0, view), true);
    assert.equal(view.kind, codeOfKind(object.kind));
    assert.ok(content.equals(view.bytes.subarray(view.start, view.end)), `view of ${kind} ${id}`);

    const stream = reader.stream(id);
    assert.deepEqual(stream?.header, { kind, sizeBytes: content.length });
    assert.ok(content.equals(await drain(stream.content)), `stream of ${kind} ${id}`);

    assert.equal(reader.locate(raw, 0, location), true);
    const pack = reader.packs[location.pack];
    if (pack !== undefined) assert.equal(pack.index.rankAtOffset(location.offset), pack.index.rankOf(raw, 0));
  }
}

async function assertSameAsGit(
  context: Pick<TestContext, 'after'>,
  repository: string,
  objectFormat = 'sha1',
): Promise<ObjectReader> {
  const reader = await (await openDatabase(context, repository, { objectFormat })).openReader();
  context.after(() => reader.release());
  await assertReads(reader, allObjects(repository));
  return reader;
}

const packDirectory = (repository: string) => join(repository, 'objects/pack');

const repack = (repository: string, ...options: string[]) => git(repository, 'repack', '-adfq', ...options);

/** Turn every pack into loose objects. */
function explode(repository: string): void {
  const packs = packDirectory(repository);
  const aside = `${packs}.aside`;
  renameSync(packs, aside);
  mkdirSync(packs);
  for (const name of readdirSync(aside).filter((file) => file.endsWith('.pack'))) {
    git({ cwd: repository, input: readFileSync(join(aside, name)) }, 'unpack-objects', '-q');
  }
  rmSync(aside, { recursive: true });
}

for (const objectFormat of ['sha1', 'sha256']) {
  test(`reads a ${objectFormat} pack with chains of 50 deltas as git does`, async (t) => {
    const repository = await historyRepository(t, { objectFormat });
    repack(repository, '--depth=50');
    const reader = await assertSameAsGit(t, repository, objectFormat);
    assert.equal(reader.packs.length, 1);
  });

  test(`reads loose ${objectFormat} objects as git does`, async (t) => {
    const repository = await historyRepository(t, { objectFormat, commits: 5 });
    explode(repository);
    const reader = await assertSameAsGit(t, repository, objectFormat);
    assert.equal(reader.packs.length, 0);
  });
}

test('reads packs whose deltas name their bases by id', async (t) => {
  const repository = await historyRepository(t);
  git(repository, '-c', 'repack.usedeltabaseoffset=false', 'repack', '-adfq');
  await assertSameAsGit(t, repository);
});

test('reads indexes of version 1, which have no crcs', async (t) => {
  const repository = await historyRepository(t);
  git(repository, '-c', 'pack.indexVersion=1', 'repack', '-adfq');
  const reader = await assertSameAsGit(t, repository);
  assert.equal(reader.packs[0]?.index.crcOf(0), undefined);
});

test('reads 64-bit offsets', async (t) => {
  const repository = await historyRepository(t);
  repack(repository);
  const pack = readdirSync(packDirectory(repository)).find((name) => name.endsWith('.pack'))!;
  const idx = join(packDirectory(repository), pack.replace('.pack', '.idx'));
  chmodSync(idx, 0o644);
  git(packDirectory(repository), 'index-pack', '--index-version=2,0x40', pack);
  await assertSameAsGit(t, repository);
});

test('reads several packs that hold the same objects, always from the same one', async (t) => {
  const repository = await historyRepository(t);
  repack(repository);
  git(repository, '-c', 'pack.compression=1', 'pack-objects', '--all', '-q', 'objects/pack/pack');
  git({ cwd: repository, input: 'main:text.txt\n' }, 'cat-file', '--batch-check');
  const single = git(repository, 'rev-parse', 'main:text.txt');
  git({ cwd: repository, input: single }, 'pack-objects', '-q', 'objects/pack/pack');
  const reader = await assertSameAsGit(t, repository);
  assert.ok(reader.packs.length >= 2);
  const location = { pack: 0, offset: 0 };
  const id = hexToBytes(single.trim());
  assert.equal(reader.locate(id, 0, location), true);
  assert.equal(
    location.pack,
    reader.packs.findIndex(({ index }) => index.rankOf(id, 0) >= 0),
  );
});

test('says undefined and false for what is absent', async (t) => {
  const repository = await historyRepository(t, { commits: 2 });
  const reader = await (await openDatabase(t, repository)).openReader();
  assert.equal(reader.has(NO_SUCH_ID), false);
  assert.equal(reader.read(NO_SUCH_ID), undefined);
  assert.equal(reader.readHeader(NO_SUCH_ID), undefined);
  assert.equal(reader.stream(NO_SUCH_ID), undefined);
  assert.equal(reader.locate(hexToBytes(NO_SUCH_ID), 0, { pack: 0, offset: 0 }), false);
  assert.throws(() => reader.has('abc'), { code: 'INVALID_ARGUMENT' });
  assert.throws(() => reader.has('ab'.repeat(32)), { code: 'INVALID_ARGUMENT' });
  reader.release();
});

test('the empty tree is there without being stored', async (t) => {
  const repository = await historyRepository(t, { commits: 2 });
  const reader = await (await openDatabase(t, repository)).openReader();
  assert.deepEqual(reader.read(SHA1.emptyTreeId), { kind: 'tree', data: EMPTY });
  assert.equal(reader.has(SHA1.emptyTreeId), true);
  reader.release();
});

test('idsWithPrefix() finds what git rev-parse --disambiguate finds', async (t) => {
  const repository = await historyRepository(t);
  repack(repository);
  git({ cwd: repository, input: 'loose' }, 'hash-object', '-w', '--stdin');
  const reader = await (await openDatabase(t, repository)).openReader();
  for (const { id } of allObjects(repository).slice(0, 100)) {
    for (const digits of [4, 5, 40]) {
      const prefix = id.slice(0, digits);
      const expected = git(repository, 'rev-parse', `--disambiguate=${prefix}`).trim().split('\n').sort();
      assert.deepEqual(reader.idsWithPrefix(prefix, 100), expected);
      if (digits === 4) break; // one git process an object is slow enough
    }
  }
  const id = allObjects(repository)[0]!.id;
  assert.deepEqual(reader.idsWithPrefix(id.slice(0, 7), 100), [id]);
  assert.deepEqual(reader.idsWithPrefix(id, 100), [id]);
  reader.release();
});

test('follows alternates: absolute, relative, quoted, of alternates; cycles end', async (t) => {
  const pool = await historyRepository(t);
  repack(pool);
  const scratch = await scratchDirectory(t);
  const borrowers = ['a', 'b "quoted"\t', 'c'].map((name) => join(scratch, name));
  for (const borrower of borrowers) git('/', 'init', '--quiet', '--bare', borrower);
  const [a, b, c] = borrowers as [string, string, string];
  const alternates = (repository: string, line: string) =>
    writeFileSync(join(repository, 'objects/info/alternates'), `# a comment\n\n${line}\n`);
  alternates(a, '"../../b \\"quoted\\"\\t/objects"');
  alternates(b, join(c, 'objects'));
  alternates(c, `${join(pool, 'objects')}\n${join(a, 'objects')}`);

  const reader = await (await openDatabase(t, a)).openReader();
  await assertReads(reader, allObjects(pool));
  assert.equal(git(a, 'cat-file', '-t', git(pool, 'rev-parse', 'main').trim()).trim(), 'commit');
  reader.release();
});

test('an alternate that is missing is passed over with a warning', async (t) => {
  const repository = await historyRepository(t, { commits: 2 });
  writeFileSync(join(repository, 'objects/info/alternates'), '/nowhere/objects\n');
  const warnings: GitError[] = [];
  const database = await openDatabase(t, repository, { onWarning: (warning) => warnings.push(warning) });
  const reader = await database.openReader();
  assert.equal(warnings[0]?.detail.path, '/nowhere/objects');
  reader.release();
});

test('alternates are followed five levels deep, as git does', async (t) => {
  const scratch = await scratchDirectory(t);
  const chain = Array.from({ length: 8 }, (_, i) => join(scratch, `level-${i}`));
  const ids = chain.map((repository, i) => {
    git('/', 'init', '--quiet', '--bare', repository);
    const next = chain[i + 1];
    if (next) writeFileSync(join(repository, 'objects/info/alternates'), `${next}/objects\n`);
    return git({ cwd: repository, input: `${i}` }, 'hash-object', '-w', '--stdin').trim();
  });
  const reader = await (await openDatabase(t, chain[0]!, { onWarning() {} })).openReader();
  const seen = ids.map((id) => reader.has(id));
  const gitSees = ids.map((id) =>
    git({ cwd: chain[0]!, input: id }, 'cat-file', '--batch-check').includes('blob'),
  );
  assert.deepEqual(seen, gitSees);
  reader.release();
});

test('a held reader goes on while git repacks and prunes everything beneath it', async (t) => {
  const repository = await historyRepository(t);
  explode(repository);
  git(repository, 'repack', '-q');
  git({ cwd: repository, input: 'only loose' }, 'hash-object', '-w', '--stdin');
  git(
    repository,
    'update-ref',
    'refs/heads/loose',
    git(repository, 'commit-tree', '-m', 'x', 'main^{tree}').trim(),
  );
  const objects = allObjects(repository);
  const kept = objects.filter(({ content }) => content.toString() !== 'only loose');

  const database = await openDatabase(t, repository);
  const reader = await database.openReader();
  git(repository, 'gc', '-q', '--prune=now');
  await assertReads(reader, kept);
  git(repository, '-c', 'pack.compression=9', 'repack', '-adFq');
  await assertReads(reader, kept);
  reader.release();

  const later = await database.openReader();
  assert.equal(later.packs.length, 1);
  await assertReads(later, allObjects(repository));
  later.release();
});

test('packs and objects of other processes are seen at once, even by a reader opened before', async (t) => {
  const repository = await historyRepository(t, { commits: 3 });
  const database = await openDatabase(t, repository);
  const held = await database.openReader();
  for (let i = 0; i < 20; i++) {
    const id = git({ cwd: repository, input: `new ${i}` }, 'hash-object', '-w', '--stdin').trim();
    if (i % 2 === 0) {
      git({ cwd: repository, input: id }, 'pack-objects', '-q', 'objects/pack/pack');
      git(repository, 'prune-packed', '-q');
    }
    const fresh = await database.openReader();
    assert.equal(fresh.has(id), true);
    assert.equal(held.has(id), true);
    assert.equal(String(held.read(id)?.data), String(Buffer.from(`new ${i}`).join()));
    fresh.release();
  }
  held.release();
});

test('an index that is corrupt, or belongs to another pack, is passed over with a warning', async (t) => {
  const repository = await historyRepository(t, { commits: 3 });
  repack(repository);
  const loose = git({ cwd: repository, input: 'loose' }, 'hash-object', '-w', '--stdin').trim();
  const directory = packDirectory(repository);
  const idx = readdirSync(directory).find((name) => name.endsWith('.idx'))!;
  const good = readFileSync(join(directory, idx));
  for (const bad of [
    good.subarray(0, 100),
    good.subarray(0, good.length - 1),
    Buffer.concat([good.subarray(0, 8), Buffer.alloc(1024, 0xff), good.subarray(1032)]),
    Buffer.concat([good.subarray(0, good.length - 40), Buffer.alloc(40)]),
    Buffer.alloc(0),
  ]) {
    rmSync(join(directory, idx), { force: true });
    writeFileSync(join(directory, idx), bad);
    const warnings: GitError[] = [];
    const database = await openDatabase(t, repository, { onWarning: (warning) => warnings.push(warning) });
    const reader = await database.openReader();
    assert.equal(reader.packs.length, 0);
    assert.equal(reader.has(loose), true);
    assert.equal(reader.has(NO_SUCH_ID), false);
    assert.deepEqual(
      warnings.map(({ code }) => code),
      ['PACK_CORRUPT'],
    );
    reader.release();
    await database.close();
  }
});

test('a .rev file that lies is passed over', async (t) => {
  const repository = await historyRepository(t);
  git(repository, '-c', 'pack.writeReverseIndex=true', 'repack', '-adfq');
  const directory = packDirectory(repository);
  const rev = join(directory, readdirSync(directory).find((name) => name.endsWith('.rev'))!);
  await assertSameAsGit(t, repository);
  const bytes = readFileSync(rev);
  bytes.copy(bytes, 12, 16, 20);
  rmSync(rev);
  writeFileSync(rev, bytes);
  await assertSameAsGit(t, repository);
});

test('a damaged copy is read from another place; without one the error says where', async (t) => {
  const repository = await historyRepository(t, { commits: 3 });
  repack(repository);
  const directory = packDirectory(repository);
  const pack = join(directory, readdirSync(directory).find((name) => name.endsWith('.pack'))!);
  const id = git(repository, 'rev-parse', 'main:large.bin').trim();

  const before = await (await openDatabase(t, repository)).openReader();
  const location = { pack: 0, offset: 0 };
  before.locate(hexToBytes(id), 0, location);
  before.release();

  const bytes = readFileSync(pack);
  bytes.fill(0xff, location.offset + 30, location.offset + 60);
  const intact = `${pack}.intact`;
  copyFileSync(pack, intact);
  rmSync(pack);
  writeFileSync(pack, bytes);
  const reader = await (await openDatabase(t, repository)).openReader();
  assert.throws(() => reader.read(id), { code: 'PACK_CORRUPT' });
  assert.equal(catching(() => reader.read(id)).detail.offset, location.offset);

  const scratch = await scratchDirectory(t);
  git('/', 'init', '--quiet', '--bare', scratch);
  git({ cwd: scratch, input: readFileSync(intact) }, 'unpack-objects', '-q');
  rmSync(intact);
  mkdirSync(join(repository, 'objects', id.slice(0, 2)), { recursive: true });
  symlinkSync(
    join(scratch, 'objects', id.slice(0, 2), id.slice(2)),
    join(repository, 'objects', id.slice(0, 2), id.slice(2)),
  );
  assert.equal(reader.read(id)?.kind, 'blob');
  reader.release();
});

function catching(run: () => unknown): GitError {
  try {
    run();
  } catch (error) {
    return error as GitError;
  }
  throw new Error('Nothing was thrown');
}

test('broken loose objects are OBJECT_CORRUPT, with the id', async (t) => {
  const repository = await historyRepository(t, { commits: 1 });
  const reader = await (await openDatabase(t, repository)).openReader();
  const deflated = (text: string) => Buffer.from(nodeRuntime.deflate(Buffer.from(text)));
  const path = join(repository, 'objects', NO_SUCH_ID.slice(0, 2), NO_SUCH_ID.slice(2));
  mkdirSync(join(path, '..'), { recursive: true });
  for (const bytes of [
    '',
    'no zlib stream',
    deflated('blob 3\0abcd'),
    deflated('blob 5\0abcd'),
    deflated('blob 04\0abcd'),
    deflated('blob -1\0abcd'),
    deflated('blubb 4\0abcd'),
    deflated('blob 4 abcd'),
    deflated(`blob ${'9'.repeat(30)}\0abcd`),
    deflated('blob 20000\0abcd'),
    Buffer.concat([deflated('blob 4\0abcd'), Buffer.from('more')]),
    deflated('blob 4\0abcd').subarray(0, -1),
    deflated(`blob 20000\0${'x'.repeat(20_001)}`),
    deflated(`blob 20000\0${'x'.repeat(19_999)}`),
  ]) {
    writeFileSync(path, bytes);
    const error = catching(() => reader.read(NO_SUCH_ID));
    assert.equal(error.code, 'OBJECT_CORRUPT', String(bytes));
    assert.equal(error.detail.id, NO_SUCH_ID);
  }
  reader.release();
});

test('there is no database in a directory that does not exist', async () => {
  await assert.rejects(openFilesObjectDatabase('/nowhere/objects', { format: SHA1, runtime: nodeRuntime }), {
    code: 'REPOSITORY_INVALID',
  });
});
