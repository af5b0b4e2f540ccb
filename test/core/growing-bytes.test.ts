import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { growBytes } from '../../src/core/growing-bytes.ts';

test('growBytes() keeps the content and adds zeros', () => {
  assert.deepEqual(growBytes(Uint8Array.of(1, 2, 3), 5), Uint8Array.of(1, 2, 3, 0, 0));
});

test('growBytes() gives the same whether the bytes grow in place or move', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 3000 }), { maxLength: 12 }), (steps) => {
      let grown = new Uint8Array(1);
      const expected: number[] = [0];
      for (const step of steps) {
        grown = growBytes(grown, grown.length + step) as Uint8Array<ArrayBuffer>;
        assert.equal(grown.length, expected.length + step);
        for (let i = 0; i < step; i++) expected.push(0);
        grown[grown.length - 1] = step & 255;
        expected[expected.length - 1] = step & 255;
      }
      assert.deepEqual([...grown], expected);
    }),
  );
});
