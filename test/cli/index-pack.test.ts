import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, type TestContext } from 'node:test';
import { git, gitAsync, gitBytes, scratchDirectory } from '../support/git.ts';
import { runHere } from './run-packwire.ts';

const source = await makeSource('sha1');

/** A repository of two commits, its whole pack, and the thin pack of the second. */
async function makeSource(format: string) {
  const directory = await scratchDirectory({ after: after as TestContext['after'] });
  const work = join(directory, 'work');
  git('/', 'init', '-q', `--object-format=${format}`, work);
  for (const round of [1, 2]) {
    const lines = Array.from({ length: 500 }, (_, n) => (n % 100 === 0 ? `${round}` : `line ${n}`));
    writeFileSync(join(work, 'file'), lines.join('\n'));
    git(work, 'add', '.');
    git(work, 'commit', '-qm', `${round}`);
  }
  const pack = (revs: string, ...options: string[]) =>
    gitBytes({ cwd: work, input: revs }, 'pack-objects', '-q', '--stdout', '--revs', ...options);
  return { work, whole: pack('HEAD\n'), first: pack('HEAD~\n'), thin: pack('HEAD\n^HEAD~\n', '--thin') };
}

/** A directory with `p.pack` in it. */
async function packIn(t: TestContext, pack = source.whole): Promise<string> {
  const cwd = await scratchDirectory(t);
  writeFileSync(join(cwd, 'p.pack'), pack);
  return cwd;
}

async function bareRepository(t: TestContext, format = 'sha1'): Promise<string> {
  const path = join(await scratchDirectory(t), 'r.git');
  git('/', 'init', '-q', '--bare', `--object-format=${format}`, path);
  return path;
}

const same = (a: string, b: string, file: string, other = file): void =>
  assert.deepEqual(readFileSync(join(a, file)), readFileSync(join(b, other)));

for (const args of [['p.pack'], ['-o', 'other.idx', 'p.pack'], ['--keep=why', 'p.pack']]) {
  test(`index-pack ${args.join(' ')} writes and prints what git does`, async (t) => {
    const [ours, theirs] = [await packIn(t), await packIn(t)];
    const result = await runHere(['index-pack', ...args], { cwd: ours });
    assert.deepEqual(result, await gitAsync(theirs, 'index-pack', '--rev-index', ...args));
    assert.deepEqual(readdirSync(ours).sort(), readdirSync(theirs).sort());
    for (const file of readdirSync(theirs)) same(ours, theirs, file);
  });
}

test('index-pack --no-rev-index writes no .rev file', async (t) => {
  const cwd = await packIn(t);
  assert.equal((await runHere(['index-pack', '--no-rev-index', 'p.pack'], { cwd })).status, 0);
  assert.deepEqual(readdirSync(cwd).sort(), ['p.idx', 'p.pack']);
});

for (const keep of [[], ['--keep'], ['--keep=a push']]) {
  test(`index-pack --stdin ${keep.join(' ')} stores a pack in the repository as git does`, async (t) => {
    const [ours, theirs] = [await bareRepository(t), await bareRepository(t)];
    const args = ['--stdin', '--fix-thin', ...keep];
    const input = source.first;
    const result = await runHere(['index-pack', ...args], { cwd: ours, input });
    assert.deepEqual(result, await gitAsync({ cwd: theirs, input }, 'index-pack', '--rev-index', ...args));
    const packs = 'objects/pack';
    assert.deepEqual(readdirSync(join(ours, packs)).sort(), readdirSync(join(theirs, packs)).sort());
    for (const file of readdirSync(join(theirs, packs))) {
      same(join(ours, packs), join(theirs, packs), file);
      if (!file.endsWith('.keep')) assert.equal(statSync(join(ours, packs, file)).mode & 0o777, 0o444);
    }
    git(ours, 'fsck', '--strict');

    const again = await runHere(['index-pack', ...args], { cwd: ours, input });
    assert.match(again.stdout, /^pack\t[0-9a-f]{40}\n$/);

    // The added base is deflated by another zlib than git's, so the completed pack has another id.
    const thin = await runHere(['index-pack', ...args], { cwd: ours, input: source.thin });
    assert.match(thin.stdout, /^(pack|keep)\t[0-9a-f]{40}\n$/);
    git(ours, 'fsck', '--strict');
    for (const index of readdirSync(join(ours, packs)).filter((file) => file.endsWith('.idx'))) {
      git(join(ours, packs), 'verify-pack', index);
    }
  });
}

test('index-pack finds the repository by GIT_DIR, or above the working directory', async (t) => {
  const repository = await bareRepository(t, 'sha256');
  const { whole } = await makeSource('sha256');
  const elsewhere = await scratchDirectory(t);
  const byName = await runHere(['index-pack', '--stdin'], {
    cwd: elsewhere,
    input: whole,
    env: { GIT_DIR: repository },
  });
  assert.match(byName.stdout, /^pack\t[0-9a-f]{64}\n$/);

  const work = join(elsewhere, 'work');
  git('/', 'init', '-q', work);
  mkdirSync(join(work, 'a/b'), { recursive: true });
  const input = source.whole;
  assert.equal((await runHere(['index-pack', '--stdin'], { cwd: join(work, 'a/b'), input })).status, 0);
  assert.equal(git(work, 'count-objects', '-v').match(/in-pack: (\d+)/)?.[1], '6');
});

test('index-pack --stdin <pack-file> needs no repository', async (t) => {
  const cwd = await scratchDirectory(t);
  const result = await runHere(['index-pack', '--stdin', 'q.pack'], { cwd, input: source.whole });
  assert.equal(result.status, 0);
  assert.deepEqual(readdirSync(cwd).sort(), ['q.idx', 'q.pack', 'q.rev']);
  same(cwd, await packIn(t), 'q.pack', 'p.pack');
});

test('index-pack --verify says nothing of a good pack and fails for a bad index', async (t) => {
  const cwd = await packIn(t);
  git(cwd, 'index-pack', '--rev-index', 'p.pack');
  for (const name of ['p.pack', 'p.idx', 'p']) {
    const result = await runHere(['index-pack', '--verify', name], { cwd });
    assert.deepEqual(result, { status: 0, stdout: '', stderr: '' });
  }
  git(cwd, 'index-pack', '--index-version=2,0x10', '-o', 'large.idx', 'p.pack');
  const result = await runHere(['index-pack', '--verify', '-o', 'large.idx', 'p.pack'], { cwd });
  assert.equal(result.status, 128);
});

test('index-pack -v shows progress as git does', async (t) => {
  const cwd = await packIn(t);
  const { stderr } = await runHere(['index-pack', '-v', 'p.pack'], { cwd });
  assert.match(stderr, /Indexing objects: 100% \(6\/6\), done\.\n/);
  const repository = await bareRepository(t);
  const input = source.whole;
  const received = await runHere(['index-pack', '-v', '--stdin'], { cwd: repository, input });
  assert.match(received.stderr, /Receiving objects: 100% \(6\/6\), .*, done\.\n/);
  assert.match(received.stderr, /Resolving deltas: 100% \(1\/1\), done\.\n/);
});

for (const threads of ['0', '1', '2']) {
  test(`index-pack --threads=${threads} gives the same index`, async (t) => {
    const cwd = await packIn(t);
    await runHere(['index-pack', `--threads=${threads}`, 'p.pack'], { cwd });
    const theirs = await packIn(t);
    git(theirs, 'index-pack', 'p.pack');
    same(cwd, theirs, 'p.idx');
  });
}

for (const [what, args, input, status] of [
  ['no pack', [], source.whole, 129],
  ['two packs', ['a.pack', 'b.pack'], source.whole, 129],
  ['an unknown option', ['--stdout'], source.whole, 129],
  ['--fix-thin without --stdin', ['--fix-thin', 'p.pack'], source.whole, 129],
  ['a name without .pack', ['p'], source.whole, 128],
  ['a file that is not there', ['q.pack'], source.whole, 128],
  ['no repository', ['--stdin'], source.whole, 128],
  ['another object format', ['--object-format=sha256', 'p.pack'], source.whole, 128],
  ['a pack above --max-input-size', ['--stdin', '--max-input-size=100', 'q.pack'], source.whole, 128],
  ['a thin pack without its bases', ['--stdin', 'q.pack'], source.thin, 128],
  ['a truncated pack', ['--stdin', 'q.pack'], source.whole.subarray(0, -1), 128],
  ['bytes after the pack', ['--stdin', 'q.pack'], Buffer.concat([source.whole, Buffer.alloc(3)]), 128],
  ['no pack at all', ['--stdin', 'q.pack'], Buffer.from('hello'), 128],
  ['nothing', ['--stdin', 'q.pack'], Buffer.alloc(0), 128],
] as const) {
  test(`index-pack refuses ${what} and leaves nothing behind`, async (t) => {
    const cwd = await packIn(t);
    const result = await runHere(['index-pack', ...args], { cwd, input });
    assert.equal(result.status, status, result.stderr);
    assert.match(result.stderr, status === 129 ? /^error: / : /^fatal: /);
    assert.equal(result.stdout, '');
    assert.deepEqual(readdirSync(cwd), ['p.pack']);
  });
}

test('index-pack reads the configuration of the command, too', async (t) => {
  const [cwd, input] = [await bareRepository(t), source.whole];
  const env = {
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'pack.writeReverseIndex',
    GIT_CONFIG_VALUE_0: 'false',
  };
  const packs = (): string[] =>
    readdirSync(join(cwd, 'objects/pack')).map((file) => file.replace(/.*\./, ''));
  assert.equal((await runHere(['index-pack', '--stdin'], { cwd, input, env })).status, 0);
  assert.deepEqual(packs().sort(), ['idx', 'pack']);
  assert.equal((await runHere(['index-pack', '--stdin', '--rev-index'], { cwd, input, env })).status, 0);
  assert.deepEqual(packs().sort(), ['idx', 'pack', 'rev']);
});

for (const value of ['group', '0640']) {
  test(`index-pack --stdin shares what it writes with ${value}, as git does`, async (t) => {
    const [ours, theirs] = [await bareRepository(t), await bareRepository(t)];
    for (const path of [ours, theirs]) git(path, 'config', 'core.sharedRepository', value);
    const input = source.whole;
    const before = process.umask(0o077);
    try {
      assert.equal((await runHere(['index-pack', '--stdin'], { cwd: ours, input })).status, 0);
      assert.equal(
        (await gitAsync({ cwd: theirs, input }, 'index-pack', '--rev-index', '--stdin')).status,
        0,
      );
    } finally {
      process.umask(before);
    }
    const modes = (path: string): string[] =>
      readdirSync(join(path, 'objects/pack')).map(
        (file) => `${statSync(join(path, 'objects/pack', file)).mode.toString(8)} ${file}`,
      );
    assert.deepEqual(modes(ours).sort(), modes(theirs).sort());
  });
}
