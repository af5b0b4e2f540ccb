import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { DEFAULT_LIMITS } from '../../../src/core/limits.ts';
import { nodeRuntime } from '../../../src/core/node/runtime.ts';
import { SHA1 } from '../../../src/core/object-id.ts';
import { openFilesObjectDatabase } from '../../../src/odb/node/files-object-database.ts';
import type { ObjectDatabase } from '../../../src/odb/object-database.ts';
import { git, gitBytes, scratchDirectory } from '../../support/git.ts';
import { allObjects, historyRepository } from '../../support/object-repositories.ts';
import { chunked } from '../../support/streams.ts';

const OPTIONS = { limits: DEFAULT_LIMITS };

interface Target {
  readonly repository: string;
  readonly objects: string;
  readonly database: ObjectDatabase;
}

async function emptyTarget(context: Pick<TestContext, 'after'>): Promise<Target> {
  const repository = join(await scratchDirectory(context), 'target.git');
  git('/', 'init', '--quiet', '--bare', repository);
  const objects = join(repository, 'objects');
  const database = await openFilesObjectDatabase(objects, { format: SHA1, runtime: nodeRuntime });
  context.after(() => database.close());
  return { repository, objects, database };
}

/** A pack of everything in a repository of this many commits (four objects each, about). */
async function somePack(context: Pick<TestContext, 'after'>, commits: number) {
  const source = await historyRepository(context, { commits });
  const pack = gitBytes(source, 'pack-objects', '--all', '--stdout', '--delta-base-offset', '-q');
  return { source, pack };
}

/** Every file below, as `directory/name`, sorted. */
const filesBelow = (directory: string): string[] =>
  (readdirSync(directory, { recursive: true, withFileTypes: true }) as import('node:fs').Dirent[])
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();

const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);

function assertSameObjects(target: string, source: string): void {
  assert.deepEqual(allObjects(target), allObjects(source));
  git(target, 'fsck', '--strict', '--full');
}

test('a pack of 100 objects or more is kept, with the index git would make', async (t) => {
  const { repository, objects, database } = await emptyTarget(t);
  const { source, pack } = await somePack(t, 60);
  await using transaction = await database.begin();
  const result = await transaction.writePack(chunked(pack, [1000]), OPTIONS);
  assert.equal(result.objectCount, allObjects(source).length);
  const name = `pack/pack-${result.packId}`;
  assert.deepEqual(
    filesBelow(objects).map((path) => path.replace(/^tmp_objdir-incoming-\w{6}\//, '')),
    [`${name}.idx`, `${name}.keep`, `${name}.pack`, `${name}.rev`],
  );

  await transaction.commit();
  for (const extension of ['pack', 'idx', 'rev']) {
    assert.equal(mode(join(objects, `${name}.${extension}`)), '444');
  }
  assert.deepEqual(filesBelow(objects), [`${name}.idx`, `${name}.keep`, `${name}.pack`, `${name}.rev`]);

  // Refs are updated here; only then may a repack take the pack.
  await transaction[Symbol.asyncDispose]();
  assert.deepEqual(filesBelow(objects), [`${name}.idx`, `${name}.pack`, `${name}.rev`]);
  assert.ok(!readdirSync(objects).some((entry) => entry.startsWith('tmp_')));
  git(
    repository,
    'index-pack',
    '--rev-index',
    '-o',
    join(repository, 'git.idx'),
    join(objects, `${name}.pack`),
  );
  assert.deepEqual(readFileSync(join(objects, `${name}.idx`)), readFileSync(join(repository, 'git.idx')));
  assertSameObjects(repository, source);
});

test('a smaller pack becomes loose objects, as git unpacks it', async (t) => {
  const { repository, objects, database } = await emptyTarget(t);
  const { source, pack } = await somePack(t, 5);
  // The 40,000 random words of the history are too large to be unpacked.
  const ids = git(source, 'rev-list', '--objects', '--filter=blob:limit=100k', 'main').split('\n');
  const small = gitBytes(
    { cwd: source, input: ids.map((line) => line.slice(0, 40)).join('\n') },
    'pack-objects',
    '--stdout',
    '-q',
  );
  await using transaction = await database.begin();
  const result = await transaction.writePack(chunked(small, [700]), OPTIONS);
  assert.equal(result.packId, undefined);
  await transaction.commit();
  const files = filesBelow(objects);
  assert.equal(files.length, result.objectCount);
  for (const file of files) assert.equal(mode(join(objects, file)), '444');
  git(repository, 'fsck', '--strict');

  await using second = await database.begin();
  assert.notEqual(
    (await second.writePack(chunked(pack, []), { ...OPTIONS, unpackLimit: 1 })).packId,
    undefined,
  );
  await second.commit();
  assertSameObjects(repository, source);
});

test('a pack of few objects that is large in bytes is kept', async (t) => {
  const { objects, database } = await emptyTarget(t);
  const { repository: source } = await emptyTarget(t);
  const noise = Buffer.from(
    Uint32Array.from({ length: 500_000 }, (_, i) => Math.imul(i, 2654435761) ^ (i << 7)).buffer,
  );
  const blob = git({ cwd: source, input: noise }, 'hash-object', '-w', '--stdin');
  const pack = gitBytes({ cwd: source, input: blob }, 'pack-objects', '--stdout', '-q', '--compression=0');
  await using transaction = await database.begin();
  const { packId, objectCount } = await transaction.writePack(chunked(pack, [65_536]), OPTIONS);
  assert.equal(objectCount, 1);
  await transaction.commit();
  assert.ok(existsSync(join(objects, `pack/pack-${packId}.idx`)));
});

test('hooks that run git see the quarantine, and nobody else does', async (t) => {
  const { repository, objects, database } = await emptyTarget(t);
  const { source, pack } = await somePack(t, 60);
  const tip = git(source, 'rev-parse', 'main').trim();
  await using transaction = await database.begin();
  await transaction.writePack(chunked(pack, []), OPTIONS);
  const env = {
    GIT_QUARANTINE_PATH: transaction.quarantinePath!,
    GIT_OBJECT_DIRECTORY: transaction.quarantinePath!,
    GIT_ALTERNATE_OBJECT_DIRECTORIES: objects,
  };
  git({ cwd: repository, env }, 'rev-list', '--objects', tip);
  assert.throws(() => git(repository, 'cat-file', '-e', tip));

  // What a hook writes there is published with the rest.
  const made = git({ cwd: repository, env, input: 'by a hook' }, 'hash-object', '-w', '--stdin').trim();
  await transaction.commit();
  assert.equal(git(repository, 'cat-file', 'blob', made), 'by a hook');
});

test('objects that are there already are not stored again, but count as recent', async (t) => {
  const { repository, objects, database } = await emptyTarget(t);
  const id = git({ cwd: repository, input: 'known' }, 'hash-object', '-w', '--stdin').trim();
  const path = join(objects, id.slice(0, 2), id.slice(2));
  const long = new Date('2001-01-01');
  utimesSync(path, long, long);
  const { ino } = statSync(path);
  await using transaction = await database.begin();
  await transaction.writeObject('blob', Buffer.from('known'));
  await transaction.commit();
  assert.equal(statSync(path).ino, ino);
  assert.ok(statSync(path).mtimeMs > long.getTime());
});

test('the same pack twice is stored once, and counts as recent', async (t) => {
  const { repository, objects, database } = await emptyTarget(t);
  const { source, pack } = await somePack(t, 60);
  const push = async () => {
    await using transaction = await database.begin();
    const { packId } = await transaction.writePack(chunked(pack, []), OPTIONS);
    await transaction.commit();
    return join(objects, `pack/pack-${packId}.pack`);
  };
  const path = await push();
  const { ino } = statSync(path);
  const long = new Date('2001-01-01');
  utimesSync(path, long, long);
  assert.equal(await push(), path);
  assert.equal(statSync(path).ino, ino);
  assert.ok(statSync(path).mtimeMs > long.getTime());
  assert.equal(readdirSync(join(objects, 'pack')).length, 3);
  assertSameObjects(repository, source);
});

test('a .keep that someone else put there stays', async (t) => {
  const { objects, database } = await emptyTarget(t);
  const { pack } = await somePack(t, 60);
  const packId = pack.subarray(-20).toString('hex');
  const keep = join(objects, `pack/pack-${packId}.keep`);
  writeFileSync(keep, 'mine\n');
  {
    await using transaction = await database.begin();
    await transaction.writePack(chunked(pack, []), OPTIONS);
    await transaction.commit();
  }
  assert.equal(readFileSync(keep, 'utf8'), 'mine\n');
});

test('a refused pack leaves no file', async (t) => {
  const { objects, database } = await emptyTarget(t);
  const { pack } = await somePack(t, 60);
  const broken = Buffer.from(pack);
  broken[broken.length - 1]! ^= 1;
  const transaction = await database.begin();
  await assert.rejects(transaction.writePack(chunked(broken, [9999]), OPTIONS), { code: 'PACK_CORRUPT' });
  assert.deepEqual(filesBelow(objects), []);
  await transaction[Symbol.asyncDispose]();
  assert.deepEqual(readdirSync(objects).sort(), ['info', 'pack']);
});

test('a stream that fails, or is cancelled, leaves no file', async (t) => {
  const { objects, database } = await emptyTarget(t);
  const { pack } = await somePack(t, 60);
  async function* failing() {
    yield pack.subarray(0, 5000);
    throw new Error('the connection was reset');
  }
  {
    await using transaction = await database.begin();
    await assert.rejects(transaction.writePack(failing(), OPTIONS), /the connection was reset/);
  }
  {
    const abort = new AbortController();
    async function* cancelled() {
      yield pack.subarray(0, 5000);
      abort.abort();
      yield pack.subarray(5000);
    }
    await using transaction = await database.begin();
    const options = { ...OPTIONS, signal: abort.signal };
    await assert.rejects(transaction.writePack(cancelled(), options), { code: 'ABORTED' });
  }
  assert.deepEqual(readdirSync(objects).sort(), ['info', 'pack']);
});

test('an objects directory that vanishes is STORAGE_FAILED', async (t) => {
  const { objects, database } = await emptyTarget(t);
  const { pack } = await somePack(t, 60);
  await using transaction = await database.begin();
  rmSync(objects, { recursive: true });
  await assert.rejects(transaction.writePack(chunked(pack, []), OPTIONS), { code: 'STORAGE_FAILED' });
  await assert.rejects(transaction.writeObject('blob', Buffer.from('x')), { code: 'STORAGE_FAILED' });
  await assert.rejects(database.begin(), { code: 'STORAGE_FAILED' });
});

/** Run `body` in a process of its own, over the repository's database; `ready` is printed where it says so. */
function inProcess(target: Target, packPath: string, body: string, shell = ''): string[] {
  const root = new URL('../../../', import.meta.url).pathname;
  const script = `
    import { readFileSync, readdirSync } from 'node:fs';
    import { nodeRuntime } from '${root}src/core/node/runtime.ts';
    import { DEFAULT_LIMITS } from '${root}src/core/limits.ts';
    import { SHA1 } from '${root}src/core/object-id.ts';
    import { openFilesObjectDatabase } from '${root}src/odb/node/files-object-database.ts';
    const objects = ${JSON.stringify(target.objects)};
    const database = await openFilesObjectDatabase(objects, { format: SHA1, runtime: nodeRuntime });
    const pack = readFileSync(${JSON.stringify(packPath)});
    async function* stream() { yield pack; }
    const options = { limits: DEFAULT_LIMITS };
    ${body}`;
  const node = `exec "$0" --import tsx --input-type=module --eval "$1"`;
  return ['-c', `${shell}\ncd '${root}'\n${node}`, process.execPath, script];
}

test('a full disk is STORAGE_FAILED with plain words, and leaves no file', async (t) => {
  const target = await emptyTarget(t);
  const { pack } = await somePack(t, 60);
  const packPath = join(target.repository, 'aside.pack');
  writeFileSync(packPath, pack);
  const body = `
    const transaction = await database.begin();
    try {
      await transaction.writePack(stream(), options);
    } catch (error) {
      console.log(error.code, '|', error.message);
    }
    await transaction[Symbol.asyncDispose]();
    console.log(readdirSync(objects).sort().join());`;
  // A limit on the size of files fails writes half-way, as a full disk does.
  const result = spawnSync('sh', inProcess(target, packPath, body, 'ulimit -f 64'), { encoding: 'utf8' });
  assert.match(result.stdout, /^STORAGE_FAILED \| Cannot store pack: .*\ninfo,pack\n$/, result.stderr);
});

test('a process killed in the middle leaves only a directory that git removes', async (t) => {
  const target = await emptyTarget(t);
  const { source, pack } = await somePack(t, 60);
  const packPath = join(target.repository, 'aside.pack');
  writeFileSync(packPath, pack);
  const body = `
    const transaction = await database.begin();
    await transaction.writePack(stream(), options);
    await transaction.writeObject('blob', Buffer.from('loose'));
    console.log('written');
    setInterval(() => {}, 1000);`;
  const child = spawn('sh', inProcess(target, packPath, body), { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');

  const left = readdirSync(target.objects).filter((name) => name !== 'info' && name !== 'pack');
  assert.equal(left.length, 1);
  assert.match(left[0]!, /^tmp_objdir-incoming-/);
  assert.deepEqual(readdirSync(join(target.objects, 'pack')), []);
  git(target.repository, 'fsck', '--strict');
  git(target.repository, 'prune', '--expire=now');
  assert.deepEqual(readdirSync(target.objects).sort(), ['info', 'pack']);

  await using transaction = await target.database.begin();
  await transaction.writePack(chunked(pack, []), OPTIONS);
  await transaction.commit();
  assertSameObjects(target.repository, source);
});
