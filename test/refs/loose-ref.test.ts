import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SHA1, SHA256 } from '../../src/core/object-id.ts';
import { formatLooseRef, parseLooseRef } from '../../src/refs/loose-ref.ts';

const ID = 'a1'.repeat(20);
const direct = { kind: 'direct', id: ID } as const;
const symbolic = { kind: 'symbolic', target: 'refs/heads/main' } as const;

for (const [content, expected] of [
  [`${ID}\n`, direct],
  [ID, direct],
  [`${ID.toUpperCase()}\n`, direct],
  [`${ID}\t\tbranch 'main' of example.com\n`, direct],
  ['ref: refs/heads/main\n', symbolic],
  ['ref:refs/heads/main', symbolic],
  ['ref: \t refs/heads/main \n', symbolic],
  ['', undefined],
  ['\n', undefined],
  [`${ID.slice(1)}\n`, undefined],
  [`${ID}0\n`, undefined],
  [`${'0'.repeat(40)}\n`, undefined],
  [` ${ID}\n`, undefined],
  ['ref: refs/heads/../../config\n', undefined],
  ['ref: config\n', undefined],
  ['ref: \n', undefined],
] as const) {
  test(`parseLooseRef() reads ${JSON.stringify(content)} as ${expected?.kind ?? 'no ref'}`, () => {
    assert.deepEqual(parseLooseRef(content, SHA1), expected);
  });
}

test('an id of another format is no ref', () => assert.equal(parseLooseRef(`${ID}\n`, SHA256), undefined));

test('formatLooseRef() writes what git writes', () => {
  assert.equal(formatLooseRef(direct), `${ID}\n`);
  assert.equal(formatLooseRef(symbolic), 'ref: refs/heads/main\n');
});
