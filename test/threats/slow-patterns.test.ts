import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { encodeText } from '../../src/core/bytes.ts';
import { AttributeFiles } from '../../src/repository/archive/attribute-files.ts';
import { parseCommitText } from '../../src/repository/archive/commit-text.ts';
import { expandFormats } from '../../src/repository/archive/expand-format.ts';
import { Pathspec } from '../../src/repository/archive/pathspec.ts';
import { openRepository } from '../../src/repository/node/open-repository.ts';
import { filterBounds, parseObjectFilter } from '../../src/repository/object-filter.ts';
import { SparsePatterns } from '../../src/repository/sparse-patterns.ts';
import { git, scratchDirectory } from '../support/git.ts';
import { packLines } from '../support/packets.ts';
import { ask, readAnswer } from '../support/served-repository.ts';

const LIMIT = { code: 'LIMIT_EXCEEDED' };
const MIB = 1024 * 1024;
/** A deep path, as a pusher may make it. */
const LONG_PATH = 'aaaaaaa/'.repeat(512).slice(0, -1);

test('a sparse filter made to be slow is read at once, or refused', () => {
  for (const piece of ['[:', '[[:x]', '[[:', '[!', '[\\', '[a-', '[!a]', '**/', '*a', '?*', '!*/', '\\*']) {
    const blob = encodeText(piece.repeat(MIB / piece.length));
    try {
      new SparsePatterns(blob).selects(LONG_PATH, false);
    } catch (error) {
      assert.equal((error as { code?: unknown }).code, LIMIT.code, piece);
    }
  }
  const lines = new SparsePatterns(encodeText(`${'*a*b'.repeat(25)}\n`.repeat(900)));
  assert.throws(() => lines.selects(LONG_PATH, false), LIMIT);
  assert.equal(lines.selects('short/path', false), undefined);
});

test('a filter does not name patterns again and again', () => {
  let reads = 0;
  const patternsOf = (): SparsePatterns => {
    reads++;
    return new SparsePatterns(encodeText('*'));
  };
  for (const spec of ['sparse:oid=a+'.repeat(1000), 'combine:sparse:oid=a%2bsparse:oid=b+'.repeat(5)]) {
    assert.throws(() => parseObjectFilter(`combine:${spec}`), { code: 'PROTOCOL_VIOLATION' });
  }
  filterBounds(parseObjectFilter('combine:sparse:oid=a+sparse:oid=b'), patternsOf);
  assert.equal(reads, 2);
});

test('so are attributes, one file or many', () => {
  const line = `${'*a*b'.repeat(400)} export-ignore\n`;
  const one = new AttributeFiles(undefined);
  one.enter('', encodeText(line.repeat(600)));
  assert.throws(() => one.valuesOf(LONG_PATH, false), LIMIT);
  const many = new AttributeFiles(undefined);
  for (let level = 0; level < 40; level++) many.enter('aaaaaaa/'.repeat(level), encodeText(line.repeat(15)));
  assert.throws(() => many.valuesOf(LONG_PATH, false), LIMIT);
  for (let level = 0; level < 39; level++) many.leave();
  assert.equal(many.valuesOf('a/b', false).size, 0);
});

test('the paths of an archive cannot be asked for in a megabyte of wildcards', () => {
  assert.throws(() => new Pathspec([`*[${'a-b'.repeat(20_000)}]`]), LIMIT);
  assert.throws(() => new Pathspec(Array.from({ length: 60 }, () => '*a'.repeat(100))), LIMIT);
  const literal = new Pathspec(Array.from({ length: 60 }, (_, n) => `${'directory/'.repeat(200)}${n}`));
  assert.equal(literal.selects('elsewhere', false), false);
});

const COMMIT = `tree ${'1'.repeat(40)}\nauthor A <a@example.com> 1 +0000\ncommitter A <a@example.com> 1 +0000\n\n`;

test('a file cannot fill itself with its commit without end (export-subst; CVE-2022-41903 was of this kind)', () => {
  const message = '.-'.repeat(MIB / 2);
  const subject = {
    id: '2'.repeat(40),
    commit: parseCommitText(encodeText(`${COMMIT}${message}x\n\nbody`)),
    abbreviate: (id: string) => id.slice(0, 7),
    refNames: [],
  };
  const formats = (text: string, count: number): Uint8Array => encodeText(`$Format:${text.repeat(count)}$`);
  for (const placeholder of ['%B', '%b', '%s', '%f', '%h', '%y', '%%']) {
    assert.throws(() => expandFormats(formats(placeholder, 1_000_000), subject), LIMIT, placeholder);
  }
  assert.throws(() => expandFormats(encodeText('$Format:%h$'.repeat(200_000)), subject), LIMIT);
  assert.equal(expandFormats(formats('%f', 1), subject).length, message.length + 1);
});

test('a filter that is larger than any filter is not read into memory', async (t) => {
  const directory = await scratchDirectory(t);
  git(directory, 'init', '-q', '--bare', '-b', 'main', '.');
  git(directory, 'init', '-q', '-b', 'main', 'work');
  const work = join(directory, 'work');
  writeFileSync(join(work, 'large'), 'a'.repeat(MIB + 1));
  git(work, 'add', 'large');
  git(work, 'commit', '-q', '-m', 'one');
  git(work, 'push', '-q', directory, 'HEAD:main');
  const [tip, large] = ['HEAD', 'HEAD:large'].map((name) => git(work, 'rev-parse', name).trim());
  await using repository = await openRepository(directory);
  const lines = [
    'command=fetch',
    '0001',
    'no-progress',
    `filter sparse:oid=${large}`,
    `want ${tip}`,
    'done',
    '0000',
  ];
  const options = { filters: true } as object;
  const answer = readAnswer(await ask(repository, { version: 2, request: packLines(lines), options }));
  assert.match(answer.lines.join('\n'), /more than 1048576 bytes/);
});
