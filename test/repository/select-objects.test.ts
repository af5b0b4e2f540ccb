import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { GitError } from '../../src/core/errors.ts';
import { DEFAULT_LIMITS } from '../../src/core/limits.ts';
import { bytesToHex, hexToBytes, type ObjectId, SHA256 } from '../../src/core/object-id.ts';
import { kindOfCode } from '../../src/core/object-kind.ts';
import type { RawObject } from '../../src/odb/object-database.ts';
import { packNameHash } from '../../src/repository/name-hash.ts';
import { parseObjectFilter } from '../../src/repository/object-filter.ts';
import type { ObjectSelection } from '../../src/repository/object-selection.ts';
import { selectObjects } from '../../src/repository/select-objects.ts';
import { git, scratchDirectory } from '../support/git.ts';
import { type MapReader, readerOver, readObjectsOf } from '../support/object-reader.ts';
import { anyHistory, buildHistory } from '../support/random-history.ts';

function idsOf(selection: ObjectSelection): ObjectId[] {
  return Array.from({ length: selection.count }, (_, i) => bytesToHex(selection.ids, i * 20, 20));
}

/** What git lists, in its order. */
function revList(directory: string, ...args: readonly string[]): ObjectId[] {
  return git(directory, 'rev-list', '--objects', '--no-object-names', ...args)
    .split('\n')
    .filter(Boolean);
}

/**
 * What git lists with a filter. Of `combine:` we ask for each part: git's own combination forgets objects that
 * one part has let through at a level where another did not.
 */
function revListFiltered(directory: string, spec: string | undefined, args: readonly string[]): ObjectId[] {
  if (spec === undefined) return revList(directory, ...args);
  const parts = spec.startsWith('combine:') ? spec.slice('combine:'.length).split('+') : [spec];
  return parts
    .map((part) => revList(directory, `--filter=${part}`, ...args))
    .reduce((left, right) => left.filter((id) => right.includes(id)));
}

function without(ids: readonly ObjectId[], others: readonly ObjectId[]): ObjectId[] {
  const excluded = new Set(others);
  return ids.filter((id) => !excluded.has(id));
}

function checkTables(reader: MapReader, selection: ObjectSelection): void {
  const ids = idsOf(selection);
  assert.equal(new Set(ids).size, ids.length, 'no object twice');
  for (const [i, id] of ids.entries()) {
    assert.equal(kindOfCode(selection.kinds[i] as number), reader.objects.get(id)?.kind);
    assert.equal(selection.indexOf(selection.ids, i * 20), i);
    assert.equal(selection.receiverHas(selection.ids, i * 20), false);
  }
}

const HISTORIES = 3;
const QUERIES = 15;
const some = (ids: readonly ObjectId[], maxLength: number, minLength = 0) =>
  fc.uniqueArray(fc.constantFrom(...ids), { minLength, maxLength });

for (const [name, filters] of [
  ['everything', [undefined]],
  [
    'what a filter lets through',
    [
      'blob:none',
      'blob:limit=0',
      'blob:limit=10',
      'blob:limit=1k',
      'tree:0',
      'tree:1',
      'tree:2',
      'tree:3',
      'object:type=blob',
      'object:type=tree',
      'object:type=commit',
      'object:type=tag',
      'combine:tree:2+blob:limit=10',
      'combine:object:type=blob+tree:3',
      'combine:blob:none+object:type=tree',
    ],
  ],
] as const) {
  test(`selectObjects() selects ${name} as rev-list --objects lists it`, async (context) => {
    for (let i = 0; i < HISTORIES; i++) {
      const directory = await scratchDirectory(context);
      const [plan] = fc.sample(anyHistory(40), 1);
      const history = buildHistory(directory, plan ?? []);
      const reader = readerOver(readObjectsOf(directory));
      const everything = [...reader.objects.keys()];
      await fc.assert(
        fc.asyncProperty(
          fc.oneof(
            { weight: 4, arbitrary: some([...history.commits, ...history.tags], 4, 1) },
            { weight: 1, arbitrary: some(everything, 3, 1) },
          ),
          some([...history.commits, ...history.tags], 3),
          fc.constantFrom(...filters),
          async (wants, haves, spec) => {
            const filter = spec === undefined ? undefined : parseObjectFilter(spec);
            const selection = await selectObjects(reader, { wants, haves, filter, thin: true });
            checkTables(reader, selection);
            const ids = idsOf(selection);
            const together = revListFiltered(directory, spec, [...wants, '--not', ...haves]);
            if (spec === undefined) {
              assert.deepEqual(ids.sort(), together.sort());
              return;
            }
            // git forgets that an object was asked for by name when another want reaches it as well.
            const apart = wants.flatMap((want) =>
              revListFiltered(directory, spec, [want, '--not', ...haves]),
            );
            assert.deepEqual(without(together, ids), [], 'lacking');
            assert.deepEqual(without(ids, [...together, ...apart]), [], 'too much');
          },
        ),
        { numRuns: QUERIES },
      );
    }
  });
}

test('selectObjects() leaves out nothing the client lacks when clocks are wrong', async (context) => {
  for (let i = 0; i < HISTORIES; i++) {
    const directory = await scratchDirectory(context);
    const [plan] = fc.sample(anyHistory(40, 2000), 1);
    const history = buildHistory(directory, plan ?? []);
    const reader = readerOver(readObjectsOf(directory));
    await fc.assert(
      fc.asyncProperty(some(history.commits, 4, 1), some(history.commits, 3), async (wants, haves) => {
        const selection = await selectObjects(reader, { wants, haves, thin: true });
        checkTables(reader, selection);
        const selected = new Set(idsOf(selection));
        const had = new Set(haves.length === 0 ? [] : revList(directory, ...haves));
        for (const id of revList(directory, ...wants)) {
          assert.ok(selected.has(id) || had.has(id), `${id} is lacking`);
        }
        for (const id of reader.objects.keys()) {
          if (selection.receiverHas(hexToBytes(id), 0)) assert.ok(had.has(id), `${id} is not there`);
        }
      }),
      { numRuns: QUERIES },
    );
  }
});

test('selectObjects() in one small repository', async (context) => {
  const directory = await scratchDirectory(context);
  const script = [
    'commit refs/heads/main\nmark :1\ncommitter A <a@b> 100 +0000\ndata 0\n',
    'M 100644 inline README\ndata 3\none\nM 100644 inline src/deep/file.c\ndata 3\ntwo\n\n',
    'commit refs/heads/main\nmark :2\ncommitter A <a@b> 200 +0000\ndata 0\nfrom :1\n',
    'M 100644 inline src/deep/file.c\ndata 5\nthree\n\n',
    'tag v1\nfrom :1\ntagger A <a@b> 100 +0000\ndata 0\n',
    'tag v2\nfrom :2\ntagger A <a@b> 200 +0000\ndata 0\n',
  ];
  git(directory, 'init', '-q', '--bare', '.');
  git({ cwd: directory, input: script.join('') }, 'fast-import', '--quiet');
  const reader = readerOver(readObjectsOf(directory));
  const id = (name: string): ObjectId => git(directory, 'rev-parse', name).trim();
  const [old, tip] = [id('main~1'), id('main')];
  const update = ['main', 'main:', 'main:src', 'main:src/deep', 'main:src/deep/file.c'].map(id);

  await context.test('commits first, then trees and blobs as they are found', async () => {
    const selection = await selectObjects(reader, { wants: [tip], haves: [], thin: false });
    const older = ['main~1:', 'main~1:src', 'main~1:src/deep', 'main~1:src/deep/file.c'].map(id);
    const newer = ['main:', 'main:README', 'main:src', 'main:src/deep', 'main:src/deep/file.c'].map(id);
    assert.deepEqual(idsOf(selection), [tip, old, ...newer, ...older]);
    assert.equal(selection.preferredBaseKinds.length, 0);
  });

  await context.test('an update, with bases at the same paths and without', async () => {
    for (const thin of [true, false]) {
      const selection = await selectObjects(reader, { wants: [tip], haves: [old], thin });
      assert.deepEqual(idsOf(selection), update);
      const bases = ['main~1:', 'main~1:src', 'main~1:src/deep', 'main~1:src/deep/file.c'].map(id);
      const { preferredBases } = selection;
      const given = Array.from({ length: preferredBases.length / 20 }, (_, i) =>
        bytesToHex(preferredBases, i * 20, 20),
      );
      assert.deepEqual(given, thin ? bases : []);
      for (const had of ['main~1', 'main~1:', 'main~1:README', 'main~1:src/deep']) {
        assert.equal(selection.receiverHas(hexToBytes(id(had)), 0), true, had);
      }
    }
  });

  await context.test('name hashes of paths', async () => {
    const { ids, nameHashes } = await selectObjects(reader, { wants: [tip], haves: [old], thin: false });
    assert.equal(bytesToHex(ids, 60, 20), id('main:src/deep'));
    const path = new TextEncoder().encode('src/deep');
    assert.deepEqual(
      [nameHashes[0], nameHashes[1], nameHashes[3]],
      [0, 0, packNameHash(path, 0, path.length, 0)],
    );
  });

  await context.test('tags of what is sent', async () => {
    const includeTags = [
      { tagId: id('v1'), peeledId: old },
      { tagId: id('v2'), peeledId: tip },
    ];
    const selection = await selectObjects(reader, { wants: [tip], haves: [old], includeTags, thin: false });
    assert.deepEqual(idsOf(selection), [...update, id('v2')]);
  });

  await context.test('what is asked for by name passes any filter', async () => {
    const wants = [id('main:README'), tip];
    const filter = parseObjectFilter('tree:0');
    assert.deepEqual(idsOf(await selectObjects(reader, { wants, haves: [], filter, thin: false })), [
      tip,
      old,
      id('main:README'),
    ]);
  });

  await context.test('a shallow answer, and its deepening', async () => {
    const first = await selectObjects(reader, {
      wants: [tip],
      haves: [],
      shallow: new Set([tip]),
      thin: false,
    });
    assert.deepEqual(idsOf(first), [
      tip,
      ...['main:', 'main:README', 'main:src', 'main:src/deep', 'main:src/deep/file.c'].map(id),
    ]);
    const second = await selectObjects(reader, {
      wants: [tip],
      haves: [tip],
      clientShallow: new Set([tip]),
      unshallow: [tip],
      thin: false,
    });
    assert.deepEqual(
      idsOf(second),
      ['main~1', 'main~1:', 'main~1:src', 'main~1:src/deep', 'main~1:src/deep/file.c'].map(id),
    );
  });

  await context.test('progress, and the end of it', async () => {
    const reports: string[] = [];
    await selectObjects(
      reader,
      { wants: [tip], haves: [], thin: false },
      {
        onProgress: ({ title, done, finished }) => finished && reports.push(`${title} ${done}`),
      },
    );
    assert.deepEqual(reports, ['Enumerating objects 11', 'Counting objects 11']);
  });

  await context.test('something missing', async () => {
    for (const [removed, referredBy] of [
      [tip, tip],
      [old, tip],
      [id('main:'), tip],
      [id('main:src'), id('main:')],
      [id('main~1:src/deep'), id('main~1:src')],
    ] as const) {
      const broken = readerOver(new Map(reader.objects));
      broken.objects.delete(removed);
      await assert.rejects(
        selectObjects(broken, { wants: [tip], haves: [], thin: false }),
        (error: GitError) => {
          assert.equal(error.code, 'OBJECT_MISSING');
          assert.equal(error.detail.id, removed);
          assert.equal(error.detail.referredBy, referredBy);
          return true;
        },
      );
    }
  });

  await context.test('trees deeper than the limit, and more objects than the limit', async () => {
    const request = { wants: [tip], haves: [], thin: false };
    for (const limits of [
      { ...DEFAULT_LIMITS, maxTreeDepth: 1 },
      { ...DEFAULT_LIMITS, maxPackObjects: 8 },
    ]) {
      await assert.rejects(selectObjects(reader, request, { limits }), { code: 'LIMIT_EXCEEDED' });
    }
    assert.equal(
      (await selectObjects(reader, request, { limits: { ...DEFAULT_LIMITS, maxTreeDepth: 2 } })).count,
      11,
    );
  });

  await context.test('an entry that lies about the kind of its object', async () => {
    const broken = readerOver(new Map(reader.objects));
    broken.objects.set(id('main:src'), broken.objects.get(id('main:README')) as RawObject);
    await assert.rejects(selectObjects(broken, { wants: [tip], haves: [], thin: false }), {
      code: 'OBJECT_CORRUPT',
    });
  });
});

test('selectObjects() with SHA-256', async (context) => {
  const directory = await scratchDirectory(context);
  git(directory, 'init', '-q', '--bare', '--object-format=sha256', '.');
  const input =
    'commit refs/heads/main\ncommitter A <a@b> 100 +0000\ndata 0\nM 100644 inline d/f\ndata 3\none\n\n';
  git({ cwd: directory, input }, 'fast-import', '--quiet');
  const reader = readerOver(readObjectsOf(directory, SHA256), SHA256);
  const tip = git(directory, 'rev-parse', 'main').trim();
  const { ids, count } = await selectObjects(reader, { wants: [tip], haves: [], thin: false });
  const selected = Array.from({ length: count }, (_, i) => bytesToHex(ids, i * 32, 32));
  assert.deepEqual(selected, revList(directory, tip));
});
