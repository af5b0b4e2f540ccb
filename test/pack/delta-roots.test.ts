import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { SHA1 } from '../../src/core/object-id.ts';
import { BLOB, OFS_DELTA } from '../../src/core/object-kind.ts';
import { DeltaRoots } from '../../src/pack/delta-roots.ts';
import { NONE, ObjectTable } from '../../src/pack/object-table.ts';
import { createResolveControl, endFamilies, offerFamilies } from '../../src/pack/resolve-control.ts';
import { jobOf } from '../support/resolve-job.ts';

/** A table where each number is an entry's base; {@link NONE} stands for a whole object. */
function tableOf(bases: readonly number[], expected = bases.length): ObjectTable {
  const table = new ObjectTable(SHA1);
  for (const [entry, base] of bases.entries()) {
    table.beginRow(12 + entry, base === NONE ? BLOB : OFS_DELTA, expected);
    table.count++;
    if (base !== NONE) table.addChild(base, entry);
  }
  return table;
}

/** Counts how often it is told that the pack has grown. */
class Pack {
  refreshed = 0;

  refresh(): void {
    this.refreshed++;
  }
}

function takeAll(roots: DeltaRoots): number[] {
  const taken = [];
  for (let root = roots.take(); root !== NONE; root = roots.take()) taken.push(root);
  return taken;
}

test('whole objects that are a base are taken, in the order of the pack', () => {
  const table = tableOf([NONE, 0, NONE, NONE, 3, 4]);
  assert.deepEqual(takeAll(new DeltaRoots(jobOf(table, createResolveControl()), new Pack())), [0, 3]);
});

test('heavy roots come first, in their order, and are not taken twice', () => {
  const table = tableOf([NONE, 0, NONE, 2, NONE, 4]);
  const job = jobOf(table, createResolveControl(), { heavyRoots: Int32Array.of(4, 2) });
  assert.deepEqual(takeAll(new DeltaRoots(job, new Pack())), [4, 2, 0]);
});

test('families come before the others', () => {
  const table = tableOf([NONE, 0, NONE, 2, NONE, 4]);
  const control = createResolveControl();
  offerFamilies(control, 2, 4);
  const roots = new DeltaRoots(jobOf(table, control, { familiesStart: 2 }), new Pack());
  assert.deepEqual(
    [1, 2, 3, 4].map((entry) => roots.isInFamilies(entry)),
    [false, true, true, false],
  );
  assert.deepEqual(takeAll(roots), [2, 0, 4]);
});

test('while the pack arrives only families are taken, of the table and the file as they are by then', () => {
  const last = 50_000;
  const pairs = Array.from({ length: 2000 }, (_, entry) => (entry % 2 === 0 ? NONE : entry - 1));
  const table = tableOf(pairs, last + 2);
  assert.ok(table.staysInPlace(last + 2));
  const control = createResolveControl();
  const pack = new Pack();
  const roots = new DeltaRoots(jobOf(table, control, { phase: 'early', familiesStart: 1600 }), pack);
  offerFamilies(control, 1600, 1602);
  assert.equal(roots.take(), 1600);
  assert.equal(pack.refreshed, 1);

  for (; table.count < last + 2; table.count++) table.beginRow(12 + table.count, BLOB, last + 2);
  table.addChild(last, last + 1);
  offerFamilies(control, 1600, last + 2);
  endFamilies(control);
  const taken = takeAll(roots);
  assert.deepEqual([taken[0], taken.at(-1), taken.length], [1602, last, 200]);
  assert.ok(pack.refreshed > 300, `${pack.refreshed} times`);
  assert.ok(roots.columns.types.length >= last + 2);
});

test('nobody waits for families once they have ended', () => {
  const control = createResolveControl();
  endFamilies(control);
  const job = jobOf(tableOf([NONE, 0]), control, { phase: 'early', familiesStart: 0 });
  assert.equal(new DeltaRoots(job, new Pack()).take(), NONE);
});

test('several resolvers take each root once, however they take turns', () => {
  const anyJob = fc.record({
    isBase: fc.array(fc.boolean(), { minLength: 1, maxLength: 1000 }),
    families: fc.tuple(fc.nat(1500), fc.nat(1500)),
    heavy: fc.array(fc.nat(999), { maxLength: 5 }),
    turns: fc.infiniteStream(fc.nat(2)),
  });
  fc.assert(
    fc.property(anyJob, ({ isBase, families, heavy, turns }) => {
      const table = tableOf(isBase.flatMap((is, at) => (is ? [NONE, 2 * at] : [NONE, NONE])));
      const expected = isBase.flatMap((is, at) => (is ? [2 * at] : []));
      const [start, end] = families.map((at) => Math.min(at, table.count)).sort((a, b) => a - b) as [
        number,
        number,
      ];
      const control = createResolveControl();
      if (end > 0) offerFamilies(control, start, end);
      const heavyRoots = Int32Array.from(
        new Set(heavy.map((at) => expected[at % expected.length] ?? NONE)),
      ).filter((root) => root !== NONE && !(root >= start && root < end));
      const job = jobOf(table, control, { familiesStart: end > 0 ? start : undefined, heavyRoots });
      const resolvers = Array.from({ length: 3 }, () => new DeltaRoots(job, new Pack()));
      const taken: number[] = [];
      for (const turn of turns) {
        const root = (resolvers[turn] as DeltaRoots).take();
        if (root === NONE) break;
        taken.push(root);
      }
      for (const resolver of resolvers) taken.push(...takeAll(resolver));
      assert.deepEqual(
        taken.sort((a, b) => a - b),
        expected,
      );
    }),
  );
});
