import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { concatBytes, encodeText } from '../../src/core/bytes.ts';
import { bytesToHex, SHA1 } from '../../src/core/object-id.ts';
import { BLOB, COMMIT, TAG, TREE } from '../../src/core/object-kind.ts';
import { type DeltaSizes, readDeltaSizes } from '../../src/pack/delta.ts';
import { createDelta, indexDeltaBase } from '../../src/pack/delta-create.ts';
import {
  BLOCK_EDGES,
  bytesOfEdge,
  EDGE_HEAD_BYTES,
  EdgeSpool,
  entryOfEdge,
  kindOfEdge,
} from '../../src/pack/edge-spool.ts';
import { ObjectEdges } from '../../src/pack/object-edges.ts';
import { TreeChain } from '../../src/pack/tree-chain.ts';

const A = 'aa'.repeat(20);
const B = 'bb'.repeat(20);
const C = 'cc'.repeat(20);

/** What was recorded, as `entry kind id`; `undefined` when not all was. */
function recordedIn(spool: EdgeSpool): string[] | undefined {
  const { isWhole, blocks, inLastBlock } = spool.finish();
  if (!isWhole) return undefined;
  return blocks.flatMap((block, number) => {
    const view = new DataView(block.buffer);
    const count = number === blocks.length - 1 ? inLastBlock : BLOCK_EDGES;
    return Array.from({ length: count }, (_, edge) => {
      const at = edge * bytesOfEdge(20);
      const head = view.getInt32(at, true);
      return `${entryOfEdge(head)} ${kindOfEdge(head)} ${bytesToHex(block, at + EDGE_HEAD_BYTES, 20)}`;
    });
  });
}

function collector() {
  const spool = new EdgeSpool(20, 1_000_000, 'edges', undefined);
  return { spool, edges: new ObjectEdges(SHA1, spool) };
}

interface Entry {
  readonly mode: string;
  readonly name: string;
  readonly id: Uint8Array;
}

function treeOf(entries: readonly Entry[]): Uint8Array {
  return concatBytes(...entries.flatMap(({ mode, name, id }) => [encodeText(`${mode} ${name}\0`), id]));
}

const id = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'));

for (const [what, kind, content, expected] of [
  ['a commit', COMMIT, `tree ${A}\nparent ${B}\nparent ${C}\nauthor x`, [`7 2 ${A}`, `7 1 ${B}`, `7 1 ${C}`]],
  ['a commit in capitals', COMMIT, `tree ${A.toUpperCase()}\n\n`, [`7 2 ${A}`]],
  ['a tag', TAG, `object ${A}\ntype tree\ntag v1\n`, [`7 2 ${A}`]],
  ['a tag of a tag', TAG, `object ${A}\ntype tag\ntag v1\n`, [`7 4 ${A}`]],
  ['a blob', BLOB, `tree ${A}\n`, []],
  ['an empty tree', TREE, '', []],
  ['a commit without a tree', COMMIT, `parent ${A}\n`, undefined],
  ['a commit with half an id', COMMIT, `tree ${A.slice(1)}\n`, undefined],
  ['a commit that is cut short', COMMIT, `tree ${A}\nparent ${B.slice(1)}`, undefined],
  ['a tag of nothing known', TAG, `object ${A}\ntype branch\n`, undefined],
] as const) {
  test(`ObjectEdges takes the edges of ${what}`, () => {
    const { spool, edges } = collector();
    const bytes = encodeText(`..${content}..`);
    edges.take(7, kind, bytes, 2, bytes.length - 2);
    assert.deepEqual(recordedIn(spool), expected);
  });
}

test('ObjectEdges takes files and directories of a tree, whatever their modes, and no gitlinks', () => {
  const { spool, edges } = collector();
  const entries = ['100644', '100755', '120000', '100664', '40000', '040000', '160000'].map((mode, i) => ({
    mode,
    name: 'abcdefghij'.slice(0, i + 1),
    id: id(i.toString(16).repeat(40)),
  }));
  const tree = treeOf(entries);
  edges.take(3, TREE, tree, 0, tree.length);
  assert.deepEqual(
    recordedIn(spool),
    [3, 3, 3, 3, 2, 2].map((kind, i) => `3 ${kind} ${i.toString(16).repeat(40)}`),
  );
});

for (const content of ['100644', '100644 ', '100644 f', '100644 f\0', '100644 \0', '8 f\0', ' f\0', '1000']) {
  const tree = content.endsWith('\0') && content !== '100644 f\0' ? content + 'x'.repeat(20) : content;
  test(`ObjectEdges gives up on a tree of ${JSON.stringify(tree)}`, () => {
    const { spool, edges } = collector();
    const bytes = encodeText(`${tree}100644 f\0${'x'.repeat(30)}`); // what follows is not its own
    edges.take(0, TREE, bytes, 0, tree.length);
    assert.equal(recordedIn(spool), undefined);
  });
}

test('ObjectEdges records no more edges than it is allowed', () => {
  const spool = new EdgeSpool(20, BLOCK_EDGES, 'edges', undefined);
  const edges = new ObjectEdges(SHA1, spool);
  const ids = Array.from({ length: BLOCK_EDGES + 1 }, (_, i) => id(i.toString(16).padStart(40, '0')));
  const tree = treeOf(ids.map((entryId, i) => ({ mode: '40000', name: `d${i}`, id: entryId })));
  edges.take(0, TREE, tree, 0, tree.length);
  assert.equal(recordedIn(spool), undefined);
});

test('ObjectEdges records no id often, and leaves none out, when it makes room for more', () => {
  const spool = new EdgeSpool(20, 1_000_000, 'edges', undefined);
  const edges = new ObjectEdges(SHA1, spool);
  const number = (i: number): string => i.toString(16).padStart(4, '0');
  // Little-endian, so that none takes the place of another.
  const ids = Array.from({ length: 5000 }, (_, i) => {
    return `${number(i).slice(2)}${number(i).slice(0, 2)}`.padEnd(40, '5');
  });
  const tree = treeOf(ids.map((hex, i) => ({ mode: '100644', name: `f${i}`, id: id(hex) })));
  for (let entry = 0; entry < 3; entry++) edges.take(entry, TREE, tree, 0, tree.length);
  const recorded = recordedIn(spool)?.map((line) => line.slice(-40));
  assert.deepEqual(new Set(recorded), new Set(ids));
  assert.ok((recorded?.length ?? 0) <= 5000 + 1025, `${recorded?.length} were recorded`);
});

test('ObjectEdges finds an entry that a delta makes by copying from the middle of others', () => {
  const first = { mode: '100644', name: 'a', id: concatBytes(id('11'.repeat(16)), encodeText('1 x\0')) };
  const second = { mode: '100644', name: 'bbbbbbbbbbbbb100644 z', id: id(B) };
  const base = treeOf([first, second]);
  const from = treeOf([first]).length - 4;
  const tree = base.subarray(from); // of entries `1 x` and `100644 z`
  const hidden = base.subarray(from + 4, from + 24);
  const { spool, edges } = collector();
  edges.take(0, TREE, base, 0, base.length);
  const trees = new TreeChain(20);
  trees.begin(base, 0, base.length);
  const copy = Uint8Array.of(0x91, from, tree.length);
  assert.ok(trees.take(0, tree, 0, tree.length, copy, 0, copy.length));
  edges.take(1, TREE, tree, 0, tree.length, trees);
  assert.ok(recordedIn(spool)?.includes(`1 3 ${bytesToHex(hidden)}`));
});

/** Ids that look like entries, so that reading from a wrong place finds some too. */
const trickyByte = fc.constantFrom(...Buffer.from('1460 x\0'));
const anyEntry = fc.record({
  mode: fc.constantFrom('100644', '40000', '100755', '1', '160000'),
  name: fc.stringMatching(/^[14x ]{1,9}$/),
  id: fc.oneof(
    fc.constantFrom(A, B, C).map(id),
    fc.uint8Array({ minLength: 20, maxLength: 20 }),
    fc.array(trickyByte, { minLength: 20, maxLength: 20 }).map((bytes) => Uint8Array.from(bytes)),
  ),
});
/** Trees, each a change of the one before: entries come from one pool, so that they share long stretches. */
const anyChain = fc
  .array(anyEntry, { minLength: 1, maxLength: 12 })
  .chain((pool) =>
    fc.array(fc.array(fc.constantFrom(...pool), { maxLength: 25 }), { minLength: 2, maxLength: 6 }),
  );

test('ObjectEdges finds every entry of trees made by deltas, however the deltas cut them', () => {
  const sizes: DeltaSizes = { baseBytes: 0, targetBytes: 0, instructions: 0 };
  let taken = 0;
  let all = 0;
  fc.assert(
    fc.property(anyChain, fc.array(fc.nat(5)), (chain, bases) => {
      const { spool, edges } = collector();
      const chained = new TreeChain(20);
      const trees = chain.map(treeOf);
      const levels: number[] = [];
      for (const [number, tree] of trees.entries()) {
        if (number === 0) {
          edges.take(0, TREE, tree, 0, tree.length);
          chained.begin(tree, 0, tree.length);
          levels[0] = 0;
          continue;
        }
        // A delta of any tree of the present chain; those below it are left.
        const base = Math.min(bases[number] ?? number, levels.length - 1);
        const baseTree = trees[levels[base] as number] as Uint8Array;
        const delta = new Uint8Array(2 * tree.length + 64);
        const deltaEnd = createDelta(indexDeltaBase(baseTree), tree, delta);
        if (deltaEnd <= 0) return;
        readDeltaSizes(delta, 0, deltaEnd, sizes);
        assert.ok(chained.take(base, tree, 0, tree.length, delta, sizes.instructions, deltaEnd));
        edges.take(number, TREE, tree, 0, tree.length, chained);
        levels.length = base + 1;
        levels.push(number);
      }
      const recorded = recordedIn(spool);
      assert.ok(recorded !== undefined);
      const expected = chain.flat().filter(({ mode }) => mode !== '160000');
      assert.deepEqual(
        new Set(recorded.map((line) => line.slice(line.indexOf(' ') + 1))),
        new Set(expected.map((entry) => `${entry.mode === '40000' ? TREE : BLOB} ${bytesToHex(entry.id)}`)),
      );
      taken += recorded.length;
      all += expected.length;
    }),
    { numRuns: 1000 },
  );
  assert.ok(taken < all / 2, `${taken} of ${all} entries were recorded`);
});
