import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { concatBytes, encodeText } from '../../src/core/bytes.ts';
import { GitError } from '../../src/core/errors.ts';
import { DEFAULT_LIMITS } from '../../src/core/limits.ts';
import { SHA1, SHA256 } from '../../src/core/object-id.ts';
import { receivePack } from '../../src/protocol/receive-pack.ts';
import type { ServiceMode } from '../../src/protocol/service.ts';
import { reject } from '../../src/repository/push/hooks.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { memoryRepository } from '../support/memory-repository.ts';
import { unpackLines } from '../support/packets.ts';
import { pushByHand, pushRequest } from '../support/push-client.ts';
import { makePushHistory } from '../support/push-history.ts';
import { chunked, drain } from '../support/streams.ts';

const ZERO = SHA1.zeroId;
const ABSENT = 'dead'.repeat(10);
const scratch = mkdtempSync(join(tmpdir(), 'packwire-test-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const history = makePushHistory(scratch);
const { first, second, third, side, tag, blob } = history;

/** A repository whose `main` is at `second`. */
async function repositoryWithMain(): Promise<Repository> {
  const repository = memoryRepository();
  const { report } = await pushByHand(repository, {
    commands: [`${ZERO} ${second} refs/heads/main`],
    pack: history.pack(second),
  });
  assert.deepEqual(report, ['unpack ok', 'ok refs/heads/main', '0000']);
  return repository;
}

async function idOf(repository: Repository, name: string): Promise<string | undefined> {
  return (await repository.refs.resolve(name))?.id;
}

async function advertisement(repository: Repository, protocolVersion: 0 | 1 | 2 = 0, options = {}) {
  const output = receivePack(repository, chunked(new Uint8Array(0)), {
    mode: 'advertise',
    protocolVersion,
    limits: DEFAULT_LIMITS,
    ...options,
  });
  return unpackLines(await drain(output));
}

describe('the advertisement', () => {
  const CAPABILITIES =
    'report-status report-status-v2 delete-refs side-band-64k quiet atomic ofs-delta push-options' +
    ' object-format=sha1 agent=packwire/0.1.0';

  test('of an empty repository is its capabilities', async () => {
    assert.deepEqual(await advertisement(memoryRepository()), [
      `${ZERO} capabilities^{}\\0${CAPABILITIES}`,
      '0000',
    ]);
  });

  test('names the object format', async () => {
    const [line] = await advertisement(memoryRepository(SHA256));
    assert.match(line as string, new RegExp(`^${SHA256.zeroId} capabilities.* object-format=sha256 `));
  });

  test('lists refs without HEAD and without what tags point at, in order of name', async () => {
    const repository = await repositoryWithMain();
    await pushByHand(repository, {
      commands: [`${ZERO} ${tag} refs/tags/v1`, `${ZERO} ${first} refs/heads/a`],
      pack: history.pack(tag, `^${second}`),
    });
    assert.deepEqual(await advertisement(repository), [
      `${first} refs/heads/a\\0${CAPABILITIES}`,
      `${second} refs/heads/main`,
      `${tag} refs/tags/v1`,
      '0000',
    ]);
  });

  test('begins with a line of its own in version 1, and is version 0 for version 2', async () => {
    const repository = await repositoryWithMain();
    const plain = await advertisement(repository);
    assert.deepEqual(await advertisement(repository, 1), ['version 1', ...plain]);
    assert.deepEqual(await advertisement(repository, 2), plain);
  });

  test('leaves out hidden refs, and push options when they are not allowed', async () => {
    const repository = await repositoryWithMain();
    const [line, ...rest] = await advertisement(repository, 0, {
      hiddenRefs: ['refs/heads'],
      allowPushOptions: false,
    });
    assert.equal(line, `${ZERO} capabilities^{}\\0${CAPABILITIES.replace(' push-options', '')}`);
    assert.deepEqual(rest, ['0000']);
  });
});

describe('a push', () => {
  test('creates, updates and deletes', async () => {
    const repository = await repositoryWithMain();
    const { report, messages } = await pushByHand(repository, {
      commands: [
        `${second} ${third} refs/heads/main`,
        `${ZERO} ${tag} refs/tags/v1`,
        `${ZERO} ${side} refs/heads/side`,
      ],
      pack: history.pack(third, tag, side, `^${second}`),
    });
    assert.deepEqual(report, [
      'unpack ok',
      'ok refs/heads/main',
      'ok refs/tags/v1',
      'ok refs/heads/side',
      '0000',
    ]);
    assert.doesNotMatch(messages, /error|warning/);
    assert.equal(await idOf(repository, 'HEAD'), third);
    assert.equal(await idOf(repository, 'refs/tags/v1'), tag);

    const deletion = await pushByHand(repository, { commands: [`${side} ${ZERO} refs/heads/side`] });
    assert.deepEqual(deletion.report, ['unpack ok', 'ok refs/heads/side', '0000']);
    assert.equal(await idOf(repository, 'refs/heads/side'), undefined);
  });

  test('without side-band is reported in plain packets; without report-status not at all', async () => {
    for (const [capabilities, report] of [
      ['report-status', ['unpack ok', 'ok refs/heads/x', '0000']],
      ['report-status-v2', ['unpack ok', 'ok refs/heads/x', '0000']],
      ['side-band-64k', []],
      ['', []],
    ] as const) {
      const repository = await repositoryWithMain();
      const answer = await pushByHand(repository, {
        commands: [`${ZERO} ${first} refs/heads/x`],
        capabilities,
        pack: history.pack(first, `^${second}`),
      });
      assert.deepEqual(answer.report, report);
      assert.equal(await idOf(repository, 'refs/heads/x'), first);
    }
  });

  test('of nothing is answered with nothing', async () => {
    for (const mode of ['stateless', 'stateful'] as readonly ServiceMode[]) {
      for (const wire of [encodeText('0000'), new Uint8Array(0)]) {
        const repository = memoryRepository();
        const options = { mode, protocolVersion: 0, limits: DEFAULT_LIMITS } as const;
        const answer = unpackLines(await drain(receivePack(repository, chunked(wire), options)));
        assert.equal(answer.length, mode === 'stateless' ? 0 : 2);
      }
    }
  });

  test('over a connection that stays open is answered before the client closes it', async () => {
    const repository = memoryRepository();
    const wire = pushRequest({
      commands: [`${ZERO} ${first} refs/heads/main`],
      pack: history.pack(first),
    });
    let release = (): void => {};
    const closed = new Promise<void>((resolve) => {
      release = resolve;
    });
    async function* connection() {
      yield wire;
      await closed;
    }
    const options = { mode: 'stateful', protocolVersion: 0, limits: DEFAULT_LIMITS } as const;
    let text = '';
    for await (const chunk of receivePack(repository, connection(), options)) {
      text += new TextDecoder().decode(chunk);
      if (text.includes('ok refs/heads/main')) release();
    }
    assert.match(text, /ok refs\/heads\/main\n00000000$/);
  });

  test('is the same however its bytes are chunked', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 700 }), { maxLength: 8 }), async (chunkSizes) => {
        const repository = memoryRepository();
        const { report } = await pushByHand(repository, {
          commands: [`${ZERO} ${third} refs/heads/main`, `${ZERO} ${tag} refs/tags/v1`],
          capabilities: 'report-status side-band-64k push-options',
          pushOptions: ['a', 'b'],
          pack: history.pack(third, tag),
          chunkSizes,
        });
        assert.deepEqual(report, ['unpack ok', 'ok refs/heads/main', 'ok refs/tags/v1', '0000']);
      }),
      { numRuns: 15 },
    );
  });

  test('reports thousands of refs', async () => {
    const repository = await repositoryWithMain();
    const names = Array.from({ length: 5265 }, (_, i) => `refs/heads/thousands/number-${i}`);
    const { report } = await pushByHand(repository, {
      commands: names.map((name) => `${ZERO} ${first} ${name}`),
      pack: history.pack(first, `^${second}`),
    });
    assert.deepEqual(report, ['unpack ok', ...names.map((name) => `ok ${name}`), '0000']);
    assert.equal((await repository.refs.list()).length, 5266);
  });
});

describe('a push is refused', () => {
  const emptyPack = history.pack(first, `^${first}`);
  for (const [title, commands, pack, expected, message, options] of [
    [
      'when the ref has moved',
      [`${first} ${third} refs/heads/main`],
      history.pack(third, `^${second}`),
      ['ng refs/heads/main incorrect old value provided'],
      /error: cannot update ref 'refs\/heads\/main'/,
    ],
    [
      'when the ref exists already',
      [`${ZERO} ${third} refs/heads/main`],
      history.pack(third, `^${second}`),
      ['ng refs/heads/main reference already exists'],
      /error/,
    ],
    [
      'when the ref to update is gone',
      [`${first} ${third} refs/heads/gone`],
      history.pack(third, `^${second}`),
      ['ng refs/heads/gone reference does not exist'],
      /error/,
    ],
    [
      'for a bad name, the others going through',
      [
        `${ZERO} ${third} refs/heads/../../config`,
        `${ZERO} ${third} HEAD`,
        `${ZERO} ${third} refs/heads/good`,
        `${second} ${ZERO} refs/heads/../../config`,
      ],
      history.pack(third, `^${second}`),
      [
        'ng refs/heads/../../config funny refname',
        'ng HEAD funny refname',
        'ok refs/heads/good',
        'ng refs/heads/../../config funny refname',
      ],
      /error: refusing to update funny ref 'refs\/heads\/..\/..\/config' remotely/,
    ],
    [
      'for two updates of one ref',
      [`${ZERO} ${first} refs/heads/x`, `${ZERO} ${second} refs/heads/x`, `${ZERO} ${first} refs/heads/y`],
      emptyPack,
      [
        'ng refs/heads/x multiple updates for ref not allowed',
        'ng refs/heads/x multiple updates for ref not allowed',
        'ok refs/heads/y',
      ],
      /error: multiple updates for ref 'refs\/heads\/x' not allowed/,
    ],
    [
      'when the object is nowhere',
      [`${ZERO} ${ABSENT} refs/heads/x`],
      emptyPack,
      ['ng refs/heads/x missing necessary objects'],
      /fatal: bad object/,
    ],
    [
      'for a blob as a branch',
      [`${ZERO} ${blob} refs/heads/x`],
      history.pack(third, `^${second}`),
      ['ng refs/heads/x invalid new value provided'],
      /error: trying to write non-commit object/,
    ],
    [
      'for the deletion of the current branch',
      [`${second} ${ZERO} refs/heads/main`],
      undefined,
      ['ng refs/heads/main deletion of the current branch prohibited'],
      /error: refusing to delete the current branch: refs\/heads\/main/,
    ],
    [
      'for a non-fast-forward, where these are denied',
      [`${second} ${side} refs/heads/main`],
      history.pack(side, `^${second}`),
      ['ng refs/heads/main non-fast-forward'],
      /error: denying non-fast-forward refs\/heads\/main \(you should pull first\)/,
      { policy: { denyNonFastForwards: true } },
    ],
    [
      'for a hidden ref',
      [
        `${ZERO} ${first} refs/pull/1/head`,
        `${first} ${ZERO} refs/pull/2/head`,
        `${ZERO} ${first} refs/heads/x`,
      ],
      emptyPack,
      [
        'ng refs/pull/1/head deny updating a hidden ref',
        'ng refs/pull/2/head deny deleting a hidden ref',
        'ok refs/heads/x',
      ],
      undefined,
      { hiddenRefs: ['refs/pull'] },
    ],
    [
      'by the authorizer, before the pack is read',
      [`${second} ${third} refs/heads/main`],
      encodeText('this is no pack'),
      ['ng refs/heads/main only bots may push here'],
      undefined,
      { authorizeRefUpdate: () => reject('only bots may push here') },
    ],
  ] as const) {
    test(title, async () => {
      const repository = await repositoryWithMain();
      const { report, messages, fatal } = await pushByHand(repository, { commands, pack }, options);
      assert.deepEqual(report, ['unpack ok', ...expected, '0000']);
      assert.match(messages, message ?? /^$/);
      assert.equal(fatal, '');
      assert.equal(await idOf(repository, 'HEAD'), second);
    });
  }

  test('when history is missing, the others going through', async () => {
    const repository = await repositoryWithMain();
    const { report } = await pushByHand(repository, {
      commands: [`${ZERO} ${third} refs/heads/x`, `${ZERO} ${first} refs/heads/y`],
      pack: history.pack(third, `^${third}`),
    });
    assert.deepEqual(report, [
      'unpack ok',
      'ng refs/heads/x missing necessary objects',
      'ok refs/heads/y',
      '0000',
    ]);
  });

  test('when an object exists but its history does not: refs are trusted, objects are not', async () => {
    const repository = memoryRepository();
    const commit = encodeText(
      `tree ${SHA1.emptyTreeId}\nparent ${ABSENT}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n`,
    );
    const stray = await repository.objects.begin();
    const id = await stray.writeObject('commit', commit);
    await stray.writeObject('tree', new Uint8Array(0));
    await stray.commit();
    const { report } = await pushByHand(repository, {
      commands: [`${ZERO} ${id} refs/heads/x`],
      pack: emptyPack,
    });
    assert.deepEqual(report, ['unpack ok', 'ng refs/heads/x missing necessary objects', '0000']);
  });

  test('from a shallow clone, unless what it lacks is here', async () => {
    for (const [main, expected] of [
      [undefined, 'ng refs/heads/x shallow update not allowed'],
      [first, 'ok refs/heads/x'],
    ] as const) {
      const repository = memoryRepository();
      if (main !== undefined) {
        await pushByHand(repository, {
          commands: [`${ZERO} ${main} refs/heads/main`],
          pack: history.pack(main),
        });
      }
      const { report } = await pushByHand(repository, {
        commands: [`${ZERO} ${third} refs/heads/x`],
        shallow: [second],
        pack: history.wholePack(third, `^${first}`),
      });
      assert.deepEqual(report.slice(0, 2), ['unpack ok', expected]);
    }
  });

  test('in git’s place for it when the request is malformed', async () => {
    for (const [capabilities, commands, fatal] of [
      ['report-status side-band-64k', ['nonsense'], /^protocol error: expected old id, new id and ref/],
      ['report-status', ['nonsense'], /^ERR protocol error: expected old id, new id and ref/],
      ['object-format=sha256', [`${ZERO} ${first} refs/heads/x`], /unsupported object format 'sha256'/],
      ['side-band-64k', ['push-cert'], /malformed push certificate/],
    ] as const) {
      const failures: unknown[] = [];
      const answer = await pushByHand(
        memoryRepository(),
        { commands, capabilities },
        {
          onFailure: (error) => failures.push(error),
        },
      );
      assert.match(answer.fatal, fatal);
      assert.equal(failures.length, 1);
    }
  });

  test('when it names too many refs', async () => {
    const limits = { ...DEFAULT_LIMITS, maxRefUpdates: 1 };
    const commands = [`${ZERO} ${first} refs/heads/a`, `${ZERO} ${first} refs/heads/b`];
    const { fatal } = await pushByHand(memoryRepository(), { commands }, { limits });
    assert.match(fatal, /too many ref updates in one push: at most 1 are allowed/);
  });
});

describe('a pack that cannot be stored', () => {
  const good = history.pack(third);
  const flipped = good.slice();
  flipped[good.length >> 1] = (flipped[good.length >> 1] as number) ^ 0x10;
  const wrongTrailer = good.slice();
  wrongTrailer[good.length - 1] = (wrongTrailer[good.length - 1] as number) ^ 1;
  for (const [title, pack, reason, options] of [
    ['truncated', good.subarray(0, good.length - 30), 'pack is corrupt'],
    ['absent', new Uint8Array(0), 'pack is corrupt'],
    ['no pack', encodeText('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), 'pack is corrupt'],
    ['flipped in the middle', flipped, 'pack is corrupt'],
    ['with a wrong trailer', wrongTrailer, 'pack is corrupt'],
    ['thin without its base', history.pack(third, `^${first}`), 'missing delta base'],
    ['too large', good, 'limit exceeded', { limits: { ...DEFAULT_LIMITS, maxPackBytes: 100 } }],
  ] as const) {
    test(`${title}: unpack ${reason}, and no ref moves`, async () => {
      const repository = memoryRepository();
      const failures: unknown[] = [];
      const { report, messages } = await pushByHand(
        repository,
        { commands: [`${ZERO} ${third} refs/heads/main`, `${ZERO} ${third} refs/heads/x`], pack },
        { ...options, onFailure: (error) => failures.push(error) },
      );
      assert.deepEqual(report, [
        `unpack ${reason}`,
        'ng refs/heads/main unpacker error',
        'ng refs/heads/x unpacker error',
        '0000',
      ]);
      assert.match(messages, /^error: .+\n$/m);
      assert.equal(failures.length, 1);
      assert.deepEqual(await repository.refs.list(), []);
    });
  }

  test('arbitrary bytes after commands are a report, never a throw', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.boolean(), async (bytes, headed) => {
        const repository = memoryRepository();
        const pack = headed ? concatBytes(good.subarray(0, 60), bytes) : bytes;
        const { report } = await pushByHand(repository, {
          commands: [`${ZERO} ${third} refs/heads/main`],
          pack,
        });
        assert.match(report[0] as string, /^unpack (?!ok)/);
      }),
      { numRuns: 60 },
    );
  });
});

describe('a client that goes away', () => {
  test('in the middle of the pack leaves nothing', async () => {
    const repository = memoryRepository();
    const wire = pushRequest({ commands: [`${ZERO} ${third} refs/heads/main`], pack: history.pack(third) });
    const controller = new AbortController();
    async function* connection() {
      yield wire.slice(0, wire.length - 100);
      controller.abort();
      throw new GitError('ABORTED', 'Stopped: the client went away');
    }
    const options = { mode: 'stateless', protocolVersion: 0, limits: DEFAULT_LIMITS } as const;
    await assert.rejects(
      drain(receivePack(repository, connection(), { ...options, signal: controller.signal })),
      { code: 'ABORTED' },
    );
    assert.deepEqual(await repository.refs.list(), []);
    const reader = await repository.objects.openReader();
    assert.equal(reader.has(third), false);
    reader.release();
  });

  test('while a hook thinks leaves nothing', async () => {
    const repository = memoryRepository();
    const controller = new AbortController();
    const pushing = pushByHand(
      repository,
      { commands: [`${ZERO} ${third} refs/heads/main`], pack: history.pack(third) },
      {
        signal: controller.signal,
        hooks: {
          preReceive: () => {
            controller.abort();
            return new Promise<void>(() => {});
          },
        },
      },
    );
    await assert.rejects(pushing, { code: 'ABORTED' });
    assert.deepEqual(await repository.refs.list(), []);
  });

  test('after the refs have moved does not keep post-receive from running', async () => {
    const repository = memoryRepository();
    let told = 0;
    const output = receivePack(
      repository,
      chunked(pushRequest({ commands: [`${ZERO} ${third} refs/heads/main`], pack: history.pack(third) })),
      {
        mode: 'stateless',
        protocolVersion: 0,
        limits: DEFAULT_LIMITS,
        hooks: {
          postReceive: async () => {
            told++;
          },
        },
      },
    );
    let text = '';
    for await (const chunk of output) {
      text += new TextDecoder().decode(chunk);
      if (text.includes('ok refs/heads/main')) break;
    }
    assert.equal(told, 1);
  });
});

test('keepalives fill the silence while a hook thinks, not while the pack arrives', async () => {
  const repository = memoryRepository();
  const wire = pushRequest({ commands: [`${ZERO} ${third} refs/heads/main`], pack: history.pack(third) });
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  let arrived = false;
  async function* slowly() {
    yield wire.slice(0, 200);
    await pause(350);
    arrived = true;
    yield wire.slice(200);
  }
  const options = {
    mode: 'stateless',
    protocolVersion: 0,
    limits: { ...DEFAULT_LIMITS, keepaliveMs: 100 },
    hooks: { preReceive: async () => void (await pause(450)) },
  } as const;
  let keepalives = 0;
  for await (const chunk of receivePack(repository, slowly(), options)) {
    if (new TextDecoder().decode(chunk) !== '0005\u0001') continue;
    assert.equal(arrived, true);
    keepalives++;
  }
  assert.ok(keepalives > 0);
});
