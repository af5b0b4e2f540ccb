import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeText } from '../../../src/core/bytes.ts';
import { GitError } from '../../../src/core/errors.ts';
import { DEFAULT_LIMITS } from '../../../src/core/limits.ts';
import { type ObjectId, SHA1 } from '../../../src/core/object-id.ts';
import type { ObjectTransaction } from '../../../src/odb/object-database.ts';
import { pushPipeline } from '../../../src/repository/push/push-pipeline.ts';
import { refCommand } from '../../../src/repository/push/ref-command.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import { memoryRepository } from '../../support/memory-repository.ts';

const ZERO = SHA1.zeroId;
const ABSENT = 'dead'.repeat(10);
const LIMITS = { limits: DEFAULT_LIMITS };

function writeCommit(objects: ObjectTransaction, message: string, parent?: ObjectId): Promise<ObjectId> {
  const lines = [
    `tree ${SHA1.emptyTreeId}`,
    ...(parent === undefined ? [] : [`parent ${parent}`]),
    'author A <a@b> 1 +0000',
    'committer A <a@b> 1 +0000',
    '',
    message,
  ];
  return objects.writeObject('commit', encodeText(lines.join('\n')));
}

async function store(repository: Repository, write: (objects: ObjectTransaction) => Promise<void>) {
  await using objects = await repository.objects.begin();
  await objects.writeObject('tree', new Uint8Array(0));
  await write(objects);
  await objects.commit();
}

async function refsOf(repository: Repository): Promise<Map<string, ObjectId>> {
  return new Map((await repository.refs.list()).map(({ name, id }) => [name, id]));
}

test('whatever is pushed, the report says what happened to the refs', async () => {
  const scene = memoryRepository();
  const ids: Record<string, ObjectId> = { zero: ZERO, absent: ABSENT };
  await store(scene, async (objects) => {
    ids.blob = await objects.writeObject('blob', encodeText('content'));
    ids.one = await writeCommit(objects, 'one');
    ids.two = await writeCommit(objects, 'two', ids.one);
    ids.orphaned = await writeCommit(objects, 'parent missing', ABSENT);
  });

  const id = fc.constantFrom(...Object.values(ids));
  const name = fc.constantFrom(
    'refs/heads/main',
    'refs/heads/a',
    'refs/heads/a/b',
    'refs/tags/v1',
    'refs/heads/../../config',
    'HEAD',
    'refs/heads/x.lock',
    '',
  );
  const command = fc.tuple(name, id, id).map(([ref, oldId, newId]) => refCommand(ref, oldId, newId));
  const push = fc.record({
    commands: fc.array(command, { minLength: 1, maxLength: 6 }),
    atomic: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(push, { minLength: 1, maxLength: 5 }), async (pushes) => {
      const repository: Repository = { ...memoryRepository(), objects: scene.objects };
      for (const request of pushes) {
        const before = await refsOf(repository);
        const { results } = await pushPipeline(repository, request, LIMITS);
        const expected = new Map(before);
        for (const result of results) {
          if (!result.ok) continue;
          const { command } = result;
          if (command.kind === 'delete') expected.delete(command.name);
          else expected.set(command.name, command.newId);
          assert.equal(before.get(command.name) ?? ZERO, command.oldId);
        }
        assert.deepEqual(await refsOf(repository), expected);
        const oks = results.filter((result) => result.ok).length;
        if (request.atomic) assert.ok(oks === 0 || oks === results.length, 'an atomic push is one');
        for (const held of expected.values()) {
          assert.ok(held !== ids.absent && held !== ids.orphaned, 'no ref points into nothing');
        }
      }
    }),
    { numRuns: 150 },
  );
});

test('of many tips only those that lack something are refused', async () => {
  const repository = memoryRepository();
  const tips: ObjectId[] = [];
  const broken = new Set([7, 31, 32, 99]);
  await store(repository, async (objects) => {
    for (let i = 0; i < 100; i++) {
      tips.push(await writeCommit(objects, `tip ${i}`, broken.has(i) ? ABSENT : undefined));
    }
  });
  const commands = tips.map((tip, i) => refCommand(`refs/heads/${i}`, ZERO, tip));
  const { results } = await pushPipeline(repository, { commands }, LIMITS);
  results.forEach((result, i) => {
    assert.equal(result.ok ? 'ok' : result.reason, broken.has(i) ? 'missing necessary objects' : 'ok');
  });
});

test('thousands of broken tips cost no more than a few hundred walks', async () => {
  const repository = memoryRepository();
  const tips: ObjectId[] = [];
  await store(repository, async (objects) => {
    for (let i = 0; i < 3000; i++) tips.push(await writeCommit(objects, `tip ${i}`, ABSENT));
  });
  let opened = 0;
  const commands = tips.map((tip, i) => refCommand(`refs/heads/${i}`, ZERO, tip));
  const { results } = await pushPipeline(
    repository,
    { commands },
    { ...LIMITS, onProgress: ({ finished }) => void (opened += finished ? 1 : 0) },
  );
  assert.ok(
    results.every((result) => !result.ok && result.reason === 'missing necessary objects'),
    'all are refused',
  );
  assert.ok(opened < 1000, `${opened} walks`);
});

const failing = () =>
  Promise.reject(new GitError('STORAGE_FAILED', 'Cannot write /srv/git/secret: no space left on device'));

for (const [title, breakIt, reason] of [
  [
    'a quarantine that cannot begin',
    (repository: Repository): Repository => ({
      ...repository,
      objects: Object.assign(Object.create(repository.objects), { begin: failing }),
    }),
    'unpacker error',
  ],
  [
    'a quarantine that cannot be published',
    (repository: Repository): Repository => ({
      ...repository,
      objects: Object.assign(Object.create(repository.objects), {
        openReader: repository.objects.openReader.bind(repository.objects),
        begin: async () => {
          const objects = await repository.objects.begin();
          objects.commit = failing;
          return objects;
        },
      }),
    }),
    'unable to migrate objects to permanent storage',
  ],
  [
    'refs that cannot be written',
    (repository: Repository): Repository => ({
      ...repository,
      refs: Object.assign(Object.create(repository.refs), {
        list: repository.refs.list.bind(repository.refs),
        read: repository.refs.read.bind(repository.refs),
        update: failing,
      }),
    }),
    'failed to update ref',
  ],
] as const) {
  test(`${title}: every ref says '${reason}', and only the log says why`, async () => {
    const sound = memoryRepository();
    let tip = '';
    await store(memoryRepository(), async (objects) => {
      tip = await writeCommit(objects, 'tip');
    });
    const errors: unknown[] = [];
    let text = '';
    const outcome = await pushPipeline(
      breakIt(sound),
      {
        commands: [refCommand('refs/heads/main', ZERO, tip)],
        writeObjects: async (objects) => {
          await objects.writeObject('tree', new Uint8Array(0));
          await writeCommit(objects, 'tip');
        },
      },
      {
        ...LIMITS,
        onError: (error) => errors.push(error),
        onMessage: (more) => {
          text += more;
        },
      },
    );
    assert.deepEqual(
      outcome.results.map((result) => (result.ok ? 'ok' : result.reason)),
      [reason],
    );
    assert.equal((errors[0] as GitError).code, 'STORAGE_FAILED');
    assert.doesNotMatch(text, /secret/);
    assert.deepEqual(await refsOf(sound), new Map());
  });
}
