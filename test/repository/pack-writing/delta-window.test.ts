import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeltaWindow } from '../../../src/repository/pack-writing/delta-window.ts';

const candidatesIn = (window: DeltaWindow) => window.entries.map(({ candidate }) => candidate);

test('DeltaWindow holds the newest entries', () => {
  const window = new DeltaWindow(3, 1000);
  for (let candidate = 0; candidate < 5; candidate++) window.push(candidate);
  assert.deepEqual(candidatesIn(window), [2, 3, 4]);
});

test('DeltaWindow moves a base that was used behind the newest entry', () => {
  const window = new DeltaWindow(3, 1000);
  const used = window.push(0);
  window.push(1);
  window.push(2);
  window.keepLonger(used);
  assert.deepEqual(candidatesIn(window), [1, 0, 2]);
  window.push(3);
  assert.deepEqual(candidatesIn(window), [0, 2, 3]);
});

test('DeltaWindow lets go of the oldest contents beyond its bytes, never of the newest', () => {
  const window = new DeltaWindow(10, 1000);
  for (let candidate = 0; candidate < 4; candidate++) {
    window.hold(window.push(candidate), new Uint8Array(400));
  }
  assert.equal(window.shrink(), 2);
  assert.deepEqual(candidatesIn(window), [2, 3]);
  const large = window.push(4);
  window.hold(large, new Uint8Array(5000));
  window.indexOf(large, new Uint8Array(5000));
  assert.equal(window.shrink(), 2);
  assert.deepEqual(candidatesIn(window), [4]);
  window.removeNewest();
  window.hold(window.push(5), new Uint8Array(900));
  assert.equal(window.shrink(), 0);
});
