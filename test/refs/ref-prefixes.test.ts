import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RefPrefixes } from '../../src/refs/ref-prefixes.ts';

test('no prefixes select what is under refs/', () => {
  for (const prefixes of [new RefPrefixes(undefined), new RefPrefixes([])]) {
    assert.equal(prefixes.selects('refs/heads/main'), true);
    assert.equal(prefixes.selects('HEAD'), false);
  }
});

test('prefixes covered by another are dropped', () => {
  assert.deepEqual(new RefPrefixes(['refs/tags/v1', 'refs/heads/', 'refs/tags/', 'refs/tags/']).sorted, [
    'refs/heads/',
    'refs/tags/',
  ]);
});

const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', '-', 'ü'), maxLength: 6 });

test('selects() and reaches() are what trying every prefix says', () => {
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 8 }), text, (prefixes, name) => {
      const selected = new RefPrefixes(prefixes);
      assert.equal(
        selected.selects(name),
        prefixes.some((prefix) => name.startsWith(prefix)),
      );
      const directory = `${name}/`;
      const reaches = prefixes.some((prefix) => directory.startsWith(prefix) || prefix.startsWith(directory));
      assert.equal(selected.reaches(directory), reaches);
    }),
    { numRuns: 1000 },
  );
});
