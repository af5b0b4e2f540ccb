import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { filterBounds, type ObjectFilter, parseObjectFilter } from '../../src/repository/object-filter.ts';

for (const [spec, filter] of [
  ['blob:none', { kind: 'blob:none' }],
  ['blob:limit=0', { kind: 'blob:limit', limitBytes: 0 }],
  ['blob:limit=1k', { kind: 'blob:limit', limitBytes: 1024 }],
  ['blob:limit=2M', { kind: 'blob:limit', limitBytes: 2 * 1024 ** 2 }],
  ['blob:limit=3g', { kind: 'blob:limit', limitBytes: 3 * 1024 ** 3 }],
  ['blob:limit=0x10', { kind: 'blob:limit', limitBytes: 16 }],
  ['blob:limit=010', { kind: 'blob:limit', limitBytes: 8 }],
  ['tree:0', { kind: 'tree', depth: 0 }],
  ['tree:12', { kind: 'tree', depth: 12 }],
  ['object:type=tag', { kind: 'object:type', type: 'tag' }],
  ['sparse:oid=master:spec', { kind: 'sparse:oid', name: 'master:spec' }],
  ['combine:tree:1', { kind: 'combine', filters: [{ kind: 'tree', depth: 1 }] }],
  [
    'combine:tree:1+blob:none+',
    { kind: 'combine', filters: [{ kind: 'tree', depth: 1 }, { kind: 'blob:none' }] },
  ],
  [
    'combine:combine%3Atree:1%2Bblob%3anone',
    {
      kind: 'combine',
      filters: [{ kind: 'combine', filters: [{ kind: 'tree', depth: 1 }, { kind: 'blob:none' }] }],
    },
  ],
] as const satisfies readonly (readonly [string, ObjectFilter])[]) {
  test(`parseObjectFilter() reads ${spec}`, () => assert.deepEqual(parseObjectFilter(spec), filter));
}

for (const spec of [
  '',
  'blob',
  'blob:some',
  'BLOB:NONE',
  'blob:none ',
  'blob:limit=',
  'blob:limit=-1',
  'blob:limit=1t',
  'blob:limit=1kk',
  'blob:limit=08',
  'blob:limit=99999999999999999999',
  'tree:',
  'tree:x',
  'tree:-1',
  'object:type=',
  'object:type=commits',
  'sparse:path=x',
  'auto',
  'combine:',
  'combine:tree:1+blob:some',
  'combine:sparse:oid=a b',
  'combine:sparse:oid=a~1',
  `combine:${'combine%3A'.repeat(40)}tree:1`,
]) {
  test(`parseObjectFilter() refuses ${JSON.stringify(spec.slice(0, 50))}`, () => {
    assert.throws(() => parseObjectFilter(spec), { code: 'PROTOCOL_VIOLATION' });
  });
}

test('parseObjectFilter() gives a filter or PROTOCOL_VIOLATION for any text', () => {
  const parts = fc.constantFrom(
    'combine:',
    'blob:',
    'none',
    'limit=',
    'tree:',
    '1',
    '+',
    '%',
    '%2B',
    '%3',
    'k',
    '=',
    'é',
  );
  fc.assert(
    fc.property(
      fc.array(parts).map((texts) => texts.join('')),
      (spec) => {
        try {
          assert.ok(parseObjectFilter(spec).kind);
        } catch (error) {
          assert.equal((error as { code?: unknown }).code, 'PROTOCOL_VIOLATION');
        }
      },
    ),
  );
});

test('filterBounds() lets through what every part does', () => {
  assert.deepEqual(filterBounds(parseObjectFilter('combine:blob:limit=5+blob:limit=9+tree:4+tree:2')), {
    blobLimitBytes: 5,
    treeDepth: 2,
    type: 'any',
  });
  assert.equal(filterBounds(parseObjectFilter('combine:object:type=tree+blob:none')).type, 'tree');
  assert.equal(filterBounds(parseObjectFilter('combine:object:type=tree+object:type=blob')).type, 'none');
  assert.throws(() => filterBounds(parseObjectFilter('sparse:oid=x')), { code: 'UNSUPPORTED' });
});
