import assert from 'node:assert/strict';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLoadProbe, expectedDelayMs } from '../../../src/server/admission/load-probe.ts';
import { scratchDirectory } from '../../support/git.ts';

test('expectedDelayMs() is what an event waits on average', () => {
  const delayOf = (...intervals: number[]): number =>
    expectedDelayMs(
      intervals.reduce((sum, ms) => sum + ms, 0),
      intervals.reduce((sum, ms) => sum + ms * ms, 0),
    );
  assert.equal(delayOf(20, 20, 20), 0);
  // Always 120 ms in place of 20: an event comes 60 ms before the next look on average, 50 later than it should.
  assert.equal(delayOf(120, 120), 50);
  // Half of the time no look comes for 500 ms: half of the events wait 250.
  assert.equal(delayOf(500, ...new Array<number>(25).fill(20)), 120);
});

test('a probe reads memory, the event loop and the disk', async (t) => {
  const probe = createLoadProbe(await scratchDirectory(t));
  t.after(() => probe.close());
  while (probe.read().freeDiskBytes === 'unknown') await sleep(1);
  await sleep(50);
  probe.read();
  const blockedUntil = performance.now() + 300;
  while (performance.now() < blockedUntil);
  await sleep(50);
  const { eventLoopDelayMs, memoryBytes, freeDiskBytes } = probe.read();
  assert.ok(eventLoopDelayMs > 20, `${eventLoopDelayMs} ms`);
  assert.ok(memoryBytes > 1e7);
  assert.ok(typeof freeDiskBytes === 'number' && freeDiskBytes > 0);
});

test('a process that never gets round to anything else is seen as such, whenever it is asked', async (t) => {
  const probe = createLoadProbe();
  t.after(() => probe.close());
  await sleep(50);
  probe.read();
  for (let turn = 0; turn < 4; turn++) {
    const blockedUntil = performance.now() + 150;
    while (performance.now() < blockedUntil);
    await sleep(1);
    const { eventLoopDelayMs } = probe.read();
    assert.ok(turn === 0 || eventLoopDelayMs > 20, `${eventLoopDelayMs} ms`);
  }
});

test('a disk that cannot be asked is unreadable; without a directory nobody asks', async () => {
  const [broken, none] = [createLoadProbe('/nonexistent/root'), createLoadProbe()];
  while (broken.read().freeDiskBytes === 'unknown') await sleep(1);
  assert.equal(broken.read().freeDiskBytes, 'unreadable');
  assert.equal(none.read().freeDiskBytes, 'unknown');
  broken.close();
  none.close();
});
