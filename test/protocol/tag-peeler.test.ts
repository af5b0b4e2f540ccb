import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeText } from '../../src/core/bytes.ts';
import type { ObjectId } from '../../src/core/object-id.ts';
import type { RawObject } from '../../src/odb/object-database.ts';
import { TagPeeler } from '../../src/protocol/tag-peeler.ts';
import { readerOver } from '../support/object-reader.ts';

const idOf = (number: number): string => number.toString(16).padStart(40, '0');
const tagOf = (target: string, kind: string): RawObject => ({
  kind: 'tag',
  data: encodeText(`object ${target}\ntype ${kind}\ntag x\n\nx\n`),
});
const COMMIT = idOf(0);
const commit: [ObjectId, RawObject] = [COMMIT, { kind: 'commit', data: encodeText('tree\n') }];

test('what is no tag has nothing to peel', () => {
  assert.equal(new TagPeeler(readerOver(new Map<ObjectId, RawObject>([commit]))).peel(COMMIT), undefined);
  assert.equal(new TagPeeler(readerOver(new Map<ObjectId, RawObject>([commit]))).peel(idOf(9)), undefined);
});

test('a tag of a tag peels to the end', () => {
  const objects = new Map<ObjectId, RawObject>([
    commit,
    [idOf(1), tagOf(COMMIT, 'commit')],
    [idOf(2), tagOf(idOf(1), 'tag')],
  ]);
  const peeler = new TagPeeler(readerOver(objects));
  assert.equal(peeler.peel(idOf(2)), COMMIT);
  assert.equal(peeler.peel(idOf(1)), COMMIT);
});

test('the object at the end need not exist, a tag on the way must', () => {
  const objects = new Map<ObjectId, RawObject>([
    [idOf(1), tagOf(idOf(7), 'blob')],
    [idOf(2), tagOf(idOf(8), 'tag')],
  ]);
  const peeler = new TagPeeler(readerOver(objects));
  assert.equal(peeler.peel(idOf(1)), idOf(7));
  assert.equal(peeler.peel(idOf(2)), undefined);
});

test('a broken tag has nothing to peel', () => {
  const objects = new Map<ObjectId, RawObject>([[idOf(1), { kind: 'tag', data: encodeText('nonsense') }]]);
  assert.equal(new TagPeeler(readerOver(objects)).peel(idOf(1)), undefined);
});

test('2048 refs into a chain of 2048 tags read each tag once', () => {
  const objects = new Map<ObjectId, RawObject>([commit, [idOf(1), tagOf(COMMIT, 'commit')]] as [
    string,
    ReturnType<typeof tagOf>,
  ][]);
  for (let i = 2; i <= 2048; i++) objects.set(idOf(i), tagOf(idOf(i - 1), 'tag'));
  const reader = readerOver(objects);
  const peeler = new TagPeeler(reader);
  for (let i = 2048; i >= 1; i--) assert.equal(peeler.peel(idOf(i)), COMMIT);
  assert.equal(reader.reads.length, 2048);
});
