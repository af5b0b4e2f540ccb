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
