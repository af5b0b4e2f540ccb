import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Pace } from '../../../src/core/pace.ts';
import { sortByKeys } from '../../../src/repository/pack-writing/offset-order.ts';

test('sortByKeys() sorts by pack, then offset, then number, with offsets of up to 53 bits', async () => {
  const anyObject = fc.record({
    pack: fc.nat(5),
    offset: fc.oneof(fc.nat(20), fc.nat(), fc.maxSafeNat()),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(anyObject, { maxLength: 200 }), async (objects) => {
      const packs = Uint32Array.from(objects, ({ pack }) => pack);
      const offsets = Float64Array.from(objects, ({ offset }) => offset);
      const expected = objects
        .map((object, number) => ({ ...object, number }))
        .sort((a, b) => a.pack - b.pack || a.offset - b.offset || a.number - b.number)
        .map(({ number }) => number);
      const order = await sortByKeys(packs, 6, offsets, new Pace(undefined));
      assert.deepEqual(Array.from(order), expected);
    }),
  );
});
