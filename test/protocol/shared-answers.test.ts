/**
 * Fetches that share an answer, as clients see them; and those that must not.
 */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { concatBytes } from '../../src/core/bytes.ts';
import { DEFAULT_LIMITS } from '../../src/core/limits.ts';
import { type UploadPackOptions, uploadPack } from '../../src/protocol/upload-pack.ts';
import { PackSharing } from '../../src/repository/pack-sharing/pack-sharing.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { memoryHistory } from '../support/memory-history.ts';
import { packLines } from '../support/packets.ts';
import { readAnswer } from '../support/served-repository.ts';
import { chunked, drain } from '../support/streams.ts';

const { repository, commits, tag } = await memoryHistory();
const [first = '', tip = ''] = [commits[0], commits.at(-1)];

/** Snapshots opened: one a request, and one for each answer. */
let opened = 0;
let hold: Promise<void> | undefined;
/** Every request has found its wants. */
let allFound = (): void => undefined;
let found = Promise.resolve();
const watched: Repository = {
  ...repository,
  objects: {
    format: repository.objects.format,
    begin: (options) => repository.objects.begin(options),
    close: () => repository.objects.close(),
    async openReader(options) {
      // The first of a request finds its wants; the second chooses, which nobody does before all have found theirs.
      if (++opened > requests) await hold;
      else if (opened === requests) allFound();
      else await found;
      return repository.objects.openReader(options);
    },
  },
};
let requests = 0;
after(() => repository[Symbol.asyncDispose]());

const cloneOf = (wants: readonly string[], ...options: readonly string[]): Uint8Array =>
  packLines([
    'command=fetch',
    'object-format=sha1',
    '0001',
    'ofs-delta',
    ...options,
    ...wants.map((id) => `want ${id}`),
    'done',
    '0000',
  ]);

function ask(
  request: Uint8Array,
  sharing: PackSharing,
  options: Partial<UploadPackOptions> = {},
): Promise<Uint8Array> {
  requests++;
  return drain(
    uploadPack(watched, chunked(request), {
      mode: 'stateless',
      protocolVersion: 2,
      limits: DEFAULT_LIMITS,
      sharing,
      ...options,
    }),
  );
}

interface Asked {
  readonly request?: Uint8Array;
  readonly options?: Partial<UploadPackOptions>;
}

/** All at the same time. @returns the answers, and how many of them were chosen for */
async function askTogether(asked: readonly Asked[]): Promise<{ answers: Uint8Array[]; choices: number }> {
  const sharing = new PackSharing();
  let open = (): void => undefined;
  hold = new Promise((resolve) => {
    open = resolve;
  });
  found = new Promise((resolve) => {
    allFound = resolve;
  });
  opened = 0;
  requests = 0;
  const answers = asked.map(({ request = cloneOf([tip]), options }) => ask(request, sharing, options));
  await found;
  await new Promise((resolve) => setTimeout(resolve, 30));
  open();
  const all = await Promise.all(answers);
  return { answers: all, choices: opened - requests };
}

describe('clients that ask at the same time', () => {
  test('for the same are given one answer, each with its own progress', async () => {
    const { answers, choices } = await askTogether([{}, {}, {}]);
    assert.equal(choices, 1);
    for (const answer of answers.map(readAnswer)) {
      assert.deepEqual(answer.pack, readAnswer(answers[0] as Uint8Array).pack);
      assert.match(answer.progress, /Enumerating objects: 15, done\./);
      assert.match(answer.progress, /Counting objects: 100% \(15\/15\), done\./);
      assert.match(answer.progress, /Total 15 \(delta 0\), reused \d+ \(delta 0\), pack-reused 0\n$/);
    }
  });

  test('for the same share it, whether they want to see progress or not', async () => {
    const { answers, choices } = await askTogether([{}, { request: cloneOf([tip], 'no-progress') }]);
    assert.equal(choices, 1);
    const [noisy, quiet] = answers.map(readAnswer);
    assert.deepEqual(noisy?.pack, quiet?.pack);
    assert.equal(quiet?.progress, '');
  });

  test('get keepalives while they wait for what another began', async () => {
    const limits = { ...DEFAULT_LIMITS, keepaliveMs: 5 };
    const { answers, choices } = await askTogether([{ options: { limits } }, { options: { limits } }]);
    assert.equal(choices, 1);
    for (const answer of answers) {
      const text = new TextDecoder('latin1').decode(concatBytes(answer));
      assert.ok(text.includes('0005\u0001'), text.slice(0, 200));
    }
  });

  for (const [what, request] of [
    ['other wants', cloneOf([first])],
    ['more wants', cloneOf([tip, tag])],
    ['a filter', cloneOf([tip], 'filter blob:none')],
    ['a depth', cloneOf([tip], 'deepen 1')],
    ['what they have', cloneOf([tip], `have ${first}`)],
    ['tags', cloneOf([tip], 'include-tag')],
  ] as const) {
    test(`do not share with one that differs in ${what}`, async () => {
      const { answers, choices } = await askTogether([{}, { request }]);
      assert.equal(choices, 2);
      const [plain, other] = answers.map(readAnswer);
      assert.notDeepEqual(plain?.pack, other?.pack);
    });
  }
});

describe('clients that may not see the same', () => {
  test('get their own tags', async () => {
    const request = cloneOf([tip], 'include-tag');
    const { answers, choices } = await askTogether([
      { request },
      { request, options: { hiddenRefs: ['refs/tags/'] } },
    ]);
    assert.equal(choices, 2);
    const [seeing, other] = answers.map(readAnswer);
    assert.match(seeing?.progress ?? '', /Total 16 /);
    assert.match(other?.progress ?? '', /Total 15 /);
  });

  test('are refused what others are being given', async () => {
    const { answers, choices } = await askTogether([
      {},
      { options: { hiddenRefs: ['HEAD', 'refs/'] } },
      { options: { wantPolicy: 'any' } },
    ]);
    assert.equal(choices, 1);
    const [given, refused, trusted] = answers.map(readAnswer);
    assert.deepEqual(refused?.lines, [`ERR upload-pack: not our ref ${tip}`]);
    assert.equal(refused?.pack.length, 0);
    assert.deepEqual(trusted?.pack, given?.pack);
  });
});
