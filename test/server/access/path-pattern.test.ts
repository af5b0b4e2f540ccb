import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { matchesPath } from '../../../src/server/access/path-pattern.ts';

const examples: readonly (readonly [pattern: string, path: string, matches: boolean])[] = [
  ['app', 'app', true],
  ['app', 'application', false],
  ['team/*', 'team/app', true],
  ['team/*', 'team/app/docs', false],
  ['team/**', 'team/app/docs', true],
  ['team/**', 'team', true],
  ['**', 'anything/at/all', true],
  ['**/docs', 'docs', true],
  ['**/docs', 'team/app/docs', true],
  ['**/docs', 'team/docs/app', false],
  ['**/a/*/b', 'a/a/a/b', true],
  ['refs/heads/release-*', 'refs/heads/release-1', true],
  ['refs/heads/release-*', 'refs/heads/release', false],
  ['refs/heads/*-fix-*', 'refs/heads/a-fix-fix-', true],
  ['team/a.p', 'team/app', false],
  ['Team/*', 'team/app', false],
];

for (const [pattern, path, matches] of examples) {
  test(`${pattern} ${matches ? 'matches' : 'does not match'} ${path}`, () => {
    assert.equal(matchesPath(pattern, path), matches);
  });
}

test('any pattern says what the regular expression of it says', () => {
  const segment = fc.stringMatching(/^[ab*]{1,4}$/);
  const path = fc.array(fc.stringMatching(/^[ab]{1,4}$/), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(fc.array(segment, { minLength: 1, maxLength: 4 }), path, (pattern, segments) => {
      const inSegments = pattern.map((item) =>
        item === '**' ? '(?:[^/]+/)*' : `${item.replaceAll('*', '[^/]*')}/`,
      );
      const expected = new RegExp(`^${inSegments.join('')}$`).test(`${segments.join('/')}/`);
      assert.equal(matchesPath(pattern.join('/'), segments.join('/')), expected);
    }),
    { numRuns: 1000 },
  );
});

test('a pattern made to be slow is not', () => {
  const pattern = `${'*a'.repeat(500)}b`;
  assert.equal(matchesPath(pattern, 'a'.repeat(5000)), false);
});
