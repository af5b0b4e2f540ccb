import assert from 'node:assert/strict';
import test from 'node:test';
import { WorkTurn } from '../../src/core/work-turn.ts';

test('a turn is over after some milliseconds, and another begins with each rest', async (t) => {
  let now = 1000;
  t.mock.method(performance, 'now', () => now);
  const turn = new WorkTurn(undefined);
  assert.equal(turn.isOver(), false);
  now += 10;
  assert.equal(turn.isOver(), true);
  await turn.rest();
  assert.equal(turn.isOver(), false);
  now += 10;
  assert.equal(turn.isOver(), true);
});

test('others go on while it rests', async () => {
  const done: string[] = [];
  setImmediate(() => done.push('other'));
  await new WorkTurn(undefined).rest();
  assert.deepEqual(done, ['other']);
});

test('who rests learns that nobody waits any more', async () => {
  const gone = new AbortController();
  const resting = new WorkTurn(gone.signal).rest();
  gone.abort();
  await assert.rejects(resting, { code: 'ABORTED' });
});
