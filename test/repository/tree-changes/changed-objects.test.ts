import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SHA1 } from '../../../src/core/object-id.ts';
import { BLOB } from '../../../src/core/object-kind.ts';
import { ObjectTable } from '../../../src/repository/object-table.ts';
import { ChangedObjects } from '../../../src/repository/tree-changes/changed-objects.ts';

function idOf(number: number): Uint8Array {
  const id = new Uint8Array(20);
  new DataView(id.buffer).setUint32(0, number);
  id[19] = 1;
  return id;
}

function tableOf(...numbers: readonly number[]): ObjectTable {
  const table = new ObjectTable(SHA1, 1_000_000);
  for (const number of numbers) table.add(idOf(number), 0, BLOB, number);
  return table;
}

function hashes({ nameHashes, start, end }: ChangedObjects): number[] {
  return [...nameHashes.subarray(start, end)];
}

test('what a tree has that another has not is found by both, in that order', () => {
  const known = new ChangedObjects(SHA1);
  assert.equal(known.find(idOf(1), 0, idOf(2), 0), false);
  known.add(idOf(1), 0, idOf(2), 0, tableOf(7, 8));
  known.add(idOf(2), 0, idOf(1), 0, tableOf(9));
  known.add(undefined, 0, idOf(2), 0, tableOf());
  known.add(idOf(1), 0, idOf(2), 0, tableOf(5)); // known already

  assert.equal(known.find(idOf(1), 0, idOf(2), 0), true);
  assert.deepEqual(hashes(known), [7, 8]);
  assert.deepEqual([...known.ids.subarray(20 * known.start, 20 * (known.start + 1))], [...idOf(7)]);
  assert.equal(known.kinds[known.start], BLOB);
  assert.equal(known.find(idOf(2), 0, idOf(1), 0), true);
  assert.deepEqual(hashes(known), [9]);
  assert.equal(known.find(undefined, 0, idOf(2), 0), true);
  assert.deepEqual(hashes(known), []);
  assert.equal(known.find(undefined, 0, idOf(1), 0), false);
});

test('everything is forgotten when the memory is needed', () => {
  const known = new ChangedObjects(SHA1);
  known.add(idOf(1), 0, idOf(2), 0, tableOf(7, 8));
  known.evict();
  assert.equal(known.find(idOf(1), 0, idOf(2), 0), false);
  known.add(idOf(1), 0, idOf(2), 0, tableOf(9));
  assert.equal(known.find(idOf(1), 0, idOf(2), 0), true);
  assert.deepEqual(hashes(known), [9]);
});

test('memory is bounded however many trees come', () => {
  const known = new ChangedObjects(SHA1);
  let most = 0;
  for (let n = 0; n < 120_000; n++) {
    known.add(idOf(n), 0, idOf(n + 1), 0, tableOf(1, 2, 3, 4, 5));
    if (n % 1000 === 0) most = Math.max(most, known.bytes);
  }
  assert.ok(most < 24 * 1024 * 1024, `${most} bytes`);
  assert.equal(known.find(idOf(119_999), 0, idOf(120_000), 0), true);
  assert.equal(known.find(idOf(1), 0, idOf(2), 0), false);
});
