import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  compareRefNames,
  isStorableRefName,
  isValidRefName,
  MAX_REF_NAME_BYTES,
  type RefNameOptions,
} from '../../src/refs/ref-name.ts';
import { GIT_ENVIRONMENT } from '../support/git.ts';

const PLAIN = {};
const ONE_LEVEL = { allowOneLevel: true };
const PATTERN = { refspecPattern: true };
const BOTH = { allowOneLevel: true, refspecPattern: true };

/** The vectors of git's t/t1402: a name, and the options under which it is valid. */
const VECTORS: readonly [string, readonly RefNameOptions[]][] = [
  ['', []],
  ['/', []],
  ['foo/bar/baz', [PLAIN, ONE_LEVEL, PATTERN, BOTH]],
  ['refs///heads/foo', []],
  ['heads/foo/', []],
  ['/heads/foo', []],
  ['///heads/foo', []],
  ['./foo', []],
  ['./foo/bar', []],
  ['foo/./bar', []],
  ['foo/bar/.', []],
  ['.refs/foo', []],
  ['refs/heads/foo.', []],
  ['heads/foo..bar', []],
  ['heads/foo?bar', []],
  ['foo./bar', [PLAIN, ONE_LEVEL, PATTERN, BOTH]],
  ['heads/foo.lock', []],
  ['heads///foo.lock', []],
  ['foo.lock/bar', []],
  ['foo.lock///bar', []],
  ['heads/foo@bar', [PLAIN, ONE_LEVEL, PATTERN, BOTH]],
  ['heads/v@{ation', []],
  ['heads/foo\\bar', []],
  ['heads/foo\t', []],
  ['heads/foo\x7f', []],
  ['heads/fuß', [PLAIN, ONE_LEVEL, PATTERN, BOTH]],
  ['heads/*foo/bar', [PATTERN, BOTH]],
  ['heads/foo*/bar', [PATTERN, BOTH]],
  ['heads/f*o/bar', [PATTERN, BOTH]],
  ['heads/f*o*/bar', []],
  ['heads/foo*/bar*', []],
  ['foo', [ONE_LEVEL, BOTH]],
  ['foo/bar', [PLAIN, ONE_LEVEL, PATTERN, BOTH]],
  ['foo/*', [PATTERN, BOTH]],
  ['*/foo', [PATTERN, BOTH]],
  ['foo/*/bar', [PATTERN, BOTH]],
  ['*', [BOTH]],
  ['foo/*/*', []],
  ['*/foo/*', []],
  ['*/*/foo', []],
  ['/foo', []],
  ['@', []],
  ['heads/@', [PLAIN, ONE_LEVEL, PATTERN, BOTH]],
  ['heads/.lock', []],
  ['heads/a.lock.b', [PLAIN, ONE_LEVEL, PATTERN, BOTH]],
  ['heads/lock', [PLAIN, ONE_LEVEL, PATTERN, BOTH]],
  ['refs/heads/../../config', []],
];

for (const [name, valid] of VECTORS) {
  test(`${JSON.stringify(name)} is valid ${valid.length === 0 ? 'never' : `in ${valid.length} of 4 ways`}`, () => {
    for (const options of [PLAIN, ONE_LEVEL, PATTERN, BOTH]) {
      assert.equal(isValidRefName(name, options), valid.includes(options), JSON.stringify(options));
    }
  });
}

test('a name may have 4096 bytes of UTF-8, and no lone surrogate', () => {
  assert.equal(isValidRefName(`refs/${'a'.repeat(MAX_REF_NAME_BYTES - 5)}`), true);
  assert.equal(isValidRefName(`refs/${'a'.repeat(MAX_REF_NAME_BYTES - 4)}`), false);
  assert.equal(isValidRefName(`refs/${'ß'.repeat(MAX_REF_NAME_BYTES / 2)}`), false);
  assert.equal(isValidRefName('refs/heads/\u{1f600}'), true);
  assert.equal(isValidRefName('refs/heads/\ud83d'), false);
});

test('git check-ref-format gives the same answers', () => {
  const pieces = [
    'a',
    'Z',
    '.',
    '..',
    '/',
    '//',
    '@',
    '@{',
    '{',
    '*',
    '.lock',
    '~',
    '^',
    ':',
    '[',
    '\\',
    ' ',
    'ü',
    '-',
  ];
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...pieces), { maxLength: 7 }),
      fc.boolean(),
      fc.boolean(),
      (parts, one, pattern) => {
        const name = parts.join('');
        if (name.startsWith('-')) return; // an option to the command
        const options = [...(one ? ['--allow-onelevel'] : []), ...(pattern ? ['--refspec-pattern'] : [])];
        const { status } = spawnSync('git', ['check-ref-format', ...options, name], { env: GIT_ENVIRONMENT });
        assert.equal(
          isValidRefName(name, { allowOneLevel: one, refspecPattern: pattern }),
          status === 0,
          name,
        );
      },
    ),
    { numRuns: 100 },
  );
});

for (const [name, expected] of [
  ['HEAD', true],
  ['ORIG_HEAD', true],
  ['AUTO_MERGE', true],
  ['refs/heads/main', true],
  ['refs/stash', true],
  ['main', false],
  ['config', false],
  ['objects/aa', false],
  ['COMMIT_EDITMSG', false],
  ['HEAD/x', false],
  ['refs', false],
  ['refs/', false],
  ['../HEAD', false],
] as const) {
  test(`${name} ${expected ? 'can' : 'cannot'} be stored`, () =>
    assert.equal(isStorableRefName(name), expected));
}

test('compareRefNames() orders names as their UTF-8 bytes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
      const expected = Buffer.compare(Buffer.from(a), Buffer.from(b));
      assert.equal(Math.sign(compareRefNames(a, b)), expected);
    }),
    {
      examples: [
        ['\u{1f600}', '\uffee'],
        ['a', 'a/'],
        ['', 'a'],
      ],
    },
  );
});
