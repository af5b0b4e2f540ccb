/**
 * Identical requests share one answer, whatever becomes of those who take it.
 */
import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, mock, test } from 'node:test';
import * as fc from 'fast-check';
import { GitError } from '../../../src/core/errors.ts';
import { MemoryBudget } from '../../../src/core/memory-budget.ts';
import { PackSharing, type PackSharingOptions } from '../../../src/repository/pack-sharing/pack-sharing.ts';
import type { CreateSpool, Spool } from '../../../src/repository/pack-sharing/spool.ts';
import { git } from '../../support/git.ts';
import { type Layout, SharingClient, type SharingScene, sharingScene } from '../../support/shared-packs.ts';

const LAYOUTS: readonly Layout[] = ['packed', 'partly', 'loose'];

const newSharing = (options: PackSharingOptions = {}): PackSharing =>
  new PackSharing({ memory: new MemoryBudget(64 * 1024 * 1024), ...options });

/** What a client gets that is alone. */
async function packAlone(scene: SharingScene): Promise<Uint8Array> {
  return new SharingClient(newSharing(), scene).takeAll();
}

/** Everything that is done soon has been done. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function promiseToSettle(): {
  promise: Promise<void>;
  resolve: () => void;
  reject: (error: unknown) => void;
} {
  let settlers: [() => void, (error: unknown) => void] = [() => undefined, () => undefined];
  const promise = new Promise<void>((resolve, reject) => {
    settlers = [resolve, reject];
  });
  return { promise, resolve: settlers[0], reject: settlers[1] };
}

/** Files of this process that have no name any more. */
function openSpools(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(join('/proc/self/fd', fd)).includes('tmp_spool_');
    } catch {
      return false; // the descriptor of the listing itself
    }
  }).length;
}

describe('who asks for the same', () => {
  for (const layout of LAYOUTS) {
    test(`gets the same bytes, chosen once (${layout})`, async (t) => {
      const scene = await sharingScene(t, layout);
      const expected = await packAlone(scene);
      const sharing = newSharing();
      const before = scene.choices();
      const clients = Array.from(
        { length: 5 },
        (_, n) => new SharingClient(sharing, scene, { framed: n > 0 }),
      );
      const packs = await Promise.all(clients.map((client) => client.takeAll()));
      for (const pack of packs) assert.deepEqual(pack, expected);
      assert.equal(scene.choices() - before, 1);
      const [first] = clients;
      assert.equal(first?.result?.bytes, expected.length);
      for (const client of clients) assert.deepEqual(client.result, first?.result);
      assert.deepEqual([sharing.usage.files, sharing.usage.bytes], [0, 0]);
    });
  }

  test('is told of the same progress, however late', async (t) => {
    const scene = await sharingScene(t, 'loose');
    const sharing = newSharing();
    const first = new SharingClient(sharing, scene);
    await first.take();
    const late = new SharingClient(sharing, scene);
    const ends = (client: SharingClient) =>
      client.progress.filter(({ finished }) => finished).map(({ title, done }) => [title, done]);
    assert.ok(ends(first).length >= 2);
    assert.deepEqual(ends(late), ends(first));
    await Promise.all([first.takeAll(), late.takeAll()]);
  });

  test('gets a pack of its own when it asks for something else', async (t) => {
    const scene = await sharingScene(t, 'packed');
    const sharing = newSharing();
    const before = scene.choices();
    const whole = new SharingClient(sharing, scene);
    const filtered = new SharingClient(sharing, scene, {
      request: { ...scene.request, filter: { kind: 'blob:none' } },
    });
    const [all, some] = await Promise.all([whole.takeAll(), filtered.takeAll()]);
    assert.equal(scene.choices() - before, 2);
    assert.ok(some.length < all.length / 10);
  });
});

describe('the bytes that are put aside', () => {
  test('lie in a file without a name, which is gone with the last reader', async (t) => {
    const scene = await sharingScene(t, 'loose');
    const sharing = newSharing();
    const fast = new SharingClient(sharing, scene);
    const slow = new SharingClient(sharing, scene);
    await slow.take();
    await fast.takeAll();
    assert.equal(sharing.usage.files, 1);
    assert.ok(sharing.usage.bytes > 1_000_000);
    assert.equal(openSpools(), 1);
    const names = readdirSync(join(scene.directory, 'objects'));
    assert.deepEqual(
      names.filter((name) => name.startsWith('tmp_')),
      [],
    );
    await slow.takeAll();
    await settle();
    assert.equal(openSpools(), 0);
    assert.deepEqual([sharing.usage.files, sharing.usage.bytes], [0, 0]);
  });

  test('are none of what can be read from a stored pack, and none for a client that is alone', async (t) => {
    const packed = await sharingScene(t, 'packed');
    const loose = await sharingScene(t, 'loose');
    const sharing = newSharing();
    const pair = [new SharingClient(sharing, packed), new SharingClient(sharing, packed)];
    await pair[0]?.takeAll();
    const alone = new SharingClient(sharing, loose);
    while (await alone.take()) assert.equal(sharing.usage.files, 0);
    await pair[1]?.takeAll();
  });

  test('are given up when the disk is full: everybody goes on with a pack of its own', async (t) => {
    for (const roomBytes of [0, 300_000, 900_000]) {
      const scene = await sharingScene(t, 'loose');
      const expected = await packAlone(scene);
      let closed = 0;
      const createSpool: CreateSpool = async () => smallSpool(roomBytes, () => closed++);
      const sharing = newSharing();
      const full: SharingScene = { ...scene, repository: { ...scene.repository, createSpool } };
      const clients = Array.from({ length: 3 }, () => new SharingClient(sharing, full));
      await clients[0]?.take();
      await clients[0]?.take();
      const packs = await Promise.all(clients.map((client) => client.takeAll()));
      for (const pack of packs) assert.deepEqual(pack, expected);
      assert.equal(closed, 1);
      assert.deepEqual([sharing.usage.files, sharing.usage.bytes], [0, 0]);
    }
  });

  test('are given up when no file can be made', async (t) => {
    const scene = await sharingScene(t, 'loose');
    const expected = await packAlone(scene);
    const sharing = newSharing();
    const createSpool: CreateSpool = () =>
      Promise.reject(new GitError('STORAGE_FAILED', 'Cannot create spool: the file system is read-only'));
    const readOnly: SharingScene = { ...scene, repository: { ...scene.repository, createSpool } };
    const clients = [new SharingClient(sharing, readOnly), new SharingClient(sharing, readOnly)];
    const packs = await Promise.all(clients.map((client) => client.takeAll()));
    for (const pack of packs) assert.deepEqual(pack, expected);
    assert.equal(sharing.usage.files, 0);
  });

  test('are bounded, for a pack and for the process', async (t) => {
    const scene = await sharingScene(t, 'loose');
    const expected = await packAlone(scene);
    for (const limits of [
      { maxPackSpoolBytes: 2_000_000, maxSpoolBytes: 1_000_000 },
      { maxPackSpoolBytes: 0 },
    ]) {
      const sharing = newSharing();
      const clients = [1, 2].map(() => new SharingClient(sharing, scene, { limits }));
      let most = 0;
      while (await clients[0]?.take()) most = Math.max(most, sharing.usage.bytes);
      assert.ok(most <= (limits.maxSpoolBytes ?? 0), String(most));
      assert.deepEqual(await clients[1]?.takeAll(), expected);
      assert.deepEqual(clients[0]?.bytes, expected);
    }
  });

  test('need no file where there is none: a repository in memory shares what was chosen', async (t) => {
    const scene = await sharingScene(t, 'loose');
    const expected = await packAlone(scene);
    const sharing = newSharing();
    const inMemory: SharingScene = { ...scene, repository: { ...scene.repository, createSpool: undefined } };
    const before = scene.choices();
    const clients = [new SharingClient(sharing, inMemory), new SharingClient(sharing, inMemory)];
    const packs = await Promise.all(clients.map((client) => client.takeAll()));
    for (const pack of packs) assert.deepEqual(pack, expected);
    assert.equal(scene.choices() - before, 1);
  });
});

describe('who leaves', () => {
  test('first does not end the work of the others', async (t) => {
    const scene = await sharingScene(t, 'packed');
    const expected = await packAlone(scene);
    const sharing = newSharing();
    const release = promiseToSettle();
    scene.hold(release.promise);
    const first = new SharingClient(sharing, scene);
    const waiting = first.take();
    const second = new SharingClient(sharing, scene);
    const pack = second.takeAll();
    const left = first.leave();
    await assert.rejects(waiting, { code: 'ABORTED' });
    await left;
    assert.equal(scene.lastSignal()?.aborted, false);
    release.resolve();
    assert.deepEqual(await pack, expected);
  });

  test('last ends the work; whoever comes next begins anew', async (t) => {
    const scene = await sharingScene(t, 'packed');
    const expected = await packAlone(scene);
    const sharing = newSharing();
    const release = promiseToSettle();
    scene.hold(release.promise);
    const clients = [new SharingClient(sharing, scene), new SharingClient(sharing, scene)];
    const before = scene.choices();
    const signal = scene.lastSignal();
    await clients[0]?.leave();
    assert.equal(signal?.aborted, false);
    await clients[1]?.leave();
    assert.equal(signal?.aborted, true);
    const next = new SharingClient(sharing, scene);
    assert.equal(scene.choices() - before, 1);
    release.resolve();
    assert.deepEqual(await next.takeAll(), expected);
  });

  test('while it is writing for the others leaves them what it wrote', async (t) => {
    const scene = await sharingScene(t, 'loose');
    const expected = await packAlone(scene);
    const sharing = newSharing();
    const ahead = new SharingClient(sharing, scene);
    const behind = new SharingClient(sharing, scene);
    await behind.take();
    for (let n = 0; n < 12; n++) await ahead.take();
    const under = ahead.take();
    await ahead.leave();
    await under.catch(() => undefined);
    assert.deepEqual(await behind.takeAll(), expected);
  });
});

describe('a failure', () => {
  test('of choosing reaches everybody, and the next one begins anew', async (t) => {
    const scene = await sharingScene(t, 'packed');
    const expected = await packAlone(scene);
    const sharing = newSharing();
    const release = promiseToSettle();
    scene.hold(release.promise);
    const clients = Array.from({ length: 3 }, () => new SharingClient(sharing, scene));
    const packs = clients.map((client) => assert.rejects(client.takeAll(), { code: 'STORAGE_FAILED' }));
    release.reject(new GitError('STORAGE_FAILED', 'Cannot read pack: the disk failed'));
    await Promise.all(packs);
    scene.hold(undefined);
    assert.deepEqual(await new SharingClient(sharing, scene).takeAll(), expected);
  });

  test('of writing reaches everybody, behind what was written before', async (t) => {
    const scene = await sharingScene(t, 'loose');
    const expected = await packAlone(scene);
    let reads = 0;
    const broken: SharingScene = {
      ...scene,
      repository: {
        ...scene.repository,
        objects: {
          ...scene.repository.objects,
          async openReader(options) {
            const reader = await scene.repository.objects.openReader(options);
            const readRaw: typeof reader.readRaw = (ids, at) => {
              if (++reads === 40)
                throw new GitError('OBJECT_CORRUPT', 'Cannot read object: it has another hash');
              return reader.readRaw(ids, at);
            };
            return new Proxy(reader, {
              get: (target, name) => {
                if (name === 'readRaw') return readRaw;
                const value: unknown = Reflect.get(target, name, target);
                return typeof value === 'function' ? value.bind(target) : value;
              },
            });
          },
        },
      },
    };
    const sharing = newSharing();
    const clients = [new SharingClient(sharing, broken), new SharingClient(sharing, broken)];
    for (const client of clients) {
      await assert.rejects(client.takeAll(), { code: 'OBJECT_CORRUPT' });
      assert.deepEqual(client.bytes, expected.subarray(0, client.bytes.length));
    }
    assert.equal(clients[0]?.bytes.length, clients[1]?.bytes.length);
    assert.equal(sharing.usage.files, 0);
    assert.deepEqual(await new SharingClient(sharing, broken).takeAll(), expected);
  });
});

test('git repacks and prunes while a slow client and a fast one take a pack', async (t) => {
  for (const layout of LAYOUTS) {
    const scene = await sharingScene(t, layout, { own: true });
    const expected = await packAlone(scene);
    const sharing = newSharing();
    const fast = new SharingClient(sharing, scene);
    const slow = new SharingClient(sharing, scene);
    await slow.take();
    await fast.take();
    git(scene.directory, 'repack', '-q', '-a', '-d', '-f', '--depth=1');
    git(scene.directory, 'prune', '--expire=now');
    assert.deepEqual(await fast.takeAll(), expected);
    git(scene.directory, 'repack', '-q', '-a', '-d', '-F', '--window=0');
    assert.deepEqual(await slow.takeAll(), expected);
  }
});

describe('when everybody has gone, an answer', () => {
  test('of few objects is not kept', async (t) => {
    const scene = await sharingScene(t, 'packed');
    const memory = new MemoryBudget(1 << 26);
    const sharing = newSharing({ memory });
    await new SharingClient(sharing, scene).takeAll();
    assert.equal(memory.usedBytes, 0);
    const before = scene.choices();
    await new SharingClient(sharing, scene).takeAll();
    assert.equal(scene.choices() - before, 1);
  });

  test('of many is kept for a while, and counted', async (t) => {
    const scene = await sharingScene(t, 'packed');
    const expected = await packAlone(scene);
    mock.timers.enable({ apis: ['setTimeout'] });
    t.after(() => mock.timers.reset());
    const memory = new MemoryBudget(1 << 26);
    const sharing = newSharing({ memory, keptFromObjects: 0, keptMs: 1000 });
    const before = scene.choices();
    await new SharingClient(sharing, scene).takeAll();
    assert.ok(memory.usedBytes > 0);

    mock.timers.tick(999);
    assert.deepEqual(await new SharingClient(sharing, scene).takeAll(), expected);
    mock.timers.tick(999);
    const again = new SharingClient(sharing, scene);
    assert.equal(memory.usedBytes, 0);
    assert.equal(scene.choices() - before, 1);
    await again.takeAll();

    mock.timers.tick(1000);
    assert.equal(memory.usedBytes, 0);
    await new SharingClient(sharing, scene).takeAll();
    assert.equal(scene.choices() - before, 2);
  });

  test('goes when memory is needed for something else', async (t) => {
    const scene = await sharingScene(t, 'packed');
    const memory = new MemoryBudget(1 << 26);
    const sharing = newSharing({ memory, keptFromObjects: 0 });
    await new SharingClient(sharing, scene).takeAll();
    memory.setLimit(0);
    const before = scene.choices();
    await new SharingClient(sharing, scene).takeAll();
    assert.equal(scene.choices() - before, 1);
    assert.equal(memory.usedBytes, 0);
  });

  test('goes when its repository is closed', async (t) => {
    const scene = await sharingScene(t, 'loose');
    const memory = new MemoryBudget(1 << 26);
    const sharing = newSharing({ memory, keptFromObjects: 0 });
    const clients = [new SharingClient(sharing, scene), new SharingClient(sharing, scene)];
    await Promise.all(clients.map((client) => client.takeAll()));
    assert.equal(openSpools(), 1);
    sharing.forget(scene.repository.objects);
    await settle();
    assert.equal(openSpools(), 0);
    assert.equal(memory.usedBytes, 0);
  });

  test('that is half written is finished by the next one', async (t) => {
    const scene = await sharingScene(t, 'loose');
    const expected = await packAlone(scene);
    const sharing = newSharing({ keptFromObjects: 0 });
    const before = scene.choices();
    const clients = [new SharingClient(sharing, scene), new SharingClient(sharing, scene)];
    for (const client of clients) {
      await client.take();
      await client.leave();
    }
    assert.deepEqual(await new SharingClient(sharing, scene).takeAll(), expected);
    assert.equal(scene.choices() - before, 1);
    sharing.forget(scene.repository.objects);
  });
});

test('however clients come, read, wait and go, who stays gets the pack and nothing is left', async (t) => {
  const scenes = await Promise.all(LAYOUTS.map((layout) => sharingScene(t, layout)));
  const expected = await Promise.all(scenes.map(packAlone));
  const anyAct = fc.record({
    client: fc.nat(4),
    what: fc.oneof(
      { weight: 1, arbitrary: fc.constant('leave') },
      { weight: 12, arbitrary: fc.constant('take') },
    ),
    times: fc.integer({ min: 1, max: 8 }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.nat(2),
      fc.boolean(),
      fc.option(fc.integer({ min: 0, max: 2_000_000 }), { nil: undefined }),
      fc.array(anyAct, { maxLength: 25 }),
      async (number, isKept, roomBytes, acts) => {
        const plain = scenes[number] as SharingScene;
        const createSpool: CreateSpool | undefined =
          roomBytes === undefined
            ? plain.repository.createSpool
            : async () => smallSpool(roomBytes, () => undefined);
        const scene: SharingScene = { ...plain, repository: { ...plain.repository, createSpool } };
        const sharing = newSharing({ keptFromObjects: isKept ? 0 : 1_000_000 });
        const clients = new Map<number, SharingClient>();
        for (const { client: name, what, times } of acts) {
          const client = clients.get(name) ?? new SharingClient(sharing, scene, { framed: name > 1 });
          clients.set(name, client);
          if (what === 'leave') {
            await client.leave();
            clients.delete(name);
          } else {
            for (let n = 0; n < times; n++) await client.take();
          }
        }
        const packs = await Promise.all([...clients.values()].map((client) => client.takeAll()));
        for (const pack of packs) assert.deepEqual(pack, expected[number]);
        sharing.forget(scene.repository.objects);
        await settle();
        assert.deepEqual([sharing.usage.files, sharing.usage.bytes], [0, 0]);
      },
    ),
    { numRuns: 40 },
  );
});

/** A spool on a disk with little room. */
function smallSpool(roomBytes: number, onClose: () => void): Spool {
  const held = new Uint8Array(roomBytes);
  let length = 0;
  return {
    async append(bytes) {
      await settle();
      if (length + bytes.length > roomBytes) {
        throw new GitError('STORAGE_FAILED', 'Cannot write spool: no space left on the disk');
      }
      held.set(bytes, length);
      length += bytes.length;
    },
    readInto(position, target, targetOffset, count) {
      target.set(held.subarray(position, position + count), targetOffset);
    },
    close: onClose,
  };
}
