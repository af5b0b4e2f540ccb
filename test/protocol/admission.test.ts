/** Where services ask for room, what they do with a no, and that what was given is given back. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { encodeText } from '../../src/core/bytes.ts';
import { GitError } from '../../src/core/errors.ts';
import { DEFAULT_LIMITS } from '../../src/core/limits.ts';
import { SHA1 } from '../../src/core/object-id.ts';
import type { Admit, Pass } from '../../src/protocol/admission.ts';
import { receivePack } from '../../src/protocol/receive-pack.ts';
import type { ProtocolVersion, ServiceMode } from '../../src/protocol/service.ts';
import { uploadArchive } from '../../src/protocol/upload-archive.ts';
import { uploadPack } from '../../src/protocol/upload-pack.ts';
import { reject } from '../../src/repository/push/hooks.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { memoryHistory } from '../support/memory-history.ts';
import { memoryRepository } from '../support/memory-repository.ts';
import { blobEntry, packOf } from '../support/pack-builder.ts';
import { packLines, unpackLines } from '../support/packets.ts';
import { pushByHand, pushRequest } from '../support/push-client.ts';
import { ask, readAnswer } from '../support/served-repository.ts';
import { chunked, drain } from '../support/streams.ts';

const { repository, commits, blobs } = await memoryHistory();
const [first, , , , tip] = commits as readonly [string, string, string, string, string];
const MISSING = 'd'.repeat(40);
const ZERO = SHA1.zeroId;

/** Admits everybody, and notes it: `clone`, `took 12`, `released`. */
function openDoor() {
  const log: string[] = [];
  const admit: Admit = async ({ kind }) => {
    log.push(kind);
    return {
      take: (sizeBytes) => void log.push(`took ${sizeBytes}`),
      release: (kept) =>
        void log.push(kept === undefined ? 'released' : `released, ${kept ? 'kept' : 'dropped'}`),
    };
  };
  return { log, admit };
}

const BUSY = 'The server is busy; try again later';
const busy = (code: 'OVERLOADED' | 'RATE_LIMITED' | 'LIMIT_EXCEEDED' = 'OVERLOADED') =>
  new GitError(code, BUSY, { retryAfterSeconds: 7 });
const closedDoor =
  (code?: 'OVERLOADED' | 'RATE_LIMITED' | 'LIMIT_EXCEEDED'): Admit =>
  () =>
    Promise.reject(busy(code));

const v2 = (...lines: readonly string[]): readonly string[] => [
  'command=fetch',
  'object-format=sha1',
  '0001',
  ...lines,
  '0000',
];
const WANT = `want ${tip}`;
const WANT_V0 = `${WANT} side-band-64k multi_ack_detailed`;

function withoutProgress(wire: Uint8Array): unknown {
  const { lines, pack } = readAnswer(wire);
  return { lines, pack };
}

describe('upload-pack asks for', () => {
  for (const [title, version, mode, lines, kinds] of [
    ['a clone', 2, 'stateless', v2(WANT, 'done'), ['clone']],
    ['a clone without done', 2, 'stateless', v2(WANT), ['clone']],
    ['a fetch', 2, 'stateless', v2(WANT, `have ${first}`, 'done'), ['fetch']],
    ['a fetch once it is ready', 2, 'stateless', v2(WANT, `have ${first}`), ['fetch']],
    ['nothing while it negotiates', 2, 'stateless', v2(WANT, `have ${MISSING}`), []],
    ['nothing while the client waits', 2, 'stateless', v2(WANT, `have ${first}`, 'wait-for-done'), []],
    [
      'a clone when what is had is not had here',
      2,
      'stateless',
      v2(WANT, `have ${MISSING}`, 'done'),
      ['clone'],
    ],
    ['a fetch of a single blob', 2, 'stateless', v2(`want ${blobs[0]}`, 'done'), ['fetch']],
    ['nothing for refs', 2, 'stateless', ['command=ls-refs', 'object-format=sha1', '0000'], []],
    ['nothing when nothing is wanted', 2, 'stateless', v2('done'), []],
    ['nothing for what may not be had', 2, 'stateless', v2(`want ${MISSING}`, 'done'), []],
    [
      'each of many over one connection',
      2,
      'stateful',
      [...v2(WANT, `have ${MISSING}`), ...v2(WANT, 'done'), ...v2(WANT, `have ${first}`, 'done'), '0000'],
      ['clone', 'fetch'],
    ],
    ['a clone', 0, 'stateless', [WANT_V0, '0000', 'done'], ['clone']],
    ['a clone', 0, 'stateful', [WANT_V0, '0000', 'done'], ['clone']],
    ['a fetch', 1, 'stateless', [WANT_V0, '0000', `have ${first}`, 'done'], ['fetch']],
    ['nothing while it negotiates', 0, 'stateless', [WANT_V0, '0000', `have ${first}`, '0000'], []],
    [
      'a fetch that needs no done',
      0,
      'stateless',
      [`${WANT_V0} no-done`, '0000', `have ${first}`, '0000'],
      ['fetch'],
    ],
    ['nothing while it is told of the boundary', 0, 'stateless', [WANT_V0, 'deepen 1', '0000'], []],
    ['a clone with a boundary', 0, 'stateless', [WANT_V0, 'deepen 1', '0000', 'done'], ['clone']],
    ['nothing when nothing is wanted', 0, 'stateful', ['0000'], []],
  ] as readonly (readonly [string, ProtocolVersion, ServiceMode, readonly string[], readonly string[]])[]) {
    test(`${title}, version ${version}, ${mode}`, async () => {
      const { log, admit } = openDoor();
      const wire = await ask(repository, { version, mode, request: packLines(lines), options: { admit } });
      assert.deepEqual(
        log,
        kinds.flatMap((kind) => [kind, 'released']),
      );
      const unasked = await ask(repository, { version, mode, request: packLines(lines) });
      assert.deepEqual(withoutProgress(wire), withoutProgress(unasked));
    });
  }

  test('each who shares an answer', async () => {
    const { log, admit } = openDoor();
    const request = packLines(v2(WANT, 'done'));
    await Promise.all([1, 2, 3].map(() => ask(repository, { version: 2, request, options: { admit } })));
    assert.equal(log.filter((word) => word === 'clone').length, 3);
    assert.equal(log.filter((word) => word === 'released').length, 3);
  });
});

const ROUNDS = [
  ['version 2', 2, v2(WANT, `have ${first}`)],
  ['version 0', 0, [WANT_V0, '0000', `have ${first}`, 'done']],
  ['version 0, deepening', 0, [WANT_V0, 'deepen 1', '0000', `have ${first}`, 'done']],
] as const;

describe('upload-pack that is refused', () => {
  for (const code of ['OVERLOADED', 'RATE_LIMITED'] as const) {
    for (const [title, version, lines] of ROUNDS) {
      test(`throws ${code} over HTTP before the first byte, ${title}`, async () => {
        const failures: unknown[] = [];
        const output = uploadPack(repository, chunked(packLines(lines)), {
          mode: 'stateless',
          protocolVersion: version,
          limits: DEFAULT_LIMITS,
          admit: closedDoor(code),
          onFailure: (error) => failures.push(error),
        });
        await assert.rejects(output.next(), { code, detail: { retryAfterSeconds: 7 } });
        assert.deepEqual(failures, []);
      });
    }
  }

  test('tells what is too much for this client in the answer', async () => {
    for (const [, version, lines] of ROUNDS) {
      const request = packLines(lines);
      const wire = await ask(repository, {
        version,
        request,
        options: { admit: closedDoor('LIMIT_EXCEEDED') },
      });
      assert.deepEqual(unpackLines(wire), [`ERR ${BUSY}`]);
    }
  });

  test('says so in an ERR packet over a connection, in the place of what would end the negotiation', async () => {
    for (const [, version, lines] of ROUNDS) {
      const failures: unknown[] = [];
      const options = { admit: closedDoor(), onFailure: (error: unknown) => failures.push(error) };
      const wire = await ask(repository, { version, mode: 'stateful', request: packLines(lines), options });
      const answer = unpackLines(wire);
      assert.equal(answer.at(-1), `ERR ${BUSY}`);
      assert.ok(!answer.some((line) => line === 'packfile' || line === 'ready' || line === `ACK ${first}`));
      assert.equal(failures.length, 1);
    }
  });
});

/** A door at which everybody waits until `open` is called. */
function waitingDoor() {
  const log: string[] = [];
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const admit: Admit = async ({ kind }): Promise<Pass> => {
    log.push(kind);
    await opened;
    return { release: () => void log.push('released') };
  };
  return { log, admit, open };
}

const soon = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

describe('leave', () => {
  for (const [title, version, lines] of ROUNDS) {
    test(`comes before the first byte over HTTP, ${title}`, async () => {
      const { log, admit, open } = waitingDoor();
      const output = uploadPack(repository, chunked(packLines(lines)), {
        mode: 'stateless',
        protocolVersion: version,
        limits: DEFAULT_LIMITS,
        admit,
      });
      let hasBegun = false;
      const begun = output.next().then(() => {
        hasBegun = true;
      });
      while (log.length === 0) await soon();
      await soon();
      assert.equal(hasBegun, false);
      open();
      await begun;
      assert.deepEqual(log, ['fetch']);
      await output.return(undefined);
      assert.deepEqual(log, ['fetch', 'released']);
    });
  }

  test('is given back when the client goes away amid the pack', async () => {
    const gone = new AbortController();
    const { log, admit } = openDoor();
    const output = uploadPack(repository, chunked(packLines(v2(WANT, 'done'))), {
      mode: 'stateless',
      protocolVersion: 2,
      limits: DEFAULT_LIMITS,
      admit,
      signal: gone.signal,
    });
    await output.next();
    gone.abort();
    await Promise.allSettled([drain(output)]);
    assert.deepEqual(log, ['clone', 'released']);
  });

  test('is given back when the work fails', async () => {
    const { log, admit } = openDoor();
    const broken: Repository = {
      ...repository,
      shallowCommits: () => Promise.reject(new GitError('STORAGE_FAILED', 'disk')),
    };
    await ask(broken, { version: 2, request: packLines(v2(WANT, 'done')), options: { admit } });
    assert.deepEqual(log, ['clone', 'released']);
  });

  test('is not waited for once the client is gone, and goes back when it comes all the same', async () => {
    for (const [, version, lines] of ROUNDS) {
      const gone = new AbortController();
      const { log, admit, open } = waitingDoor();
      const request = packLines(lines);
      const asking = ask(repository, { version, request, options: { admit, signal: gone.signal } });
      while (log.length === 0) await soon();
      gone.abort();
      await assert.rejects(asking, { code: 'ABORTED' });
      assert.deepEqual(log, ['fetch']);
      open();
      await soon();
      assert.deepEqual(log, ['fetch', 'released']);
    }
  });
});

describe('receive-pack', () => {
  const pack = packOf([blobEntry('pushed\n')]);
  const id = createHash('sha1').update('blob 7\0pushed\n').digest('hex');
  const CREATE = { commands: [`${ZERO} ${id} refs/tags/b`], pack };

  test('asks once its commands are read, counts its pack, and says that it is kept', async () => {
    const { log, admit } = openDoor();
    const { report } = await pushByHand(
      memoryRepository(),
      { ...CREATE, chunkSizes: [400, 10, 30] },
      { admit },
    );
    assert.deepEqual(report, ['unpack ok', 'ok refs/tags/b', '0000']);
    const taken = log.slice(1, -1).map((word) => Number(word.replace('took ', '')));
    assert.deepEqual([log[0], log.at(-1)], ['push', 'released, kept']);
    assert.equal(
      taken.reduce((sum, sizeBytes) => sum + sizeBytes, 0),
      pack.length,
    );
  });

  test('reads none of its pack before it may', async () => {
    const { log, admit, open } = waitingDoor();
    let isRead = false;
    async function* request() {
      yield pushRequest({ ...CREATE, pack: new Uint8Array(0) });
      isRead = true;
      yield pack;
    }
    const answered = drain(
      receivePack(memoryRepository(), request(), {
        mode: 'stateless',
        protocolVersion: 0,
        limits: { ...DEFAULT_LIMITS, keepaliveMs: 1 },
        admit,
      }),
    );
    while (log.length === 0) await soon();
    await soon();
    assert.equal(isRead, false);
    open();
    await answered;
    assert.deepEqual(log, ['push', 'released']);
  });

  test('asks for deletions, which have no pack', async () => {
    const { log, admit } = openDoor();
    const target = memoryRepository();
    await pushByHand(target, CREATE);
    await pushByHand(target, { commands: [`${id} ${ZERO} refs/tags/b`] }, { admit });
    assert.deepEqual(log, ['push', 'released, kept']);
  });

  test('asks for nothing when nothing is to be done', async () => {
    const { log, admit } = openDoor();
    const options = { mode: 'stateless', protocolVersion: 0, limits: DEFAULT_LIMITS, admit } as const;
    await drain(receivePack(memoryRepository(), chunked(encodeText('0000')), options));
    await drain(
      receivePack(memoryRepository(), chunked(new Uint8Array(0)), { ...options, mode: 'advertise' }),
    );
    assert.deepEqual(log, []);
  });

  for (const [title, options] of [
    ['its hook declines', { hooks: { preReceive: async () => reject() } }],
    ['nothing of it is allowed', { authorizeRefUpdate: () => reject() }],
  ] as const) {
    test(`says that nothing is kept when ${title}`, async () => {
      const { log, admit } = openDoor();
      await pushByHand(memoryRepository(), CREATE, { admit, ...options });
      assert.equal(log.at(-1), 'released, dropped');
    });
  }

  for (const [code, reason] of [
    ['LIMIT_EXCEEDED', 'limit exceeded'],
    ['OVERLOADED', 'server is busy'],
  ] as const) {
    test(`gives up its pack when a chunk of it is refused: ${code}`, async () => {
      const target = memoryRepository();
      let released: boolean | undefined;
      const admit: Admit = async () => ({
        take: () => {
          throw new GitError(code, 'The quota of this repository is used up');
        },
        release: (kept) => {
          released = kept;
        },
      });
      const { report, messages } = await pushByHand(target, CREATE, { admit });
      assert.deepEqual(report, [`unpack ${reason}`, 'ng refs/tags/b unpacker error', '0000']);
      assert.match(messages, /error: The quota of this repository is used up/);
      assert.equal(released, false);
      assert.equal(await target.refs.resolve('refs/tags/b'), undefined);
    });
  }

  test('that is refused throws over HTTP, and says so on band 3 over a connection', async () => {
    for (const code of ['OVERLOADED', 'RATE_LIMITED'] as const) {
      await assert.rejects(pushByHand(memoryRepository(), CREATE, { admit: closedDoor(code) }), { code });
      const { fatal } = await pushByHand(memoryRepository(), CREATE, {
        admit: closedDoor(code),
        mode: 'stateful',
      });
      assert.equal(fatal, `${BUSY}\n`);
    }
    const told = await pushByHand(memoryRepository(), CREATE, { admit: closedDoor('LIMIT_EXCEEDED') });
    assert.equal(told.fatal, `${BUSY}\n`);
  });
});

describe('upload-archive', () => {
  const request = packLines([`argument ${tip}`, '0000']);
  const archive = (mode: ServiceMode, admit: Admit, bytes = request) =>
    uploadArchive(repository, chunked(bytes), {
      mode,
      limits: DEFAULT_LIMITS,
      allowUnreachable: true,
      admit,
    });

  test('asks when its request is read', async () => {
    for (const mode of ['stateless', 'stateful'] as const) {
      const { log, admit } = openDoor();
      const lines = unpackLines(await drain(archive(mode, admit)));
      assert.deepEqual(lines.slice(0, 2), ['ACK', '0000']);
      assert.deepEqual(log, ['archive', 'released']);
    }
  });

  test('asks for nothing when its request cannot be read', async () => {
    for (const mode of ['stateless', 'stateful'] as const) {
      const { log, admit } = openDoor();
      const lines = unpackLines(await drain(archive(mode, admit, packLines(['x', '0000']))));
      assert.match(lines.join('\n'), /'argument' token or flush expected/);
      assert.deepEqual(log, []);
    }
  });

  test('that is refused throws over HTTP, and says so on band 2 over a connection', async () => {
    await assert.rejects(archive('stateless', closedDoor()).next(), { code: 'OVERLOADED' });
    const lines = unpackLines(await drain(archive('stateful', closedDoor())));
    assert.ok(lines.includes(`2:fatal: ${BUSY}\n`), lines.join('\n'));
    const told = unpackLines(await drain(archive('stateless', closedDoor('LIMIT_EXCEEDED'))));
    assert.ok(told.includes(`2:fatal: ${BUSY}\n`), told.join('\n'));
  });

  test('gives its pass back when the client goes away', async () => {
    const { log, admit } = openDoor();
    const output = archive('stateless', admit);
    await output.next();
    await output.return(undefined);
    assert.deepEqual(log, ['archive', 'released']);
  });
});
