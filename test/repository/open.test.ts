import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodeRuntime } from '../../src/core/node/runtime.ts';
import { SHA1, SHA256 } from '../../src/core/object-id.ts';
import { createMemoryRepository } from '../../src/repository/memory-repository.ts';
import { initRepository, openRepository } from '../../src/repository/node/files-repository.ts';
import { bareRepository, leftovers } from '../support/bare-repository.ts';
import { git, scratchDirectory } from '../support/git.ts';

test('a bare repository of git opens with its objects, refs and config', async (context) => {
  const made = await bareRepository(context);
  const [one] = made.commits as [string];
  made.git('update-ref', 'refs/heads/main', one);
  await using repository = await openRepository(made.path);
  assert.equal(repository.format, SHA1);
  assert.equal(repository.path, made.path);
  assert.equal(repository.config.getBoolean('core.bare'), true);
  assert.equal((await repository.refs.resolve('HEAD'))?.id, one);
  const reader = await repository.objects.openReader();
  assert.equal(reader.readHeader(one)?.kind, 'commit');
  reader.release();
  assert.deepEqual(await repository.shallowCommits(), new Set());
  writeFileSync(join(made.path, 'shallow'), `${one}\n`);
  assert.deepEqual(await repository.shallowCommits(), new Set([one]));
});

for (const [setting, expected] of [
  ['core.commitGraph=true', { bitmaps: true, commitGraph: true }],
  ['core.commitGraph=false', { bitmaps: true, commitGraph: false }],
  ['pack.useBitmaps=false', { bitmaps: false, commitGraph: true }],
] as const) {
  test(`${setting} decides what readers take short cuts by`, async (context) => {
    const made = await bareRepository(context);
    made.git('update-ref', 'refs/heads/main', made.commits[0] as string);
    made.git('repack', '-adbq');
    made.git('commit-graph', 'write', '--reachable');
    made.git('config', ...(setting.split('=') as [string, string]));
    await using repository = await openRepository(made.path, {
      onWarning: (warning) => assert.fail(warning),
    });
    const reader = await repository.objects.openReader();
    assert.equal(reader.bitmaps !== undefined, expected.bitmaps);
    assert.equal(reader.commitGraph !== undefined, expected.commitGraph);
    reader.release();
  });
}

/** The file of a loose object, and what it begins with: the bytes behind say by which level. */
function looseFile(path: string, id: string): Buffer {
  return readFileSync(join(path, 'objects', id.slice(0, 2), id.slice(2)));
}

for (const settings of [
  [],
  ['core.compression=0'],
  ['core.compression=9'],
  ['core.compression=9', 'core.looseCompression=3'],
  ['core.looseCompression=-1'],
]) {
  test(`loose objects are deflated as git does with ${settings.join(' and ') || 'no word about it'}`, async (context) => {
    const [ours, gits] = [await bareRepository(context), await bareRepository(context)];
    for (const setting of settings) {
      for (const made of [ours, gits]) made.git('config', ...(setting.split('=') as [string, string]));
    }
    const text = 'a line that comes again\n'.repeat(500);
    const id = git({ cwd: gits.path, input: text }, 'hash-object', '-w', '--stdin').trim();
    await using repository = await openRepository(ours.path);
    await using transaction = await repository.objects.begin();
    assert.equal(await transaction.writeObject('blob', Buffer.from(text)), id);
    await transaction.commit();
    const [our, theirs] = [looseFile(ours.path, id), looseFile(gits.path, id)];
    assert.deepEqual(our.subarray(0, 2), theirs.subarray(0, 2));
    assert.equal(our.length > text.length, theirs.length > text.length);
  });
}

test('a level of compression that zlib does not know is refused', async (context) => {
  const made = await bareRepository(context);
  made.git('config', 'core.looseCompression', '10');
  await assert.rejects(openRepository(made.path), { code: 'REPOSITORY_INVALID' });
});

test('a work tree opens by its directory, its .git, and a gitdir: file', async (context) => {
  const directory = await scratchDirectory(context);
  git(directory, 'init', '--quiet', 'tree');
  git(directory, 'init', '--quiet', '--separate-git-dir=elsewhere.git', 'other');
  for (const [path, expected] of [
    ['tree', 'tree/.git'],
    ['tree/.git', 'tree/.git'],
    ['other', 'elsewhere.git'],
    ['other/.git', 'elsewhere.git'],
  ] as const) {
    await using repository = await openRepository(join(directory, path));
    assert.equal(repository.path, join(directory, expected), path);
  }
});

test('a linked work tree is not supported', async (context) => {
  const directory = await scratchDirectory(context);
  git(directory, 'init', '--quiet', 'tree');
  git(join(directory, 'tree'), 'commit', '--quiet', '--allow-empty', '-m', 'one');
  git(join(directory, 'tree'), 'worktree', 'add', '--quiet', '../linked');
  await assert.rejects(openRepository(join(directory, 'linked')), { code: 'UNSUPPORTED' });
});

test('what is no repository is refused', async (context) => {
  const directory = await scratchDirectory(context);
  mkdirSync(join(directory, 'empty'));
  writeFileSync(join(directory, 'file'), 'gitdir: nowhere\n');
  writeFileSync(join(directory, 'text'), 'text\n');
  const broken = (await bareRepository(context)).path;
  writeFileSync(join(broken, 'HEAD'), 'garbage\n');
  for (const [path, code] of [
    [join(directory, 'absent'), 'REPOSITORY_NOT_FOUND'],
    [join(directory, 'text/below'), 'REPOSITORY_NOT_FOUND'],
    [join(directory, 'empty'), 'REPOSITORY_INVALID'],
    [join(directory, 'file'), 'REPOSITORY_INVALID'],
    [join(directory, 'text'), 'REPOSITORY_INVALID'],
    [broken, 'REPOSITORY_INVALID'],
  ] as const) {
    await assert.rejects(openRepository(path), { code }, path);
  }
});

test('a config that does not parse, or asks for what we do not know, is refused', async (context) => {
  const { path } = await bareRepository(context);
  writeFileSync(join(path, 'config'), '[core\n');
  await assert.rejects(openRepository(path), { code: 'REPOSITORY_INVALID' });
  writeFileSync(
    join(path, 'config'),
    '[core]\n\trepositoryformatversion = 1\n[extensions]\n\tsomething = x\n',
  );
  await assert.rejects(openRepository(path), { code: 'UNSUPPORTED' });
});

for (const [setting, logged] of [
  [undefined, []],
  ['true', ['HEAD', 'refs/heads/main']],
  ['always', ['HEAD', 'refs/heads/main', 'refs/tags/v1']],
  ['false', []],
] as const) {
  test(`core.logAllRefUpdates=${setting ?? 'unset'} logs ${logged.length} of 3 refs`, async (context) => {
    const { path, commits, git: run } = await bareRepository(context);
    if (setting !== undefined) run('config', 'core.logAllRefUpdates', setting);
    await using repository = await openRepository(path);
    const updates = ['refs/heads/main', 'refs/tags/v1'].map((name) => ({
      name,
      newId: commits[0],
      expected: undefined,
    }));
    await repository.refs.update(updates, { atomic: true, reflogMessage: 'push' });
    const names = ['HEAD', 'refs/heads/main', 'refs/tags/v1'];
    assert.deepEqual(
      names.filter((name) => existsSync(join(path, 'logs', name))),
      logged,
    );
  });
}

for (const format of [SHA1, SHA256]) {
  test(`initRepository() makes what git init --bare makes (${format.name})`, async (context) => {
    const directory = await scratchDirectory(context);
    const [ours, gits] = [join(directory, 'new/ours.git'), join(directory, 'gits.git')];
    git(
      directory,
      'init',
      '--quiet',
      '--bare',
      `--object-format=${format.name}`,
      '--initial-branch=main',
      gits,
    );
    await using repository = await initRepository(ours, { format });
    assert.equal(repository.format, format);
    for (const file of ['HEAD', 'config', 'description']) {
      assert.equal(readFileSync(join(ours, file), 'utf8'), readFileSync(join(gits, file), 'utf8'), file);
    }
    for (const name of ['objects/info', 'objects/pack', 'refs/heads', 'refs/tags']) {
      assert.deepEqual(readdirSync(join(ours, name)), [], name);
    }
    assert.equal(git(ours, 'rev-parse', '--is-bare-repository').trim(), 'true');
    git(ours, 'fsck', '--strict');
    assert.deepEqual(leftovers(directory), []);
    assert.deepEqual(readdirSync(join(directory, 'new')), ['ours.git']);
  });
}

test('many new refs go into packed-refs, tags peeled, as git would pack them', async (context) => {
  const { path, commits, tag, git: run } = await bareRepository(context);
  await using repository = await openRepository(path);
  const nested = git(
    {
      cwd: path,
      input: `object ${tag}\ntype tag\ntag v2\ntagger T <t@example.com> 1112911993 -0700\n\nv2\n`,
    },
    'mktag',
  ).trim();
  const updates = Array.from({ length: 150 }, (_, n) => ({
    name: n % 3 === 0 ? `refs/tags/v/${n}` : `refs/heads/b${n}`,
    newId: n % 3 === 0 ? (n % 2 === 0 ? tag : nested) : commits[n % commits.length],
    expected: undefined,
  }));
  const outcomes = await repository.refs.update(updates, { atomic: true, reflogMessage: 'push' });
  assert.ok(outcomes.every(({ ok }) => ok));
  assert.deepEqual(readdirSync(join(path, 'refs/heads')), []);
  assert.deepEqual(readdirSync(join(path, 'refs/tags')), []);
  const listed = (await repository.refs.list()).map(
    ({ name, id, peeled }) => `${name} ${id} ${peeled ?? ''}\n`,
  );
  const format = '--format=%(refname) %(objectname) ';
  assert.equal(
    listed.map((line) => line.slice(0, line.lastIndexOf(' ') + 1)).join('\n'),
    `${run('for-each-ref', format).trimEnd()} `,
  );
  assert.equal((await repository.refs.resolve('refs/tags/v/3'))?.peeled, commits[0]);

  const packed = readFileSync(join(path, 'packed-refs'), 'utf8');
  run('fsck', '--strict');
  run('pack-refs', '--all');
  assert.equal(readFileSync(join(path, 'packed-refs'), 'utf8'), packed);
  assert.deepEqual(leftovers(path), []);
});

test('initRepository() opens a repository that is there as it is', async (context) => {
  const { path, commits, git: run } = await bareRepository(context);
  run('update-ref', 'refs/heads/main', commits[0] as string);
  await using repository = await initRepository(path, { initialBranch: 'other' });
  assert.equal((await repository.refs.resolve('HEAD'))?.id, commits[0]);
  await assert.rejects(initRepository(path, { format: SHA256 }), { code: 'INVALID_ARGUMENT' });
});

test('initRepository() fills a directory that exists, and finishes one that was cut short', async (context) => {
  const directory = await scratchDirectory(context);
  writeFileSync(join(directory, 'notes.txt'), 'mine');
  await (await initRepository(directory))[Symbol.asyncDispose]();
  rmSync(join(directory, 'HEAD'));
  await using repository = await initRepository(directory, { initialBranch: 'trunk' });
  assert.deepEqual(await repository.refs.read('HEAD'), { kind: 'symbolic', target: 'refs/heads/trunk' });
  assert.equal(readFileSync(join(directory, 'notes.txt'), 'utf8'), 'mine');
});

test('initRepository() refuses bad branch names and files in the way', async (context) => {
  const directory = await scratchDirectory(context);
  for (const initialBranch of ['', '-x', 'a..b', 'a b']) {
    await assert.rejects(initRepository(join(directory, 'x'), { initialBranch }), {
      code: 'INVALID_ARGUMENT',
    });
  }
  writeFileSync(join(directory, 'file'), '');
  await assert.rejects(initRepository(join(directory, 'file')), { code: 'REPOSITORY_INVALID' });
  await assert.rejects(initRepository(join(directory, 'file/x')), { code: 'REPOSITORY_INVALID' });
  assert.deepEqual(readdirSync(directory), ['file']);
});

test('many that make the same repository at once all get it', async (context) => {
  const directory = await scratchDirectory(context);
  const path = join(directory, 'a/b/same.git');
  const made = await Promise.all(Array.from({ length: 8 }, () => initRepository(path)));
  for (const repository of made) {
    assert.deepEqual(await repository.refs.list(), []);
    await repository[Symbol.asyncDispose]();
  }
  assert.deepEqual(readdirSync(join(directory, 'a/b')), ['same.git']);
});

test('createMemoryRepository() makes an empty repository that outlives its disposal', async () => {
  const repository = createMemoryRepository({ runtime: nodeRuntime, format: SHA256, defaultBranch: 'trunk' });
  await repository[Symbol.asyncDispose]();
  assert.equal(repository.format, SHA256);
  assert.equal(repository.objects.format, SHA256);
  assert.deepEqual(await repository.refs.read('HEAD'), { kind: 'symbolic', target: 'refs/heads/trunk' });
  assert.throws(() => createMemoryRepository({ runtime: nodeRuntime, defaultBranch: 'a..b' }), {
    code: 'REF_INVALID',
  });
});
