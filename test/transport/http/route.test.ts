import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { parseRoute } from '../../../src/transport/http/route.ts';

const parse = (target: string) => {
  const url = new URL(`http://h${target}`);
  return parseRoute(url.pathname, url.searchParams);
};

for (const [target, expected] of [
  [
    '/a.git/info/refs?service=git-upload-pack',
    { kind: 'advertisement', name: 'a.git', service: 'git-upload-pack' },
  ],
  [
    '/team/a/info/refs?x=1&service=git-receive-pack',
    { kind: 'advertisement', name: 'team/a', service: 'git-receive-pack' },
  ],
  ['/a/info/refs?service=', { kind: 'advertisement', name: 'a', service: '' }],
  ['/a/git-upload-pack', { kind: 'exchange', name: 'a', service: 'git-upload-pack' }],
  ['/a/git-receive-pack?x', { kind: 'exchange', name: 'a', service: 'git-receive-pack' }],
  ['/a/git-upload-archive', { kind: 'exchange', name: 'a', service: 'git-upload-archive' }],
  [
    '/with%20space%2Bplus/git-upload-pack',
    { kind: 'exchange', name: 'with space+plus', service: 'git-upload-pack' },
  ],
  ['/%C3%A9t%C3%A9/git-upload-pack', { kind: 'exchange', name: 'été', service: 'git-upload-pack' }],
  ['/a/info/refs', { kind: 'dumb', name: 'a' }],
  ['/a/HEAD', { kind: 'dumb', name: 'a' }],
  ['/a/objects/info/packs', { kind: 'dumb', name: 'a' }],
  ['/', { kind: 'unknown' }],
  ['/a', { kind: 'unknown' }],
  ['/info/refs?service=git-upload-pack', { kind: 'unknown' }],
  ['//info/refs?service=git-upload-pack', { kind: 'unknown' }],
  ['/a//b/git-upload-pack', { kind: 'unknown' }],
  // The URL parser resolves dot segments, encoded dots too; they cannot climb beyond the root.
  ['/../../a/git-upload-pack', { kind: 'exchange', name: 'a', service: 'git-upload-pack' }],
  ['/%2e%2e/a/git-upload-pack', { kind: 'exchange', name: 'a', service: 'git-upload-pack' }],
  ['/a%2f..%2f..%2fetc/git-upload-pack', { kind: 'unknown' }],
  ['/..%2fetc/git-upload-pack', { kind: 'unknown' }],
  ['/..%5cetc/git-upload-pack', { kind: 'unknown' }],
  ['/a%00b/git-upload-pack', { kind: 'unknown' }],
  ['/a%zz/git-upload-pack', { kind: 'unknown' }],
  ['/a%ff/git-upload-pack', { kind: 'unknown' }],
  [`/${'a/'.repeat(3000)}git-upload-pack`, { kind: 'unknown' }],
] as const) {
  test(`parseRoute() reads ${target.slice(0, 60)}`, () => {
    assert.deepEqual(parse(target), expected);
  });
}

test('parseRoute() never names a path outside the root, whatever it is given', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '..',
      '.',
      '/',
      '%2e',
      '%2f',
      '%5c',
      '%00',
      '\\',
      '%',
      'info/refs',
      'git-upload-pack',
      'HEAD',
    ),
    fc.string({ maxLength: 5 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const route = parseRoute(pieces.join(''), new URLSearchParams('service=x'));
      if (route.kind === 'unknown') return;
      for (const segment of route.name.split('/')) {
        assert.doesNotMatch(segment, /^\.{0,2}$/);
        assert.doesNotMatch(segment, /[\\\0]/);
      }
    }),
  );
});
