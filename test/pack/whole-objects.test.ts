import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import fc from 'fast-check';
import { concatBytes, encodeText } from '../../src/core/bytes.ts';
import { nodeRuntime } from '../../src/core/node/runtime.ts';
import { createObjectHasher } from '../../src/core/object-hasher.ts';
import { bytesToHex, SHA1 } from '../../src/core/object-id.ts';
import { BLOB, COMMIT, kindOfCode } from '../../src/core/object-kind.ts';
import { EdgeSpool } from '../../src/pack/edge-spool.ts';
import { ObjectEdges } from '../../src/pack/object-edges.ts';
import { OBJECT_HEADER_ROOM } from '../../src/pack/object-header.ts';
import { ObjectTable } from '../../src/pack/object-table.ts';
import { WholeObjects } from '../../src/pack/whole-objects.ts';

const COMMIT_TEXT = `tree ${'aa'.repeat(20)}\nparent ${'bb'.repeat(20)}\nauthor A\n\nwords`;

function scene(entries: number) {
  const table = new ObjectTable(SHA1);
  for (; table.count < entries; table.count++) table.beginRow(12 + table.count, BLOB, entries);
  const objects = new WholeObjects(table, createObjectHasher(nodeRuntime, SHA1, true));
  const spool = new EdgeSpool(SHA1.idBytes, 1000, 'edges', undefined);
  objects.edges = new ObjectEdges(SHA1, spool);
  const idOf = (entry: number) => bytesToHex(table.columns.ids, entry * SHA1.idBytes, SHA1.idBytes);
  return { objects, spool, idOf };
}

/** `content` with room for a header before it. */
function withRoom(content: Uint8Array): Uint8Array {
  return concatBytes(new Uint8Array(OBJECT_HEADER_ROOM), content);
}

function gitId(type: number, content: Uint8Array): string {
  return createHash('sha1')
    .update(`${kindOfCode(type)} ${content.length}\0`)
    .update(content)
    .digest('hex');
}

function takeInPieces(
  objects: WholeObjects,
  entry: number,
  type: number,
  pieces: readonly Uint8Array[],
): void {
  const sizeBytes = pieces.reduce((sum, { length }) => sum + length, 0);
  for (const piece of pieces) {
    const bytes = withRoom(piece);
    objects.takePiece(entry, type, sizeBytes, bytes, OBJECT_HEADER_ROOM, bytes.length);
  }
  objects.finishPieces(entry);
}

test('an object in one piece has its id at once in a small pack', () => {
  const { objects, spool, idOf } = scene(2);
  objects.expect(2);
  const content = encodeText(COMMIT_TEXT);
  const bytes = withRoom(content);
  objects.take(1, COMMIT, bytes, OBJECT_HEADER_ROOM, bytes.length);
  assert.equal(idOf(1), gitId(COMMIT, content));
  assert.equal(spool.finish().inLastBlock, 2);
});

test('in a large pack all have theirs in the end, though their bytes are gone', () => {
  const count = 5000;
  const { objects, idOf } = scene(count);
  objects.expect(count);
  const bytes = withRoom(new Uint8Array(4));
  const view = new DataView(bytes.buffer);
  for (let entry = 0; entry < count; entry++) {
    view.setUint32(OBJECT_HEADER_ROOM, entry);
    objects.take(entry, BLOB, bytes, OBJECT_HEADER_ROOM, bytes.length);
  }
  objects.finish();
  for (let entry = 0; entry < count; entry++) {
    view.setUint32(OBJECT_HEADER_ROOM, entry);
    assert.equal(idOf(entry), gitId(BLOB, bytes.subarray(OBJECT_HEADER_ROOM)));
  }
});

test('blobs are shown to nobody', () => {
  const { objects, spool } = scene(2);
  const bytes = withRoom(encodeText(COMMIT_TEXT));
  objects.take(0, BLOB, bytes, OBJECT_HEADER_ROOM, bytes.length);
  takeInPieces(objects, 1, BLOB, [encodeText(COMMIT_TEXT), new Uint8Array(0)]);
  assert.deepEqual([spool.finish().isWhole, spool.finish().blocks.length], [true, 0]);
});

test('what is too large to be seen whole is not known to be whole', () => {
  const { objects, spool } = scene(1);
  const bytes = withRoom(encodeText(COMMIT_TEXT));
  objects.takePiece(0, COMMIT, 2 ** 30, bytes, OBJECT_HEADER_ROOM, bytes.length);
  assert.equal(spool.finish().isWhole, false);
});

test('an object is the same however it is cut into pieces', () => {
  const anyCuts = fc.array(fc.nat(COMMIT_TEXT.length), { maxLength: 5 });
  fc.assert(
    fc.property(fc.constantFrom(BLOB, COMMIT), anyCuts, (type, cuts) => {
      const content = encodeText(COMMIT_TEXT);
      const at = [0, ...cuts.sort((a, b) => a - b), content.length];
      const { objects, spool, idOf } = scene(2);
      const pieces = at.slice(1).map((end, i) => content.subarray(at[i], end));
      takeInPieces(objects, 0, type, pieces);
      takeInPieces(objects, 1, type, [content]);
      assert.deepEqual([idOf(0), idOf(1)], [gitId(type, content), gitId(type, content)]);
      const { isWhole, blocks } = spool.finish();
      assert.deepEqual([isWhole, blocks.length], [true, type === BLOB ? 0 : 1]);
    }),
  );
});
