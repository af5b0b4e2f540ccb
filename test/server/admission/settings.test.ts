import assert from 'node:assert/strict';
import test from 'node:test';
import { admissionSettings, defaultAdmission, thisMachine } from '../../../src/server/admission/settings.ts';

test('the defaults grow with the machine, and leave places for a second user on the smallest', () => {
  for (const processors of [1, 2, 8, 64]) {
    const settings = defaultAdmission({ processors, memoryBytes: 8e9 });
    for (const kind of ['clone', 'fetch', 'push', 'archive'] as const) {
      const { running, runningEach, runningPerRepository, waiting } = settings[kind];
      assert.ok(running >= 2 * processors && runningEach >= 1 && runningEach < running, kind);
      assert.ok(runningPerRepository >= runningEach && waiting >= running, kind);
    }
    assert.equal(settings.shed.memoryBytes, 6e9);
  }
});

test('this machine has processors, and a finite memory', () => {
  const { processors, memoryBytes } = thisMachine();
  assert.ok(processors >= 1 && memoryBytes > 1e6 && memoryBytes < 1e15);
});

test('overrides replace single members; what is undefined stays as it was', () => {
  const defaults = defaultAdmission({ processors: 2, memoryBytes: 8e9 });
  const settings = admissionSettings(
    {
      clone: { waitMs: 3, waiting: undefined },
      rates: { address: { perSecond: 1, burst: 1 } },
      quotas: { ownerBytes: 7 },
    },
    defaults,
  );
  assert.deepEqual(settings, {
    ...defaults,
    clone: { ...defaults.clone, waitMs: 3 },
    rates: { ...defaults.rates, address: { perSecond: 1, burst: 1 } },
    quotas: { ...defaults.quotas, ownerBytes: 7 },
  });
  assert.deepEqual(admissionSettings({}, defaults), defaults);
});

test('what is left out of a kind follows how many of it may run', () => {
  const { clone } = admissionSettings({ clone: { running: 100, runningEach: 5, waiting: undefined } });
  assert.deepEqual(clone, {
    running: 100,
    runningEach: 5,
    runningPerRepository: 75,
    runningPerAddress: 75,
    waiting: 400,
    waitMs: 50_000,
  });
});
