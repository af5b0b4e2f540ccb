import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { concatBytes, encodeLatin1 } from '../../../src/core/bytes.ts';
import { SHA1 } from '../../../src/core/object-id.ts';
import { TREE } from '../../../src/core/object-kind.ts';
import { applyDelta, type DeltaSizes, readDeltaSizes } from '../../../src/pack/delta.ts';
import { createDelta, indexDeltaBase } from '../../../src/pack/delta-create.ts';
import { ObjectChecker } from '../../../src/pack/fsck/object-checker.ts';
import { STRICT_FSCK_RULES } from '../../../src/pack/fsck/rules.ts';
import { TreeChecker } from '../../../src/pack/fsck/tree-checker.ts';
import { TreeChain } from '../../../src/pack/tree-chain.ts';

interface Entry {
  readonly entry: string;
  readonly id: Uint8Array;
}

/** Entries as `mode name`; all ids are of the byte 7 unless given. */
function treeOf(...entries: readonly (string | Entry)[]): Uint8Array {
  return concatBytes(
    ...entries.flatMap((given) => {
      const { entry, id } =
        typeof given === 'string' ? { entry: given, id: new Uint8Array(20).fill(7) } : given;
      return [encodeLatin1(`${entry}\0`), id];
    }),
  );
}

interface Delta {
  readonly bytes: Uint8Array;
  readonly instructions: number;
}

function deltaTo(base: Uint8Array, tree: Uint8Array): Delta {
  const room = new Uint8Array(2 * tree.length + 64);
  const end = createDelta(indexDeltaBase(base), tree, room);
  if (end > 0) return instructionsOf(room.subarray(0, end));
  const pieces: Uint8Array[] = [
    Uint8Array.of(
      (base.length & 0x7f) | 0x80,
      base.length >> 7,
      (tree.length & 0x7f) | 0x80,
      tree.length >> 7,
    ),
  ];
  for (let at = 0; at < tree.length; at += 127) {
    const piece = tree.subarray(at, at + 127);
    pieces.push(Uint8Array.of(piece.length), piece);
  }
  return instructionsOf(concatBytes(...pieces));
}

function instructionsOf(bytes: Uint8Array): Delta {
  const sizes: DeltaSizes = { baseBytes: 0, targetBytes: 0, instructions: 0 };
  readDeltaSizes(bytes, 0, bytes.length, sizes);
  return { bytes, instructions: sizes.instructions };
}

/** Whether the new parts of `tree` alone show that it has nothing wrong. */
function isSoundlyMade(base: Uint8Array, tree: Uint8Array): boolean {
  const trees = new TreeChain(20);
  trees.begin(base, 0, base.length);
  const { bytes, instructions } = deltaTo(base, tree);
  assert.ok(trees.take(0, tree, 0, tree.length, bytes, instructions, bytes.length));
  return quietChecker().isSoundlyMade(tree, 0, trees);
}

function quietChecker(): TreeChecker {
  return new TreeChecker(20, { maxPathnameBytes: 4096, report: () => undefined, addBlob: () => undefined });
}

const LONG = ['100644 1long', '100644 2long', '100644 3long', '100644 4long', '100644 5long'];

test('a tree that differs from a sound one in a sound entry is sound, whatever lies beside it', () => {
  const other = new Uint8Array(20).fill(8);
  for (const entry of ['40000 m', '100644 m', '100755 m', '120000 m']) {
    for (const [before, after] of [
      ['100644 l', '100644 n'],
      ['100644 m.c', '100644 m0'],
      ['40000 m-', '40000 mm'],
    ]) {
      const isInOrder = entry === '40000 m' || (before !== '100644 m.c' && before !== '40000 m-');
      const around = (...changed: readonly (string | Entry)[]) =>
        treeOf(...LONG, before as string, ...changed, after as string, '40000 z');
      assert.equal(isSoundlyMade(around(), around(entry)), isInOrder, `${before}, ${entry}`);
      assert.equal(
        isSoundlyMade(around(entry), around({ entry, id: other })),
        isInOrder,
        `${before}, ${entry}`,
      );
    }
  }
});

test('a file and a directory of one name are found with any names between them', () => {
  const between = ['100644 m!', '100644 m-x', '40000 m.c', '100644 m.d'];
  const both = treeOf(...LONG, '100644 m', ...between, '40000 m', '100644 z');
  for (const base of [
    treeOf(...LONG, '100644 m', ...between, '100644 z'),
    treeOf(...LONG, ...between, '40000 m', '100644 z'),
    treeOf(...LONG, '100644 m', '40000 m.c', '100644 z'),
  ]) {
    assert.ok(quietChecker().check(base, 0, base.length));
    assert.ok(!isSoundlyMade(base, both));
  }
});

test('a tree that a copy puts together wrongly is not sound', () => {
  const base = treeOf(...LONG, '100644 x', '40000 y', '100644 z');
  for (const tree of [
    treeOf(...LONG, '40000 y', '100644 x', '100644 z'),
    treeOf(...LONG, '100644 x', '100644 x', '40000 y', '100644 z'),
    treeOf('100644 x', ...LONG, '40000 y', '100644 z'),
  ]) {
    assert.ok(!isSoundlyMade(base, tree));
  }
});

const anyName = fc.oneof(
  fc.stringMatching(/^m[!.0/-]{0,4}$/),
  fc.stringMatching(/^[a-z]{1,6}$/),
  fc.constantFrom('.git', '.gitmodules', '.gitattributes', '.gitignore', '.', '..', 'x'.repeat(40)),
);
const anyEntry = fc.record({
  entry: fc
    .tuple(
      fc.constantFrom('100644', '40000', '100755', '160000', '120000', '40000', '100664', '040000'),
      anyName,
    )
    .map(([mode, name]) => `${mode} ${name}`),
  id: fc.oneof(
    fc.constantFrom(1, 2, 3, 4, 5, 6, 7, 0).map((byte) => new Uint8Array(20).fill(byte)),
    fc
      .array(fc.constantFrom(...encodeLatin1('1460 m\0')), { minLength: 20, maxLength: 20 })
      .map((bytes) => Uint8Array.from(bytes)),
  ),
});
const harmless = fc.record({
  entry: fc
    .tuple(
      fc.constantFrom('100644', '40000'),
      fc.oneof(fc.stringMatching(/^m[!.0-]{0,3}$/), fc.stringMatching(/^[a-d]{1,3}$/)),
    )
    .map(([mode, name]) => `${mode} ${name}`),
  id: fc.constantFrom(1, 2, 3).map((byte) => new Uint8Array(20).fill(byte)),
});
/** Nearly always in order, as git writes them. */
const anyTree = fc
  .tuple(fc.array(harmless, { maxLength: 25 }), fc.array(anyEntry, { maxLength: 2 }), fc.nat(20))
  .map(([usual, others, order]) => {
    const entries = [...usual, ...others];
    if (order > 0) entries.sort((a, b) => (sortedAs(a.entry) < sortedAs(b.entry) ? -1 : 1));
    return treeOf(...entries);
  });
type Step =
  | { readonly made: 'by us'; readonly tree: Uint8Array }
  | {
      readonly made: 'by hand';
      readonly pieces: readonly (readonly [from: number, length: number] | Uint8Array)[];
    };
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  anyTree.map((tree): Step => ({ made: 'by us', tree })),
  fc
    .array(
      fc.oneof(
        fc.tuple(fc.nat(600), fc.integer({ min: 1, max: 300 })),
        anyEntry.map((entry) => treeOf(entry)),
      ),
      { minLength: 1, maxLength: 4 },
    )
    .map((pieces): Step => ({ made: 'by hand', pieces })),
);

function sortedAs(entry: string): string {
  return entry.slice(entry.indexOf(' ') + 1) + (entry.startsWith('4') ? '/' : '');
}

function takeStep(base: Uint8Array, step: Step): { readonly tree: Uint8Array; readonly delta: Delta } {
  if (step.made === 'by us') return { tree: step.tree, delta: deltaTo(base, step.tree) };
  const instructions: Uint8Array[] = [];
  let size = 0;
  for (const piece of step.pieces) {
    if (piece instanceof Uint8Array) {
      const inserted = piece.subarray(0, 127);
      instructions.push(Uint8Array.of(inserted.length), inserted);
      size += inserted.length;
    } else {
      const from = Math.min(piece[0], base.length);
      const length = Math.min(piece[1], base.length - from);
      if (length <= 0) continue;
      instructions.push(Uint8Array.of(0xb3, from & 0xff, from >> 8, length & 0xff, length >> 8));
      size += length;
    }
  }
  const header = Uint8Array.of(
    (base.length & 0x7f) | 0x80,
    base.length >> 7,
    (size & 0x7f) | 0x80,
    size >> 7,
  );
  const delta = instructionsOf(concatBytes(header, ...instructions));
  const tree = new Uint8Array(size);
  applyDelta(base, 0, base.length, delta.bytes, delta.instructions, delta.bytes.length, tree, 0, size);
  return { tree, delta };
}

test('checking what is new in trees finds what checking them whole finds, however deltas cut them', () => {
  let trees = 0;
  let sound = 0;
  let soundlyMade = 0;
  fc.assert(
    fc.property(
      anyTree,
      fc.array(fc.tuple(anyStep, fc.nat(4)), { minLength: 1, maxLength: 6 }),
      (root, steps) => {
        const whole = new ObjectChecker(SHA1, STRICT_FSCK_RULES);
        const changed = new ObjectChecker(SHA1, STRICT_FSCK_RULES);
        const chain = new TreeChain(20);
        whole.check(0, TREE, root, 0, root.length);
        changed.check(0, TREE, root, 0, root.length);
        chain.begin(root, 0, root.length);
        changed.beginChain(root, 0, root.length, true);
        const levels = [root];
        for (const [number, [step, at]] of steps.entries()) {
          const base = Math.max(0, levels.length - 1 - at);
          const { tree, delta } = takeStep(levels[base] as Uint8Array, step);
          whole.check(number + 1, TREE, tree, 0, tree.length);
          const { bytes, instructions } = delta;
          const isKnown = chain.take(base, tree, 0, tree.length, bytes, instructions, bytes.length);
          const isBaseSound = quietChecker().check(
            levels[base] as Uint8Array,
            0,
            (levels[base] as Uint8Array).length,
          );
          trees++;
          if (isBaseSound && quietChecker().check(tree, 0, tree.length)) {
            sound++;
            if (isKnown && quietChecker().isSoundlyMade(tree, 0, chain)) soundlyMade++;
          }
          changed.check(number + 1, TREE, tree, 0, tree.length, base, isKnown ? chain : undefined);
          levels.length = base + 1;
          levels.push(tree);
        }
        assert.deepEqual(changed.findings.finish(), whole.findings.finish());
      },
    ),
    { numRuns: 2000 },
  );
  assert.ok(sound > trees / 10, `${sound} of ${trees} trees have nothing wrong`);
  assert.ok(soundlyMade > sound * 0.99, `of ${sound} sound trees ${soundlyMade} were found to be`);
});
