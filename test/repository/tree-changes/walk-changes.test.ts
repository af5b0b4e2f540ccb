/**
 * Fetches that are put together from what is known of trees get what a walk of all of them finds.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { DEFAULT_LIMITS } from '../../../src/core/limits.ts';
import { bytesToHex, hexToBytes, type ObjectId, SHA1 } from '../../../src/core/object-id.ts';
import type { ObjectSelection } from '../../../src/repository/object-selection.ts';
import { selectObjects } from '../../../src/repository/select-objects.ts';
import { ChangedObjects } from '../../../src/repository/tree-changes/changed-objects.ts';
import { git, scratchDirectory } from '../../support/git.ts';
import { type MapReader, readerOver, readObjectsOf } from '../../support/object-reader.ts';
import { anyHistory, buildHistory } from '../../support/random-history.ts';

function idsOf(selection: ObjectSelection): ObjectId[] {
  return Array.from({ length: selection.count }, (_, i) => bytesToHex(selection.ids, i * 20, 20));
}

function basesOf({ preferredBases }: ObjectSelection): ObjectId[] {
  return Array.from({ length: preferredBases.length / 20 }, (_, i) => bytesToHex(preferredBases, i * 20, 20));
}

function treesRead(reader: MapReader, since: number): number {
  return reader.reads.slice(since).filter((id) => reader.objects.get(id)?.kind === 'tree').length;
}

for (const [clocks, skew] of [
  ['right', 0],
  ['wrong', 2000],
] as const) {
  test(`whatever was asked before, the same is selected as by a walk (clocks are ${clocks})`, async (context) => {
    for (let i = 0; i < 4; i++) {
      const directory = await scratchDirectory(context);
      const [plan = []] = fc.sample(anyHistory(40, skew), 1);
      const history = buildHistory(directory, plan);
      const reader = readerOver(readObjectsOf(directory));
      const changedObjects = new ChangedObjects(SHA1);
      const anyCommits = fc.uniqueArray(fc.constantFrom(...history.commits, ...history.tags), {
        minLength: 1,
        maxLength: 4,
      });
      await fc.assert(
        fc.asyncProperty(anyCommits, anyCommits, fc.boolean(), async (wants, haves, isEvicted) => {
          if (isEvicted) changedObjects.evict();
          const request = { wants, haves, thin: true };
          const walked = await selectObjects(reader, request);
          const selected = await selectObjects(reader, request, { changedObjects });
          assert.deepEqual(idsOf(selected).sort(), idsOf(walked).sort());
          for (const [n, id] of idsOf(selected).entries()) {
            const other = walked.indexOf(hexToBytes(id), 0);
            assert.equal(selected.kinds[n], walked.kinds[other]);
          }
          for (const id of reader.objects.keys()) {
            const has = selected.receiverHas(hexToBytes(id), 0);
            assert.equal(has, walked.receiverHas(hexToBytes(id), 0), id);
          }
          for (const base of basesOf(selected)) assert.ok(selected.receiverHas(hexToBytes(base), 0), base);
        }),
        { numRuns: 25 },
      );
    }
  });
}

describe('a fetch', () => {
  const script = [
    'commit refs/heads/main\ncommitter A <a@b> 100 +0000\ndata 0\n',
    'M 100644 inline b\ndata 1\na\nM 100644 inline a.c\ndata 1\nb\nM 100644 inline a/x/y\ndata 1\nc\n',
    'M 100644 inline docs/one\ndata 1\nd\nM 100644 inline docs/two\ndata 1\ne\n\n',
    'commit refs/heads/main\ncommitter A <a@b> 200 +0000\ndata 0\n',
    'D a\nM 100644 inline a\ndata 1\nf\nM 100644 inline docs/two\ndata 1\ng\n\n',
    'commit refs/heads/main\ncommitter A <a@b> 300 +0000\ndata 0\n',
    'D a\nM 100644 inline a/x/y\ndata 1\nc\nM 100644 inline docs/three\ndata 1\ng\n\n',
  ].join('');

  const makeScene = async (context: Parameters<typeof scratchDirectory>[0]) => {
    const directory = await scratchDirectory(context);
    git(directory, 'init', '-q', '--bare', '.');
    git({ cwd: directory, input: script }, 'fast-import', '--quiet');
    const id = (name: string): ObjectId => git(directory, 'rev-parse', name).trim();
    return { directory, id, reader: readerOver(readObjectsOf(directory)) };
  };

  test('reads no tree once the trees are known', async (context) => {
    const { id, reader } = await makeScene(context);
    const changedObjects = new ChangedObjects(SHA1);
    const request = { wants: [id('main')], haves: [id('main~2')], thin: true };
    const first = await selectObjects(reader, request, { changedObjects });
    assert.deepEqual(
      idsOf(first).sort(),
      ['main', 'main~1', 'main:', 'main:docs', 'main~1:', 'main~1:a', 'main~1:docs', 'main:docs/two']
        .map(id)
        .sort(),
    );
    const before = reader.reads.length;
    const second = await selectObjects(reader, request, { changedObjects });
    assert.deepEqual(idsOf(second), idsOf(first));
    assert.equal(treesRead(reader, before), 0);
    // One commit less: only the trees of its edge are new.
    const haves = [id('main~1')];
    await selectObjects(reader, { ...request, haves }, { changedObjects });
    assert.equal(treesRead(reader, before), 2);
  });

  test('prefers what the newest edge has as bases, and what older ones have after it', async (context) => {
    const { id, reader } = await makeScene(context);
    const changedObjects = new ChangedObjects(SHA1);
    const request = { wants: [id('main')], haves: [id('main~1')], thin: true };
    const bases = basesOf(await selectObjects(reader, request, { changedObjects }));
    assert.deepEqual(bases, ['main~1:', 'main~1:docs'].map(id));
  });

  test('says what is missing as a walk does', async (context) => {
    const { id, reader } = await makeScene(context);
    const changedObjects = new ChangedObjects(SHA1);
    const request = { wants: [id('main')], haves: [id('main~2')], thin: true };
    const broken = readerOver(new Map(reader.objects));
    broken.objects.delete(id('main:docs'));
    await assert.rejects(selectObjects(broken, request, { changedObjects }), {
      code: 'OBJECT_MISSING',
      detail: { id: id('main:docs'), kind: 'tree', referredBy: id('main:') },
    });
  });

  test('does without a tree that is missing on the other side', async (context) => {
    const { id, reader } = await makeScene(context);
    const changedObjects = new ChangedObjects(SHA1);
    const broken = readerOver(new Map(reader.objects));
    broken.objects.delete(id('main~1:docs'));
    const request = { wants: [id('main')], haves: [id('main~1')], thin: true };
    const selected = idsOf(await selectObjects(broken, request, { changedObjects }));
    for (const name of ['main', 'main:', 'main:docs']) assert.ok(selected.includes(id(name)), name);
  });

  test('of trees that are too deep is refused as by a walk', async (context) => {
    const { id, reader } = await makeScene(context);
    const limits = { ...DEFAULT_LIMITS, maxTreeDepth: 1 };
    const request = { wants: [id('main')], haves: [id('main~1')], thin: true };
    await assert.rejects(
      selectObjects(reader, request, { limits, changedObjects: new ChangedObjects(SHA1) }),
      { code: 'LIMIT_EXCEEDED' },
    );
  });
});
