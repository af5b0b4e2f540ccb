import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { parseRoute } from '../../../src/transport/http/route.ts';

const parse = (target: string) => {
  const url = new URL(`http://h${target}`);
  return parseRoute(url.pathname, url.searchParams);
};

const SHA1_ZERO = '0'.repeat(40);
const stored = (kind: string, path: string) => ({ kind: 'dumb', name: 'a', file: { kind, path } });

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
  ['/a/info/refs', { kind: 'dumb', name: 'a', file: { kind: 'refs' } }],
  ['/a/info/refs?x=1', { kind: 'dumb', name: 'a', file: { kind: 'refs' } }],
  ['/a/HEAD', { kind: 'dumb', name: 'a', file: { kind: 'head' } }],
  ['/team/a.git/HEAD', { kind: 'dumb', name: 'team/a.git', file: { kind: 'head' } }],
  ['/a/objects/info/packs', { kind: 'dumb', name: 'a', file: { kind: 'packs' } }],
  ['/a/objects/info/alternates', stored('text', 'info/alternates')],
  ['/a/objects/info/http-alternates', stored('text', 'info/http-alternates')],
  [`/a/objects/0a/${'b'.repeat(38)}`, stored('loose', `0a/${'b'.repeat(38)}`)],
  [`/a/objects/0a/${'b'.repeat(62)}`, stored('loose', `0a/${'b'.repeat(62)}`)],
  [`/a/objects/pack/pack-${SHA1_ZERO}.pack`, stored('pack', `pack/pack-${SHA1_ZERO}.pack`)],
  [`/a/objects/pack/pack-${SHA1_ZERO}.idx`, stored('index', `pack/pack-${SHA1_ZERO}.idx`)],
  [`/a/objects/pack/pack-${'0'.repeat(64)}.idx`, stored('index', `pack/pack-${'0'.repeat(64)}.idx`)],
  ['/HEAD', { kind: 'unknown' }],
  [`/a/objects/0a/${'b'.repeat(39)}`, { kind: 'unknown' }],
  [`/a/objects/0A/${'b'.repeat(38)}`, { kind: 'unknown' }],
  [`/a/objects/pack/pack-${SHA1_ZERO}.rev`, { kind: 'unknown' }],
  [`/a/objects/pack/pack-${SHA1_ZERO}.pack/`, { kind: 'unknown' }],
  ['/a/objects/pack/tmp_pack_x', { kind: 'unknown' }],
  ['/a/objects/info/commit-graph', { kind: 'unknown' }],
  ['/a/objects/..%2f..%2fconfig', { kind: 'unknown' }],
  ['/a/config', { kind: 'unknown' }],
  ['/a/refs/heads/main', { kind: 'unknown' }],
  ['/a/packed-refs', { kind: 'unknown' }],
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
