/**
 * What makes two requests the same.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { DEFAULT_LIMITS } from '../../../src/core/limits.ts';
import { nodeRuntime } from '../../../src/core/node/runtime.ts';
import { type ObjectId, SHA1, SHA256 } from '../../../src/core/object-id.ts';
import {
  type AnswerOptions,
  answerKey,
  type PackRequest,
} from '../../../src/repository/pack-sharing/answer-key.ts';

const id = (n: number): ObjectId => n.toString(16).padStart(40, '0');

const CLONE: PackRequest = { wants: [id(1), id(2)], haves: [], thin: true };
const OPTIONS: AnswerOptions = { limits: DEFAULT_LIMITS, ofsDelta: true };

const keyOf = (request: Partial<PackRequest> = {}, options: Partial<AnswerOptions> = {}): Promise<string> =>
  answerKey(SHA1, nodeRuntime, { ...CLONE, ...request }, { ...OPTIONS, ...options });

describe('two requests are the same', () => {
  for (const [what, request] of [
    ['in another order of wants', { wants: [id(2), id(1)] }],
    ['with an empty set for none', { shallow: new Set<ObjectId>(), unshallow: [], includeTags: [] }],
  ] as const) {
    test(what, async () => assert.equal(await keyOf(request), await keyOf()));
  }
});

describe('two requests are different', () => {
  const tag = { tagId: id(3), peeledId: id(1) };
  const others: readonly (readonly [string, Promise<string>])[] = [
    ['in a want', keyOf({ wants: [id(1)] })],
    ['in a have', keyOf({ haves: [id(3)] })],
    ['in where this answer ends', keyOf({ shallow: new Set([id(3)]) })],
    ['in where the history of the client ends', keyOf({ clientShallow: new Set([id(3)]) })],
    ['in what is shallow no more', keyOf({ unshallow: [id(3)] })],
    ['in a tag that may be included', keyOf({ includeTags: [tag] })],
    ['in what is left out', keyOf({ leaveOut: [id(1)] })],
    ['in the filter', keyOf({ filter: { kind: 'blob:none' } })],
    ['in the size of a filter', keyOf({ filter: { kind: 'blob:limit', limitBytes: 10 } })],
    ['in whether thin packs are read', keyOf({ thin: false })],
    ['in whether OFS_DELTA is read', keyOf({}, { ofsDelta: false })],
    ['in a limit', keyOf({}, { limits: { ...DEFAULT_LIMITS, maxTreeDepth: 3 } })],
  ];
  for (const [what, key] of others) {
    test(what, async () => assert.notEqual(await key, await keyOf()));
  }

  test('each from each other', async () => {
    const keys = await Promise.all(others.map(([, key]) => key));
    assert.equal(new Set(keys).size, others.length);
  });

  test('in the object format', async () => {
    const ids = { wants: [], haves: [], thin: true };
    const [inSha256, inSha1] = [SHA256, SHA1].map((format) => answerKey(format, nodeRuntime, ids, OPTIONS));
    assert.notEqual(await inSha256, await inSha1);
  });
});

test('thousands of ids in any order are the same', async () => {
  const ids = Array.from({ length: 5000 }, (_, n) => id(n * 7919));
  assert.equal(await keyOf({ wants: ids }), await keyOf({ wants: [...ids].reverse() }));
  assert.notEqual(await keyOf({ wants: ids }), await keyOf({ wants: [...ids.slice(1), id(1)] }));
});

test('ids cannot be moved from one list to the next', async () => {
  const anyIds = fc.uniqueArray(fc.integer({ min: 0, max: 40 }).map(id), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(anyIds, anyIds, anyIds, anyIds, async (wants, haves, otherWants, otherHaves) => {
      const isSame =
        String([...wants].sort()) === String([...otherWants].sort()) &&
        String([...haves].sort()) === String([...otherHaves].sort());
      const keys = await Promise.all([
        keyOf({ wants, haves }),
        keyOf({ wants: otherWants, haves: otherHaves }),
      ]);
      assert.equal(keys[0] === keys[1], isSame);
    }),
  );
});
