import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { hexToBytes, type ObjectId, SHA1 } from '../../src/core/object-id.ts';
import { IdTable } from '../../src/repository/id-table.ts';
import { allWantsReach } from '../../src/repository/negotiation-reach.ts';
import { unreachableOf } from '../../src/repository/reachability.ts';
import { closureOf, linksOf } from '../support/closure.ts';
import { git, scratchDirectory } from '../support/git.ts';
import { type MapReader, readerOver, readObjectsOf } from '../support/object-reader.ts';
import { anyHistory, buildHistory } from '../support/random-history.ts';

test('unreachableOf() is exact for every kind of object, whatever clocks say', async (context) => {
  const [plan] = fc.sample(anyHistory(40, 3000), 1);
  const history = buildHistory(await scratchDirectory(context), plan ?? []);
  const reader = readerOver(readObjectsOf(history.directory));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...reader.objects.keys(), 'e'.repeat(40)), { maxLength: 4 }),
      fc.array(fc.constantFrom(...history.commits, ...history.tags), { maxLength: 3 }),
      async (wants, tips) => {
        const reached = closureOf(reader.objects, tips);
        assert.deepEqual(
          await unreachableOf(reader, wants, tips),
          wants.filter((id) => !reached.has(id)),
        );
      },
    ),
    { numRuns: 200 },
  );
});

test('unreachableOf() agrees with merge-base --is-ancestor', async (context) => {
  const [plan] = fc.sample(anyHistory(20), 1);
  const { directory, commits } = buildHistory(await scratchDirectory(context), plan ?? []);
  const reader = readerOver(readObjectsOf(directory));
  const tip = commits.at(-1) as ObjectId;
  const ancestors = git(directory, 'rev-list', tip).split('\n');
  for (const id of commits) {
    const unreachable = await unreachableOf(reader, [id], [tip]);
    assert.deepEqual(unreachable, ancestors.includes(id) ? [] : [id]);
  }
});

test('unreachableOf() reads trees only for trees and blobs', async (context) => {
  const [plan] = fc.sample(anyHistory(20), 1);
  const { directory, commits } = buildHistory(await scratchDirectory(context), plan ?? []);
  const reader = readerOver(readObjectsOf(directory));
  await unreachableOf(reader, [commits[0] as ObjectId], [commits.at(-1) as ObjectId]);
  assert.ok(reader.reads.every((id) => reader.objects.get(id)?.kind === 'commit'));
});

test('unreachableOf() finds trees and blobs wherever they lie', async (context) => {
  const directory = await scratchDirectory(context);
  git(directory, 'init', '-q', '--bare', '.');
  const make = (input: string, ...args: string[]): ObjectId => git({ cwd: directory, input }, ...args).trim();
  const blob = (text: string): ObjectId => make(text, 'hash-object', '-w', '--stdin');
  const mktree = (...lines: string[]): ObjectId =>
    make(lines.map((line) => `${line}\n`).join(''), 'mktree', '--missing');
  const commit = (tree: ObjectId, time: number, ...parents: ObjectId[]): ObjectId => {
    const who = `A <a@example.com> ${time} +0000`;
    const header = [
      `tree ${tree}`,
      ...parents.map((id) => `parent ${id}`),
      `author ${who}`,
      `committer ${who}`,
    ];
    return make(`${header.join('\n')}\n\nx\n`, 'hash-object', '-w', '-t', 'commit', '--stdin');
  };
  const tag = (target: ObjectId, kind: string): ObjectId =>
    make(`object ${target}\ntype ${kind}\ntag t\ntagger A <a@example.com> 1 +0000\n\nt\n`, 'mktag');
  const [gone, kept, topical, removed, tagged, tagBlob, taggedAlone, stray] = [1, 2, 3, 4, 5, 6, 7, 8].map(
    (n) => blob(`${n}\n`),
  ) as [ObjectId, ObjectId, ObjectId, ObjectId, ObjectId, ObjectId, ObjectId, ObjectId];
  const folder = mktree(`100644 blob ${gone}\tf`);
  const module = commit(mktree(`100644 blob ${stray}\tm`), 1);
  const root = commit(mktree(`040000 tree ${folder}\td`, `100644 blob ${kept}\tk`), 10);
  let head = root;
  // Enough history for tips and old commits to take turns, all of one tree; the last has a gitlink.
  const steady = mktree(`100644 blob ${kept}\tk`, `160000 commit ${module}\tmodule`);
  for (let i = 0; i < 6; i++) head = commit(steady, 20 + i, head);
  const abandoned = commit(mktree(`100644 blob ${removed}\tr`), 99, head);
  const topicTree = mktree(`100644 blob ${topical}\tf`);
  const topic = commit(topicTree, 5, root);
  const taggedTree = mktree(`100644 blob ${tagged}\tf`);
  const blobTag = tag(tagBlob, 'blob');
  const tips = [head, topic, tag(taggedTree, 'tree'), tag(blobTag, 'tag'), taggedAlone];
  const reader = readerOver(readObjectsOf(directory));

  for (const [what, wants, refused] of [
    ['a blob of HEAD', [kept], []],
    ['the tree of HEAD', [steady], []],
    ['a tree and a blob of the first commit only', [folder, gone], []],
    ['another branch, older than HEAD', [topicTree, topical], []],
    ['the tree a tag points at, and what is in it', [taggedTree, tagged], []],
    ['a tag that a tag points at, and the blob it points at', [blobTag, tagBlob], []],
    ['a blob that is a tip', [taggedAlone], []],
    ['what only an abandoned commit has', [removed], [removed]],
    ['the same among others', [kept, gone, removed, topical], [removed]],
    ['the same more than once', [removed, kept, removed], [removed, removed]],
    ['what only a submodule has', [module, stray], [module, stray]],
    ['commits with trees and blobs', [root, abandoned, gone, removed], [abandoned, removed]],
    ['what does not exist', ['e'.repeat(40), kept], ['e'.repeat(40)]],
  ] as const) {
    assert.deepEqual(await unreachableOf(reader, wants, tips), refused, what);
    assert.deepEqual(await unreachableOf(reader, wants, tips.toReversed()), refused, what);
  }
  assert.deepEqual(await unreachableOf(reader, [gone], [head], { shallow: new Set([head]) }), [gone]);
  assert.deepEqual(await unreachableOf(reader, [kept], []), [kept]);
});

test('unreachableOf() reads nothing but the first tip and its trees when all wants are there', async (context) => {
  const [plan] = fc.sample(anyHistory(30), 1);
  const { directory, commits, tags } = buildHistory(await scratchDirectory(context), plan ?? []);
  const reader = readerOver(readObjectsOf(directory));
  const head = commits.at(-1) as ObjectId;
  const parents = parentsOf(reader, head);
  const within = closureOf(new Map([...reader.objects].filter(([id]) => !parents.includes(id))), [head]);
  const wants = [...within].filter((id) => ['tree', 'blob'].includes(reader.objects.get(id)?.kind ?? ''));
  reader.reads.length = 0;
  assert.deepEqual(await unreachableOf(reader, wants, [head, ...commits, ...tags]), []);
  assert.ok(reader.reads.every((id) => within.has(id)));
  assert.ok(!reader.reads.some((id) => parents.includes(id)));
});

test('unreachableOf() of thousands of objects ends when it is told to', async (context) => {
  const [plan] = fc.sample(anyHistory(30), 1);
  const { directory, commits } = buildHistory(await scratchDirectory(context), plan ?? []);
  const objects = readObjectsOf(directory);
  for (let i = 0; i < 3000; i++) {
    objects.set(i.toString(16).padStart(40, '0'), { kind: 'blob', data: new Uint8Array(0) });
  }
  const reader = readerOver(objects);
  const strays = [...objects.keys()].slice(-3000);
  assert.deepEqual(await unreachableOf(reader, strays, commits), strays);

  const stop = new AbortController();
  const slow: MapReader = {
    ...reader,
    viewRaw(...view) {
      for (const end = performance.now() + 2; performance.now() < end; );
      if (reader.reads.length % 8 === 0) stop.abort();
      return reader.viewRaw(...view);
    },
  };
  await assert.rejects(unreachableOf(slow, strays, commits, { signal: stop.signal }), { code: 'ABORTED' });
});

test('allWantsReach() finds a way through commits no older than the oldest common one', async (context) => {
  const [plan] = fc.sample(anyHistory(40, 200), 1);
  const history = buildHistory(await scratchDirectory(context), plan ?? []);
  const reader = readerOver(readObjectsOf(history.directory));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...history.commits, ...history.tags), { minLength: 1, maxLength: 4 }),
      fc.array(fc.constantFrom(...history.commits), { maxLength: 3 }),
      async (wants, haves) => {
        const common = new IdTable(SHA1, 1000);
        for (const id of haves) {
          common.add(hexToBytes(id), 0);
          for (const parent of parentsOf(reader, id)) common.add(hexToBytes(parent), 0);
        }
        const oldest = Math.min(...haves.map((id) => dateOf(reader, id)));
        assert.equal(
          await allWantsReach(reader, wants, common, oldest),
          wants.every((id) => reaches(reader, peel(reader, id), common, oldest)),
        );
      },
    ),
    { numRuns: 200 },
  );
});

function reaches(reader: MapReader, id: ObjectId, common: IdTable, oldest: number): boolean {
  if (common.find(hexToBytes(id), 0) >= 0) return true;
  return parentsOf(reader, id).some(
    (parent) =>
      common.find(hexToBytes(parent), 0) >= 0 ||
      (dateOf(reader, parent) >= oldest && reaches(reader, parent, common, oldest)),
  );
}

function peel(reader: MapReader, id: ObjectId): ObjectId {
  const object = reader.objects.get(id);
  return object?.kind === 'tag' ? peel(reader, linksOf(id, object, new Set())[0] ?? '') : id;
}

function parentsOf(reader: MapReader, id: ObjectId): ObjectId[] {
  const object = reader.objects.get(id);
  return object === undefined ? [] : linksOf(id, object, new Set()).slice(1);
}

function dateOf(reader: MapReader, id: ObjectId): number {
  const text = Buffer.from(reader.objects.get(id)?.data ?? []).toString('latin1');
  return Number(/^committer .*> (\d+) /m.exec(text)?.[1]);
}
