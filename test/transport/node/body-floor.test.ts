import assert from 'node:assert/strict';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { atLeast } from '../../../src/transport/node/body-floor.ts';
import { drain } from '../../support/streams.ts';

/** `sizes` of chunks, each sent after a pause. */
async function* trickle(sizes: readonly number[], pauseMs: number): AsyncGenerator<Uint8Array> {
  for (const size of sizes) {
    await sleep(pauseMs);
    yield new Uint8Array(size);
  }
}

const floor = { bytes: 100, windowMs: 30 };

test('a body that brings enough in each window passes whole', async () => {
  assert.equal((await drain(atLeast(trickle([100, 100, 100], 40), floor))).length, 300);
});

test('the last window may be short', async () => {
  assert.equal((await drain(atLeast(trickle([100, 1], 20), floor))).length, 101);
});

test('a byte now and then is no network', async () => {
  await assert.rejects(drain(atLeast(trickle([1, 1, 1, 1], 40), floor)), { code: 'ABORTED' });
  // Much at first does not pay for later.
  await assert.rejects(drain(atLeast(trickle([1000, 1, 1, 1], 40), floor)), { code: 'ABORTED' });
});

test('time that the server takes does not count', async () => {
  let sizeBytes = 0;
  for await (const chunk of atLeast(trickle([1, 1, 1, 1], 0), { bytes: 100, windowMs: 1000 })) {
    sizeBytes += chunk.length;
    await sleep(350);
  }
  assert.equal(sizeBytes, 4);
});

test('only the beginning must be swift where that is said', async () => {
  const swift = { ...floor, firstBytes: 150 };
  assert.equal((await drain(atLeast(trickle([200, 1, 1, 1], 40), swift))).length, 203);
  await assert.rejects(drain(atLeast(trickle([100, 1, 1, 1], 40), swift)), { code: 'ABORTED' });
});

test('who stops reading ends the body', async () => {
  let ended = false;
  const source = (async function* () {
    try {
      for (;;) yield new Uint8Array(1);
    } finally {
      ended = true;
    }
  })();
  for await (const _ of atLeast(source, floor)) break;
  assert.ok(ended);
});
