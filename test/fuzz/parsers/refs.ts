/**
 * Parsers of names of refs and of the files that hold refs; of config files and the lists beside them.
 *
 * @module
 */
import { decodeLatin1, decodeText, encodeLatin1 } from '../../../src/core/bytes.ts';
import { SHA1 } from '../../../src/core/object-id.ts';
import { inOneGo } from '../../../src/core/steps.ts';
import { parseAlternates } from '../../../src/odb/alternates.ts';
import { readFilterRules } from '../../../src/protocol/filter-rules.ts';
import { isHiddenRef } from '../../../src/protocol/hidden-refs.ts';
import { parseLooseRef } from '../../../src/refs/loose-ref.ts';
import { parsePackedRefs } from '../../../src/refs/packed-refs.ts';
import { editPackedRefs } from '../../../src/refs/packed-refs-edit.ts';
import { compareRefNames, isStorableRefName, isValidRefName } from '../../../src/refs/ref-name.ts';
import { RefPrefixes } from '../../../src/refs/ref-prefixes.ts';
import { parseReflog } from '../../../src/refs/reflog-format.ts';
import { configuredFsckRules } from '../../../src/repository/fsck/fsck-config.ts';
import { type GitConfig, parseGitConfig } from '../../../src/repository/git-config.ts';
import { configuredHiddenRefs } from '../../../src/repository/hidden-ref-config.ts';
import { procReceiveRefs } from '../../../src/repository/push/proc-receive-refs.ts';
import { configuredUnpackLimit, effectivePolicy } from '../../../src/repository/push/push-config.ts';
import { refCommand } from '../../../src/repository/push/ref-command.ts';
import { checkRepositoryFormat } from '../../../src/repository/repository-format.ts';
import { parseShallowFile } from '../../../src/repository/shallow-file.ts';
import { memoryRepository } from '../../support/memory-repository.ts';
import { type FuzzedParser, orRefusal } from '../fuzzed-parser.ts';
import { bytes, ID, NUMBER, oneOf, REF_NAME, sequence, some } from '../grammar.ts';
import { realFiles } from '../real-files.ts';

export function refParsers(): FuzzedParser[] {
  const { packedRefs, reflog, config } = realFiles();
  return [
    refName,
    { ...packedRefsFile, corpus: [packedRefs] },
    looseRef,
    { ...reflogFile, corpus: [reflog] },
    { ...gitConfig, corpus: [config, ...CONFIGS.map(encodeLatin1)] },
    alternates,
    shallowFile,
    fsckSkipList,
  ];
}

const refName: FuzzedParser = {
  name: 'ref-name',
  corpus: [],
  generate: bytes(REF_NAME),
  words: ['/', '..', '.lock', '@{', 'refs/heads/', '\x7f', '*', '!', '^', '\xc3\xa9'],
  read(input) {
    const name = decodeText(input);
    const isValid = isValidRefName(name);
    // What is stored must be within refs/, or a plain word: never a path to anywhere else.
    if (isStorableRefName(name) && (/(^|\/)\.{1,2}(\/|$)|\\|\0/.test(name) || name.startsWith('/'))) {
      throw new Error(`a ref may be stored as ${name}`);
    }
    const patterns = [name, `!${name}`, `^${name}`, 'refs/heads/a'];
    return [
      isValid,
      isValidRefName(name, { allowOneLevel: true, refspecPattern: true }),
      compareRefNames(name, 'refs/heads/main'),
      isHiddenRef(name, patterns),
      new RefPrefixes([name, 'refs/heads/', '']),
    ];
  },
};

const packedRefsFile: Omit<FuzzedParser, 'corpus'> = {
  name: 'packed-refs',
  generate: bytes(
    sequence(
      oneOf('', '# pack-refs with: peeled fully-peeled sorted \n', '# pack-refs with: peeled\n', '#\n'),
      some(sequence(ID, ' ', REF_NAME, '\n', oneOf('', '', sequence('^', ID, '\n'))), 6),
    ),
  ),
  words: ['\n', '^', ' ', '# pack-refs with:', 'refs/heads/', 'a'.repeat(40)],
  read(input) {
    const refs = parsePackedRefs(input, SHA1);
    for (let i = 0; i < Math.min(refs.count, 50); i++) {
      const { name } = refs.at(i);
      if (refs.idAt(i).length !== SHA1.idHexDigits) throw new Error('an id has another length');
      refs.find(name);
      refs.endOf(name);
      refs.firstUnder('refs/heads/');
    }
    const edit = {
      remove: new Set(['refs/heads/a']),
      add: [{ name: 'refs/heads/new', id: 'a'.repeat(40) }],
    };
    const edited = inOneGo(editPackedRefs(input, SHA1, edit));
    if (parsePackedRefs(edited, SHA1).find('refs/heads/new') === undefined)
      throw new Error('the edit is lost');
  },
};

const looseRef: FuzzedParser = {
  name: 'loose-ref',
  corpus: [`${'a'.repeat(40)}\n`, 'ref: refs/heads/main\n', 'ref:\trefs/heads/main'].map(encodeLatin1),
  generate: bytes(
    oneOf(
      sequence(ID, oneOf('\n', '', ' x', '\r\n')),
      sequence('ref:', oneOf(' ', '', '\t'), REF_NAME, '\n'),
    ),
  ),
  words: ['ref:', ' ', '\n', '\0'],
  read: (input) => parseLooseRef(decodeText(input), SHA1),
};

const reflogFile: Omit<FuzzedParser, 'corpus'> = {
  name: 'reflog',
  generate: bytes(some(sequence(ID, ' ', ID, ' A <a@example.com> ', NUMBER, ' +0000\t', REF_NAME, '\n'), 4)),
  words: ['\t', '<', '>', ' ', '\n', '+0000'],
  read: (input) => parseReflog(decodeText(input), SHA1),
};

const CONFIGS = [
  '[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tobjectformat = sha1\n',
  '[a "b\\"c"] d = "x;y" ; comment\n\te = a\\\n b\\t\\n\n[receive]\n\tprocReceiveRefs = amd:refs/for\n',
  '[uploadpackfilter "blob:none"] allow = no\n[uploadpackfilter "tree"]\n\tmaxDepth = 3\n[uploadpackfilter]\nallow\n',
  '[include]\n\tpath = ../x\n[includeIf "gitdir:a"]\n\tpath = y\n[transfer] hideRefs = !refs/a\nhideRefs = ^refs/b\n',
  '[receive "fsck"]\n\tmissingEmail = ignore\n\tskipList = x\n[receive]\n\tfsckObjects\n\tdenyDeletes = on\n',
];

const gitConfig: Omit<FuzzedParser, 'corpus'> = {
  name: 'git-config',
  generate: bytes(
    some(
      oneOf(
        sequence('[', oneOf('core', 'receive', 'transfer', 'a.b', '', 'A-1', '__proto__'), ']\n'),
        sequence('[uploadpackfilter "', oneOf('tree', 'blob:none', 'a\\"', '\\', ']'), '"]\n'),
        sequence(
          oneOf('bare', 'hideRefs', 'fsckObjects', 'unpackLimit', 'maxInputSize', 'allow', 'maxDepth', 'x'),
          oneOf(' = ', '=', '', ' '),
          oneOf('true', 'no', NUMBER, REF_NAME, '"a b"', '"', '\\', 'a ; b', 'a\\\n b', '\\t\\q'),
          oneOf('\n', '\r\n', ''),
        ),
        sequence(oneOf('#', ';'), REF_NAME, '\n'),
        oneOf('\ufeff', '\xef\xbb\xbf', '\0', '\x0b', '\xc2\xa0'),
      ),
      10,
    ),
  ),
  words: ['[', ']', '"', '\\', '\n', '=', ';', '#', '[a "', '\r\n', '\\\n', '\xef\xbb\xbf', ' '],
  read(input) {
    const config = parseGitConfig(decodeText(input));
    for (const { name } of config.entries.slice(0, 50)) {
      config.getAll(name);
      orRefusal(() => config.getBoolean(name));
      orRefusal(() => config.getInteger(name));
    }
    return useConfig(config);
  },
};

/** All that reads keys of a repository's own config. */
async function useConfig(config: GitConfig): Promise<void> {
  orRefusal(() => readFilterRules(config.entries));
  orRefusal(() => checkRepositoryFormat(config));
  orRefusal(() => configuredHiddenRefs(config, 'receive'));
  orRefusal(() => effectivePolicy({}, config));
  orRefusal(() => configuredUnpackLimit(config));
  orRefusal(() => procReceiveRefs(config)?.(refCommand('refs/for/a', '0'.repeat(40), 'a'.repeat(40))));
  await configuredFsckRules(
    { ...memoryRepository(), config, readTextFile: async () => undefined },
    undefined,
  );
}

const alternates: FuzzedParser = {
  name: 'alternates',
  corpus: ['/a/b\n../c\n# x\n', '"a\\tb\\101\\"c"\n'].map(encodeLatin1),
  generate: bytes(
    some(sequence(oneOf('', '"', '#'), some(oneOf('a', '/', '..', '\\', '\\7', '"', '\\n'), 8), '\n'), 5),
  ),
  words: ['"', '\\', '\n', '\\777', '#'],
  read: (input) => parseAlternates(input),
};

const shallowFile: FuzzedParser = {
  name: 'shallow-file',
  corpus: [encodeLatin1(`${'a'.repeat(40)}\n${'b'.repeat(40)}\n`)],
  generate: bytes(some(sequence(ID, oneOf('\n', '\r\n', ' ')), 5)),
  read: (input) => parseShallowFile(decodeLatin1(input), SHA1),
};

const fsckSkipList: FuzzedParser = {
  name: 'fsck-skip-list',
  corpus: [encodeLatin1(`# x\n${'a'.repeat(40)} # y\n\n`)],
  generate: bytes(some(sequence(oneOf(ID, '#', ''), oneOf('\n', ' # x\n', '\r\n')), 5)),
  read(input) {
    const config = parseGitConfig('[receive]\nfsckObjects\n[receive "fsck"]\nskipList = x\n');
    const readTextFile = async (): Promise<string> => decodeText(input);
    return configuredFsckRules({ ...memoryRepository(), config, readTextFile }, true);
  },
};
