/** The authorizer that is asked about all refs of a push: when, with what, and what comes of its answers. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { encodeText } from '../../../src/core/bytes.ts';
import { isGitError } from '../../../src/core/errors.ts';
import { DEFAULT_LIMITS } from '../../../src/core/limits.ts';
import { SHA1 } from '../../../src/core/object-id.ts';
import type { ObjectTransaction } from '../../../src/odb/object-database.ts';
import { reject, type UpdatesAuthorizer } from '../../../src/repository/push/hooks.ts';
import { pushPipeline } from '../../../src/repository/push/push-pipeline.ts';
import type { PushPipelineOptions, PushRequest } from '../../../src/repository/push/push-session.ts';
import { refCommand } from '../../../src/repository/push/ref-command.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import { writeCommit } from '../../support/memory-history.ts';
import { memoryRepository } from '../../support/memory-repository.ts';

const ZERO = SHA1.zeroId;
const MAIN = 'refs/heads/main';
const SIDE = 'refs/heads/side';

type Changes = readonly (readonly [name: string, oldId: string, newId: string])[];

/** A stored history: `base`, then `left` and `right` on top of it, and two tag objects of `base`. */
async function scene() {
  const repository = memoryRepository();
  await using writer = await repository.objects.begin();
  const tree = await writer.writeObject('tree', new Uint8Array(0));
  const base = await writeCommit(writer, tree, [], 1_700_000_000);
  const left = await writeCommit(writer, tree, [base], 1_700_000_001);
  const right = await writeCommit(writer, tree, [base], 1_700_000_002);
  const tag = (name: string): Promise<string> =>
    writer.writeObject(
      'tag',
      encodeText(
        `object ${base}\ntype commit\ntag ${name}\ntagger A <a@example.com> 1700000009 +0000\n\nx\n`,
      ),
    );
  const [tag1, tag2] = [await tag('one'), await tag('two')];
  await writer.commit();
  return { repository, tree, base, left, right, tag1, tag2 };
}

async function setRefs(repository: Repository, refs: Readonly<Record<string, string>>): Promise<void> {
  const updates = Object.entries(refs).map(([name, newId]) => ({ name, newId, expected: undefined }));
  await repository.refs.update(updates, { atomic: true });
}

/** Notes what an authorizer was asked: of each question a list of `refs/heads/main undefined`. */
function recorder(answer: UpdatesAuthorizer = async (updates) => updates.map(() => undefined)) {
  const asked: string[][] = [];
  const authorizeUpdates: UpdatesAuthorizer = (updates, push, options) => {
    asked.push(updates.map(({ command, forced }) => `${command.name} ${forced}`));
    return answer(updates, push, options);
  };
  return { asked, authorizeUpdates };
}

async function push(
  repository: Repository,
  changes: Changes,
  options: Partial<PushPipelineOptions> & Partial<PushRequest>,
) {
  const errors: unknown[] = [];
  const request: PushRequest = {
    commands: changes.map(([name, oldId, newId]) => refCommand(name, oldId, newId)),
    ...options,
  };
  const outcome = await pushPipeline(repository, request, {
    limits: DEFAULT_LIMITS,
    onError: (error) => errors.push(error),
    ...options,
  });
  return { words: outcome.results.map((result) => (result.ok ? 'ok' : result.reason)), errors };
}

describe('an authorizer of updates', () => {
  test('is asked once about an ordinary push, as a whole, before anything is stored', async () => {
    const { repository, tree, base, left } = await scene();
    await setRefs(repository, { [MAIN]: base, [SIDE]: left });
    const stored: string[] = [];
    const { asked, authorizeUpdates } = recorder(async (updates, context) => {
      assert.equal(context.principal, 'alice');
      assert.equal(context.repository, repository);
      assert.deepEqual(stored, []);
      return updates.map(() => undefined);
    });
    const write = (quarantine: ObjectTransaction) => writeCommit(quarantine, tree, [left], 1_700_000_005);
    const writeObjects = async (quarantine: ObjectTransaction): Promise<void> => {
      stored.push(await write(quarantine));
    };
    await using discarded = await repository.objects.begin();
    const newId = await write(discarded);
    const changes: Changes = [
      [MAIN, base, newId],
      [SIDE, left, ZERO],
      ['refs/heads/new', ZERO, left],
    ];
    const { words } = await push(repository, changes, { authorizeUpdates, writeObjects, principal: 'alice' });
    assert.deepEqual(words, ['ok', 'ok', 'ok']);
    assert.deepEqual(asked, [[`${MAIN} undefined`, `${SIDE} undefined`, 'refs/heads/new undefined']]);
  });

  test('is asked again when something is forced, with the objects in quarantine and no hook run', async () => {
    const { repository, base, left, right } = await scene();
    await setRefs(repository, { [MAIN]: left, [SIDE]: base });
    const hooks: string[] = [];
    const { asked, authorizeUpdates } = recorder(async (updates) =>
      updates.map(({ forced }) => (forced ? reject('no force here') : undefined)),
    );
    const { words } = await push(
      repository,
      [
        [MAIN, left, right],
        [SIDE, base, right],
        ['refs/heads/new', ZERO, right],
      ],
      {
        authorizeUpdates,
        hooks: {
          preReceive: async ({ commands }) => void hooks.push(...commands.map(({ name }) => name)),
        },
      },
    );
    assert.deepEqual(words, ['no force here', 'ok', 'ok']);
    assert.deepEqual(asked[1], [`${MAIN} true`, `${SIDE} false`, 'refs/heads/new false']);
    assert.equal(asked.length, 2);
    assert.deepEqual(hooks, [SIDE, 'refs/heads/new']);
    assert.equal((await repository.refs.resolve(MAIN))?.id, left);
  });

  test('is asked again when the pack was long on its way: what was allowed may have been taken back', async (t) => {
    const { repository, tree, base } = await scene();
    await setRefs(repository, { [MAIN]: base });
    const now = performance.now.bind(performance);
    let later = 0;
    t.mock.method(performance, 'now', () => now() + later);
    const write = (quarantine: ObjectTransaction) => writeCommit(quarantine, tree, [base], 1_700_000_005);
    const writeObjects = async (quarantine: ObjectTransaction): Promise<void> => {
      await write(quarantine);
      later = 11_000;
    };
    const { asked, authorizeUpdates } = recorder(async (updates) =>
      updates.map(() => (later === 0 ? undefined : reject('not any more'))),
    );
    await using discarded = await repository.objects.begin();
    const changes: Changes = [[MAIN, base, await write(discarded)]];
    const { words } = await push(repository, changes, { authorizeUpdates, writeObjects });
    assert.deepEqual(words, ['not any more']);
    assert.deepEqual(asked, [[`${MAIN} undefined`], [`${MAIN} false`]]);
    assert.equal((await repository.refs.resolve(MAIN))?.id, base);
  });

  test('is asked again about the rest when it refused something', async () => {
    const { repository, base, left } = await scene();
    await setRefs(repository, { [MAIN]: base });
    const { asked, authorizeUpdates } = recorder(async (updates) =>
      updates.map(({ command }) => (command.name === SIDE ? reject() : undefined)),
    );
    const { words } = await push(
      repository,
      [
        [MAIN, base, left],
        [SIDE, ZERO, left],
      ],
      { authorizeUpdates },
    );
    assert.deepEqual(words, ['ok', 'not authorized']);
    assert.deepEqual(asked, [[`${MAIN} undefined`, `${SIDE} undefined`], [`${MAIN} false`]]);
  });

  test('is not asked about what has been refused before', async () => {
    const { repository, base } = await scene();
    const { asked, authorizeUpdates } = recorder();
    const { words } = await push(
      repository,
      [
        [MAIN, ZERO, base],
        [SIDE, ZERO, base],
      ],
      { authorizeUpdates, authorizeRefUpdate: ({ name }) => (name === MAIN ? reject('mine') : undefined) },
    );
    assert.deepEqual(words, ['mine', 'ok']);
    assert.deepEqual(asked, [[`${SIDE} undefined`]]);
    asked.length = 0;
    await push(repository, [[MAIN, ZERO, base]], { authorizeUpdates, authorizeRefUpdate: () => reject() });
    assert.deepEqual(asked, []);
  });

  for (const [title, authorizeUpdates, code] of [
    ['throws', () => Promise.reject(new Error('/etc/secret')), undefined],
    [
      'throws at once',
      () => {
        throw new Error('/etc/secret');
      },
      undefined,
    ],
    ['answers for fewer refs', async () => [undefined], 'INVALID_ARGUMENT'],
    ['answers for more refs', async () => [undefined, undefined, undefined], 'INVALID_ARGUMENT'],
  ] as readonly (readonly [string, UpdatesAuthorizer, string | undefined])[]) {
    for (const atFirst of [true, false]) {
      test(`that ${title} has refused everything, asked ${atFirst ? 'first' : 'again'}`, async () => {
        const { repository, left, right } = await scene();
        await setRefs(repository, { [MAIN]: left });
        const { words, errors } = await push(
          repository,
          [
            [MAIN, left, right],
            [SIDE, ZERO, right],
          ],
          {
            authorizeUpdates: (updates, context, options) =>
              atFirst || updates[0]?.forced !== undefined
                ? authorizeUpdates(updates, context, options)
                : Promise.resolve(updates.map(() => undefined)),
          },
        );
        assert.deepEqual(words, ['not authorized', 'not authorized']);
        assert.equal(errors.length, 1);
        if (code !== undefined) assert.ok(isGitError(errors[0]) && errors[0].code === code);
        assert.equal((await repository.refs.resolve(MAIN))?.id, left);
        assert.equal(await repository.refs.resolve(SIDE), undefined);
      });
    }
  }

  test('that refuses one ref of an atomic push refuses all, before and after the pack', async () => {
    for (const seen of [undefined, true]) {
      const { repository, left, right } = await scene();
      await setRefs(repository, { [MAIN]: left });
      const { words } = await push(
        repository,
        [
          [MAIN, left, right],
          [SIDE, ZERO, right],
        ],
        {
          atomic: true,
          authorizeUpdates: async (updates) =>
            updates.map(({ command, forced }) =>
              command.name === MAIN && forced === seen ? reject('no') : undefined,
            ),
        },
      );
      assert.deepEqual(words, ['no', 'atomic push failure']);
      assert.equal(await repository.refs.resolve(SIDE), undefined);
    }
  });

  test('that never answers is not waited for once the pusher is gone', async () => {
    const { repository, base } = await scene();
    const gone = new AbortController();
    let signal: AbortSignal | undefined;
    const pushing = push(repository, [[MAIN, ZERO, base]], {
      signal: gone.signal,
      authorizeUpdates: (_, __, options) => {
        signal = options.signal;
        setImmediate(() => gone.abort());
        return new Promise(() => undefined);
      },
    });
    await assert.rejects(pushing, { code: 'ABORTED' });
    assert.equal(signal?.aborted, true);
    assert.equal(await repository.refs.resolve(MAIN), undefined);
  });
});

describe('forced', () => {
  for (const [title, name, from, to, forced] of [
    ['a fast-forward', MAIN, 'base', 'left', false],
    ['a rewind', MAIN, 'left', 'base', true],
    ['a step aside', MAIN, 'left', 'right', true],
    ['a lightweight tag that goes forward', 'refs/tags/t', 'base', 'left', false],
    ['a lightweight tag that goes back', 'refs/tags/t', 'left', 'base', true],
    ['a tag object in place of another', 'refs/tags/t', 'tag1', 'tag2', true],
    ['a tag object in place of its commit', 'refs/tags/t', 'base', 'tag1', true],
    ['a commit in place of its tag object', 'refs/tags/t', 'tag1', 'left', true],
    ['a tree in place of a commit', 'refs/odd/t', 'base', 'tree', true],
  ] as const) {
    test(`${title}: ${forced}`, async () => {
      const made = await scene();
      await setRefs(made.repository, { [name]: made[from] });
      const seen: (boolean | undefined)[] = [];
      await push(made.repository, [[name, made[from], made[to]]], {
        authorizeUpdates: async (updates) => {
          seen.push(...updates.map((update) => update.forced));
          return updates.map(() => undefined);
        },
      });
      assert.deepEqual(seen, forced ? [undefined, true] : [undefined]);
    });
  }

  test('is taken for granted once two hundred walks have found it', async () => {
    const { repository, base, left, right } = await scene();
    const changes = Array.from({ length: 201 }, (_, n) => {
      const [oldId, newId] = n < 200 ? [left, right] : [base, left];
      return [`refs/heads/b${n}`, oldId, newId] as const;
    });
    await setRefs(repository, Object.fromEntries(changes.map(([name, oldId]) => [name, oldId])));
    const creation = ['refs/heads/new', ZERO, left] as const;
    for (const [count, ...last] of [
      [199, false, false],
      [200, true, false],
    ] as const) {
      const seen: (boolean | undefined)[] = [];
      await push(repository, [...changes.slice(200 - count), creation], {
        authorizeUpdates: async (updates) => {
          seen.push(...updates.map(({ forced }) => forced));
          return updates.map(() => (updates[0]?.forced === undefined ? undefined : reject()));
        },
      });
      assert.deepEqual(seen.slice(-2), last);
    }
  });

  test('is what the walk over any history says', async () => {
    const anyPlan = fc.record({
      parents: fc.array(fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 2 }), {
        minLength: 2,
        maxLength: 12,
      }),
      moves: fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: 6 }),
    });
    await fc.assert(
      fc.asyncProperty(anyPlan, async ({ parents, moves }) => {
        const repository = memoryRepository();
        const ids: string[] = [];
        const ancestors: Set<number>[] = [];
        await using writer = await repository.objects.begin();
        const tree = await writer.writeObject('tree', new Uint8Array(0));
        for (const [i, steps] of parents.entries()) {
          const found = [...new Set(steps.map((step) => i - step).filter((parent) => parent >= 0))];
          ancestors.push(new Set([i, ...found.flatMap((parent) => [...(ancestors[parent] ?? [])])]));
          const parentIds = found.map((parent) => ids[parent] as string);
          ids.push(await writeCommit(writer, tree, parentIds, 1_700_000_000 + i));
        }
        await writer.commit();
        const changes = moves.map(([from, to], n) => {
          const [a, b] = [from % ids.length, to % ids.length];
          return { name: `refs/heads/b${n}`, a, b, forced: a !== b && ancestors[b]?.has(a) !== true };
        });
        await setRefs(repository, Object.fromEntries(changes.map(({ name, a }) => [name, ids[a] as string])));
        const seen: (boolean | undefined)[][] = [];
        const { words } = await push(
          repository,
          changes.map(({ name, a, b }) => [name, ids[a] as string, ids[b] as string] as const),
          {
            authorizeUpdates: async (updates) => {
              seen.push(updates.map(({ forced }) => forced));
              return updates.map(() => undefined);
            },
          },
        );
        assert.ok(words.every((word) => word === 'ok'));
        const expected = changes.map(({ forced }) => forced);
        assert.deepEqual(seen.slice(1), expected.includes(true) ? [expected] : []);
      }),
      { numRuns: 60 },
    );
  });
});
