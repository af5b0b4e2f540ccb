import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { DEFAULT_LIMITS } from '../../src/core/limits.ts';
import type { ObjectId } from '../../src/core/object-id.ts';
import { isQuicklyConnected } from '../../src/repository/quick-connectivity.ts';
import { closureOf } from '../support/closure.ts';
import { scratchDirectory } from '../support/git.ts';
import { type MapReader, readerOver, readObjectsOf } from '../support/object-reader.ts';
import { anyHistory, buildHistory, type PlannedCommit } from '../support/random-history.ts';

function isConnected(reader: MapReader, tips: readonly ObjectId[], trusted: readonly ObjectId[]): boolean {
  return isQuicklyConnected(reader, tips, new Set(trusted), DEFAULT_LIMITS);
}

/** A chain of commits; `changes` of each. */
function chainOf(...changes: readonly PlannedCommit['changes'][]): PlannedCommit[] {
  return changes.map((change) => ({
    parents: [1],
    skew: 0,
    changes: change,
    gitlink: true,
    tagged: true,
  }));
}

const FILES = ['f', 'd/f', 'd/e/f', 'x/f', 'x/e/f'].map((path, content) => ({ path, content }));

test('isQuicklyConnected() reads what a push of one commit changes, and what it changed there', async (context) => {
  const plan = chainOf(FILES, [{ path: 'd/e/f', content: 9 }]);
  const { directory, commits } = buildHistory(await scratchDirectory(context), plan);
  const reader = readerOver(readObjectsOf(directory));
  const [old = '', pushed = ''] = commits;
  assert.equal(isConnected(reader, [pushed], [old]), true);
  // Both commits and, of each, its root tree, d and d/e.
  assert.equal(reader.reads.length, 8);
});

test('isQuicklyConnected() follows tags, and takes a tip that is trusted as it is', async (context) => {
  const plan = chainOf(FILES, [{ path: 'f', content: 9 }]);
  const { directory, commits, tags } = buildHistory(await scratchDirectory(context), plan);
  const reader = readerOver(readObjectsOf(directory));
  assert.equal(isConnected(reader, tags, [commits[0] as ObjectId]), true);
  assert.equal(isConnected(readerOver(new Map()), commits, commits), true);
});

test('isQuicklyConnected() does not trust an object because it is there', async (context) => {
  const plan = chainOf(
    FILES,
    [{ path: 'f', content: 7 }],
    [{ path: 'd/f', content: 8 }],
    [{ path: 'f', content: 9 }],
  );
  const { directory, commits } = buildHistory(await scratchDirectory(context), plan);
  const [first = '', second = '', third = '', fourth = ''] = commits;
  const reader = readerOver(readObjectsOf(directory));
  reader.objects.delete(second);
  assert.equal(isConnected(reader, [fourth], [first]), false, 'third is there, and leads to what is not');
  assert.equal(isConnected(reader, [fourth], [third]), true);
});

test('isQuicklyConnected() leaves a long history to the walk', async (context) => {
  const plan = chainOf(...Array.from({ length: 300 }, () => []));
  const { directory, commits } = buildHistory(await scratchDirectory(context), plan);
  const reader = readerOver(readObjectsOf(directory));
  assert.equal(isConnected(reader, [commits.at(-1) as ObjectId], [commits[0] as ObjectId]), false);
  assert.ok(reader.reads.length < 300);
});

for (const [kind, content] of [
  ['a tree where a blob is', '100644 f\0'],
  ['a blob where a tree is', '40000 f\0'],
  ['an entry that is cut short', '100644'],
] as const) {
  test(`isQuicklyConnected() does not take ${kind} for complete`, async (context) => {
    const { directory, commits } = buildHistory(await scratchDirectory(context), chainOf(FILES, FILES));
    const objects = readObjectsOf(directory);
    const reader = readerOver(objects);
    const [blob = ''] = [...objects].find(([, object]) => object.kind === 'blob') ?? [];
    const [tree = ''] = [...objects].find(([, object]) => object.kind === 'tree') ?? [];
    const target = content.startsWith('4') ? blob : tree;
    const data = Buffer.concat([
      Buffer.from(content),
      Buffer.from(target, 'hex').subarray(0, content.includes('\0') ? 20 : 0),
    ]);
    const made = 'aa'.repeat(20);
    const commit = 'bb'.repeat(20);
    const text = `tree ${made}\nparent ${commits[0]}\nauthor A <a> 1 +0000\ncommitter A <a> 1 +0000\n\n`;
    objects.set(made, { kind: 'tree', data: new Uint8Array(data) });
    objects.set(commit, { kind: 'commit', data: new TextEncoder().encode(text) });
    assert.equal(
      attempt(() => isConnected(reader, [commit], commits)),
      kind === 'a tree where a blob is', // of blobs the walk, too, asks only whether they are there
    );
  });
}

function attempt(act: () => boolean): boolean {
  try {
    return act();
  } catch {
    return false;
  }
}

test('isQuicklyConnected() says yes to what is whole, and no whenever anything new is missing', async (context) => {
  const [plan] = fc.sample(anyHistory(40), 1);
  const { directory, commits, tags } = buildHistory(await scratchDirectory(context), plan ?? []);
  const objects = readObjectsOf(directory);
  const anyTip = fc.constantFrom(...commits, ...tags);
  let yes = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyTip, { minLength: 1, maxLength: 3 }),
      fc.array(fc.constantFrom(...commits), { maxLength: 4 }),
      fc.nat(),
      async (tips, trusted, pick) => {
        const reader = readerOver(new Map(objects));
        assert.equal(isConnected(reader, tips, trusted), true, 'histories here are short');
        const old = closureOf(objects, trusted);
        const added = [...closureOf(objects, tips)].filter((id) => !old.has(id));
        if (added.length === 0) return;
        reader.objects.delete(added[pick % added.length] as ObjectId);
        assert.equal(
          attempt(() => isConnected(reader, tips, trusted)),
          false,
        );
        yes++;
      },
    ),
    { numRuns: 300 },
  );
  assert.ok(yes > 50);
});
