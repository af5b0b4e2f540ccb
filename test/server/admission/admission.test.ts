import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import fc from 'fast-check';
import { isGitError } from '../../../src/core/errors.ts';
import type { Pass, WorkKind } from '../../../src/protocol/admission.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import { type Admission, createAdmission, type Entry } from '../../../src/server/admission/admission.ts';
import {
  type AdmissionOverrides,
  admissionSettings,
  defaultAdmission,
} from '../../../src/server/admission/settings.ts';
import type { Readings } from '../../../src/server/admission/shed-policy.ts';

const DEFAULTS = defaultAdmission({ processors: 2, memoryBytes: 1000 });
const CALM: Readings = { eventLoopDelayMs: 1, memoryBytes: 100, freeDiskBytes: 1e12 };
const SLOW: Readings = { ...CALM, eventLoopDelayMs: 999 };
const FULL: Readings = { ...CALM, freeDiskBytes: 400 * 1024 * 1024 };

interface Server {
  readonly admission: Admission;
  /** Bytes that any repository, and any owner, has stored. */
  stored: number;
  /** Let `seconds` go by in which the machine is as `readings` say. */
  pass(readings: Readings, seconds: number): void;
}

function serverWith(t: TestContext, overrides: AdmissionOverrides = {}): Server {
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] });
  let now: Readings = CALM;
  const measure = async () => server.stored;
  const admission = createAdmission(admissionSettings(overrides, DEFAULTS), {
    probe: { read: () => now, close: () => undefined },
    measures: { repository: measure, owner: measure },
    now: () => 0,
  });
  t.after(() => admission[Symbol.dispose]());
  const server: Server = {
    admission,
    stored: 0,
    pass: (readings, seconds) => {
      now = readings;
      t.mock.timers.tick(seconds * 1000);
    },
  };
  return server;
}

function entry(kind: WorkKind, who: Pick<Entry, 'identity' | 'address'> = {}): Entry {
  return { kind, name: 'team/app', repository: {} as Repository, ...who };
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

test('each kind has places of its own, and they are given back once', async (t) => {
  const { admission } = serverWith(t, {
    clone: { running: 1, waiting: 0 },
    push: { running: 1, waiting: 0 },
  });
  const clone = await admission.enter(entry('clone'));
  await assert.rejects(admission.enter(entry('clone', { identity: 'alice' })), { code: 'OVERLOADED' });
  const push = await admission.enter(entry('push'));
  assert.deepEqual(admission.state().work.clone, { running: 1, waiting: 0 });
  for (const pass of [clone, push, clone, push]) pass.release();
  assert.deepEqual(admission.state().work.clone, { running: 0, waiting: 0 });
  (await admission.enter(entry('push'))).release(true);
  assert.deepEqual(admission.state().work.push, { running: 0, waiting: 0 });
});

test('who is not logged in is one with the others at that address; a user is one everywhere', async (t) => {
  const { admission } = serverWith(t, { fetch: { runningEach: 1, waiting: 0 } });
  await admission.enter(entry('fetch', { address: '192.0.2.1' }));
  await assert.rejects(admission.enter(entry('fetch', { address: '::ffff:192.0.2.1' })), {
    code: 'OVERLOADED',
  });
  await admission.enter(entry('fetch', { address: '192.0.2.1', identity: 'alice' }));
  await assert.rejects(admission.enter(entry('fetch', { address: '192.0.2.9', identity: 'alice' })), {
    code: 'OVERLOADED',
  });
  await admission.enter(entry('fetch', { identity: 'address 192.0.2.1' }));
  await admission.enter(entry('fetch'));
  await assert.rejects(admission.enter(entry('fetch')), { code: 'OVERLOADED' }, 'those from nowhere are one');
});

test('a repository of files is one however it is spelled', async (t) => {
  const { admission } = serverWith(t, {
    push: { runningPerRepository: 1, waiting: 0 },
    quotas: { repositoryBytes: 10 },
  });
  const repository = { path: '/srv/git/team/app.git' } as Repository;
  const first = await admission.enter({ kind: 'push', name: 'team/app', repository });
  first.take?.(10);
  const again = admission.enter({ kind: 'push', name: 'team/app.git', repository, identity: 'alice' });
  await assert.rejects(again, { code: 'OVERLOADED', message: /^This repository is busy/ });
  first.release(true);
  const next = await admission.enter({ kind: 'push', name: 'team/app.git.git', repository });
  assert.throws(() => next.take?.(1), { code: 'LIMIT_EXCEEDED' });
});

test('housekeeping is one of each repository', async (t) => {
  const { admission } = serverWith(t, { maintenance: { running: 2, runningEach: 1, waiting: 0 } });
  const app = await admission.enter({ kind: 'maintenance', name: '/srv/git/app.git' });
  await assert.rejects(admission.enter({ kind: 'maintenance', name: '/srv/git/app.git' }), {
    code: 'OVERLOADED',
  });
  const web = await admission.enter({ kind: 'maintenance', name: '/srv/git/web.git' });
  for (const pass of [app, web]) pass.release();
  assert.deepEqual(admission.state().work.maintenance, { running: 0, waiting: 0 });
});

test('one who goes away while waiting, or is let in too late to care, leaves nothing behind', async (t) => {
  const { admission } = serverWith(t, { push: { running: 1 } });
  const inside = await admission.enter(entry('push'));
  const gone = new AbortController();
  const waiting = admission.enter(entry('push'), { signal: gone.signal });
  gone.abort();
  await assert.rejects(waiting, { code: 'ABORTED' });
  const late = new AbortController();
  const admitted = admission.enter(entry('push'), { signal: late.signal });
  await settled();
  inside.release();
  late.abort();
  await assert.rejects(admitted, { code: 'ABORTED' });
  assert.deepEqual(admission.state().work.push, { running: 0, waiting: 0 });
});

test('a push counts against quotas until it is over', async (t) => {
  const server = serverWith(t, { quotas: { repositoryBytes: 1000 } });
  server.stored = 600;
  const { admission } = server;
  const [one, other] = [await admission.enter(entry('push')), await admission.enter(entry('push'))];
  one.take?.(300);
  assert.throws(() => other.take?.(101), { code: 'LIMIT_EXCEEDED' });
  one.release(false);
  one.release(true);
  other.release(false);
  const third = await admission.enter(entry('push'));
  third.take?.(400);
  third.release(true);
  const full = await admission.enter(entry('push'));
  assert.throws(() => full.take?.(1), { code: 'LIMIT_EXCEEDED' });
});

test('a push that cannot be measured gives its place back', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const admission = createAdmission(admissionSettings({ quotas: { repositoryBytes: 1 } }, DEFAULTS), {
    probe: { read: () => CALM, close: () => undefined },
  });
  await assert.rejects(admission.enter(entry('push')), { code: 'INVALID_ARGUMENT' });
  assert.equal(admission.state().work.push.running, 0);
});

test('a server in trouble refuses clones first, says so, and recovers by itself', async (t) => {
  const server = serverWith(t);
  const { admission } = server;
  const inside = await admission.enter(entry('fetch'));
  server.pass(SLOW, 3);
  await assert.rejects(admission.enter(entry('clone')), (error) => {
    assert.ok(isGitError(error, 'OVERLOADED'));
    assert.equal(error.message, 'The server is overloaded and takes no clones for now; try again in 30 s');
    assert.equal(error.detail.retryAfterSeconds, 30);
    return true;
  });
  (await admission.enter(entry('fetch'))).release();
  (await admission.enter(entry('push'))).release();
  assert.deepEqual(admission.state().shed, [
    { kind: 'clone', because: 'event-loop' },
    { kind: 'archive', because: 'event-loop' },
    { kind: 'maintenance', because: 'event-loop' },
  ]);
  assert.deepEqual(admission.state().load, SLOW);
  server.pass(CALM, 5);
  (await admission.enter(entry('clone'))).release();
  assert.deepEqual(admission.state().shed, []);
  inside.release();
});

test('who waited for a place while trouble came is refused too', async (t) => {
  const server = serverWith(t, { clone: { running: 1 } });
  const { admission } = server;
  const [inside] = [await admission.enter(entry('clone')), await admission.enter(entry('fetch'))];
  const waiting = admission.enter(entry('clone'));
  server.pass(SLOW, 3);
  inside.release();
  await assert.rejects(waiting, { code: 'OVERLOADED' });
  assert.deepEqual(admission.state().work.clone, { running: 0, waiting: 0 });
});

test('when nothing else runs, work is let in whatever the load: it is not its', async (t) => {
  const server = serverWith(t);
  server.pass({ ...CALM, memoryBytes: 5000 }, 60);
  assert.equal(server.admission.state().shed.length, 5);
  const pass = await server.admission.enter(entry('push'));
  await assert.rejects(server.admission.enter(entry('push')), { code: 'OVERLOADED' });
  pass.release();
});

test('a full disk refuses pushes, then ends those that run, and goes on serving reads', async (t) => {
  const server = serverWith(t);
  const { admission } = server;
  const running = await admission.enter(entry('push'));
  server.pass(FULL, 1);
  await assert.rejects(admission.enter(entry('push')), {
    message: 'The server is almost out of disk space and takes no pushes for now; try again in 120 s',
  });
  running.take?.(1);
  server.pass({ ...FULL, freeDiskBytes: 200 * 1024 * 1024 }, 1);
  assert.throws(() => running.take?.(1), {
    code: 'LIMIT_EXCEEDED',
    message: 'The server has run out of disk space; nothing of this push is kept',
  });
  running.release(false);
  const reads: Pass[] = [];
  for (const kind of ['clone', 'fetch', 'archive'] as const) reads.push(await admission.enter(entry(kind)));
  for (const pass of reads) pass.release();
  server.pass(CALM, 1);
  (await admission.enter(entry('push'))).release();
});

test('limits are replaced while it runs: nobody is dropped, who waits comes in', async (t) => {
  const { admission } = serverWith(t, { clone: { running: 1 } });
  const inside = await admission.enter(entry('clone'));
  const waiting = admission.enter(entry('clone'));
  admission.setSettings(admissionSettings({ clone: { running: 2, runningEach: 2 } }, DEFAULTS));
  const pass = await waiting;
  admission.setSettings(admissionSettings({ clone: { running: 0, waiting: 0 } }, DEFAULTS));
  assert.equal(admission.state().work.clone.running, 2);
  await assert.rejects(admission.enter(entry('clone')), { code: 'OVERLOADED' });
  inside.release();
  pass.release();
});

test('rates and failed logins are those of the settings', async (t) => {
  const { admission } = serverWith(t, {
    rates: { identity: { perSecond: 1, burst: 1 } },
    logins: { address: { perSecond: 1, burst: 1 } },
  });
  admission.takeRate({ identity: 'alice' });
  assert.throws(() => admission.takeRate({ identity: 'alice' }), { code: 'RATE_LIMITED' });
  const attempt = { address: '192.0.2.1', user: 'alice' };
  assert.equal(await admission.guardLogin(attempt, async () => undefined), undefined);
  await assert.rejects(
    admission.guardLogin(attempt, async () => 'alice'),
    { code: 'RATE_LIMITED' },
  );
});

const anyKind = fc.constantFrom<WorkKind>('clone', 'fetch', 'push', 'archive');
const anyStep = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('enter' as const),
      kind: anyKind,
      who: fc.record({
        identity: fc.constantFrom('alice', 'bob', undefined),
        address: fc.constantFrom('192.0.2.1', '2001:db8::1', undefined),
      }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('take' as const), pick: fc.nat(), size: fc.nat(600) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('release' as const), pick: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('abort' as const), pick: fc.nat() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      readings: fc.constantFrom(CALM, SLOW, FULL),
      seconds: fc.nat(8),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('limit' as const), running: fc.integer({ min: 1, max: 4 }) }),
  },
);

test('however work comes and ends, it is within the limits, and every place and byte is given back', async (t) => {
  const limitTo = (running: number): AdmissionOverrides => {
    const kind = { running, runningEach: 2, waiting: 3, waitMs: 5000 };
    return { clone: kind, fetch: kind, push: kind, archive: kind, quotas: { repositoryBytes: 1000 } };
  };
  const server = serverWith(t, limitTo(2));
  const { admission } = server;
  const kinds = ['clone', 'fetch', 'push', 'archive'] as const;
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { maxLength: 60 }), async (steps) => {
      let running = 2;
      admission.setSettings(admissionSettings(limitTo(running), DEFAULTS));
      const inside = new Set<Pass>();
      const ended: Promise<void>[] = [];
      const aborts: AbortController[] = [];
      const pickInside = (pick: number): Pass | undefined => [...inside][pick % Math.max(1, inside.size)];
      for (const step of steps) {
        const before = admission.state().work;
        if (step.do === 'enter') {
          const abort = new AbortController();
          aborts.push(abort);
          const asked = admission.enter(entry(step.kind, step.who), { signal: abort.signal });
          ended.push(
            asked.then(
              (pass) => void inside.add(pass),
              (error: unknown) => assert.ok(isGitError(error, 'OVERLOADED', 'ABORTED'), String(error)),
            ),
          );
        } else if (step.do === 'take') {
          try {
            pickInside(step.pick)?.take?.(step.size);
          } catch (error) {
            assert.ok(isGitError(error, 'LIMIT_EXCEEDED'), String(error));
          }
        } else if (step.do === 'release') {
          const pass = pickInside(step.pick);
          pass?.release(false);
          if (pass !== undefined) inside.delete(pass);
        } else if (step.do === 'abort') {
          aborts[step.pick % Math.max(1, aborts.length)]?.abort();
        } else if (step.do === 'pass') {
          server.pass(step.readings, step.seconds);
        } else {
          running = step.running;
          admission.setSettings(admissionSettings(limitTo(running), DEFAULTS));
        }
        await settled();
        for (const kind of kinds) {
          const now = admission.state().work[kind];
          assert.ok(
            now.running <= Math.max(running, before[kind].running),
            `${kind}: ${now.running} of ${running}`,
          );
          assert.ok(now.waiting <= 3, `${kind}: ${now.waiting} wait`);
        }
      }
      server.pass(CALM, 200);
      await settled();
      await Promise.all(ended);
      for (const pass of inside) pass.release();
      for (const kind of kinds) assert.deepEqual(admission.state().work[kind], { running: 0, waiting: 0 });
      assert.deepEqual(admission.state().shed, []);
      const push = await admission.enter(entry('push'));
      push.take?.(1000);
      push.release(false);
    }),
    { numRuns: 60 },
  );
});
