import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Turns } from '../../src/core/turns.ts';

/** Rounds of an event loop that go on when they are told to. */
function rounds() {
  const waiting: (() => void)[] = [];
  const clock = { ms: 0 };
  return {
    clock,
    turns: new Turns(
      (run) => void waiting.push(run),
      () => clock.ms,
    ),
    /** @returns false when nobody waits for a round */
    async next(): Promise<boolean> {
      const run = waiting.shift();
      run?.();
      await Promise.resolve(); // whoever goes on does so in a microtask
      return run !== undefined;
    },
  };
}

const LONG = 1000;

test('one goes on in each round, in the order they came', async () => {
  const { turns, next } = rounds();
  const went: string[] = [];
  for (const name of ['a', 'b', 'c']) void turns.wait(0).then(() => went.push(name));
  assert.deepEqual(went, []);
  await next();
  assert.deepEqual(went, ['a']);
  await next();
  await next();
  assert.deepEqual(went, ['a', 'b', 'c']);
  assert.equal(await next(), false);
});

test('work that has only begun goes before work that has gone on for long', async () => {
  const { turns, next } = rounds();
  const went: string[] = [];
  void turns.wait(LONG).then(() => went.push('long'));
  void turns.wait(1).then(() => went.push('short'));
  await next();
  assert.deepEqual(went, ['short']);
  await next();
  assert.deepEqual(went, ['short', 'long']);
});

test('whoever begins in the same round has to be done by the same time', async () => {
  const { turns, next, clock } = rounds();
  const first = turns.endOfRound();
  assert.ok(first > clock.ms);
  clock.ms++;
  assert.equal(turns.endOfRound(), first);
  await next();
  assert.equal(turns.endOfRound(), first + 1);
});

test('a round is not over before the turn in it is', async () => {
  const { turns, next, clock } = rounds();
  const began = turns.endOfRound();
  let end = 0;
  void turns.wait(0).then(() => {
    end = turns.endOfRound();
  });
  clock.ms = began;
  await next();
  assert.ok(end > clock.ms);
  assert.equal(turns.endOfRound(), end, 'those who begin behind it share what is left');
});

test('work makes way for those who arrive, and goes on when nobody else comes', async () => {
  const { turns, next, clock } = rounds();
  let hasGone = false;
  void turns.wait(0).then(() => {
    hasGone = true;
  });
  for (let arrival = 0; arrival < 10; arrival++) {
    turns.makeWay();
    await next();
    assert.equal(hasGone, false);
    clock.ms++;
  }
  await next();
  assert.equal(hasGone, true);
  assert.equal(await next(), false);
});

test('whoever begins while others arrive has to wait at once', async () => {
  const { turns, next, clock } = rounds();
  turns.makeWay();
  assert.equal(turns.endOfRound(), clock.ms);
  await next();
  assert.ok(turns.endOfRound() > clock.ms);
});

test('a crowd comes in until a round went by in which nobody arrived', async () => {
  const { turns, next } = rounds();
  assert.equal(turns.isMakingWay(), false);
  turns.makeWay();
  turns.endOfRound();
  assert.equal(turns.isMakingWay(), true);
  await next();
  assert.equal(turns.isMakingWay(), true); // the next of the crowd may not have been seen yet in this round
  turns.endOfRound();
  await next();
  assert.equal(turns.isMakingWay(), false);
});

test('work gets its turns however many arrive', async () => {
  const { turns, next, clock } = rounds();
  let turnCount = 0;
  const work = async (): Promise<void> => {
    for (;;) {
      await turns.wait(LONG);
      turnCount++;
    }
  };
  void work();
  for (let round = 0; round < 100; round++) {
    turns.makeWay();
    await next();
    clock.ms++;
  }
  assert.ok(turnCount >= 4, `${turnCount} turns in 100 ms`);
});

test('long work goes on however much begins', async () => {
  const { turns, next } = rounds();
  let longTurns = 0;
  const long = async (): Promise<void> => {
    for (;;) {
      await turns.wait(LONG + longTurns);
      longTurns++;
    }
  };
  void long();
  for (let round = 0; round < 100; round++) {
    void turns.wait(0);
    await next();
    await Promise.resolve();
  }
  assert.ok(longTurns >= 25, `${longTurns} turns in 100 rounds`);
});

test('everybody goes on once, within as many rounds as there are waits', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(100), { maxLength: 60 }), async (waits) => {
      const { turns, next } = rounds();
      const went: number[] = [];
      for (const [index, taken] of waits.entries()) void turns.wait(taken).then(() => went.push(index));
      for (let round = 0; round < waits.length; round++) assert.equal(await next(), true);
      assert.equal(await next(), false);
      assert.deepEqual(
        went.toSorted((a, b) => a - b),
        [...waits.keys()],
      );
    }),
  );
});
