import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LsRefsParser, type LsRefsRequest } from '../../../src/protocol/v2/parse-ls-refs.ts';

function parse(lines: readonly string[], maxRefPrefixes = 65_536): LsRefsRequest {
  const parser = new LsRefsParser({ maxRefPrefixes });
  for (const line of lines) parser.read(line);
  return parser.finish();
}

const NOTHING = { peel: false, symrefs: false, unborn: false, prefixes: [] };

for (const [lines, expected] of [
  [[], NOTHING],
  [['peel'], { ...NOTHING, peel: true }],
  [['symrefs'], { ...NOTHING, symrefs: true }],
  [['unborn'], { ...NOTHING, unborn: true }],
  [['ref-prefix refs/heads/', 'ref-prefix HEAD'], { ...NOTHING, prefixes: ['refs/heads/', 'HEAD'] }],
  [['ref-prefix '], { ...NOTHING, prefixes: [''] }],
] as const) {
  test(`ls-refs reads ${JSON.stringify(lines)}`, () => {
    assert.deepEqual(parse(lines), expected);
  });
}

for (const line of ['no-such-arg', 'peel=1', 'ref-prefix', 'Peel', '']) {
  test(`ls-refs refuses ${JSON.stringify(line)} in git's words`, () => {
    assert.throws(() => parse([line]), { code: 'PROTOCOL_VIOLATION', message: `unexpected line: '${line}'` });
  });
}

test('too many prefixes restrict nothing', () => {
  assert.deepEqual(parse(['ref-prefix a', 'ref-prefix b'], 3).prefixes, ['a', 'b']);
  assert.deepEqual(parse(['ref-prefix a', 'ref-prefix b', 'ref-prefix c'], 3).prefixes, []);
  assert.deepEqual(parse(Array(10).fill('ref-prefix x'), 3).prefixes, []);
});
