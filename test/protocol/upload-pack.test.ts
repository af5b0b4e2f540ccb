/**
 * Whole conversations, held against git's own upload-pack: the same packets, and packs of the same objects.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openRepository } from '../../src/repository/node/open-repository.ts';
import { git } from '../support/git.ts';
import { makeHistory } from '../support/made-history.ts';
import { packLines } from '../support/packets.ts';
import { ask, askGit, packIds, type Question, readAnswer } from '../support/served-repository.ts';

const root = mkdtempSync(join(tmpdir(), 'packwire-upload-pack-'));
after(async () => {
  await repository[Symbol.asyncDispose]();
  rmSync(root, { recursive: true, force: true });
});

let made = 0;
const newDirectory = (): string => mkdtempSync(join(root, `${++made}-`));

/** 0 ← 1 ← 2 ← 3 ← 4 ← 5, a side branch 2 ← 6 ← 7, and the merge 8 of 5 and 7; then tags. */
const directory = newDirectory();
const ids = makeHistory(directory, [
  { parents: [], time: 0 },
  { parents: [0], time: 100 },
  { parents: [1], time: 200 },
  { parents: [2], time: 300 },
  { parents: [3], time: 400 },
  { parents: [4], time: 500 },
  { parents: [2], time: 350 },
  { parents: [6], time: 450 },
  { parents: [5, 7], time: 600 },
]);
const [c0, c1, c2, c3, c4, c5, , c7, c8] = ids as [string, ...string[]] & string[];
git(directory, 'branch', 'main', c5 as string);
git(directory, 'symbolic-ref', 'refs/heads/release', 'refs/heads/main');
git(directory, 'tag', 'light', c1 as string);
git(directory, 'tag', '-a', '-m', 'tag', 'annotated', c4 as string);
git(directory, 'tag', '-a', '-m', 'tag', 'nested', 'annotated');
git(directory, 'tag', 'of-a-blob', `${c0}:shared`);
const repository = await openRepository(directory);
const MISSING = 'd'.repeat(40);

const scratches = new Map<string, string>();

/** A bare repository to unpack in. */
function scratchOf(format: string): string {
  let scratch = scratches.get(format);
  if (scratch === undefined) {
    scratch = newDirectory();
    git(scratch, 'init', '--quiet', '--bare', `--object-format=${format}`, '.');
    scratches.set(format, scratch);
  }
  return scratch;
}

/** The same question to both: the lines must be equal, and so must be the objects of the packs. */
async function assertAsGit(
  question: Question,
  { isDeepened = false, where = { directory, repository } } = {},
): Promise<string[]> {
  const ours = readAnswer(await ask(where.repository, question));
  const theirs = readAnswer(askGit(where.directory, question));
  assert.deepEqual(
    inOrder(ours.lines),
    inOrder(question.version === 2 ? asOfToday(theirs.lines) : theirs.lines),
  );
  if (theirs.pack.length > 0 || ours.pack.length > 0) {
    const scratch = scratchOf(where.repository.format.name);
    const [sent, sentByGit] = [packIds(scratch, ours.pack), packIds(scratch, theirs.pack)];
    // Of what a shallow client has git looks at commits only, and sends some files again.
    if (isDeepened)
      assert.deepEqual(
        sent.filter((id) => !sentByGit.includes(id)),
        [],
      );
    else assert.deepEqual(sent, sentByGit);
  }
  return [...ours.lines];
}

/**
 * Before 2.52 git acknowledged a have as often as it was said, where once is enough; and some versions offer
 * object-info whether told to or not.
 */
const asOfToday = (lines: readonly string[]): string[] =>
  lines.filter(
    (line, at) => line !== 'object-info' && (!line.startsWith('ACK ') || lines.indexOf(line) === at),
  );

/** The lines of a boundary come in any order. */
function inOrder(lines: readonly string[]): string[] {
  const boundary = lines.filter((line) => /^(un)?shallow /.test(line)).sort();
  return lines.map((line) => (/^(un)?shallow /.test(line) ? (boundary.shift() as string) : line));
}

for (const version of [0, 1, 2] as const) {
  test(`the advertisement of version ${version} is git's`, async () => {
    await assertAsGit({ version, mode: 'advertise' });
  });

  test(`the advertisement of version ${version} on a connection is git's`, async () => {
    await assertAsGit({ version, mode: 'stateful', request: packLines(['0000']) });
  });
}

const lsRefs = (...lines: readonly string[]): Uint8Array =>
  packLines(['command=ls-refs', 'object-format=sha1', '0001', ...lines, '0000']);

for (const lines of [
  [],
  ['peel'],
  ['symrefs'],
  ['peel', 'symrefs', 'unborn'],
  ['ref-prefix refs/heads/main', 'ref-prefix refs/tags/light'],
  ['ref-prefix refs/heads/'],
  ['symrefs', 'ref-prefix HEAD', 'ref-prefix refs/heads/rel'],
  ['ref-prefix HE'],
  ['ref-prefix '],
  ['ref-prefix nothing'],
]) {
  test(`ls-refs ${JSON.stringify(lines)} is answered as git does`, async () => {
    await assertAsGit({ version: 2, request: lsRefs(...lines) });
  });
}

test('ls-refs without arguments needs no delimiter', async () => {
  await assertAsGit({
    version: 2,
    request: packLines(['command=ls-refs', 'object-format=sha1', 'server-option=hello', '0000']),
  });
});

const fetch = (...lines: readonly string[]): Uint8Array =>
  packLines(['command=fetch', 'agent=test/1', 'object-format=sha1', '0001', 'no-progress', ...lines, '0000']);

for (const [name, lines] of [
  ['a clone', [`want ${c8}`, `want ${c5}`, 'done']],
  ['a clone that does not say done', [`want ${c8}`]],
  ['a clone with ofs-delta and include-tag', [`want ${c8}`, 'ofs-delta', 'include-tag', 'done']],
  ['nothing wanted', ['done']],
  ['nothing wanted, something had', [`have ${c1}`]],
  ['a have that is known', [`want ${c8}`, `have ${c4}`]],
  ['a have that is known, and ready', [`want ${c5}`, `have ${c4}`]],
  ['a have that is unknown', [`want ${c8}`, `have ${MISSING}`]],
  ['haves of which some are known', [`want ${c5}`, `have ${MISSING}`, `have ${c1}`, `have ${c3}`]],
  ['a have twice', [`want ${c8}`, `have ${c1}`, `have ${c1}`]],
  ['a have and then its parent', [`want ${c8}`, `have ${c3}`, `have ${c2}`, `have ${c1}`, `have ${c0}`]],
  ['haves and done', [`want ${c8}`, `have ${c4}`, `have ${c7}`, 'done']],
  ['an unknown have and done', [`want ${c8}`, `have ${MISSING}`, 'done']],
  ['wait-for-done', [`want ${c5}`, `have ${c4}`, 'wait-for-done']],
  ['wait-for-done without wants', [`have ${c4}`, `have ${MISSING}`, 'wait-for-done']],
  ['depth 1', [`want ${c8}`, 'deepen 1', 'done']],
  ['depth 3', [`want ${c8}`, 'deepen 3', 'done']],
  ['deepened by a client with a boundary', [`want ${c5}`, `shallow ${c5}`, `have ${c5}`, 'deepen 3', 'done']],
  [
    'deepened relative to the boundary',
    [`want ${c5}`, `shallow ${c4}`, `have ${c5}`, 'deepen 1', 'deepen-relative', 'done'],
  ],
  ['unshallowed', [`want ${c5}`, `shallow ${c4}`, `have ${c5}`, 'deepen 2147483647', 'done']],
  ['shallow without deepening', [`want ${c8}`, `shallow ${c4}`, `have ${c5}`, 'done']],
  ['shallow at a commit we do not have', [`want ${c5}`, `shallow ${MISSING}`, 'done']],
  ['deepen-since', [`want ${c8}`, 'deepen-since 1104538000', 'done']],
  ['deepen-not', [`want ${c8}`, 'deepen-not annotated', 'done']],
  ['blob:none', [`want ${c8}`, 'filter blob:none', 'done']],
  ['tree:0', [`want ${c8}`, 'filter tree:0', 'done']],
  ['blob:limit', [`want ${c8}`, 'filter blob:limit=10', 'done']],
] as const) {
  test(`fetch: ${name}`, async () => {
    await assertAsGit(
      { version: 2, request: fetch(...lines) },
      { isDeepened: /deepened|unshallowed/.test(name) },
    );
  });
}

const CAPABILITIES = 'side-band-64k no-progress';

for (const [name, lines] of [
  ['nothing wanted', ['0000']],
  ['a clone', [`want ${c8} ${CAPABILITIES}`, `want ${c5}`, '0000', 'done']],
  ['a clone with a small side-band', [`want ${c8} side-band no-progress ofs-delta`, '0000', 'done']],
  ['plain: a common have', [`want ${c8} ${CAPABILITIES}`, '0000', `have ${c1}`, `have ${c2}`, '0000']],
  ['plain: a have twice', [`want ${c8} ${CAPABILITIES}`, '0000', `have ${c1}`, `have ${c1}`, '0000']],
  ['plain: an unknown have', [`want ${c8} ${CAPABILITIES}`, '0000', `have ${MISSING}`, '0000']],
  ['plain: done', [`want ${c8} ${CAPABILITIES}`, '0000', `have ${MISSING}`, `have ${c5}`, 'done']],
  [
    'multi_ack',
    [`want ${c5} multi_ack ${CAPABILITIES}`, '0000', `have ${c3}`, `have ${MISSING}`, `have ${c1}`, '0000'],
  ],
  ['multi_ack, done', [`want ${c5} multi_ack ${CAPABILITIES}`, '0000', `have ${c3}`, 'done']],
  [
    'multi_ack_detailed',
    [`want ${c5} multi_ack_detailed ${CAPABILITIES}`, '0000', `have ${c3}`, `have ${MISSING}`, '0000'],
  ],
  [
    'multi_ack_detailed, ready at the flush',
    [`want ${c5} multi_ack_detailed ${CAPABILITIES}`, '0000', `have ${c3}`, '0000'],
  ],
  [
    'multi_ack_detailed and no-done, ready at the flush',
    [`want ${c5} multi_ack_detailed no-done ${CAPABILITIES}`, '0000', `have ${c3}`, '0000'],
  ],
  [
    'multi_ack_detailed and no-done, ready at an unknown have',
    [
      `want ${c5} multi_ack_detailed no-done ${CAPABILITIES}`,
      '0000',
      `have ${c3}`,
      `have ${MISSING}`,
      `have ${c1}`,
      '0000',
    ],
  ],
  [
    'multi_ack_detailed, not ready',
    [`want ${c8} multi_ack_detailed no-done ${CAPABILITIES}`, '0000', `have ${MISSING}`, '0000'],
  ],
  [
    'multi_ack_detailed, done',
    [`want ${c8} multi_ack_detailed ${CAPABILITIES}`, '0000', `have ${c7}`, 'done'],
  ],
  ['depth, and then the end', [`want ${c8} ${CAPABILITIES}`, 'deepen 1', '0000']],
  ['depth', [`want ${c8} ${CAPABILITIES}`, 'deepen 2', '0000', 'done']],
  ['deepened', [`want ${c5} ${CAPABILITIES}`, `shallow ${c5}`, 'deepen 2', '0000', `have ${c5}`, 'done']],
  [
    'deepened relative to the boundary',
    [`want ${c5} deepen-relative ${CAPABILITIES}`, `shallow ${c4}`, 'deepen 1', '0000', `have ${c5}`, 'done'],
  ],
  ['shallow', [`want ${c5} ${CAPABILITIES}`, `shallow ${c4}`, '0000', `have ${c4}`, 'done']],
  ['a filter', [`want ${c8} filter ${CAPABILITIES}`, 'filter blob:none', '0000', 'done']],
  ['include-tag', [`want ${c8} include-tag ${CAPABILITIES}`, '0000', 'done']],
] as const) {
  test(`upload request: ${name}`, async () => {
    await assertAsGit({ version: 0, request: packLines(lines) }, { isDeepened: name.startsWith('deepened') });
  });
}

test('on a connection version 0 answers batch after batch', async () => {
  const request = packLines([
    `want ${c8} multi_ack_detailed ${CAPABILITIES}`,
    '0000',
    `have ${MISSING}`,
    '0000',
    `have ${c1}`,
    `have ${MISSING}`,
    '0000',
    `have ${c5}`,
    `have ${c7}`,
    '0000',
    'done',
  ]);
  await assertAsGit({ version: 0, mode: 'stateful', request });
});

test('on a connection version 2 answers command after command', async () => {
  const { lines } = readAnswer(
    await ask(repository, {
      version: 2,
      mode: 'stateful',
      request: new Uint8Array([
        ...lsRefs('ref-prefix HEAD'),
        ...fetch(`want ${c8}`, `have ${MISSING}`),
        ...packLines(['0000']),
      ]),
    }),
  );
  assert.deepEqual(lines.slice(lines.indexOf('0000') + 1), [
    `${c8} HEAD`,
    '0000',
    'acknowledgments',
    'NAK',
    '0000',
  ]);
});
