import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { concatBytes, encodeText } from '../../src/core/bytes.ts';
import { nodeRuntime } from '../../src/core/node/runtime.ts';
import { bytesToHex, SHA1 } from '../../src/core/object-id.ts';
import { REF_DELTA } from '../../src/core/object-kind.ts';
import { applyDelta, type DeltaSizes, readDeltaSizes } from '../../src/pack/delta.ts';
import { createDelta, indexDeltaBase } from '../../src/pack/delta-create.ts';
import { writeTypeAndSize } from '../../src/pack/entry-header.ts';
import { formatPackHeader } from '../../src/pack/pack-header.ts';
import { git, scratchDirectory } from '../support/git.ts';

const ALPHABET = encodeText('abcdefghijklmnopqrstuvwxyz0123456789');

for (const [base, target, expected] of [
  ['', '', '00 00'],
  ['', 'new', '00 03  03 6e 65 77'],
  ['anything', '', '08 00'],
  ['0123456789abcdef', '0123456789abcdef', '10 10  90 10'],
  ['0123456789abcdef', '0123456789abcdef!', '10 11  90 10  01 21'],
  ['0123456789abcdef', '!0123456789abcdef', '10 11  01 21  90 10'],
  // A match grows backwards into bytes that no block of the base begins with.
  ['x0123456789abcdefghijklmnopqrstuvwxyz', '0123456789abcdefghijklmnopqrstuvwxyz', '25 24  91 01 24'],
  // Fewer than 16 bytes in common are not found.
  ['0123456789abcde', '0123456789abcde', '0f 0f  0f 30313233343536373839 6162636465'],
] as const) {
  test(`createDelta() turns '${base}' into '${target}' with ${expected}`, () => {
    const delta = deltaBetween(encodeText(base), encodeText(target));
    assert.equal(bytesToHex(delta), expected.replaceAll(' ', ''));
  });
}

test('createDelta() splits a copy at 64 KiB, whose size is written as no size', () => {
  const base = noise(0x10000 + 300, 1);
  assert.equal(bytesToHex(deltaBetween(base, base)), 'ac8204ac8204' + '80' + 'b4012c01');
});

test('createDelta() finds the whole of an edited file but its edits', () => {
  const base = noise(200_000, 2);
  const target = concatBytes(base.subarray(0, 50_001), encodeText('edit'), base.subarray(50_017));
  assert.ok(deltaBetween(base, target).length < 60);
});

test('createDelta() says -1 when the delta does not fit, and never writes past its room', () => {
  const base = noise(5000, 3);
  const target = concatBytes(base.subarray(100, 3000), noise(300, 4), base.subarray(0, 900));
  const whole = deltaBetween(base, target);
  const index = indexDeltaBase(base);
  const room = new Uint8Array(whole.length + 50);
  for (let length = 0; length < whole.length; length++) {
    room.fill(0xee);
    assert.equal(createDelta(index, target, room.subarray(0, length)), -1, `in ${length} bytes`);
    assert.ok(room.subarray(length).every((byte) => byte === 0xee));
  }
  assert.equal(createDelta(index, target, room), whole.length);
});

test('createDelta() is quick on bytes that repeat without end', () => {
  const base = new Uint8Array(1 << 20);
  const target = new Uint8Array(1 << 20).map((_, i) => (i % 997 === 0 ? 1 : 0));
  assertRebuilds(base, target, deltaBetween(base, target));
});

test('applyDelta() undoes createDelta()', () => {
  fc.assert(
    fc.property(anyBaseAndTarget(), ([base, target]) => {
      assertRebuilds(base, target, deltaBetween(base, target));
    }),
    { numRuns: 500 },
  );
});

test('git rebuilds the same target from our delta', async (context) => {
  const directory = await scratchDirectory(context);
  git(directory, 'init', '-q', '--bare', '.');
  const samples = fc.sample(anyBaseAndTarget(), 30);
  const entries: Uint8Array[] = [];
  const targetIds: string[] = [];
  const seen = new Set<string>();
  for (const [base, target] of samples) {
    const baseId = blobId(base);
    const targetId = blobId(target);
    if (seen.has(bytesToHex(baseId)) || seen.has(bytesToHex(targetId))) continue;
    if (target.length === 0 || bytesToHex(baseId) === bytesToHex(targetId)) continue;
    seen.add(bytesToHex(baseId)).add(bytesToHex(targetId));
    targetIds.push(bytesToHex(targetId));
    entries.push(entry(3, base), entry(REF_DELTA, deltaBetween(base, target), baseId));
  }
  const body = concatBytes(formatPackHeader(entries.length), ...entries);
  const trailer = new Uint8Array(20);
  nodeRuntime.hashInto(SHA1, body, 0, body.length, trailer, 0);
  git({ cwd: directory, input: concatBytes(body, trailer) }, 'index-pack', '--strict', '--stdin');
  git(directory, 'cat-file', '--batch-check', '--batch-all-objects');
  for (const id of targetIds) assert.equal(git(directory, 'cat-file', '-t', id), 'blob\n');
});

function deltaBetween(base: Uint8Array, target: Uint8Array): Uint8Array {
  const output = new Uint8Array(2 * target.length + 64);
  const length = createDelta(indexDeltaBase(base), target, output);
  assert.ok(length >= 0);
  return output.slice(0, length);
}

function assertRebuilds(base: Uint8Array, target: Uint8Array, delta: Uint8Array): void {
  const sizes: DeltaSizes = { baseBytes: 0, targetBytes: 0, instructions: 0 };
  readDeltaSizes(delta, 0, delta.length, sizes);
  assert.equal(sizes.baseBytes, base.length);
  assert.equal(sizes.targetBytes, target.length);
  const rebuilt = new Uint8Array(target.length);
  applyDelta(base, 0, base.length, delta, sizes.instructions, delta.length, rebuilt, 0, target.length);
  assert.deepEqual(rebuilt, target);
}

/** A base of few different bytes, so that stretches repeat, and a target pasted together from it and from news. */
function anyBaseAndTarget(): fc.Arbitrary<[Uint8Array, Uint8Array]> {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 400 }),
    fc.tuple(fc.nat(40_000), fc.nat(1000)).map(([length, seed]) => noise(length, seed)),
    fc.tuple(fc.nat(3000), fc.nat(3)).map(([length, step]) => new Uint8Array(length).map((_, i) => i * step)),
  );
  const piece = fc.oneof(
    fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), length: fc.nat(20_000) }),
    fc.uint8Array({ maxLength: 300 }),
  );
  return fc.tuple(bytes, fc.array(piece, { maxLength: 8 })).map(([base, pieces]) => {
    const parts = pieces.map((part) => {
      if (part instanceof Uint8Array) return part;
      const start = Math.floor(part.at * base.length);
      return base.subarray(start, start + part.length);
    });
    return [base, concatBytes(new Uint8Array(0), ...parts)];
  });
}

function noise(length: number, seed: number): Uint8Array {
  let state = seed + 1;
  return new Uint8Array(length).map(() => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return ALPHABET[(state >>> 24) % ALPHABET.length] as number;
  });
}

function blobId(content: Uint8Array): Uint8Array {
  const object = concatBytes(encodeText(`blob ${content.length}\0`), content);
  const id = new Uint8Array(20);
  nodeRuntime.hashInto(SHA1, object, 0, object.length, id, 0);
  return id;
}

function entry(type: number, content: Uint8Array, baseId: Uint8Array = new Uint8Array(0)): Uint8Array {
  const header = new Uint8Array(10);
  const end = writeTypeAndSize(header, 0, type, content.length);
  return concatBytes(header.subarray(0, end), baseId, nodeRuntime.deflate(content));
}
