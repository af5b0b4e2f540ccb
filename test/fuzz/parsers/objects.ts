/**
 * Parsers of commits, trees, tags and the blobs that git gives a meaning; and the check of all of them.
 *
 * @module
 */
import { concatBytes, encodeLatin1 } from '../../../src/core/bytes.ts';
import { SHA1 } from '../../../src/core/object-id.ts';
import { BLOB, COMMIT, TAG, TREE } from '../../../src/core/object-kind.ts';
import { Pace } from '../../../src/core/pace.ts';
import type { ObjectReader } from '../../../src/odb/object-database.ts';
import { FsckFindings } from '../../../src/pack/fsck/findings.ts';
import { ObjectChecker } from '../../../src/pack/fsck/object-checker.ts';
import { STRICT_FSCK_RULES } from '../../../src/pack/fsck/rules.ts';
import { CommitFields } from '../../../src/repository/commit.ts';
import { checkSpecialBlobs } from '../../../src/repository/fsck/special-blobs.ts';
import { parseTag } from '../../../src/repository/tag.ts';
import { TreeEntry } from '../../../src/repository/tree.ts';
import { TreeScanner } from '../../../src/repository/tree-scanner.ts';
import { chunked } from '../../support/streams.ts';
import { type FuzzedParser, orRefusal } from '../fuzzed-parser.ts';
import { bytes, ID, NUMBER, oneOf, REF_NAME, type Rule, sequence, some } from '../grammar.ts';
import { realFiles } from '../real-files.ts';

const PERSON = sequence(
  oneOf('A U Thor ', '', 'A>', ' '),
  oneOf('<a@example.com>', '<a', '<<>>', '>', '<>'),
  oneOf(' ', '', '  \t'),
  NUMBER,
  oneOf(' +0000', ' -0700', ' +00', ''),
  '\n',
);
const COMMIT_TEXT = sequence(
  oneOf('tree ', 'tree ', 'tree'),
  ID,
  '\n',
  some(sequence('parent ', ID, '\n'), 4),
  oneOf('author ', 'author ', ''),
  PERSON,
  oneOf('committer ', 'committer ', 'author '),
  PERSON,
  oneOf('', 'encoding x\n', 'gpgsig -\n x\n', '\0'),
  oneOf('\nmessage\n', '\n', ''),
);
const TAG_TEXT = sequence(
  'object ',
  ID,
  '\ntype ',
  oneOf('commit', 'tag', 'blob', 'x', ''),
  '\ntag ',
  REF_NAME,
  oneOf('\ntagger ', '\n'),
  PERSON,
  oneOf('\nmessage\n', 'gpgsig x\n y\n', ''),
);
const RAW_ID: Rule = (random) =>
  random.pick(['\0', 'a', '\xff', '\n']).repeat(random.below(12) === 0 ? 19 : 20);
const FILE_NAME = oneOf(
  'a',
  'b',
  '.git',
  '.GIT',
  'git~1',
  '.gitmodules',
  'GITMOD~1',
  '.gitattributes',
  '.g\xe2\x80\x8cit',
  '.git::$INDEX_ALLOCATION',
  '..',
  '.',
  'a/b',
  'a\\.git\\b',
  '\xff',
  'x'.repeat(5000),
  some(oneOf('.', 'g', 'i', 't', '~', '1', '\xe2\x80\x8d', ' '), 8),
);
const TREE_TEXT = some(
  sequence(
    oneOf('100644', '40000', '160000', '120000', '0100644', '777777777777', '', '9'),
    ' ',
    FILE_NAME,
    '\0',
    RAW_ID,
  ),
  8,
);
const PERSON_WORDS = [
  '\n',
  ' ',
  '<',
  '>',
  'parent ',
  'author ',
  'committer ',
  'gpgsig ',
  '\0',
  '18446744073709551616',
];

export function objectParsers(): FuzzedParser[] {
  const { commits, trees, tags } = realFiles();
  return [
    commit(commits),
    tree(trees),
    tag(tags),
    special('gitmodules', bytes(GITMODULES), GITMODULES_FILES),
    special('gitattributes', bytes(some(oneOf('* text\n', 'a\n', 'x'.repeat(2047), '\n', '\0'), 6)), [
      encodeLatin1('*.c diff=cpp\n'),
    ]),
  ];
}

function commit(corpus: readonly Uint8Array[]): FuzzedParser {
  const fields = new CommitFields(SHA1);
  return {
    name: 'commit',
    corpus,
    generate: bytes(COMMIT_TEXT),
    words: PERSON_WORDS,
    read(input) {
      check(COMMIT, input);
      // As it lies in a cache: other objects before it and behind it.
      const among = concatBytes(encodeLatin1('parent '), input, encodeLatin1(`parent ${'a'.repeat(40)}\n`));
      orRefusal(() => fields.read(among, 7, 7 + input.length));
      fields.read(input);
      if (!Number.isSafeInteger(fields.date)) throw new Error(`the date is ${fields.date}`);
    },
  };
}

function tree(corpus: readonly Uint8Array[]): FuzzedParser {
  return {
    name: 'tree',
    corpus,
    generate: bytes(TREE_TEXT),
    words: ['.git\0', '\0', '40000 ', '100644 ', '/', '\\', '.gitmodules', '\xe2\x80\x8c'],
    read(input) {
      check(TREE, input);
      const half = input.length >> 1;
      const scanner = new TreeScanner(SHA1.idBytes);
      orRefusal(() => {
        scanner.scan(corpus[0] as Uint8Array, 0, (corpus[0] as Uint8Array).length, 1, 1);
        scanner.scan(input, 0, input.length, 1, 1);
        scanner.scan(input, half, input.length, 1, 1);
      });
      const entry = new TreeEntry(SHA1.idBytes);
      for (let at = 0; at < input.length; ) {
        const end = entry.read(input, at, input.length);
        if (end <= at || entry.nameEnd < entry.nameStart) throw new Error('a tree entry goes backwards');
        at = end;
      }
    },
  };
}

function tag(corpus: readonly Uint8Array[]): FuzzedParser {
  return {
    name: 'tag',
    corpus,
    generate: bytes(TAG_TEXT),
    words: [...PERSON_WORDS, 'object ', 'type ', 'tag ', 'tagger '],
    read(input) {
      check(TAG, input);
      return parseTag(input, SHA1);
    },
  };
}

function check(kind: number, input: Uint8Array): void {
  const checker = new ObjectChecker(SHA1, STRICT_FSCK_RULES);
  orRefusal(() => checker.check(0, kind, input, 0, input.length));
  orRefusal(() => checker.check(1, kind, input, input.length >> 1, input.length));
  checker.check(2, BLOB, input, 0, input.length);
}

const GITMODULES_FILES = [
  '[submodule "a"]\n\tpath = a\n\turl = https://example.com/a\n',
  '[submodule "../x"]\n\turl = -u./x\n\tpath = --x\n\tupdate = !cmd\n',
].map(encodeLatin1);
const GITMODULES = some(
  oneOf(
    sequence('[submodule "', oneOf('a', '..', 'a/../b', '.\\\\..', '', '"'), '"]\n'),
    sequence(
      oneOf('url', 'path', 'update', 'x'),
      ' = ',
      oneOf(
        'https://a/b',
        'https:///x',
        'http://%0a@b/',
        './%',
        '../../../a:b',
        'git://a%0ab/',
        '-x',
        '!x',
        '"\\n"',
        'ssh://[::1',
        'https://a%zz/',
        '../'.repeat(30),
      ),
      '\n',
    ),
  ),
  8,
);

/** A blob of that name in a tree. */
function special(
  name: 'gitmodules' | 'gitattributes',
  generate: FuzzedParser['generate'],
  corpus: readonly Uint8Array[],
): FuzzedParser {
  return {
    name,
    corpus,
    generate,
    words: ['[submodule "', 'url = ', 'https://', '%0a', '../', '::', '\n', '\\', '"', ':', '@', '/'],
    read(data) {
      const findings = new FsckFindings(STRICT_FSCK_RULES);
      findings.addBlob(name, 'a'.repeat(40));
      const header = { kind: 'blob', sizeBytes: data.length } as const;
      // Only what that check asks for.
      const reader: Pick<ObjectReader, 'readHeader' | 'read' | 'stream'> = {
        readHeader: () => header,
        read: () => ({ kind: 'blob', data }),
        stream: () => ({ header, content: chunked(data, [100]) }),
      };
      return checkSpecialBlobs(reader as ObjectReader, findings, new Pace(undefined));
    },
  };
}
