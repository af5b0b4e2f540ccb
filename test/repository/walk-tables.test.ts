import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { concatBytes, encodeText } from '../../src/core/bytes.ts';
import { bytesToHex, SHA1, SHA256 } from '../../src/core/object-id.ts';
import { BLOB, TREE } from '../../src/core/object-kind.ts';
import { CommitFields } from '../../src/repository/commit.ts';
import { IdTable } from '../../src/repository/id-table.ts';
import { directoryNameHash, packNameHash } from '../../src/repository/name-hash.ts';
import { parseTag } from '../../src/repository/tag.ts';
import { TreeScanner } from '../../src/repository/tree-scanner.ts';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);
const C = 'c'.repeat(40);

test('CommitFields reads tree, parents and committer date', () => {
  const fields = new CommitFields(SHA1);
  for (const [text, parents, date] of [
    [`tree ${A}\nauthor N <e> 1 +0000\ncommitter N <e> 1700000000 +0100\n\nm\n`, '', 1_700_000_000],
    [`tree ${A}\nparent ${B}\nauthor N <e> 1 +0000\ncommitter N > M <e> 7 +0100\n\n`, B, 7],
    [`tree ${A}\nparent ${B}\nparent ${C}\nauthor N <e> 1 +0000\ncommitter N <e> x\n\n`, B + C, 0],
    [`tree ${A}\nauthor N <e> 1 +0000\n\nno committer`, '', 0],
    [`tree ${A}\nauthor N <e> 1 +0000\ncommitter N <e> 99999999999999999999 +0000\n\n`, '', 2 ** 53 - 1],
  ] as const) {
    fields.read(encodeText(text));
    assert.equal(bytesToHex(fields.treeId), A);
    assert.equal(bytesToHex(fields.parentIds, 0, fields.parentCount * 20), parents);
    assert.equal(fields.date, date);
  }
});

test('CommitFields reads as many parents as there are', () => {
  const fields = new CommitFields(SHA1);
  fields.read(encodeText(`tree ${A}\n${`parent ${B}\n`.repeat(100)}`));
  assert.equal(fields.parentCount, 100);
});

for (const text of [
  '',
  'tree',
  `tree ${A}`,
  `tree ${A.slice(1)}\n`,
  `tree ${A}\nparent ${B.slice(1)}x\n`,
  `parent ${A}\n`,
]) {
  test(`CommitFields refuses ${JSON.stringify(text.slice(0, 20))}… of ${text.length} bytes`, () => {
    assert.throws(() => new CommitFields(SHA1).read(encodeText(text)), { code: 'OBJECT_CORRUPT' });
  });
}

test('parseTag() reads what the tag points at', () => {
  const tag = encodeText(`object ${A}\ntype commit\ntag v1\ntagger N <e> 1 +0000\n\nmessage\n`);
  assert.deepEqual(parseTag(tag, SHA1), { targetId: A, targetKind: 'commit' });
  for (const text of [
    '',
    `object ${A}\n`,
    `object ${A}\ntype thing\n`,
    `object ${A}0\ntype tag\n`,
    `type tag\n`,
  ]) {
    assert.throws(() => parseTag(encodeText(text), SHA1), { code: 'OBJECT_CORRUPT' });
  }
});

test('IdTable numbers ids in the order they are added', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(SHA1, SHA256),
      // Few different first bytes: many ids share what the hash is made of.
      fc.array(fc.tuple(fc.nat(3), fc.nat(400)), { maxLength: 600 }),
      (format, picks) => {
        const table = new IdTable(format, 10_000);
        const numbers = new Map<string, number>();
        for (const [first, last] of picks) {
          const id = new Uint8Array(format.idBytes);
          id[0] = first;
          id[format.idBytes - 1] = last & 255;
          id[format.idBytes - 2] = last >> 8;
          const key = bytesToHex(id);
          assert.equal(table.find(id, 0), numbers.get(key) ?? -1);
          if (!numbers.has(key)) numbers.set(key, numbers.size);
          assert.equal(table.add(concatBytes(new Uint8Array(3), id), 3), numbers.get(key));
          assert.equal(table.size, numbers.size);
        }
        for (const [key, number] of numbers) {
          assert.equal(bytesToHex(table.ids, number * format.idBytes, format.idBytes), key);
        }
      },
    ),
  );
});

test('IdTable holds no more than it may', () => {
  const table = new IdTable(SHA1, 100);
  const id = new Uint8Array(20);
  for (let i = 0; i < 100; i++) {
    id[7] = i;
    table.add(id, 0);
  }
  assert.equal(table.add(id, 0), 99);
  id[8] = 1;
  assert.throws(() => table.add(id, 0), { code: 'LIMIT_EXCEEDED' });
});

test('packNameHash() is the one of pack-objects, and incremental', () => {
  for (const [path, hash] of [
    ['', 0],
    ['a', 0x61000000],
    ['ab', 0x7a400000],
    ['a b\t\n', 0x7a400000],
  ] as const) {
    assert.equal(packNameHash(encodeText(path), 0, path.length, 0), hash);
  }
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array(), (directory, name) => {
      const path = concatBytes(directory, encodeText('/'), name);
      const hash = packNameHash(directory, 0, directory.length, 0);
      assert.equal(
        packNameHash(name, 0, name.length, directoryNameHash(hash)),
        packNameHash(path, 0, path.length, 0),
      );
    }),
  );
});

interface Entry {
  readonly mode: string;
  readonly name: string;
  readonly id: number;
}

function treeOf(entries: readonly Entry[]): Uint8Array {
  return concatBytes(
    new Uint8Array(0),
    ...entries.flatMap(({ mode, name, id }) => [
      encodeText(`${mode} ${name}\0`),
      new Uint8Array(20).fill(id),
    ]),
  );
}

/** What the scanner finds, as `kind name id` each. */
function scanned(scanner: TreeScanner, tree: Uint8Array, pathKey: number, depth = 0): string[] {
  // The tree lies inside something larger, as it does in a cache.
  const around = concatBytes(new Uint8Array(5).fill(0x31), tree, new Uint8Array(9).fill(0x31));
  scanner.scan(around, 5, 5 + tree.length, pathKey, depth);
  assert.deepEqual(scanner.data.subarray(0, tree.length), tree);
  return Array.from({ length: scanner.count }, (_, i) => {
    const idAt = scanner.idOffsets[i] as number;
    const name = new TextDecoder().decode(scanner.data.subarray(scanner.nameStarts[i], idAt - 1));
    return `${scanner.kinds[i]} ${name} ${scanner.data[idAt]}`;
  });
}

test('TreeScanner finds what the last tree of the path did not have', () => {
  const scanner = new TreeScanner(20);
  const readme = { mode: '100644', name: 'README', id: 1 };
  const source = { mode: '40000', name: 'src', id: 2 };
  const module = { mode: '160000', name: 'vendor', id: 3 };
  const link = { mode: '120000', name: 'link', id: 4 };
  for (const [entries, found] of [
    [
      [readme, source, module],
      [`${BLOB} README 1`, `${TREE} src 2`],
    ],
    [[readme, source, module], []],
    [[readme, { ...source, id: 5 }, module], [`${TREE} src 5`]],
    [[readme, link, { ...source, id: 5 }], [`${BLOB} link 4`]],
    [[link, { ...source, id: 5 }, module], []],
    [
      [
        { ...link, mode: '100644' },
        { ...source, id: 5 },
      ],
      [`${BLOB} link 4`],
    ],
    [[], []],
    [[readme], [`${BLOB} README 1`]],
  ] as const) {
    assert.deepEqual(scanned(scanner, treeOf(entries), 7), found);
  }
  assert.deepEqual(scanned(scanner, treeOf([readme]), 8), [`${BLOB} README 1`], 'another path');
});

test('TreeScanner skips an entry only when it was handed out, at the depth asked for or above', () => {
  const anyTree = fc
    .uniqueArray(
      fc.record({
        mode: fc.constantFrom('100644', '40000', '100755', '160000'),
        name: fc.constantFrom('a', 'aa', 'ab', 'b', 'ba', 'c', 'd with space', 'e-rather-long-name.txt', 'f'),
        id: fc.constantFrom(0, 1, 0x20, 0x31, 255),
      }),
      { selector: ({ name }) => name, maxLength: 9 },
    )
    .chain((entries) =>
      fc.boolean().map((sorted) => (sorted ? entries.sort((a, b) => (a.name < b.name ? -1 : 1)) : entries)),
    );
  fc.assert(
    fc.property(
      fc.array(fc.tuple(anyTree, fc.nat(1), fc.nat(2)), { minLength: 1, maxLength: 12 }),
      (steps) => {
        const scanner = new TreeScanner(20);
        /** Smallest depth each was found at. */
        const known = new Map<string, number>();
        for (const [entries, pathKey, depth] of steps) {
          const found = scanned(scanner, treeOf(entries), pathKey, depth);
          const all = entries
            .filter(({ mode }) => mode !== '160000')
            .map(({ mode, name, id }) => `${mode === '40000' ? TREE : BLOB} ${name} ${id}`);
          assert.deepEqual(
            found,
            all.filter((entry) => found.includes(entry)),
            'in the order of the tree',
          );
          for (const entry of found) known.set(entry, Math.min(depth, known.get(entry) ?? depth));
          for (const entry of all) assert.ok((known.get(entry) ?? 99) <= depth, `${entry} was skipped`);
        }
      },
    ),
    { numRuns: 500 },
  );
});

for (const [what, bytes] of [
  ['a mode without digits', encodeText(` name\0${'x'.repeat(20)}`)],
  ['a mode that is not octal', encodeText(`9 name\0${'x'.repeat(20)}`)],
  ['no name', encodeText(`100644 \0${'x'.repeat(20)}`)],
  ['no end of the name', encodeText('100644 name')],
  ['an id cut short', encodeText(`100644 name\0${'x'.repeat(19)}`)],
] as const) {
  test(`TreeScanner refuses ${what}, also after a good entry`, () => {
    const good = treeOf([{ mode: '100644', name: 'm', id: 1 }]);
    assert.throws(() => scanned(new TreeScanner(20), bytes, 0), { code: 'OBJECT_CORRUPT' });
    const scanner = new TreeScanner(20);
    scanned(scanner, good, 0);
    assert.throws(() => scanned(scanner, concatBytes(good, bytes), 0), { code: 'OBJECT_CORRUPT' });
  });
}
