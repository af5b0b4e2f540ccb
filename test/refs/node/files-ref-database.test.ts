import assert from 'node:assert/strict';
import fs, {
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { SHA1, SHA256 } from '../../../src/core/object-id.ts';
import {
  type FilesRefDatabaseOptions,
  openFilesRefDatabase,
} from '../../../src/refs/node/files-ref-database.ts';
import type { RefDatabase, RefUpdate } from '../../../src/refs/ref-database.ts';
import { type BareRepository, bareRepository, leftovers } from '../../support/bare-repository.ts';
import { git, scratchDirectory } from '../../support/git.ts';

const MAIN = 'refs/heads/main';
const EACH = { atomic: false } as const;

function open(
  { path }: BareRepository,
  options: Partial<FilesRefDatabaseOptions> = {},
): Promise<RefDatabase> {
  return openFilesRefDatabase(path, { format: SHA1, fsync: false, ...options });
}

/** `name id peeled` of each ref, as git sees them. */
function refsOfGit(repository: BareRepository): string[] {
  const lines = repository
    .git('for-each-ref', '--format=%(refname) %(objectname) %(*objectname)')
    .split('\n');
  return lines.filter((line) => line !== '').map((line) => line.trimEnd());
}

async function refsOfOurs(refs: RefDatabase): Promise<string[]> {
  return (await refs.list()).map(({ name, id, peeled }) => [name, id, peeled ?? ''].join(' ').trimEnd());
}

function withoutPeeled(lines: readonly string[]): string[] {
  return lines.map((line) => line.split(' ').slice(0, 2).join(' '));
}

test('a directory without refs is no ref database', async (context) => {
  const directory = await scratchDirectory(context);
  await assert.rejects(openFilesRefDatabase(directory, { format: SHA1 }), { code: 'REPOSITORY_INVALID' });
});

test('what git wrote is read: loose, packed, both, symbolic', async (context) => {
  const repository = await bareRepository(context);
  const refs = await open(repository);
  const [one, two, three] = repository.commits as [string, string, string];
  for (const [name, id] of [
    [MAIN, one],
    ['refs/heads/a/b', two],
    ['refs/heads/ä', two],
    ['refs/tags/v1', repository.tag],
    ['refs/tags/light', three],
  ] as const) {
    repository.git('update-ref', name, id);
  }
  repository.git('symbolic-ref', 'refs/remotes/origin/HEAD', MAIN);
  assert.deepEqual(withoutPeeled(await refsOfOurs(refs)), withoutPeeled(refsOfGit(repository)));

  repository.git('pack-refs', '--all', '--prune');
  assert.deepEqual(await refsOfOurs(refs), refsOfGit(repository));
  assert.deepEqual(await refs.resolve('refs/tags/v1'), {
    name: 'refs/tags/v1',
    id: repository.tag,
    peeled: one,
  });

  repository.git('update-ref', MAIN, two);
  repository.git('update-ref', '-d', 'refs/heads/a/b');
  repository.git('update-ref', 'refs/heads/a', three);
  assert.deepEqual(await refsOfOurs(refs), refsOfGit(repository));
  assert.deepEqual(await refs.resolve('HEAD'), { name: 'HEAD', id: two, symbolicTarget: MAIN });
});

test('what we wrote is read by git', async (context) => {
  const repository = await bareRepository(context);
  const refs = await open(repository, { logAllRefUpdates: 'branches', fsync: true });
  const [one, two] = repository.commits as [string, string];
  const options = {
    atomic: true,
    reflogMessage: 'push',
    identity: { name: 'A U Thor', email: 'author@example.com', timeSeconds: 1112911993, zoneMinutes: -420 },
  };
  const created: RefUpdate[] = [
    { name: MAIN, newId: one, expected: undefined },
    { name: 'refs/heads/a/b/c', newId: two, expected: undefined },
    { name: 'refs/tags/v1', newId: repository.tag, expected: undefined },
  ];
  assert.ok((await refs.update(created, options)).every(({ ok }) => ok));
  await refs.update([{ name: MAIN, newId: two, expected: one }], options);
  assert.deepEqual(withoutPeeled(refsOfGit(repository)), [
    `refs/heads/a/b/c ${two}`,
    `${MAIN} ${two}`,
    `refs/tags/v1 ${repository.tag}`,
  ]);
  const log = repository.git('log', '-g', '--date=raw', '--format=%H %gd %gn <%ge> %gs', MAIN, '--');
  assert.equal(
    log,
    `${two} main@{1112911993 -0700} A U Thor <author@example.com> push\n` +
      `${one} main@{1112911993 -0700} A U Thor <author@example.com> push\n`,
  );
  assert.equal(repository.git('rev-parse', 'HEAD@{1}').trim(), one);

  await refs.setSymbolic('HEAD', 'refs/heads/a/b/c');
  assert.equal(repository.git('symbolic-ref', 'HEAD').trim(), 'refs/heads/a/b/c');
  repository.git('fsck', '--strict');
  assert.deepEqual(leftovers(repository.path), []);
});

test('our reflogs are byte for byte those of git', async (context) => {
  const [ours, gits] = [await bareRepository(context), await bareRepository(context)];
  const refs = await open(ours, { logAllRefUpdates: 'branches' });
  const [one, two] = ours.commits as [string, string];
  gits.git('config', 'core.logAllRefUpdates', 'true');
  const identity = {
    name: 'C O Mitter',
    email: 'committer@example.com',
    timeSeconds: 1112911993,
    zoneMinutes: -420,
  };
  for (const [newId, expected, message] of [
    [one, undefined, 'branch: Created'],
    [two, one, '  two\n words\t'],
    [undefined, two, 'gone'],
  ] as const) {
    await refs.update([{ name: MAIN, newId, expected }], { atomic: false, reflogMessage: message, identity });
    gits.git('update-ref', '-m', message, MAIN, newId ?? SHA1.zeroId, expected ?? SHA1.zeroId);
    for (const name of [MAIN, 'HEAD']) {
      const [our, git] = [ours, gits].map(({ path }) => {
        const log = join(path, 'logs', name);
        return existsSync(log) ? readFileSync(log, 'utf8') : undefined;
      });
      assert.equal(our, git, `${name} after ${message}`);
    }
  }
});

test('a log that exists is written to in a repository that begins none', async (context) => {
  const repository = await bareRepository(context);
  const refs = await open(repository);
  const [one, two] = repository.commits as [string, string];
  mkdirSync(join(repository.path, 'logs/refs/heads'), { recursive: true });
  writeFileSync(join(repository.path, 'logs', MAIN), '');
  const options = { atomic: false, reflogMessage: 'push' };
  await refs.update(
    [
      { name: MAIN, newId: one, expected: undefined },
      { name: 'refs/heads/b', newId: two, expected: undefined },
    ],
    options,
  );
  assert.equal((await refs.reflog(MAIN)).length, 1);
  assert.equal(existsSync(join(repository.path, 'logs/refs/heads/b')), false);
});

test('a deletion leaves the rest of packed-refs as git wrote it', async (context) => {
  const repository = await bareRepository(context);
  const refs = await open(repository);
  const [one] = repository.commits as [string];
  for (const name of [MAIN, 'refs/heads/gone', 'refs/tags/light']) repository.git('update-ref', name, one);
  for (const name of ['refs/tags/v1', 'refs/tags/old']) repository.git('update-ref', name, repository.tag);
  repository.git('pack-refs', '--all');
  repository.git('update-ref', 'refs/heads/gone', repository.commits[1] as string); // loose and packed
  const outcomes = await refs.update(
    [
      { name: 'refs/heads/gone', newId: undefined, expected: repository.commits[1] },
      { name: 'refs/tags/old', newId: undefined, expected: 'any' },
    ],
    { atomic: true },
  );
  assert.ok(outcomes.every(({ ok }) => ok));
  const expected = [`${MAIN} ${one}`, `refs/tags/light ${one}`, `refs/tags/v1 ${repository.tag} ${one}`];
  assert.deepEqual(refsOfGit(repository), expected);
  assert.deepEqual(await refsOfOurs(refs), expected);
  const packed = readFileSync(join(repository.path, 'packed-refs'), 'utf8');
  repository.git('pack-refs', '--all');
  assert.equal(readFileSync(join(repository.path, 'packed-refs'), 'utf8'), packed);
  assert.deepEqual(leftovers(repository.path), []);
});

test('directories left empty are no obstacle, and are tidied up', async (context) => {
  const repository = await bareRepository(context);
  const refs = await open(repository, { logAllRefUpdates: 'branches' });
  const [one] = repository.commits as [string];
  mkdirSync(join(repository.path, 'refs/heads/a/b/c'), { recursive: true });
  mkdirSync(join(repository.path, 'logs/refs/heads/a/b'), { recursive: true });
  const options = { atomic: false, reflogMessage: 'push' };
  const create = (name: string): RefUpdate => ({ name, newId: one, expected: undefined });
  assert.deepEqual(await refs.update([create('refs/heads/a')], options), [
    { name: 'refs/heads/a', ok: true },
  ]);
  assert.equal(statSync(join(repository.path, 'refs/heads/a')).isFile(), true);
  await refs.update([create('refs/heads/d/e/f')], options);
  await refs.update([{ name: 'refs/heads/d/e/f', newId: undefined, expected: one }], options);
  assert.equal(existsSync(join(repository.path, 'refs/heads/d')), false);
  assert.equal(existsSync(join(repository.path, 'logs/refs/heads/d')), false);
  assert.equal(existsSync(join(repository.path, 'refs/heads')), true);

  mkdirSync(join(repository.path, 'refs/heads/x'));
  writeFileSync(join(repository.path, 'refs/heads/x/y.lock'), ''); // another is about to make x/y
  const [outcome] = await refs.update([create('refs/heads/x')], options);
  assert.equal(outcome?.ok === false && outcome.code, 'REF_CONFLICT');
});

test('a listing leaves out broken refs, and tells of them', async (context) => {
  const repository = await bareRepository(context);
  const broken: string[] = [];
  const refs = await open(repository, { onBrokenRef: (name) => broken.push(name) });
  repository.git('update-ref', MAIN, repository.commits[0] as string);
  repository.git('update-ref', 'refs/heads/packed', repository.commits[0] as string);
  repository.git('pack-refs', '--all');
  for (const [name, content] of [
    ['garbage', 'not an id\n'],
    ['empty', ''],
    ['zero', `${SHA1.zeroId}\n`],
    ['packed', 'broken on top\n'],
    ['to-broken', 'ref: refs/heads/garbage\n'],
    ['half.lock', ''],
  ] as const) {
    writeFileSync(join(repository.path, 'refs/heads', name), content);
  }
  assert.deepEqual(
    (await refs.list()).map(({ name }) => name),
    [MAIN],
  );
  assert.deepEqual(
    broken.sort(),
    ['empty', 'garbage', 'packed', 'to-broken', 'zero'].map((n) => `refs/heads/${n}`),
  );
  await assert.rejects(refs.read('refs/heads/garbage'), { code: 'REF_INVALID' });
  await assert.rejects(refs.resolve('refs/heads/to-broken'), { code: 'REF_INVALID' });
  const [outcome] = await refs.update(
    [{ name: 'refs/heads/garbage', newId: undefined, expected: 'any' }],
    EACH,
  );
  assert.equal(outcome?.ok === false && outcome.code, 'REF_INVALID');
});

test('a packed-refs file that does not parse is REF_INVALID', async (context) => {
  const repository = await bareRepository(context);
  const refs = await open(repository);
  writeFileSync(join(repository.path, 'packed-refs'), 'garbage\n');
  await assert.rejects(refs.list(), { code: 'REF_INVALID' });
  await assert.rejects(refs.read(MAIN), { code: 'REF_INVALID' });
  const newId = repository.commits[0];
  const outcomes = await refs.update([{ name: MAIN, newId, expected: undefined }], EACH);
  assert.deepEqual(
    outcomes.map((outcome) => outcome.ok || outcome.code),
    ['REF_INVALID'],
  );
});

test('refs written again as they were are not read into new ones', async (context) => {
  const repository = await bareRepository(context);
  const refs = await open(repository);
  const file = join(repository.path, 'packed-refs');
  const packed = async () => (await refs.snapshot?.())?.packed;
  writeFileSync(file, `${repository.commits[0]} ${MAIN}\n`);
  const first = await packed();
  assert.equal(first?.find(MAIN)?.id, repository.commits[0]);
  writeFileSync(file, readFileSync(file));
  assert.equal(await packed(), first);
  writeFileSync(file, `${repository.commits[1]} ${MAIN}\n`);
  assert.equal((await packed())?.find(MAIN)?.id, repository.commits[1]);
});

test('a hundred thousand packed refs are read in turns', async (context) => {
  const repository = await bareRepository(context);
  const refs = await open(repository);
  const lines = Array.from({ length: 100_000 }, (_, n) => `${repository.tag} refs/n/${100_000 + n}\n`);
  writeFileSync(join(repository.path, 'packed-refs'), lines.join(''));
  let rounds = 0;
  const counting = setInterval(() => rounds++, 0);
  assert.equal((await refs.snapshot?.())?.packed.count, lines.length);
  clearInterval(counting);
  assert.ok(rounds >= 3, `${rounds} rounds of the event loop`);
});

test('HEAD may be a symbolic link, as in old repositories', async (context) => {
  const repository = await bareRepository(context);
  const refs = await open(repository);
  const [one, two] = repository.commits as [string, string];
  repository.git('update-ref', MAIN, one);
  rmSync(join(repository.path, 'HEAD'));
  symlinkSync(MAIN, join(repository.path, 'HEAD'));
  assert.deepEqual(await refs.read('HEAD'), { kind: 'symbolic', target: MAIN });
  await refs.update([{ name: 'HEAD', newId: two, expected: one }], EACH);
  assert.equal(repository.git('rev-parse', MAIN).trim(), two);
  assert.deepEqual(await refs.read('HEAD'), { kind: 'symbolic', target: MAIN });
});

test('refs of the root are read; other files are not refs', async (context) => {
  const repository = await bareRepository(context);
  const refs = await open(repository);
  const [one] = repository.commits as [string];
  writeFileSync(join(repository.path, 'FETCH_HEAD'), `${one}\tnot-for-merge\tbranch 'main' of example.com\n`);
  writeFileSync(join(repository.path, 'secret'), `${one}\n`);
  assert.deepEqual(await refs.read('FETCH_HEAD'), { kind: 'direct', id: one });
  for (const name of ['secret', 'refs/../secret', 'config', 'refs/heads', 'refs/heads/']) {
    assert.equal(await refs.read(name), undefined, name);
  }
});

test('a lock held by another is waited for, then refused with nothing left behind', async (context) => {
  const repository = await bareRepository(context);
  const refs = await open(repository, { refLockTimeoutMs: 20, packedRefsTimeoutMs: 20 });
  const [one] = repository.commits as [string];
  const create: RefUpdate = { name: MAIN, newId: one, expected: undefined };
  const lock = join(repository.path, `${MAIN}.lock`);
  writeFileSync(lock, '');
  const batch = [create, { ...create, name: 'refs/heads/b' }];
  assert.deepEqual(
    (await refs.update(batch, { atomic: true })).map((outcome) => (outcome.ok ? 'ok' : outcome.reason)),
    ['failed to update ref', 'atomic transaction failed'],
  );
  assert.deepEqual(leftovers(repository.path), [`${MAIN}.lock`]);

  const patient = await open(repository, { refLockTimeoutMs: 5000 });
  const waiting = patient.update([create], EACH);
  setTimeout(() => rmSync(lock), 30);
  assert.deepEqual(await waiting, [{ name: MAIN, ok: true }]);

  writeFileSync(join(repository.path, 'packed-refs.lock'), '');
  const [refused] = await refs.update([{ name: MAIN, newId: undefined, expected: one }], EACH);
  assert.equal(refused?.ok, false);
  assert.equal((await refs.resolve(MAIN))?.id, one);
  assert.deepEqual(leftovers(repository.path), ['packed-refs.lock']);
});

test('what a file system cannot name is refused', async (context) => {
  const refs = await open(await bareRepository(context));
  const update = { name: `refs/heads/${'x'.repeat(300)}`, newId: '1'.repeat(40), expected: undefined };
  const [outcome] = await refs.update([update], EACH);
  assert.equal(outcome?.ok === false && outcome.code, 'REF_INVALID');
});

test('SHA-256 repositories of git', async (context) => {
  const path = await scratchDirectory(context);
  git(path, 'init', '--quiet', '--bare', '--object-format=sha256', '.');
  const tree = git({ cwd: path, input: '' }, 'mktree').trim();
  const commit = git(path, 'commit-tree', tree, '-m', 'one').trim();
  git(path, 'update-ref', MAIN, commit);
  git(path, 'pack-refs', '--all');
  const refs = await openFilesRefDatabase(path, { format: SHA256, fsync: false });
  assert.deepEqual(await refs.list(), [{ name: MAIN, id: commit }]);
  await refs.update([{ name: 'refs/heads/b', newId: commit, expected: undefined }], EACH);
  assert.equal(git(path, 'rev-parse', 'refs/heads/b').trim(), commit);
});

test('whatever git and we do in turns, both see the same refs', async (context) => {
  const repository = await bareRepository(context);
  const refs = await open(repository);
  const anyName = fc.constantFrom(MAIN, 'refs/heads/a', 'refs/heads/a/b', 'refs/tags/v1', 'refs/notes/x');
  const anyId = fc.constantFrom(...repository.commits, repository.tag, undefined);
  const anyStep = fc.oneof(
    { weight: 4, arbitrary: fc.record({ by: fc.constantFrom('git', 'us'), name: anyName, newId: anyId }) },
    { weight: 1, arbitrary: fc.constant('pack' as const) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { minLength: 1, maxLength: 6 }), async (steps) => {
      for (const step of steps) {
        if (step === 'pack') repository.git('pack-refs', '--all');
        else if (step.by === 'us') {
          await refs.update([{ name: step.name, newId: step.newId, expected: 'any' }], EACH);
        } else {
          const line =
            step.newId === undefined ? `delete ${step.name}\n` : `update ${step.name} ${step.newId}\n`;
          try {
            git({ cwd: repository.path, input: line }, 'update-ref', '--stdin');
          } catch (error) {
            assert.match(String(error), /cannot lock ref|cannot update ref/); // as directory and file, or no commit
          }
        }
      }
      assert.deepEqual(withoutPeeled(await refsOfOurs(refs)), withoutPeeled(refsOfGit(repository)));
      assert.deepEqual(leftovers(repository.path), []);
    }),
    { numRuns: 40 },
  );
});

test('refs and their logs are whole on a disk that takes a few bytes at a time', async (context) => {
  const repository = await bareRepository(context);
  const { writeSync } = fs;
  const write = (file: number, bytes: NodeJS.ArrayBufferView, at = 0): number =>
    writeSync(file, bytes, at, Math.min(7, bytes.byteLength - at));
  const { mock } = context.mock.method(fs, 'writeSync', write as typeof writeSync);
  const refs = await open(repository, { logAllRefUpdates: 'always' });
  const [first, second] = repository.commits as [string, string];
  const identity = { name: 'A', email: 'a@example.com', timeSeconds: 1, zoneMinutes: 0 };
  const options = { atomic: false, reflogMessage: 'push', identity };
  await refs.update([{ name: MAIN, newId: first, expected: 'any' }], options);
  await refs.update([{ name: MAIN, newId: second, expected: first }], options);
  assert.ok(mock.callCount() > 20);
  mock.restore();
  assert.equal(repository.git('rev-parse', MAIN).trim(), second);
  assert.deepEqual(
    (await refs.reflog(MAIN)).map(({ newId }) => newId),
    [first, second],
  );
});
