import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { encodeText } from '../../../src/core/bytes.ts';
import { DEFAULT_LIMITS } from '../../../src/core/limits.ts';
import { nodeRuntime } from '../../../src/core/node/runtime.ts';
import { bytesToHex, SHA1 } from '../../../src/core/object-id.ts';
import { type PushContext, type PushHooks, reject } from '../../../src/repository/push/hooks.ts';
import { pushPipeline } from '../../../src/repository/push/push-pipeline.ts';
import type { PushPipelineOptions, PushRequest } from '../../../src/repository/push/push-session.ts';
import { refCommand } from '../../../src/repository/push/ref-command.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import { memoryRepository } from '../../support/memory-repository.ts';
import { makePushHistory } from '../../support/push-history.ts';
import { chunked } from '../../support/streams.ts';

const ZERO = SHA1.zeroId;
const scratch = mkdtempSync(join(tmpdir(), 'packwire-test-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const history = makePushHistory(scratch);
const { first, second, third, side, tag } = history;
const whole = history.pack(third, side, tag);

type Changes = readonly (readonly [name: string, oldId: string, newId: string])[];

/** Push everything of the history, and give one word for each ref: `ok` or the reason. */
async function push(
  repository: Repository,
  changes: Changes,
  options: Partial<PushPipelineOptions> & Partial<PushRequest> = {},
) {
  const messages: string[] = [];
  const request: PushRequest = {
    commands: changes.map(([name, oldId, newId]) => refCommand(name, oldId, newId)),
    pack: chunked(whole),
    ...options,
  };
  const outcome = await pushPipeline(repository, request, {
    limits: DEFAULT_LIMITS,
    onMessage: (text) => messages.push(text),
    ...options,
  });
  const words = outcome.results.map((result) => (result.ok ? 'ok' : result.reason));
  return { outcome, words, text: messages.join('') };
}

async function refsOf(repository: Repository): Promise<Record<string, string>> {
  return Object.fromEntries((await repository.refs.list()).map(({ name, id }) => [name, id]));
}

async function has(repository: Repository, id: string): Promise<boolean> {
  const reader = await repository.objects.openReader();
  try {
    return reader.has(id);
  } finally {
    reader.release();
  }
}

const MAIN = 'refs/heads/main';
const SIDE = 'refs/heads/side';
const NEW_BRANCHES: Changes = [
  [MAIN, ZERO, third],
  [SIDE, ZERO, side],
];

describe('hooks', () => {
  test('see the push: commands, options, principal, and its objects before they are published', async () => {
    const repository = memoryRepository();
    const seen: string[] = [];
    const note = async (hook: string, context: PushContext): Promise<void> => {
      const names = context.commands.map((command) => `${command.kind} ${command.name}`).join(', ');
      const reader = await context.objects.openReader();
      seen.push(`${hook}: ${names}; ${reader.has(third)} ${await has(repository, third)}`);
      assert.deepEqual(context.pushOptions, ['ci.skip']);
      assert.equal(context.principal, 'alice');
      assert.equal(context.repository, repository);
      context.say(`hello from ${hook}`);
    };
    const hooks: PushHooks = {
      preReceive: (context) => note('preReceive', context),
      update: (command, context) => note(`update ${command.name}`, context),
      postReceive: (context) => note('postReceive', context),
    };
    const { words, text } = await push(repository, NEW_BRANCHES, {
      hooks,
      pushOptions: ['ci.skip'],
      principal: 'alice',
    });
    assert.deepEqual(words, ['ok', 'ok']);
    const both = `create ${MAIN}, create ${SIDE}`;
    assert.deepEqual(seen, [
      `preReceive: ${both}; true false`,
      `update ${MAIN}: ${both}; true true`,
      `update ${SIDE}: ${both}; true true`,
      `postReceive: ${both}; true true`,
    ]);
    assert.match(text, /^hello from preReceive\nhello from update/);
  });

  for (const [title, hooks, words, published] of [
    [
      'preReceive refuses all, and nothing is published',
      { preReceive: async () => reject() },
      ['pre-receive hook declined', 'pre-receive hook declined'],
      false,
    ],
    [
      'preReceive gives its reason',
      { preReceive: async () => reject('the freeze lasts until Monday') },
      ['the freeze lasts until Monday', 'the freeze lasts until Monday'],
      false,
    ],
    [
      'preReceive that throws declines',
      { preReceive: () => Promise.reject(new Error('/etc/secret')) },
      ['pre-receive hook declined', 'pre-receive hook declined'],
      false,
    ],
    [
      'update refuses one ref',
      { update: async (command) => (command.name === MAIN ? reject() : undefined) },
      ['hook declined', 'ok'],
      true,
    ],
    [
      'postReceive that throws changes nothing',
      { postReceive: () => Promise.reject(new Error('x')) },
      ['ok', 'ok'],
      true,
    ],
  ] as readonly (readonly [string, PushHooks, readonly string[], boolean])[]) {
    test(title, async () => {
      const repository = memoryRepository();
      const result = await push(repository, NEW_BRANCHES, { hooks });
      assert.deepEqual(result.words, words);
      assert.equal(await has(repository, third), published);
      assert.doesNotMatch(result.text, /secret/);
      const expected = NEW_BRANCHES.filter((_, i) => words[i] === 'ok').map(([name, , id]) => [name, id]);
      assert.deepEqual(await refsOf(repository), Object.fromEntries(expected));
    });
  }

  test('postReceive hears only of what was done', async () => {
    const repository = memoryRepository();
    let heard: readonly string[] = [];
    const { words, text } = await push(
      repository,
      [
        [MAIN, second, third],
        [SIDE, ZERO, side],
        ['refs/heads/none', ZERO, ZERO],
      ],
      {
        hooks: {
          postReceive: async ({ commands }) => {
            heard = commands.map((command) => command.name);
          },
        },
      },
    );
    assert.deepEqual(words, ['reference does not exist', 'ok', 'ok']);
    assert.deepEqual(heard, [SIDE]);
    assert.match(text, /warning: deleting a non-existent ref/);
  });

  test('a hook that hangs ends with the signal, and nothing is published', async () => {
    const repository = memoryRepository();
    const controller = new AbortController();
    const hanging = push(repository, NEW_BRANCHES, {
      signal: controller.signal,
      hooks: {
        preReceive: () => {
          setTimeout(() => controller.abort(), 5);
          return new Promise<void>(() => {});
        },
      },
    });
    await assert.rejects(hanging, { code: 'ABORTED' });
    assert.deepEqual(await refsOf(repository), {});
    assert.equal(await has(repository, third), false);
  });
});

describe('an atomic push', () => {
  const seeded = async (): Promise<Repository> => {
    const repository = memoryRepository();
    await push(repository, [[MAIN, ZERO, second]]);
    return repository;
  };
  for (const [title, changes, words, hooks] of [
    [
      'moves all',
      [
        [MAIN, second, third],
        [SIDE, ZERO, side],
      ],
      ['ok', 'ok'],
      {},
    ],
    [
      'fails as one for a stale old id',
      [
        [SIDE, ZERO, side],
        [MAIN, first, third],
      ],
      ['atomic transaction failed', 'atomic transaction failed'],
      {},
    ],
    [
      'fails as one for a bad name',
      [
        [SIDE, ZERO, side],
        ['refs/heads/a..b', ZERO, third],
      ],
      ['atomic push failure', 'funny refname'],
      {},
    ],
    [
      'fails as one for a missing object',
      [
        [SIDE, ZERO, side],
        ['refs/heads/x', ZERO, 'dead'.repeat(10)],
      ],
      ['atomic push failure', 'missing necessary objects'],
      {},
    ],
    [
      'fails as one for the update hook, also what there was nothing to do for',
      [
        ['refs/heads/none', ZERO, ZERO],
        [SIDE, ZERO, side],
        [MAIN, second, third],
      ],
      ['atomic push failure', 'atomic push failure', 'not today'],
      { update: async ({ name }) => (name === MAIN ? reject('not today') : undefined) },
    ],
  ] as readonly (readonly [string, Changes, readonly string[], PushHooks])[]) {
    test(title, async () => {
      const repository = await seeded();
      const result = await push(repository, changes, { atomic: true, hooks });
      assert.deepEqual(result.words, words);
      const moved = words.every((word) => word === 'ok');
      assert.deepEqual(
        await refsOf(repository),
        moved ? { [MAIN]: third, [SIDE]: side } : { [MAIN]: second },
      );
    });
  }

  test('that is not authorized for one ref reads no pack', async () => {
    const repository = await seeded();
    async function* unread() {
      yield assert.fail('the pack was read') as never;
    }
    const { words } = await push(
      repository,
      [
        [MAIN, second, third],
        [SIDE, ZERO, side],
      ],
      {
        atomic: true,
        pack: unread(),
        authorizeRefUpdate: (command) => (command.name === SIDE ? reject() : undefined),
      },
    );
    assert.deepEqual(words, ['atomic push failure', 'not authorized']);
  });
});

test('of two pushes to one ref exactly one wins', async () => {
  const repository = memoryRepository();
  await push(repository, [[MAIN, ZERO, first]]);
  const racers = [second, third, side, second, third, side].map((id) =>
    push(repository, [[MAIN, first, id]]),
  );
  const words = (await Promise.all(racers)).map((racer) => racer.words[0]);
  assert.equal(words.filter((word) => word === 'ok').length, 1);
  assert.equal(words.filter((word) => word === 'incorrect old value provided').length, 5);
  assert.equal((await refsOf(repository))[MAIN], [second, third, side][words.indexOf('ok') % 3]);
});

test('a directory of refs makes room for a ref in one push', async () => {
  const repository = memoryRepository();
  await push(repository, [['refs/heads/topic/a', ZERO, first]]);
  const { words } = await push(repository, [
    ['refs/heads/topic', ZERO, second],
    ['refs/heads/topic/a', first, ZERO],
  ]);
  assert.deepEqual(words, ['ok', 'ok']);
  assert.deepEqual(await refsOf(repository), { 'refs/heads/topic': second });
});

test('a change made through the API writes its own objects and obeys the same rules', async () => {
  const repository = memoryRepository();
  const commit = encodeText(
    `tree ${SHA1.emptyTreeId}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nby hand\n`,
  );
  const hash = nodeRuntime.createHash(SHA1);
  hash.update(encodeText(`commit ${commit.length}\0`));
  hash.update(commit);
  const made = bytesToHex(hash.digest());
  const { words } = await push(repository, [[MAIN, ZERO, made]], {
    pack: undefined,
    writeObjects: async (quarantine) => {
      await quarantine.writeObject('tree', new Uint8Array(0));
      await quarantine.writeObject('commit', commit);
    },
  });
  assert.deepEqual(words, ['ok']);
  assert.deepEqual(await refsOf(repository), { [MAIN]: made });
});
