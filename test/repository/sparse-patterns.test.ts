/** Patterns of sparse filters, and what git's own rev-list makes of them. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { encodeText } from '../../src/core/bytes.ts';
import { bytesToHex } from '../../src/core/object-id.ts';
import { openRepository } from '../../src/repository/node/files-repository.ts';
import { selectObjects } from '../../src/repository/select-objects.ts';
import { SparsePatterns } from '../../src/repository/sparse-patterns.ts';
import { git } from '../support/git.ts';

for (const [patterns, path, isDirectory, expected] of [
  ['/one.t', 'one.t', false, true],
  ['/one.t', 'a/one.t', false, undefined],
  ['one.t', 'a/one.t', false, true],
  ['a/', 'a', true, true],
  ['a/', 'a', false, undefined],
  ['/*\n!/*/', 'a', true, false],
  ['/*\n!/*/', 'a', false, true],
  ['**/b', 'a/b', false, true],
  ['**/b', 'ab', false, undefined],
  ['a/**/b', 'a/b', false, true],
  ['a/**/b', 'a/x/y/b', false, true],
  ['a/**', 'a/x/y', false, true],
  ['/**/', '', true, undefined],
  ['/**/', 'a', true, true],
  ['*', '', true, true],
  ['a/*b', 'a/x/b', false, undefined],
  ['[a-c]?[!x]', 'bzy', false, true],
  ['[[:digit:]]', '7', false, true],
  ['a\\*', 'a*', false, true],
  ['# a', '# a', false, undefined],
  ['a  ', 'a', false, true],
] as const) {
  test(`${JSON.stringify(patterns)} says ${expected} of ${isDirectory ? 'directory' : 'file'} ${path}`, () => {
    assert.equal(new SparsePatterns(encodeText(patterns)).selects(path, isDirectory), expected);
  });
}

const directory = mkdtempSync(join(tmpdir(), 'packwire-sparse-'));
after(() => rmSync(directory, { recursive: true, force: true }));

test('the objects of a sparse filter are those of git', async () => {
  git(directory, 'init', '-q', '.');
  for (const path of ['a', 'b', 'd/a', 'd/e/b', 'd/e/ab', 'e/a', 'x y/b']) {
    mkdirSync(join(directory, path, '..'), { recursive: true });
    writeFileSync(join(directory, path), `${path}\n`);
  }
  git(directory, 'add', '.');
  git(directory, 'commit', '-q', '-m', 'one');
  writeFileSync(join(directory, 'd/a'), 'other\n');
  git(directory, 'commit', '-q', '-a', '-m', 'two');
  const tip = git(directory, 'rev-parse', 'HEAD').trim();
  await using repository = await openRepository(directory);

  const word = fc.constantFrom('a', 'b', 'd', 'e', '*', '**', '?', '[a-d]', 'ab');
  const line = fc
    .tuple(
      fc.constantFrom('', '!'),
      fc.constantFrom('', '/'),
      fc.array(word, { minLength: 1, maxLength: 3 }),
      fc.constantFrom('', '/'),
    )
    .map(([not, root, words, end]) => `${not}${root}${words.join('/')}${end}`);
  await fc.assert(
    fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 4 }), async (lines) => {
      const file = join(directory, '.git', 'patterns');
      writeFileSync(file, lines.join('\n'));
      const name = git(directory, 'hash-object', '-w', file).trim();
      const theirs = git(
        directory,
        'rev-list',
        '--objects',
        '--no-object-names',
        `--filter=sparse:oid=${name}`,
        tip,
      );
      const reader = await repository.objects.openReader();
      try {
        const filter = { kind: 'sparse:oid', name } as const;
        const { ids, count } = await selectObjects(reader, { wants: [tip], haves: [], filter, thin: false });
        const ours = Array.from({ length: count }, (_, n) => bytesToHex(ids, n * 20, 20));
        assert.deepEqual(ours.sort(), theirs.trim().split('\n').sort(), lines.join(' | '));
      } finally {
        reader.release();
      }
    }),
    { numRuns: 60 },
  );
});
