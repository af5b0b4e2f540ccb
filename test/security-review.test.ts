import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import test from 'node:test';

const root = new URL('../', import.meta.url);
const review = readFileSync(new URL('docs/security-review.md', root), 'utf8');

/** `file`: "name" */
const SHOWN_BY = /`(test\/[\w./-]+\.test\.ts)`: "([^"]+)"/g;
const FILE = /`((?:src|test|docs|examples|assembly)\/[\w./-]+)`/g;
const LITERAL = /'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`/g;

/** The texts of a test file among which the names of its tests are, templates as they are written. */
const literals = new Map<string, ReadonlySet<string>>();
function literalsOf(file: string): ReadonlySet<string> {
  const known = literals.get(file);
  if (known !== undefined) return known;
  const source = readFileSync(new URL(file, root), 'utf8').replace(/^import .*$/gm, '');
  const found = new Set(
    [...source.matchAll(LITERAL)].map(([, a, b, c]) => (a ?? b ?? c ?? '').replaceAll("\\'", "'")),
  );
  literals.set(file, found);
  return found;
}

test('every test that the review names exists', () => {
  const cited = [...review.matchAll(SHOWN_BY)];
  assert.ok(cited.length > 50, `${cited.length}`);
  const missing = cited.filter(
    ([, file = '', name = '']) => !existsSync(new URL(file, root)) || !literalsOf(file).has(name),
  );
  assert.deepEqual(
    missing.map(([, file, name]) => `${file}: ${name}`),
    [],
  );
});

test('every file that it names exists', () => {
  const files = [...review.matchAll(FILE)].map(([, file = '']) => file);
  assert.deepEqual(
    files.filter((file) => !existsSync(new URL(file, root))),
    [],
  );
});

test('every row of its tables says what shows it, or points at what is open', () => {
  const rows = review.split('\n').filter((line) => /^\| (?!Threat )(?:.* \| ){2}/.test(line));
  assert.ok(rows.length > 50, `${rows.length}`);
  const unproved = rows.filter((row) => !row.match(SHOWN_BY) && !/open \d+/i.test(row));
  assert.deepEqual(unproved, []);
});

test('a name that is no test is found out', () => {
  assert.ok(!literalsOf('test/readme.test.ts').has('there is no such test'));
  assert.ok(literalsOf('test/server/access/http-access.test.ts').has('what may not be seen does not exist'));
});
