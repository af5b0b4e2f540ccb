import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { nodeRuntime } from '../../../src/core/node/runtime.ts';
import { bytesToHex, SHA1 } from '../../../src/core/object-id.ts';
import { codeOfKind, type ObjectKind } from '../../../src/core/object-kind.ts';
import { FsckFindings } from '../../../src/pack/fsck/findings.ts';
import { fsckMessageId } from '../../../src/pack/fsck/messages.ts';
import { ObjectChecker } from '../../../src/pack/fsck/object-checker.ts';
import { fsckRules, STRICT_FSCK_RULES } from '../../../src/pack/fsck/rules.ts';
import { GIT_ENVIRONMENT, git, scratchDirectory } from '../../support/git.ts';

const ID = '3'.repeat(40);
const TREE = `tree ${'4b825dc642cb6eb9a060e54bf8d69288fbee4904'}\n`;
const PERSON = 'A U Thor <author@example.com> 1112911993 -0700\n';
const COMMIT = `${TREE}author ${PERSON}committer ${PERSON}\nmessage\n`;
const TAG = `object ${ID}\ntype commit\ntag v1\ntagger ${PERSON}\nmessage\n`;

/** `severity message` of each finding, warnings first. */
function check(kind: ObjectKind, content: string | Uint8Array, rules = STRICT_FSCK_RULES): string[] {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
  const checker = new ObjectChecker(SHA1, rules);
  const around = Buffer.concat([Buffer.from('xyz'), bytes, Buffer.from('\nxyz')]);
  checker.check(7, codeOfKind(kind), around, 3, 3 + bytes.length);
  const findings = new FsckFindings(rules);
  findings.adopt(checker.findings.finish(), () => ID);
  const { warnings, error } = findings;
  return [...warnings, ...(error === undefined ? [] : [error])].map((f) => `${f.severity} ${f.message}`);
}

function tree(...entries: readonly (readonly [mode: string, name: string])[]): Buffer {
  return Buffer.concat(
    entries.flatMap(([mode, name]) => [
      Buffer.from(`${mode} `),
      Buffer.from(name),
      Buffer.from([0]),
      Buffer.alloc(20, 7),
    ]),
  );
}

test('what git writes has nothing wrong', () => {
  assert.deepEqual(check('commit', COMMIT), []);
  assert.deepEqual(check('tag', TAG), []);
  assert.deepEqual(
    check('tree', tree(['100644', 'a'], ['40000', 'b'], ['160000', 'c'], ['120000', 'd'])),
    [],
  );
  assert.deepEqual(check('tree', ''), []);
});

const COMMITS: readonly (readonly [finding: string, content: string])[] = [
  ['error unterminatedHeader', ''],
  ['error unterminatedHeader', `${TREE}author`],
  ['error nulInHeader', `${TREE}author A\0B`],
  ['error missingTree', `author ${PERSON}`],
  ['error badTreeSha1', COMMIT.replace('4b825', '4b82x')],
  ['error badParentSha1', COMMIT.replace('author', 'parent 12\nauthor')],
  ['error missingAuthor', `${TREE}committer ${PERSON}`],
  ['error multipleAuthors', `${TREE}author ${PERSON}author ${PERSON}committer ${PERSON}`],
  ['error missingCommitter', `${TREE}author ${PERSON}`],
  ['error missingNameBeforeEmail', COMMIT.replace('A U Thor ', '')],
  ['error missingSpaceBeforeEmail', COMMIT.replace('Thor <', 'Thor<')],
  ['error missingEmail', COMMIT.replace('<author@example.com>', '')],
  ['error badName', COMMIT.replace('Thor', 'Thor>')],
  ['error badEmail', COMMIT.replace('example.com>', 'example.com')],
  ['error missingSpaceBeforeDate', COMMIT.replace('> 1', '>1')],
  ['error badDate', COMMIT.replace('1112911993', 'now')],
  ['error zeroPaddedDate', COMMIT.replace('1112911993', '01112911993')],
  ['error badDateOverflow', COMMIT.replace('1112911993', '18446744073709551617')],
  ['error badTimezone', COMMIT.replace('-0700', '-070')],
  ['error nulInCommit', `${COMMIT}a\0b`],
];
for (const [finding, content] of COMMITS) {
  test(`a commit: ${finding} in ${JSON.stringify(content.slice(0, 90))}`, () => {
    assert.deepEqual(check('commit', content), [finding]);
  });
}

const TAGS: readonly (readonly [finding: string, content: string])[] = [
  ['error missingObject', TAG.replace('object', 'objec')],
  ['error badObjectSha1', TAG.replace('333\n', '33\n')],
  ['error missingTypeEntry', TAG.replace('type', 'typ')],
  ['error badType', TAG.replace('type commit', 'type comet')],
  ['error missingTagEntry', TAG.replace('tag v1\n', '')],
  ['warn badTagName', TAG.replace('tag v1', 'tag v1..2')],
  ['warn missingTaggerEntry', TAG.replace(/tagger.*\n/, '')],
];
for (const [finding, content] of TAGS) {
  test(`a tag: ${finding} in ${JSON.stringify(content.slice(0, 90))}`, () => {
    assert.deepEqual(check('tag', content), [finding]);
  });
}

const TREES: readonly (readonly [finding: string, content: Buffer])[] = [
  ['error badTree', tree(['100644', 'a']).subarray(0, 20)],
  ['error badTree', tree(['100648', 'a'])],
  ['error badTree', tree(['100644', ''])],
  ['error fullPathname', tree(['100644', 'a/b'])],
  ['error hasDot', tree(['40000', '.'])],
  ['error hasDotdot', tree(['40000', '..'])],
  ['error hasDotgit', tree(['40000', '.git'])],
  ['error hasDotgit', tree(['40000', '.GiT'])],
  ['error hasDotgit', tree(['40000', '.git. .'])],
  ['error hasDotgit', tree(['40000', 'GIT~1'])],
  ['error hasDotgit', tree(['40000', '.git::$INDEX_ALLOCATION'])],
  ['error hasDotgit', tree(['40000', '.g\u200cit'])],
  ['error hasDotgit', tree(['40000', '\ufeff.git'])],
  ['error hasDotgit', tree(['100644', 'a\\.git\\b'])],
  ['error gitmodulesSymlink', tree(['120000', '.gitmodules'])],
  ['error gitmodulesSymlink', tree(['120000', 'GI7EBA~1'])],
  ['error gitmodulesSymlink', tree(['120000', 'gitmod~4'])],
  ['warn gitattributesSymlink', tree(['120000', '.gitattributes '])],
  ['warn gitignoreSymlink', tree(['120000', '.gitignore'])],
  ['warn mailmapSymlink', tree(['120000', '.mailmap'])],
  ['error zeroPaddedFilemode', tree(['040000', 'a'])],
  ['warn badFilemode', tree(['100664', 'a'])],
  ['error duplicateEntries', tree(['100644', 'a'], ['40000', 'a'])],
  ['error duplicateEntries', tree(['100644', 'a'], ['100644', 'a.b'], ['40000', 'a'])],
  ['error treeNotSorted', tree(['100644', 'b'], ['100644', 'a'])],
  ['error treeNotSorted', tree(['40000', 'a'], ['100644', 'a.c'])],
];
for (const [finding, content] of TREES) {
  test(`a tree: ${finding} in ${JSON.stringify(content.toString('latin1'))}`, () => {
    assert.deepEqual(check('tree', content), [finding]);
  });
}

test('blobs that matter are remembered for when all trees are known', () => {
  const checker = new ObjectChecker(SHA1, STRICT_FSCK_RULES);
  const content = tree(['100644', '.gitattributes'], ['100644', '.gitmodules']);
  checker.check(0, codeOfKind('tree'), content, 0, content.length);
  assert.deepEqual(checker.findings.blobs, [
    { role: 'gitattributes', id: '07'.repeat(20) },
    { role: 'gitmodules', id: '07'.repeat(20) },
  ]);
});

test('a configuration makes messages milder or stricter, and lets objects through', () => {
  const broken = COMMIT.replace('A U Thor ', '');
  const milder = fsckRules([['MissingNameBeforeEmail', 'warn']]);
  assert.deepEqual(check('commit', broken, milder), ['warn missingNameBeforeEmail']);
  assert.deepEqual(check('commit', broken, fsckRules([['missingNameBeforeEmail', 'ignore']])), []);
  assert.deepEqual(check('commit', broken, fsckRules([], new Set([ID]))), []);
  const stricter = fsckRules([['badFilemode', 'error']]);
  assert.deepEqual(check('tree', tree(['100664', 'a']), stricter), ['error badFilemode']);
  const short = fsckRules([['largePathname', 'warn:3']]);
  assert.deepEqual(check('tree', tree(['100644', 'abcd']), short), ['warn largePathname']);
});

test('what a configuration may not say is refused', () => {
  for (const [name, severity] of [
    ['noSuchMessage', 'warn'],
    ['badDate', 'loud'],
    ['nulInHeader', 'warn'],
    ['badDate', 'warn:3'],
  ] as const) {
    assert.throws(() => fsckRules([[name, severity]]), { code: 'INVALID_ARGUMENT' }, `${name}=${severity}`);
  }
});

interface GitVerdict {
  /** `id severity message` */
  readonly found: ReadonlySet<string>;
  /** Objects that `git fsck` does not come to check, because it cannot parse them. */
  readonly unparsed: ReadonlySet<string>;
}

function gitVerdict(directory: string, kind: ObjectKind, contents: readonly Uint8Array[]): GitVerdict {
  git(directory, 'init', '-q', '--bare', '.');
  const paths = contents.map((content, i) => {
    writeFileSync(join(directory, `content-${i}`), content);
    return join(directory, `content-${i}`);
  });
  const input = `${paths.join('\n')}\n`;
  git({ cwd: directory, input }, 'hash-object', '-w', '--literally', '-t', kind, '--stdin-paths');
  const { stdout, stderr } = spawnSync('git', ['fsck', '--strict', '--no-dangling', '--no-reflogs'], {
    cwd: directory,
    env: GIT_ENVIRONMENT,
    encoding: 'utf8',
  });
  const found = new Set<string>();
  const unparsed = new Set<string>();
  for (const line of `${stdout}\n${stderr}`.split('\n')) {
    const [, severity, id, message = ''] =
      /^(error|warning) in (?:commit|tree|tag) ([0-9a-f]{40}): (\w+):/.exec(line) ?? [];
    const broken = /^error: ([0-9a-f]{40}): object could not be parsed/.exec(line)?.[1];
    if (id !== undefined) {
      found.add(`${id} ${severity === 'warning' ? 'warn' : severity} ${fsckMessageId(message)}`);
    } else if (broken !== undefined) unparsed.add(broken);
  }
  return { found, unparsed };
}

function ourFindings(kind: ObjectKind, contents: readonly Uint8Array[]): Set<string> {
  const found = new Set<string>();
  const id = new Uint8Array(20);
  for (const content of contents) {
    const whole = Buffer.concat([Buffer.from(`${kind} ${content.length}\0`), content]);
    nodeRuntime.hashInto(SHA1, whole, 0, whole.length, id, 0);
    for (const finding of check(kind, content)) found.add(`${bytesToHex(id)} ${finding}`);
  }
  return found;
}

/** We stop at the first error of an object; in trees git goes on. */
function differences(ours: ReadonlySet<string>, { found, unparsed }: GitVerdict): string[] {
  const broken = new Set([...ours].filter((line) => line.includes(' error ')).map(idOf));
  const onlyOurs = [...ours].filter(
    // Older gits read dates as C does, signs and newlines before them included.
    (line) => !found.has(line) && !unparsed.has(idOf(line)) && !line.endsWith(' badDate'),
  );
  const onlyGit = [...found].filter(
    (line) => !ours.has(line) && !(line.includes(' error ') && broken.has(idOf(line))),
  );
  return [...onlyOurs.map((line) => `only we: ${line}`), ...onlyGit.map((line) => `only git: ${line}`)];
}

function idOf(line: string): string {
  return line.slice(0, 40);
}

const damaged = (content: string) =>
  fc
    .array(fc.tuple(fc.nat(content.length - 1), fc.nat(2), fc.constantFrom(...'\n\0 <>09a+-x')), {
      minLength: 1,
      maxLength: 3,
    })
    .map((edits) => {
      let text = content;
      for (const [at, removed, added] of edits) text = text.slice(0, at) + added + text.slice(at + removed);
      return Buffer.from(text, 'latin1');
    });

const NAMES = [
  'a',
  'a.c',
  'a-b',
  'a0',
  'b',
  '.',
  '..',
  '.git',
  '.gitmodules',
  'git~1',
  'x/y',
  'é',
  'a\\.git',
  '.GITMODULES:x',
  'gi7eba~12',
  'gi7eb~1x',
  'git~1.',
  '.gitattributes..',
  '\u200d.gitignore',
];
const anyTree = fc
  .array(
    fc.tuple(
      fc.constantFrom('100644', '40000', '120000', '160000', '100755', '100664', '040000', '7'),
      fc.constantFrom(...NAMES),
    ),
    { maxLength: 6 },
  )
  .map((entries) => tree(...entries));

for (const [kind, contents] of [
  ['commit', damaged(COMMIT)],
  ['tag', damaged(TAG)],
  ['tree', anyTree],
] as const) {
  test(`git finds the same wrong with a ${kind}`, async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.array(contents, { minLength: 40, maxLength: 80 }), async (objects) => {
        const verdict = gitVerdict(await scratchDirectory(t), kind, objects);
        const found = differences(ourFindings(kind, objects), verdict);
        assert.deepEqual(found, [], found.join('; '));
      }),
      { numRuns: 6, endOnFailure: true, includeErrorInReport: true },
    );
  });
}
