import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { JsonDocument } from '../../../src/server/config/json-document.ts';
import { formatProblem } from '../../../src/server/config/problem.ts';

test('comments, commas at the end and nothing at all are JSON here', () => {
  const text = '\uFEFF// where\n{ "a": [1, /* two */ 2,], "b": {"c": null,}, }\n';
  const document = new JsonDocument('f', text);
  assert.deepEqual(document.problems, []);
  assert.deepEqual(document.value, { a: [1, 2], b: { c: null } });
  for (const empty of ['', ' \n', '// nothing yet\n'])
    assert.deepEqual(new JsonDocument('f', empty).value, {});
});

for (const [text, problem] of [
  ['{\n  "a": 1\n  "b": 2\n}', 'f:3:3: error: a comma is missing'],
  ['{ "a" 1 }', 'f:1:7: error: a colon is missing between name and value'],
  ['{ "a": }', 'f:1:8: error: a value is missing'],
  [
    '{ "a": yes }',
    'f:1:8: error: this is no value: text stands in double quotes, and true, false and null are written so',
  ],
  ['{ "a": 1', 'f:1:9: error: a } is missing'],
  ['{ "a": [1', 'f:1:10: error: a ] is missing'],
  ['{ "a": "x\n" }', 'f:1:8: error: this text has no closing quote'],
  ['{} {}', 'f:1:4: error: nothing may follow the closing }'],
  ['{ "a": 1,\n  "a": 2 }', 'f:2:3: error: "a" is given twice'],
  ['{ "__proto__": {} }', 'f:1:3: error: no member may be called "__proto__"'],
] as const) {
  test(`${JSON.stringify(text)} is refused at its place`, () => {
    assert.deepEqual(new JsonDocument('f', text).problems.map(formatProblem), [problem]);
  });
}

test('nesting has an end, whatever its size', () => {
  for (const open of ['[', '{"a":']) {
    const text = open.repeat(200_000);
    assert.deepEqual(new JsonDocument('f', text).problems.map(formatProblem), [
      `f:1:${64 * open.length + 1}: error: objects and lists may be nested 64 deep`,
    ]);
  }
  const nested = `${'['.repeat(64)}${']'.repeat(64)}`;
  assert.deepEqual(new JsonDocument('f', nested).problems, []);
});

test('every value has its place, and what is missing that of what it would stand in', () => {
  const document = new JsonDocument('f', '{\n  "a": [\n    { "b": true }\n  ]\n}');
  const at = (line: number, column: number) => ({ kind: 'file', path: 'f', line, column });
  assert.deepEqual(document.originOf([]), at(1, 1));
  assert.deepEqual(document.originOf(['a', 0, 'b']), at(3, 12));
  assert.equal(document.originOf(['a', 1]), undefined);
  assert.equal(document.originOf(['a', 0, 'b', 'c']), undefined);
  assert.deepEqual(document.nearestOrigin(['a', 0, 'c', 'd']), at(3, 5));
  assert.deepEqual(document.originOfName(['a', 0], 'b'), at(3, 7));
  assert.deepEqual(document.originOfName(['a', 0], 'x'), at(3, 5));
});

test('what JSON can say is read as JSON reads it', () => {
  const anyJson = fc
    .jsonValue({ noUnicodeString: false })
    .filter((value) => !JSON.stringify(value).includes('__proto__'));
  fc.assert(
    fc.property(anyJson, fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
      const text = JSON.stringify({ value }, undefined, indent);
      const document = new JsonDocument('f', text);
      assert.deepEqual(document.problems, []);
      assert.deepEqual(document.value, JSON.parse(text));
    }),
  );
});

test('any text is a value or has a problem, never an exception', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[{}[\]",:a1/* \n]{0,20}$/)), (text) => {
      const document = new JsonDocument('f', text);
      assert.ok(document.problems.length > 0 || document.value !== undefined);
    }),
  );
});
