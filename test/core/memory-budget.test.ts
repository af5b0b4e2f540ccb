import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Evictable, MemoryBudget } from '../../src/core/memory-budget.ts';

interface Item extends Evictable {
  readonly name: string;
  bytes: number;
  isInUse: boolean;
}

function scene(limitBytes: number) {
  let now = 0;
  const evicted: string[] = [];
  const budget = new MemoryBudget(limitBytes, () => now);
  const item = (name: string, bytes: number): Item => ({
    name,
    bytes,
    isInUse: false,
    evict: () => void evicted.push(name),
  });
  const passMs = (ms: number): void => {
    now += ms;
  };
  return { budget, evicted, item, passMs };
}

test('what was used longest ago makes room', () => {
  const { budget, evicted, item } = scene(100);
  const [a, b, c] = [item('a', 40), item('b', 40), item('c', 40)];
  budget.register(a);
  budget.register(b);
  budget.touch(a);
  budget.register(c);
  assert.deepEqual(evicted, ['b']);
  assert.equal(budget.usedBytes, 80);
});

test('what grows makes room for itself; what is released no longer counts', () => {
  const { budget, evicted, item } = scene(100);
  const [a, b] = [item('a', 40), item('b', 40)];
  budget.register(a);
  budget.register(b);
  b.bytes = 70;
  assert.equal(budget.resize(b), true);
  assert.deepEqual(evicted, ['a']);
  budget.release(b);
  assert.equal(budget.usedBytes, 0);
});

test('what is larger than the limit goes alone', () => {
  const { budget, evicted, item } = scene(100);
  budget.register(item('a', 40));
  assert.equal(budget.register(item('giant', 101)), false);
  assert.deepEqual(evicted, ['giant']);
  assert.equal(budget.usedBytes, 40);
});

test('what is in use is counted and stays', () => {
  const { budget, evicted, item } = scene(100);
  const busy = item('busy', 90);
  budget.register(busy);
  busy.isInUse = true;
  budget.register(item('a', 40));
  assert.deepEqual(evicted, ['a']);
  assert.equal(budget.usedBytes, 90);
});

test('what nobody used for a while is dropped', () => {
  const { budget, evicted, item, passMs } = scene(100);
  const [a, b] = [item('a', 10), item('b', 10)];
  budget.register(a);
  budget.register(b);
  passMs(50);
  budget.touch(a);
  passMs(60);
  budget.evictIdle(100);
  assert.deepEqual(evicted, ['b']);
  assert.equal(budget.usedBytes, 10);
});

test('a lower limit holds at once', () => {
  const { budget, evicted, item } = scene(100);
  budget.register(item('a', 40));
  budget.register(item('b', 40));
  budget.setLimit(50);
  assert.deepEqual(evicted, ['a']);
});

const NAMES = ['a', 'b', 'c', 'd', 'e'] as const;
const anyStep = fc.record({
  act: fc.constantFrom('register', 'resize', 'touch', 'release', 'use', 'leave', 'idle', 'limit'),
  name: fc.constantFrom(...NAMES),
  bytes: fc.integer({ min: 0, max: 120 }),
});

test('the budget is the sum of what it holds, and never above its limit but for what is in use', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 60 }), (steps) => {
      const { budget, evicted, passMs } = scene(100);
      const held = new Set<Item>();
      const items = new Map(
        NAMES.map((name): [string, Item] => {
          const own: Item = {
            name,
            bytes: 0,
            isInUse: false,
            evict() {
              assert.equal(own.isInUse, false);
              held.delete(own);
              evicted.push(name);
            },
          };
          return [name, own];
        }),
      );
      for (const { act, name, bytes } of steps) {
        const item = items.get(name) as Item;
        passMs(1);
        if (act === 'register') {
          item.bytes = bytes;
          held.add(item);
          assert.equal(budget.register(item), bytes <= budget.limitBytes || item.isInUse);
        } else if (act === 'resize' && held.has(item)) {
          item.bytes = bytes;
          budget.resize(item);
        } else if (act === 'touch') budget.touch(item);
        else if (act === 'release') {
          held.delete(item);
          budget.release(item);
        } else if (act === 'use') item.isInUse = true;
        else if (act === 'leave') item.isInUse = false;
        else if (act === 'idle') budget.evictIdle(bytes);
        else if (act === 'limit') budget.setLimit(bytes);

        const sum = [...held].reduce((total, one) => total + one.bytes, 0);
        assert.equal(budget.usedBytes, sum);
        const settled = ['register', 'limit'].includes(act);
        if (settled && sum > budget.limitBytes) assert.ok([...held].every((one) => one.isInUse));
      }
    }),
  );
});
