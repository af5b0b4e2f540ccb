import assert from 'node:assert/strict';
import { cpSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { decodeLatin1 } from '../../../src/core/bytes.ts';
import { warmMemory } from '../../../src/core/memory-budget.ts';
import { createRepositoryDirectory } from '../../../src/repository/node/repository-directory.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import { type BareRepository, bareRepository } from '../../support/bare-repository.ts';
import { packLines } from '../../support/packets.ts';
import { ask, askGit, type Question } from '../../support/served-repository.ts';

const MAIN = 'refs/heads/main';
const SETTLED_MS = 130; // older changes than this are told from new ones by their times

interface Warm {
  readonly repository: BareRepository;
  /** As a server does: from a directory that keeps repositories open. */
  answer(question: Question): Promise<Uint8Array>;
}

async function warm(context: TestContext): Promise<Warm> {
  const repository = await bareRepository(context);
  const directory = createRepositoryDirectory(dirname(repository.path));
  context.after(() => directory[Symbol.asyncDispose]());
  return {
    repository,
    async answer(question) {
      await using found = (await directory.resolve('bare', 'read')) as Repository;
      return ask(found, question);
    },
  };
}

function lsRefs(...args: readonly string[]): Question {
  return {
    version: 2,
    request: packLines(['command=ls-refs', 'object-format=sha1', '0001', ...args, '0000']),
  };
}

function fetchOf(want: string): Question {
  return {
    version: 2,
    request: packLines([
      ...['command=fetch', 'object-format=sha1', '0001', `want ${want}`, 'include-tag', 'done', '0000'],
    ]),
  };
}

const ALL = lsRefs('peel', 'symrefs', 'unborn');
const QUESTIONS: readonly Question[] = [
  ALL,
  lsRefs(),
  lsRefs('peel', 'symrefs', 'unborn', 'ref-prefix HEAD', 'ref-prefix refs/heads/', 'ref-prefix refs/tags/'),
  lsRefs('symrefs', 'ref-prefix refs/tags/', 'ref-prefix refs/heads/m'),
  lsRefs('peel', 'ref-prefix refs/remotes/origin/HEAD', 'ref-prefix refs/heads/a'),
  lsRefs('unborn', 'symrefs', 'ref-prefix HEAD'),
];

async function agrees({ repository, answer }: Warm): Promise<void> {
  for (const question of QUESTIONS) {
    const ours = decodeLatin1(await answer(question));
    assert.equal(ours, decodeLatin1(askGit(repository.path, question)));
  }
  const theirs = decodeLatin1(askGit(repository.path, ADVERTISE));
  if (theirs === '0000') return; // without refs this git does not say what it can
  const ours = decodeLatin1(await answer(ADVERTISE));
  assert.deepEqual(withoutCapabilities(ours), withoutCapabilities(theirs));
}

const ADVERTISE: Question = { version: 0, mode: 'advertise', request: new Uint8Array(0) };

/** Lines without their lengths, which differ with the capabilities of the first. */
function withoutCapabilities(advertisement: string): string[] {
  return advertisement
    .replace(/\0[^\n]*/, '')
    .split('\n')
    .map((line) => line.slice(4));
}

test('what git does to refs is seen by the next request', async (context) => {
  const scene = await warm(context);
  const { repository } = scene;
  const [one, two, three] = repository.commits as [string, string, string];
  const steps: readonly (readonly string[])[] = [
    ['update-ref', MAIN, one],
    ['update-ref', MAIN, two],
    ['update-ref', 'refs/heads/a/b/c', three],
    ['update-ref', 'refs/tags/v1', repository.tag],
    ['tag', 'light', one],
    ['symbolic-ref', 'refs/remotes/origin/HEAD', 'refs/heads/a/b/c'],
    ['pack-refs', '--all', '--prune'],
    ['update-ref', MAIN, three],
    ['update-ref', '-d', 'refs/tags/light'],
    ['update-ref', 'refs/heads/a/b/c', one],
    ['symbolic-ref', 'HEAD', 'refs/heads/a/b/c'],
    ['update-ref', '-d', 'refs/heads/a/b/c'],
    ['symbolic-ref', 'HEAD', 'refs/heads/nowhere'],
    ['update-ref', '--no-deref', 'HEAD', two],
    ['config', 'transfer.hideRefs', 'refs/tags'],
    ['config', '--unset', 'transfer.hideRefs'],
    ['pack-refs', '--all'],
    ['update-ref', '-d', 'refs/tags/v1'],
    ['update-ref', '-d', MAIN],
  ];
  await agrees(scene);
  for (const step of steps) {
    repository.git(...step);
    await agrees(scene);
    await agrees(scene); // now from what was kept
  }
});

test('a change is seen after the directories have been quiet for a while', async (context) => {
  const scene = await warm(context);
  const { repository } = scene;
  const [one, two] = repository.commits as [string, string];
  repository.git('update-ref', 'refs/heads/a/b', one);
  repository.git('pack-refs', '--all');
  repository.git('update-ref', 'refs/heads/a/c', one);
  await new Promise((resolve) => setTimeout(resolve, SETTLED_MS));
  await agrees(scene);
  repository.git('update-ref', 'refs/heads/a/b', two);
  await agrees(scene);
  repository.git('update-ref', '-d', 'refs/heads/a/c');
  await agrees(scene);
});

test('a repository that was deleted and made anew shows nothing of the old one', async (context) => {
  const scene = await warm(context);
  const { repository } = scene;
  const saved = `${repository.path}.saved`;
  cpSync(repository.path, saved, { recursive: true });
  repository.git('update-ref', MAIN, repository.commits[0] as string);
  await agrees(scene);
  rmSync(repository.path, { recursive: true });
  await assert.rejects(scene.answer(ALL));
  cpSync(saved, repository.path, { recursive: true });
  await agrees(scene);
});

test('a ref file written in place shows by itself when its directory is looked at again', async (context) => {
  const scene = await warm(context);
  const { repository } = scene;
  const [one, two] = repository.commits as [string, string];
  repository.git('update-ref', MAIN, one);
  await agrees(scene);
  writeFileSync(join(repository.path, MAIN), `${two}\n`);
  // Any change in the directory, or a second: this is the former.
  utimesSync(join(repository.path, 'refs/heads'), new Date(), new Date());
  await agrees(scene);
});

for (const kind of ['packed', 'loose']) {
  test(`a ${kind} ref whose object is missing is shown, and what its tag points at once that comes`, async (context) => {
    const scene = await warm(context);
    const { repository } = scene;
    const [one] = repository.commits as [string];
    repository.git('update-ref', MAIN, one);
    repository.git('update-ref', 'HEAD', one);
    repository.git('tag', '-am', 'later', 'later', one);
    const tag = repository.git('rev-parse', 'later').trim();
    const object = join(repository.path, 'objects', tag.slice(0, 2), tag.slice(2));
    if (kind === 'packed') {
      repository.git('update-ref', '-d', 'refs/tags/later');
      const packed = `# pack-refs with: sorted \n${tag} refs/tags/later\n`;
      writeFileSync(join(repository.path, 'packed-refs'), packed);
    }
    const kept = `${object}.kept`;
    cpSync(object, kept);
    rmSync(object);
    const shown = async (): Promise<string> => decodeLatin1(await scene.answer(ALL));
    assert.match(await shown(), new RegExp(`${tag} refs/tags/later\n`));
    await agrees(scene);

    const wantsOld = { ...fetchOf(one), options: { defaults: 'git' } } as const;
    assert.match(decodeLatin1(await scene.answer(wantsOld)), /packfile/, 'nothing else suffers');
    const wantsMissing = decodeLatin1(await scene.answer(fetchOf(tag)));
    assert.match(wantsMissing, /ERR upload-pack: not our ref/);

    cpSync(kept, object);
    assert.match(await shown(), new RegExp(`${tag} refs/tags/later peeled:${one}\n`));
    await agrees(scene);
  });
}

test('what is kept is dropped when memory is needed, and made again', async (context) => {
  const scene = await warm(context);
  const { repository } = scene;
  repository.git('update-ref', MAIN, repository.commits[0] as string);
  repository.git('pack-refs', '--all');
  await agrees(scene);
  const { limitBytes } = warmMemory;
  context.after(() => warmMemory.setLimit(limitBytes));
  warmMemory.setLimit(0);
  assert.equal(warmMemory.usedBytes, 0);
  await agrees(scene);
});

const NAMES = [
  'heads/main',
  'heads/a',
  'heads/a-b',
  'heads/ab/c',
  'heads/ab/d',
  'tags/v1',
  'tags/v2',
  'notes/x',
];
const anyChange = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      act: fc.constant('set' as const),
      name: fc.constantFrom(...NAMES),
      id: fc.nat(3),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ act: fc.constant('delete' as const), name: fc.constantFrom(...NAMES) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ act: fc.constant('point' as const), name: fc.constantFrom(...NAMES) }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('pack' as const) }) },
);

test('whatever git does, every question is answered as git answers it', async (context) => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyChange, { minLength: 1, maxLength: 8 }), async (changes) => {
      const scene = await warm(context);
      const { repository } = scene;
      const ids = [...repository.commits, repository.tag];
      for (const change of changes) {
        if (change.act === 'set') {
          // Branches hold commits only.
          const id = change.name.startsWith('heads/') ? ids[change.id % 3] : ids[change.id];
          repository.git('update-ref', `refs/${change.name}`, id as string);
        } else if (change.act === 'delete') repository.git('update-ref', '-d', `refs/${change.name}`);
        else if (change.act === 'point') repository.git('symbolic-ref', 'HEAD', `refs/${change.name}`);
        else repository.git('pack-refs', '--all');
        for (const question of [ALL, QUESTIONS[2] as Question]) {
          const theirs = decodeLatin1(askGit(repository.path, question));
          assert.equal(decodeLatin1(await scene.answer(question)), theirs);
        }
      }
    }),
    { numRuns: 12 },
  );
});
