import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SHA1 } from '../../src/core/object-id.ts';
import { CommitFields } from '../../src/repository/commit.ts';
import { WarmCommits } from '../../src/repository/warm-commits.ts';

function fieldsOf(tree: number, parents: readonly number[], date: number): CommitFields {
  const fields = new CommitFields(SHA1);
  fields.treeId.fill(tree);
  fields.parentIds = new Uint8Array(20 * Math.max(4, parents.length));
  for (const [n, parent] of parents.entries()) fields.parentIds.fill(parent, 20 * n, 20 * (n + 1));
  fields.parentCount = parents.length;
  fields.date = date;
  return fields;
}

function idsOf(commits: WarmCommits): number[] {
  const ids: number[] = [];
  for (let at = commits.start; at < commits.end; at += 20) ids.push(commits.ids[at] as number);
  return ids;
}

test('a commit is found by where it lies', () => {
  const commits = new WarmCommits(20);
  assert.equal(commits.find(12), false);
  commits.add(12, fieldsOf(1, [2, 3], 1000));
  assert.equal(commits.find(12), true);
  assert.deepEqual(idsOf(commits), [1, 2, 3]);
  assert.equal(commits.date, 1000);
  assert.equal(commits.find(13), false);
  commits.evict();
  assert.equal(commits.find(12), false);
});

test('offsets beyond four gigabytes are told apart', () => {
  const commits = new WarmCommits(20);
  commits.add(12, fieldsOf(1, [], 1));
  assert.equal(commits.find(12 + 2 ** 32), false);
  commits.add(12 + 2 ** 32, fieldsOf(2, [], 2));
  assert.equal(commits.find(12), true);
  assert.equal(commits.date, 1);
});

test('a commit of very many parents is not kept', () => {
  const commits = new WarmCommits(20);
  commits.add(12, fieldsOf(1, new Array<number>(16).fill(7), 1));
  assert.equal(commits.find(12), false);
});

test('memory is bounded however many commits come', () => {
  const commits = new WarmCommits(20);
  let most = 0;
  for (let offset = 0; offset < 100_000; offset++) {
    commits.add(offset, fieldsOf(offset % 251, [1], offset));
    if (offset % 1000 === 0) most = Math.max(most, commits.bytes);
  }
  assert.ok(most < 8 * 1024 * 1024, `${most} bytes`);
  assert.equal(commits.find(99_999), true);
  assert.equal(commits.find(5), false);
});

test('what was added last before it was full is all found', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.maxSafeNat(), { maxLength: 3000 }), (offsets) => {
      const commits = new WarmCommits(20);
      for (const [n, offset] of offsets.entries()) {
        commits.add(offset, fieldsOf(n % 256, new Array<number>(n % 4).fill((n * 7) % 256), n));
      }
      for (const [n, offset] of offsets.entries()) {
        assert.equal(commits.find(offset), true);
        assert.equal(commits.date, n);
        assert.deepEqual(idsOf(commits), [n % 256, ...new Array<number>(n % 4).fill((n * 7) % 256)]);
      }
    }),
    { numRuns: 20 },
  );
});
