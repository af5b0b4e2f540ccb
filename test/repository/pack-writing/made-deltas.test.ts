import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SHA1 } from '../../../src/core/object-id.ts';
import { DeltaCache } from '../../../src/repository/pack-writing/delta-cache.ts';
import { MadeDeltas, UNTRIED } from '../../../src/repository/pack-writing/made-deltas.ts';

function idOf(number: number): Uint8Array {
  const id = new Uint8Array(20);
  new DataView(id.buffer).setUint32(0, number);
  return id;
}

test('what came of a search is known by target and base', () => {
  const made = new MadeDeltas(SHA1);
  assert.equal(made.outcomeOf(idOf(1), 0, idOf(2), 0), UNTRIED);
  made.note(idOf(1), 0, idOf(2), 0, 30);
  made.note(idOf(2), 0, idOf(1), 0, -101);
  assert.equal(made.outcomeOf(idOf(1), 0, idOf(2), 0), 30);
  assert.equal(made.outcomeOf(idOf(2), 0, idOf(1), 0), -101);
  made.note(idOf(2), 0, idOf(1), 0, 150);
  assert.equal(made.outcomeOf(idOf(2), 0, idOf(1), 0), 150);
});

test('a deflated delta is kept beside its outcome, and goes with it', () => {
  const made = new MadeDeltas(SHA1);
  made.keepDeflated(idOf(1), idOf(2), Uint8Array.of(9));
  assert.equal(made.deflatedOf(idOf(1), 0, idOf(2), 0), undefined, 'no outcome was noted');
  made.note(idOf(1), 0, idOf(2), 0, 30);
  made.keepDeflated(idOf(1), idOf(2), Uint8Array.of(1, 2, 3));
  made.note(idOf(3), 0, idOf(2), 0, 30);
  made.keepDeflated(idOf(3), idOf(2), Uint8Array.of(4));
  assert.deepEqual(made.deflatedOf(idOf(1), 0, idOf(2), 0), Uint8Array.of(1, 2, 3));
  assert.deepEqual(made.deflatedOf(idOf(3), 0, idOf(2), 0), Uint8Array.of(4));
  assert.equal(made.deflatedOf(idOf(2), 0, idOf(1), 0), undefined);
  made.evict();
  assert.equal(made.deflatedOf(idOf(1), 0, idOf(2), 0), undefined);
  assert.equal(made.outcomeOf(idOf(1), 0, idOf(2), 0), UNTRIED);
});

test('memory is bounded however many deltas are made', () => {
  const made = new MadeDeltas(SHA1);
  const deflated = new Uint8Array(500);
  let most = 0;
  for (let n = 0; n < 150_000; n++) {
    made.note(idOf(n), 0, idOf(n + 1), 0, 600);
    made.keepDeflated(idOf(n), idOf(n + 1), deflated);
    if (n % 1000 === 0) most = Math.max(most, made.bytes);
  }
  assert.ok(most < 32 * 1024 * 1024, `${most} bytes`);
  assert.equal(made.outcomeOf(idOf(149_999), 0, idOf(150_000), 0), 600);
});

test('a plan keeps deltas deflated and not', () => {
  const cache = new DeltaCache(3);
  cache.keep(0, Uint8Array.of(1, 2));
  cache.keepDeflated(1, Uint8Array.of(3), 70);
  assert.deepEqual([cache.get(0), cache.inflatedBytes(0)], [Uint8Array.of(1, 2), 0]);
  assert.deepEqual([cache.get(1), cache.inflatedBytes(1)], [Uint8Array.of(3), 70]);
  assert.deepEqual([cache.get(2), cache.inflatedBytes(2)], [undefined, 0]);
});
