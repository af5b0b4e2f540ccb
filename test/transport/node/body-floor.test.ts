import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { atLeast, type BodyFloor } from '../../../src/transport/node/body-floor.ts';
import { drain } from '../../support/streams.ts';

const floor: BodyFloor = { bytes: 100, windowMs: 30 };

/** Time goes by only where it is said. */
function stoppedClock(t: TestContext) {
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const pass = (ms: number): void => void (now += ms);
  return {
    pass,
    /** `sizes` of chunks, each sent after a pause. */
    async *trickle(sizes: readonly number[], pauseMs: number): AsyncGenerator<Uint8Array> {
      for (const size of sizes) {
        pass(pauseMs);
        yield new Uint8Array(size);
      }
    },
  };
}

test('a body that brings enough in each window passes whole', async (t) => {
  const { trickle } = stoppedClock(t);
  assert.equal((await drain(atLeast(trickle([100, 100, 100], 30), floor))).length, 300);
  assert.equal((await drain(atLeast(trickle([50, 50, 50, 50], 15), floor))).length, 200);
});

test('the last window may be short', async (t) => {
  const { trickle } = stoppedClock(t);
  assert.equal((await drain(atLeast(trickle([100, 1], 29), floor))).length, 101);
});

test('a byte now and then is no network', async (t) => {
  const { trickle } = stoppedClock(t);
  await assert.rejects(drain(atLeast(trickle([1, 1], 15), floor)), { code: 'ABORTED' });
  // Much at first does not pay for later.
  await assert.rejects(drain(atLeast(trickle([1000, 1], 30), floor)), { code: 'ABORTED' });
});

test('a pause is none, when much comes after it', async (t) => {
  const { trickle } = stoppedClock(t);
  assert.equal((await drain(atLeast(trickle([1, 1000], 29), floor))).length, 1001);
});

test('time that the server takes does not count', async (t) => {
  const { trickle, pass } = stoppedClock(t);
  let sizeBytes = 0;
  for await (const chunk of atLeast(trickle([1, 1, 1, 1], 5), floor)) {
    sizeBytes += chunk.length;
    pass(1000);
  }
  assert.equal(sizeBytes, 4);
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
