import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { isGitError } from '../../../src/core/errors.ts';
import { type Measures, type PushedTo, type PushRoom, Quotas } from '../../../src/server/admission/quotas.ts';
import type { QuotaSettings } from '../../../src/server/admission/settings.ts';

const SETTINGS: QuotaSettings = { repositoryBytes: 1000, ownerBytes: 1500, measureEveryMs: 60_000 };
/** Quotas look at its name and owner alone; only measures look at the repository. */
const REPOSITORY = {} as PushedTo['repository'];

const pushTo = (name: string): PushedTo => ({ name, owner: name.split('/')[0], repository: REPOSITORY });

/** A disk on which what is kept is stored when `store` says so. */
class Disk implements Measures {
  readonly sizes = new Map<string, number>();
  measured = 0;

  store(name: string, sizeBytes: number): void {
    this.sizes.set(name, (this.sizes.get(name) ?? 0) + sizeBytes);
  }

  async repository({ name }: PushedTo): Promise<number> {
    this.measured++;
    return this.sizes.get(name) ?? 0;
  }

  async owner({ owner }: { readonly owner: string }): Promise<number> {
    this.measured++;
    return [...this.sizes].reduce(
      (sum, [name, size]) => (name.startsWith(`${owner}/`) ? sum + size : sum),
      0,
    );
  }
}

test('a push that does not fit is refused in mid-stream, and gives back what it took', async () => {
  const disk = new Disk();
  disk.store('team/app', 700);
  const quotas = new Quotas(SETTINGS, disk, () => 0);
  const push = await quotas.begin(pushTo('team/app'));
  push.take(200);
  push.take(100);
  assert.throws(
    () => push.take(1),
    (error) => {
      assert.ok(isGitError(error, 'LIMIT_EXCEEDED'));
      assert.equal(
        error.message,
        'This repository may take 1 kB, and this push does not fit: 1 kB are taken',
      );
      assert.deepEqual(error.detail, { limitBytes: 1000, takenBytes: 1000 });
      return true;
    },
  );
  const smaller = await quotas.begin(pushTo('team/app'));
  smaller.take(300);
  assert.throws(() => push.take(0), { code: 'LIMIT_EXCEEDED' }, 'refused for good');
  push.leave(false);
  smaller.leave(true);
  const next = await quotas.begin(pushTo('team/app'));
  assert.throws(() => next.take(1), { code: 'LIMIT_EXCEEDED' });
});

test('the repositories of an owner are counted together', async () => {
  const disk = new Disk();
  disk.store('team/app', 900);
  disk.store('team/web', 400);
  disk.store('other/app', 900);
  const quotas = new Quotas(SETTINGS, disk, () => 0);
  const push = await quotas.begin(pushTo('team/web'));
  push.take(200);
  assert.throws(
    () => push.take(1),
    (error) =>
      isGitError(error, 'LIMIT_EXCEEDED') && error.message.startsWith("All repositories of 'team' together "),
  );
  (await quotas.begin(pushTo('other/app'))).take(100);
});

test('a push that only deletes is let in however full it is', async () => {
  const disk = new Disk();
  disk.store('team/app', 5000);
  const push = await new Quotas(SETTINGS, disk, () => 0).begin(pushTo('team/app'));
  push.leave(true);
});

test('measured once a while: what is pushed in between is added, what gc gave back is found later', async () => {
  const disk = new Disk();
  let now = 0;
  const quotas = new Quotas({ ...SETTINGS, ownerBytes: 0 }, disk, () => now);
  const pushOf = async (sizeBytes: number): Promise<void> => {
    const push = await quotas.begin(pushTo('team/app'));
    try {
      push.take(sizeBytes);
      disk.store('team/app', sizeBytes);
      push.leave(true);
    } catch (error) {
      push.leave(false);
      throw error;
    }
  };
  await pushOf(600);
  await pushOf(400);
  assert.equal(disk.measured, 1);
  await assert.rejects(pushOf(1), { code: 'LIMIT_EXCEEDED' });
  disk.sizes.set('team/app', 300);
  now = 59_999;
  await assert.rejects(pushOf(1), { code: 'LIMIT_EXCEEDED' });
  now = 60_000;
  await pushOf(700);
  assert.equal(disk.measured, 2);
});

test('what is measured while another push publishes is measured again soon', async () => {
  const disk = new Disk();
  let now = 0;
  const quotas = new Quotas({ ...SETTINGS, ownerBytes: 0 }, disk, () => now);
  const first = await quotas.begin(pushTo('team/app'));
  first.take(500);
  disk.store('team/app', 500); // published, and its hooks still run
  now = 60_000;
  const second = await quotas.begin(pushTo('team/app'));
  first.leave(true);
  assert.throws(() => second.take(1), { code: 'LIMIT_EXCEEDED' }, 'rather counted twice than not at all');
  second.leave(false);
  now = 66_000;
  const third = await quotas.begin(pushTo('team/app'));
  third.take(500);
  third.leave(false);
  assert.equal(disk.measured, 3);
});

test('a repository that cannot be measured takes no push, and is measured again for the next', async () => {
  let broken = true;
  const measures: Measures = {
    repository: async () => {
      if (broken) throw new Error('the disk is gone');
      return 0;
    },
    owner: async () => 0,
  };
  const quotas = new Quotas(SETTINGS, measures, () => 0);
  await assert.rejects(quotas.begin(pushTo('team/app')), /the disk is gone/);
  broken = false;
  (await quotas.begin(pushTo('team/app'))).take(1000);
});

test('a disk that hangs refuses', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let stopped = false;
  const measures: Measures = {
    repository: (_, { signal }) =>
      new Promise(() => signal?.addEventListener('abort', () => (stopped = true), { once: true })),
    owner: async () => 0,
  };
  const begun = new Quotas(SETTINGS, measures, () => 0).begin(pushTo('team/app'));
  t.mock.timers.tick(30_000);
  await assert.rejects(begun, { code: 'OVERLOADED' });
  assert.ok(stopped);
});

test('limits replaced while a push runs hold for it', async () => {
  const quotas = new Quotas(SETTINGS, new Disk(), () => 0);
  const [push, other] = [await quotas.begin(pushTo('team/app')), await quotas.begin(pushTo('team/web'))];
  push.take(500);
  other.take(500);
  quotas.setSettings({ ...SETTINGS, repositoryBytes: 400 });
  assert.throws(() => push.take(1), { code: 'LIMIT_EXCEEDED' });
  quotas.setSettings({ ...SETTINGS, repositoryBytes: 0 });
  other.take(900);
});

const anyStep = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('begin' as const), name: fc.constantFrom('a/1', 'a/2', 'b/1') }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('take' as const), pick: fc.nat(), size: fc.nat(400) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('end' as const), pick: fc.nat(), kept: fc.boolean() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('gc' as const), name: fc.constantFrom('a/1', 'b/1') }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(90_000) }) },
);

test('however many push at once, what is stored and arriving never exceeds a quota, and whatever fits is taken', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { maxLength: 80 }), async (steps) => {
      const disk = new Disk();
      let now = 0;
      let collected = false;
      const quotas = new Quotas(SETTINGS, disk, () => now);
      const pushes: { name: string; room: PushRoom; taken: number; refused?: boolean }[] = [];
      const sum = (isCounted: (name: string) => boolean): number =>
        [...disk.sizes].reduce((all, [name, size]) => all + (isCounted(name) ? size : 0), 0) +
        pushes.reduce((all, { name, taken }) => all + (isCounted(name) ? taken : 0), 0);
      for (const step of steps) {
        if (step.do === 'begin') {
          pushes.push({ name: step.name, room: await quotas.begin(pushTo(step.name)), taken: 0 });
        } else if (step.do === 'wait') {
          now += step.ms;
        } else if (step.do === 'gc') {
          disk.sizes.delete(step.name);
          collected = true;
        } else if (pushes.length > 0) {
          const index = step.pick % pushes.length;
          const push = pushes[index] as (typeof pushes)[number];
          if (step.do === 'end') {
            pushes.splice(index, 1);
            const kept = step.kept && push.refused !== true;
            if (kept) disk.store(push.name, push.taken);
            push.room.leave(kept);
            continue;
          }
          const owner = push.name.slice(0, 2);
          const repositoryAfter = sum((name) => name === push.name) + step.size;
          const ownerAfter = sum((name) => name.startsWith(owner)) + step.size;
          const isRoom = repositoryAfter <= SETTINGS.repositoryBytes && ownerAfter <= SETTINGS.ownerBytes;
          try {
            push.room.take(step.size);
            push.taken += step.size;
            assert.ok(isRoom, 'within the quotas');
          } catch (error) {
            if (!isGitError(error, 'LIMIT_EXCEEDED')) throw error;
            assert.ok(push.refused || !isRoom || collected, 'refused only what does not fit');
            push.refused = true;
            push.taken = 0;
          }
        }
      }
      // All back: after the next measure the whole room is there.
      for (const { room } of pushes) room.leave(false);
      disk.sizes.clear();
      now += 60_000;
      (await quotas.begin(pushTo('a/1'))).take(1000);
    }),
  );
});
