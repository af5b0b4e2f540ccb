import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { WalkGate, WalkPermit } from '../../src/repository/walk-gate.ts';

const SMALL = 1000;
const LARGE = 1_000_000;

describe('WalkGate', () => {
  test('serves those who wait in the order they came', async () => {
    const gate = new WalkGate(2);
    const order: string[] = [];
    const enter = async (name: string) => {
      await gate.enter();
      order.push(name);
    };
    await enter('a');
    await enter('b');
    const waiting = [enter('c'), enter('d'), enter('e')];
    await turn();
    assert.deepEqual(order, ['a', 'b']);
    gate.leave();
    await turn();
    assert.deepEqual(order, ['a', 'b', 'c']);
    gate.leave();
    gate.leave();
    await Promise.all(waiting);
    assert.deepEqual(order, ['a', 'b', 'c', 'd', 'e']);
  });

  test('nobody who comes later overtakes one who is handed a slot', async () => {
    const gate = new WalkGate(1);
    const order: string[] = [];
    await gate.enter();
    const second = gate.enter().then(() => order.push('second'));
    gate.leave();
    const third = gate.enter().then(() => order.push('third'));
    await second;
    await turn();
    assert.deepEqual(order, ['second']);
    gate.leave();
    await third;
    assert.deepEqual(order, ['second', 'third']);
  });

  test('who gives up waiting leaves the line, and no slot is lost', async () => {
    const gate = new WalkGate(1);
    await gate.enter();
    const controller = new AbortController();
    const given = assert.rejects(gate.enter(controller.signal), { code: 'ABORTED' });
    const next = gate.enter();
    controller.abort();
    await given;
    gate.leave();
    await next;
    gate.leave();
    await gate.enter();
  });

  test('an aborted signal gets no slot, though one is free', async () => {
    const gate = new WalkGate(1);
    await assert.rejects(gate.enter(AbortSignal.abort()), { code: 'ABORTED' });
    await gate.enter();
  });

  test('a slot handed over just before the abort is held', async () => {
    const gate = new WalkGate(1);
    await gate.enter();
    const controller = new AbortController();
    const second = gate.enter(controller.signal);
    gate.leave();
    controller.abort();
    await second;
    gate.leave();
    await gate.enter();
  });

  test('whatever comes, gives up and goes, no more than the slots are held and all are free in the end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 3 }),
        fc.array(fc.record({ turns: fc.nat(3), givesUpAfter: fc.nat(6), pause: fc.nat(1) }), {
          maxLength: 12,
        }),
        async (slots, walks) => {
          const gate = new WalkGate(slots);
          let held = 0;
          const run = async (turns: number, givesUpAfter: number) => {
            const controller = new AbortController();
            void wait(givesUpAfter).then(() => controller.abort());
            const permit = new WalkPermit(gate);
            try {
              await permit.admit(LARGE, controller.signal);
            } catch {
              return;
            }
            assert.ok(++held <= slots);
            await wait(turns);
            held--;
            permit[Symbol.dispose]();
          };
          const running: Promise<void>[] = [];
          for (const { turns, givesUpAfter, pause } of walks) {
            running.push(run(turns, givesUpAfter));
            await wait(pause);
          }
          await Promise.all(running);
          for (let n = 0; n < slots; n++) await gate.enter();
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('WalkPermit', () => {
  test('a small walk passes while every slot is taken', async () => {
    const gate = new WalkGate(1);
    await gate.enter();
    using permit = new WalkPermit(gate);
    await permit.admit(SMALL);
  });

  test('a walk that becomes large waits once, and gives its slot back once', async () => {
    const gate = new WalkGate(1);
    await gate.enter();
    const permit = new WalkPermit(gate);
    let isAdmitted = false;
    const admitted = permit.admit(LARGE).then(() => {
      isAdmitted = true;
    });
    await turn();
    assert.equal(isAdmitted, false);
    gate.leave();
    await admitted;
    await permit.admit(2 * LARGE);
    permit[Symbol.dispose]();
    permit[Symbol.dispose]();

    await gate.enter();
    await assertNoneFree(gate);
  });

  test('a walk that gave up waiting has nothing to give back', async () => {
    const gate = new WalkGate(1);
    await gate.enter();
    const permit = new WalkPermit(gate);
    const controller = new AbortController();
    const admitted = assert.rejects(permit.admit(LARGE, controller.signal), { code: 'ABORTED' });
    controller.abort();
    await admitted;
    permit[Symbol.dispose]();
    await assertNoneFree(gate);
  });
});

async function assertNoneFree(gate: WalkGate): Promise<void> {
  const controller = new AbortController();
  const refused = assert.rejects(gate.enter(controller.signal), { code: 'ABORTED' });
  controller.abort();
  await refused;
}

async function wait(turns: number): Promise<void> {
  for (let n = 0; n < turns; n++) await turn();
}
