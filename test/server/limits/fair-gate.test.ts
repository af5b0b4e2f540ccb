import assert from 'node:assert/strict';
import test, { mock } from 'node:test';
import fc from 'fast-check';
import { isGitError } from '../../../src/core/errors.ts';
import { FairGate, type GateLimits, type Place, type Visitor } from '../../../src/server/limits/fair-gate.ts';

const LIMITS: GateLimits = { running: 2, runningEach: 2, waiting: 10, waitMs: 60_000 };

interface Visit {
  readonly visitor: Visitor;
  place?: Place;
  error?: unknown;
}

/** Somebody at the gate, and where they are. */
function arrive(gate: FairGate, who: string | Visitor, signal?: AbortSignal): Visit {
  const visit: Visit = { visitor: typeof who === 'string' ? { party: who } : who };
  gate.enter(visit.visitor, { signal }).then(
    (place) => (visit.place = place),
    (error: unknown) => (visit.error = error),
  );
  return visit;
}

// Nobody's patience runs out but where a test says so.
mock.timers.enable({ apis: ['setTimeout'] });

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

test('two at a time, the third when one has left', async () => {
  const gate = new FairGate('clones', LIMITS);
  const [a, b, c] = ['a', 'b', 'c'].map((party) => arrive(gate, party)) as [Visit, Visit, Visit];
  await settled();
  assert.ok(a.place !== undefined && b.place !== undefined && c.place === undefined);
  assert.deepEqual([gate.running, gate.waiting], [2, 1]);
  b.place.release();
  b.place.release();
  await settled();
  assert.ok(c.place !== undefined);
  assert.deepEqual([gate.running, gate.waiting], [2, 0]);
});

test('one who floods the gate waits behind itself', async () => {
  const gate = new FairGate('clones', { ...LIMITS, running: 1 });
  const first = arrive(gate, 'flood');
  const flood = [arrive(gate, 'flood'), arrive(gate, 'flood'), arrive(gate, 'flood')];
  const other = arrive(gate, 'other');
  await settled();
  const order: string[] = [];
  const all = [...flood.map((visit, i) => [`flood ${i}`, visit] as const), ['other', other] as const];
  let inside = first.place as Place;
  for (let turn = 0; turn < 4; turn++) {
    inside.release();
    await settled();
    const entered = all.find(([name, visit]) => visit.place !== undefined && !order.includes(name));
    order.push(entered?.[0] as string);
    inside = entered?.[1].place as Place;
  }
  assert.deepEqual(order, ['flood 0', 'other', 'flood 1', 'flood 2']);
});

test('parties, repositories and addresses have their own ceilings, and do not block the others with them', async () => {
  for (const [limits, full, free] of [
    [{ runningEach: 1 }, { party: 'a' }, { party: 'b' }],
    [{ runningPerRepository: 1 }, { party: 'b', repository: 'hot' }, { party: 'b', repository: 'cold' }],
    [{ runningPerAddress: 1 }, { party: 'b', address: '10.0.0.1' }, { party: 'b', address: '10.0.0.2' }],
  ] as const) {
    const gate = new FairGate('clones', { ...LIMITS, ...limits });
    const inside = arrive(gate, { party: 'a', repository: 'hot', address: '10.0.0.1' });
    const [blocked, other] = [arrive(gate, full), arrive(gate, free)];
    await settled();
    assert.ok(inside.place !== undefined && blocked.place === undefined && other.place !== undefined);
    inside.place.release();
    await settled();
    assert.ok(blocked.place !== undefined, JSON.stringify(full));
  }
});

test('a full queue sends away at once, and says when to come again', async () => {
  const gate = new FairGate('clones', { ...LIMITS, running: 1, waiting: 1, waitMs: 30_000 });
  arrive(gate, 'a');
  arrive(gate, 'b');
  await assert.rejects(gate.enter({ party: 'c' }), (error) => {
    assert.ok(isGitError(error, 'OVERLOADED'));
    assert.equal(
      error.message,
      'The server is busy with clones: at most 1 run at a time, and too many wait already; try again later',
    );
    assert.equal(error.detail.retryAfterSeconds, 30);
    return true;
  });
});

for (const [limits, sentence] of [
  [{ runningEach: 1 }, 'The server is busy for you with pushes: at most 1 run at a time for each user, '],
  [
    { runningPerRepository: 1 },
    'This repository is busy with pushes: at most 1 run at a time in each repository, ',
  ],
  [
    { runningPerAddress: 1 },
    'The server is busy for your network address with pushes: at most 1 run at a time for each address, ',
  ],
] as const) {
  test(`who is refused reads: ${sentence}…`, async () => {
    const gate = new FairGate('pushes', { ...LIMITS, ...limits, waiting: 0 });
    const visitor = { party: 'a', repository: 'r', address: '::1' };
    await gate.enter(visitor);
    await assert.rejects(gate.enter(visitor), (error) => {
      assert.ok(isGitError(error, 'OVERLOADED') && error.message.startsWith(sentence), String(error));
      return true;
    });
  });
}

test('a full queue keeps room for those who have not had a turn', async () => {
  const gate = new FairGate('clones', { ...LIMITS, running: 1, waiting: 3 });
  arrive(gate, 'flood');
  const flood = [1, 2, 3].map(() => arrive(gate, 'flood'));
  const other = arrive(gate, 'other');
  await settled();
  assert.ok(isGitError(flood[2]?.error, 'OVERLOADED'), 'the newest of the flood is sent away');
  assert.ok(flood[1]?.error === undefined && other.error === undefined);
  assert.equal(gate.waiting, 3);
  const tooMuch = arrive(gate, 'other');
  await settled();
  assert.ok(isGitError(tooMuch.error, 'OVERLOADED'), 'as many as the flood has is no longer too few');
});

test('one who waits too long or goes away leaves the queue', async () => {
  const gate = new FairGate('clones', { ...LIMITS, running: 1, waitMs: 20_000 });
  const inside = await gate.enter({ party: 'a' });
  const late = assert.rejects(gate.enter({ party: 'b' }), {
    code: 'OVERLOADED',
    message: /no turn came within 20 s/,
  });
  mock.timers.tick(20_000);
  await late;
  const gone = new AbortController();
  const left = arrive(gate, 'c', gone.signal);
  gone.abort();
  await settled();
  assert.ok(isGitError(left.error, 'ABORTED'));
  await assert.rejects(gate.enter({ party: 'd' }, { signal: AbortSignal.abort() }), { code: 'ABORTED' });
  assert.deepEqual([gate.running, gate.waiting], [1, 0]);
  inside.release();
  (await gate.enter({ party: 'e' })).release();
  assert.equal(gate.running, 0);
});

test('with more room, those who wait come in', async () => {
  const gate = new FairGate('clones', { ...LIMITS, running: 1 });
  const visits = ['a', 'b', 'c'].map((party) => arrive(gate, party));
  gate.setLimits({ ...LIMITS, running: 3 });
  await settled();
  assert.ok(visits.every(({ place }) => place !== undefined));
});

test('two who hand each other a repository do not keep out a third for ever', async () => {
  const gate = new FairGate('clones', {
    running: 9,
    runningEach: 1,
    runningPerRepository: 1,
    waiting: 99,
    waitMs: 60_000,
  });
  let busy = await gate.enter({ party: 'victim', repository: 'cold' });
  let hot = await gate.enter({ party: 'b', repository: 'hot' });
  const victim = arrive(gate, { party: 'victim', repository: 'hot' });
  let rounds = 0;
  for (; victim.place === undefined && rounds < 100; rounds++) {
    // Whenever the victim has a place of its own left, the repository is taken, and the other way round.
    const sibling = arrive(gate, { party: 'victim', repository: 'cold' });
    busy.release();
    await settled();
    if (sibling.place !== undefined) busy = sibling.place;
    const rival = arrive(gate, { party: `rival ${rounds}`, repository: 'hot' });
    hot.release();
    await settled();
    if (rival.place !== undefined) hot = rival.place;
  }
  assert.ok(rounds < 40, `kept out for ${rounds} rounds`);
});

const anyVisitor: fc.Arbitrary<Visitor> = fc.record({
  party: fc.constantFrom('a', 'b', 'c', 'd'),
  repository: fc.constantFrom('r', 's', 't'),
  address: fc.constantFrom('x', 'y'),
});
const anyLimits: fc.Arbitrary<GateLimits> = fc.record({
  running: fc.integer({ min: 1, max: 5 }),
  runningEach: fc.integer({ min: 1, max: 3 }),
  runningPerRepository: fc.integer({ min: 1, max: 3 }),
  runningPerAddress: fc.integer({ min: 1, max: 4 }),
  waiting: fc.integer({ min: 0, max: 8 }),
  waitMs: fc.integer({ min: 1, max: 100 }),
});
const anyStep = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('arrive' as const), visitor: anyVisitor }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('release' as const), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('abort' as const), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pass time' as const), ms: fc.nat(60) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('limit' as const), limits: anyLimits }) },
);

test('whatever happens, nobody is inside beyond the limits, nobody waits beside free room, and everybody ends', async () => {
  await fc.assert(
    fc.asyncProperty(anyLimits, fc.array(anyStep, { maxLength: 60 }), async (first, steps) => {
      let limits = first;
      const gate = new FairGate('clones', limits);
      const visits: (Visit & { abort: AbortController; left?: boolean })[] = [];
      const inside = () => visits.filter(({ place, left }) => place !== undefined && left !== true);
      const waiting = () => visits.filter(({ place, error }) => place === undefined && error === undefined);
      const fits = (visitor: Visitor, others: readonly Visit[]): boolean =>
        others.length < limits.running &&
        (
          [
            ['party', limits.runningEach],
            ['repository', limits.runningPerRepository],
            ['address', limits.runningPerAddress],
          ] as const
        ).every(
          ([key, most]) =>
            others.filter((other) => other.visitor[key] === visitor[key]).length < (most as number),
        );
      for (const step of steps) {
        const before = new Set(inside());
        if (step.do === 'arrive') {
          const abort = new AbortController();
          visits.push(Object.assign(arrive(gate, step.visitor, abort.signal), { abort }));
        } else if (step.do === 'release' && before.size > 0) {
          const leaving = [...before][step.pick % before.size];
          if (leaving !== undefined) {
            leaving.left = true;
            leaving.place?.release();
          }
        } else if (step.do === 'abort') {
          visits[step.pick % visits.length]?.abort.abort();
        } else if (step.do === 'pass time') {
          mock.timers.tick(step.ms);
        } else if (step.do === 'limit') {
          limits = step.limits;
          gate.setLimits(limits);
        }
        await settled();
        const now = inside();
        for (const visit of now) {
          if (before.has(visit)) continue;
          assert.ok(
            fits(
              visit.visitor,
              now.filter((other) => other !== visit),
            ),
            'within every limit',
          );
        }
        assert.ok(!waiting().some(({ visitor }) => fits(visitor, now)), 'nobody waits who has room');
        assert.deepEqual([gate.running, gate.waiting], [now.length, waiting().length]);
      }
      mock.timers.tick(100);
      await settled();
      assert.equal(waiting().length, 0, 'the deadline ends every wait');
      for (const { place } of visits) place?.release();
      await settled();
      assert.deepEqual([gate.running, gate.waiting], [0, 0]);
    }),
  );
});

test('however others come, each party enters within as many turns as others have, if those inside leave', async () => {
  const crowd = fc.array(anyVisitor, { minLength: 120, maxLength: 300 });
  await fc.assert(
    fc.asyncProperty(
      anyLimits,
      anyVisitor,
      crowd,
      fc.array(fc.nat(), { minLength: 300, maxLength: 300 }),
      async (limits, one, others, picks) => {
        const gate = new FairGate('clones', { ...limits, waiting: 12, waitMs: 60_000_000 });
        const inside: Place[] = [];
        const come = (visitor: Visitor): void => {
          gate.enter(visitor).then(
            (place) => inside.push(place),
            () => undefined,
          );
        };
        for (const visitor of others.slice(0, 20)) come(visitor);
        const victim = arrive(gate, { ...one, party: 'victim' });
        await settled();
        let turns = 0;
        for (; victim.place === undefined && turns < picks.length; turns++) {
          come(others[(turns + 20) % others.length] as Visitor);
          // Mostly the oldest leaves; a tenth of the time any other.
          const pick = picks[turns] as number;
          inside.splice(pick % 10 === 0 ? pick % Math.max(1, inside.length) : 0, 1)[0]?.release();
          await settled();
        }
        assert.ok(victim.place !== undefined || victim.error !== undefined, `waited for ${turns} turns`);
      },
    ),
    { numRuns: 30 },
  );
});
