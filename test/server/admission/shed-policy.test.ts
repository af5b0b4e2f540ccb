import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { AdmittedKind, ShedSettings } from '../../../src/server/admission/settings.ts';
import { type Readings, ShedPolicy } from '../../../src/server/admission/shed-policy.ts';

const SETTINGS: ShedSettings = { eventLoopDelayMs: 200, memoryBytes: 1000, freeDiskBytes: 100 };
const CALM: Readings = { eventLoopDelayMs: 5, memoryBytes: 500, freeDiskBytes: 1000 };
const SLOW: Readings = { ...CALM, eventLoopDelayMs: 300 };
const KINDS: readonly AdmittedKind[] = ['archive', 'clone', 'maintenance', 'fetch', 'push'];

const shed = (policy: ShedPolicy): AdmittedKind[] =>
  KINDS.filter((kind) => policy.troubleFor(kind) !== undefined);

function observe(policy: ShedPolicy, readings: Readings, times: number): void {
  for (let i = 0; i < times; i++) policy.observe(readings, SETTINGS);
}

test('the heaviest goes first, more while it lasts, and all comes back in the other order', () => {
  const policy = new ShedPolicy();
  const steps: string[] = [];
  const step = (readings: Readings, times: number): void => {
    observe(policy, readings, times);
    steps.push(shed(policy).join(' '));
  };
  step(SLOW, 2);
  step(SLOW, 1);
  step(SLOW, 3);
  step(SLOW, 3);
  step(SLOW, 30);
  step(CALM, 4);
  step(CALM, 1);
  step(CALM, 5);
  step(CALM, 5);
  assert.deepEqual(steps, [
    '',
    'archive clone maintenance',
    'archive clone maintenance fetch',
    'archive clone maintenance fetch push',
    'archive clone maintenance fetch push',
    'archive clone maintenance fetch push',
    'archive clone maintenance fetch',
    'archive clone maintenance',
    '',
  ]);
});

test('one pause is no trouble, and what is neither trouble nor calm changes nothing', () => {
  const policy = new ShedPolicy();
  for (let i = 0; i < 50; i++) {
    observe(policy, SLOW, 2);
    observe(policy, CALM, 1);
  }
  assert.deepEqual(shed(policy), []);
  observe(policy, SLOW, 3);
  observe(policy, { ...CALM, eventLoopDelayMs: 180 }, 500);
  assert.deepEqual(shed(policy), ['archive', 'clone', 'maintenance']);
});

test('trouble is named', () => {
  for (const [readings, trouble] of [
    [SLOW, 'event-loop'],
    [{ ...CALM, memoryBytes: 1500 }, 'memory'],
    [{ ...SLOW, memoryBytes: 1600 }, 'memory'],
  ] as const) {
    const policy = new ShedPolicy();
    observe(policy, readings, 3);
    assert.equal(policy.troubleFor('clone'), trouble);
  }
});

test('a full disk refuses what writes, at once, and nothing that reads', () => {
  const policy = new ShedPolicy();
  observe(policy, { ...CALM, freeDiskBytes: 99 }, 1);
  assert.deepEqual(shed(policy), ['maintenance', 'push']);
  assert.equal(policy.troubleFor('push'), 'disk');
  assert.equal(policy.isDiskSpent, false);
  observe(policy, { ...CALM, freeDiskBytes: 49 }, 1);
  assert.equal(policy.isDiskSpent, true);
  observe(policy, { ...CALM, freeDiskBytes: 109 }, 1);
  assert.deepEqual([shed(policy), policy.isDiskSpent], [['maintenance', 'push'], false]);
  observe(policy, { ...CALM, freeDiskBytes: 110 }, 1);
  assert.deepEqual(shed(policy), []);
});

test('a disk that does not say how full it is counts as full, one that nobody looks at does not', () => {
  const policy = new ShedPolicy();
  observe(policy, { ...CALM, freeDiskBytes: 'unreadable' }, 1);
  assert.deepEqual(shed(policy), ['maintenance', 'push']);
  observe(policy, { ...CALM, freeDiskBytes: 'unknown' }, 1);
  assert.deepEqual(shed(policy), []);
});

test('trouble that is back as soon as work is let in again keeps it out for longer each time, up to a minute', () => {
  const policy = new ShedPolicy();
  const waits: number[] = [];
  for (let round = 0; round < 6; round++) {
    observe(policy, SLOW, 3);
    let calm = 0;
    for (; shed(policy).length > 0; calm++) observe(policy, CALM, 1);
    waits.push(calm);
  }
  assert.deepEqual(waits, [5, 10, 20, 40, 60, 60]);
  observe(policy, CALM, 60);
  observe(policy, SLOW, 3);
  observe(policy, CALM, 5);
  assert.deepEqual(shed(policy), [], 'after a quiet minute all is forgotten');
});

test('a threshold of 0 looks away', () => {
  const policy = new ShedPolicy();
  const settings = { eventLoopDelayMs: 0, memoryBytes: 0, freeDiskBytes: 0 };
  for (let i = 0; i < 20; i++) {
    policy.observe({ eventLoopDelayMs: 1e9, memoryBytes: 1e12, freeDiskBytes: 0 }, settings);
  }
  assert.deepEqual([shed(policy), policy.isDiskSpent], [[], false]);
});

test('whatever happened, it recovers by itself, and reads are never refused for a disk', () => {
  const anyReadings: fc.Arbitrary<Readings> = fc.record({
    eventLoopDelayMs: fc.nat(500),
    memoryBytes: fc.nat(2000),
    freeDiskBytes: fc.oneof(fc.nat(300), fc.constant('unknown' as const), fc.constant('unreadable' as const)),
  });
  fc.assert(
    fc.property(fc.array(anyReadings, { maxLength: 200 }), (history) => {
      const policy = new ShedPolicy();
      for (const readings of history) {
        policy.observe(readings, SETTINGS);
        for (const kind of ['clone', 'fetch', 'archive'] as const) {
          assert.notEqual(policy.troubleFor(kind), 'disk');
        }
        const sheds = shed(policy);
        if (sheds.includes('fetch')) assert.ok(sheds.includes('clone') && sheds.includes('archive'));
      }
      observe(policy, CALM, 180);
      assert.deepEqual(shed(policy), []);
    }),
  );
});
