import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { concatBytes, decodeText, encodeText } from '../../src/core/bytes.ts';
import { GitError } from '../../src/core/errors.ts';
import { SHA1, SHA256 } from '../../src/core/object-id.ts';
import { inOneGo } from '../../src/core/steps.ts';
import { parsePackedRefs } from '../../src/refs/packed-refs.ts';
import { editPackedRefs } from '../../src/refs/packed-refs-edit.ts';
import type { ResolvedRef } from '../../src/refs/ref-database.ts';
import { compareRefNames } from '../../src/refs/ref-name.ts';

const HEADER = '# pack-refs with: peeled fully-peeled sorted \n';
const [A, B, C] = ['a', 'b', 'c'].map((digit) => digit.repeat(40)) as [string, string, string];

function parse(text: string): ResolvedRef[] {
  const refs = parsePackedRefs(encodeText(text), SHA1);
  return Array.from({ length: refs.count }, (_, index) => refs.at(index));
}

const main = { name: 'refs/heads/main', id: A };
const tag = { name: 'refs/tags/v1', id: B, peeled: C };

for (const [what, text, expected] of [
  ['an empty file', '', []],
  ['a header alone', HEADER, []],
  ['refs and what tags point at', `${HEADER}${A} refs/heads/main\n${B} refs/tags/v1\n^${C}\n`, [main, tag]],
  ['a file without header', `${A} refs/heads/main\n`, [main]],
  ['an unsorted file', `${B} refs/tags/v1\n^${C}\n${A} refs/heads/main\n`, [main, tag]],
  ['a name given twice, the last', `${C} refs/heads/main\n${A} refs/heads/main\n`, [main]],
  ['comments', `${HEADER}# old\n${A} refs/heads/main\n`, [main]],
  ['names nobody can ask for, passed over', `${B} refs/heads/a..b\n^${C}\n${A} refs/heads/main\n`, [main]],
] as const) {
  test(`parsePackedRefs() reads ${what}`, () => assert.deepEqual(parse(text), expected));
}

test('ids may be of SHA-256', () => {
  const id = 'd'.repeat(64);
  assert.deepEqual(parsePackedRefs(encodeText(`${id} refs/heads/main\n`), SHA256).find('refs/heads/main'), {
    name: 'refs/heads/main',
    id,
  });
});

for (const [what, text] of [
  ['a line that is not ended', `${A} refs/heads/main`],
  ['a short id', `${A.slice(1)} refs/heads/main\n`],
  ['an id that is no hex', `${'g'.repeat(40)} refs/heads/main\n`],
  ['no space', `${A}\trefs/heads/main\n`],
  ['no name', `${A} \n`],
  ['a peeled id before any ref', `^${A}\n`],
  ['a short peeled id', `${A} refs/heads/main\n^${B.slice(1)}\n`],
  ['an empty line', `${A} refs/heads/main\n\n`],
] as const) {
  test(`parsePackedRefs() refuses ${what}`, () => assert.throws(() => parse(text), { code: 'REF_INVALID' }));
}

test('names that are no UTF-8 are passed over, and kept by an edit', () => {
  const odd = concatBytes(encodeText(`${A} refs/heads/`), new Uint8Array([0xe9, 10]));
  const file = concatBytes(odd, encodeText(`${B} refs/tags/v1\n`));
  assert.equal(parsePackedRefs(file, SHA1).count, 1);
  assert.deepEqual(inOneGo(editPackedRefs(file, SHA1, { remove: new Set(['refs/tags/v1']), add: [] })), odd);
});

test('random bytes are refs or REF_INVALID', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(`${A} `, 'refs/', 'x', '\n', '^', '#', B, '\0', 'é')), (parts) => {
      try {
        parse(parts.join(''));
      } catch (error) {
        assert.ok(error instanceof GitError && error.code === 'REF_INVALID');
      }
    }),
  );
});

const anyId = fc.constantFrom(A, B, C);
const anyName = fc.constantFrom(
  ...['a', 'a-b', 'a/b', 'b', 'é', '\u{1f600}', '\uffee', 'z'].map((n) => `refs/heads/${n}`),
);
const anyRef: fc.Arbitrary<ResolvedRef> = fc.record(
  { name: anyName, id: anyId, peeled: anyId },
  { requiredKeys: ['name', 'id'] },
);
const anyRefs = fc.uniqueArray(anyRef, { selector: ({ name }) => name });

test('editPackedRefs() does to a file what the edit does to a map', () => {
  fc.assert(
    fc.property(anyRefs, anyRefs, fc.array(anyName), (stored, added, removed) => {
      const file = inOneGo(editPackedRefs(new Uint8Array(0), SHA1, { remove: new Set(), add: stored }));
      const edited = inOneGo(editPackedRefs(file, SHA1, { remove: new Set(removed), add: added }));
      const model = new Map(stored.map((ref) => [ref.name, ref]));
      for (const name of removed) model.delete(name);
      for (const ref of added) model.set(ref.name, ref);
      const expected = [...model.values()].sort((a, b) => compareRefNames(a.name, b.name));
      assert.deepEqual(
        parse(decodeText(edited)).map((ref) => ({ ...ref })),
        expected.map((ref) => ({ ...ref })),
      );
      // What is written is in order already: a parser that has to sort would hide it.
      const names = decodeText(edited)
        .split('\n')
        .flatMap((line) => /^[0-9a-f]{40} (.*)/.exec(line)?.[1] ?? []);
      assert.deepEqual(
        names,
        expected.map(({ name }) => name),
      );
    }),
  );
});

test('editPackedRefs() puts in more refs between those that are there than a call takes arguments', () => {
  const refs = Array.from({ length: 260_000 }, (_, n) => ({
    name: `refs/tags/${String(n).padStart(6, '0')}`,
    id: 'a'.repeat(40),
  }));
  const [even, odd] = [0, 1].map((rest) => refs.filter((_, n) => n % 2 === rest)) as [
    ResolvedRef[],
    ResolvedRef[],
  ];
  const file = inOneGo(editPackedRefs(new Uint8Array(0), SHA1, { remove: new Set(), add: even }));
  const edited = parsePackedRefs(inOneGo(editPackedRefs(file, SHA1, { remove: new Set(), add: odd })), SHA1);
  assert.equal(edited.count, refs.length);
  assert.equal(edited.nameAt(131_071), 'refs/tags/131071');
});

test('find(), lowerBound() and firstUnder() agree with a search of all names', () => {
  fc.assert(
    fc.property(anyRefs, anyName, (stored, name) => {
      const refs = parsePackedRefs(
        inOneGo(editPackedRefs(new Uint8Array(0), SHA1, { remove: new Set(), add: stored })),
        SHA1,
      );
      assert.deepEqual(refs.find(name)?.id, stored.find((ref) => ref.name === name)?.id);
      assert.equal(refs.lowerBound(name), stored.filter((ref) => compareRefNames(ref.name, name) < 0).length);
      assert.equal(refs.firstUnder(`${name}/`), stored.find((ref) => ref.name.startsWith(`${name}/`))?.name);
    }),
  );
});
