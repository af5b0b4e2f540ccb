import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { bytesToHex, hexToBytes, type ObjectId } from '../../src/core/object-id.ts';
import { kindOfCode } from '../../src/core/object-kind.ts';
import { parseObjectFilter } from '../../src/repository/object-filter.ts';
import type { ObjectSelection } from '../../src/repository/object-selection.ts';
import { selectObjects } from '../../src/repository/select-objects.ts';
import { git, scratchDirectory } from '../support/git.ts';
import { type MapReader, readerOver, readObjectsOf } from '../support/object-reader.ts';
import { anyHistory, buildHistory } from '../support/random-history.ts';

function idsOf(selection: ObjectSelection): ObjectId[] {
  return Array.from({ length: selection.count }, (_, i) => bytesToHex(selection.ids, i * 20, 20));
}

/** What git lists, in its order. */
function revList(directory: string, ...args: readonly string[]): ObjectId[] {
  return git(directory, 'rev-list', '--objects', '--no-object-names', ...args)
    .split('\n')
    .filter(Boolean);
}

/**
 * What git lists with a filter. Of `combine:` we ask for each part: git's own combination forgets objects that
 * one part has let through at a level where another did not.
 */
function revListFiltered(directory: string, spec: string | undefined, args: readonly string[]): ObjectId[] {
  if (spec === undefined) return revList(directory, ...args);
  const parts = spec.startsWith('combine:') ? spec.slice('combine:'.length).split('+') : [spec];
  return parts
    .map((part) => revList(directory, `--filter=${part}`, ...args))
    .reduce((left, right) => left.filter((id) => right.includes(id)));
}

function without(ids: readonly ObjectId[], others: readonly ObjectId[]): ObjectId[] {
  const excluded = new Set(others);
  return ids.filter((id) => !excluded.has(id));
}

function checkTables(reader: MapReader, selection: ObjectSelection): void {
  const ids = idsOf(selection);
  assert.equal(new Set(ids).size, ids.length, 'no object twice');
  for (const [i, id] of ids.entries()) {
    assert.equal(kindOfCode(selection.kinds[i] as number), reader.objects.get(id)?.kind);
    assert.equal(selection.indexOf(selection.ids, i * 20), i);
    assert.equal(selection.receiverHas(selection.ids, i * 20), false);
  }
}

const HISTORIES = 3;
const QUERIES = 15;
const some = (ids: readonly ObjectId[], maxLength: number, minLength = 0) =>
  fc.uniqueArray(fc.constantFrom(...ids), { minLength, maxLength });

for (const [name, filters] of [
  ['everything', [undefined]],
  [
    'what a filter lets through',
    [
      'blob:none',
      'blob:limit=0',
      'blob:limit=10',
      'blob:limit=1k',
      'tree:0',
      'tree:1',
      'tree:2',
      'tree:3',
      'object:type=blob',
      'object:type=tree',
      'object:type=commit',
      'object:type=tag',
      'combine:tree:2+blob:limit=10',
      'combine:object:type=blob+tree:3',
      'combine:blob:none+object:type=tree',
    ],
  ],
] as const) {
  test(`selectObjects() selects ${name} as rev-list --objects lists it`, async (context) => {
    for (let i = 0; i < HISTORIES; i++) {
      const directory = await scratchDirectory(context);
      const [plan] = fc.sample(anyHistory(40), 1);
      const history = buildHistory(directory, plan ?? []);
      const reader = readerOver(readObjectsOf(directory));
      const everything = [...reader.objects.keys()];
      await fc.assert(
        fc.asyncProperty(
          fc.oneof(
            { weight: 4, arbitrary: some([...history.commits, ...history.tags], 4, 1) },
            { weight: 1, arbitrary: some(everything, 3, 1) },
          ),
          some([...history.commits, ...history.tags], 3),
          fc.constantFrom(...filters),
          async (wants, haves, spec) => {
            const filter = spec === undefined ? undefined : parseObjectFilter(spec);
            const selection = await selectObjects(reader, { wants, haves, filter, thin: true });
            checkTables(reader, selection);
            const ids = idsOf(selection);
            const together = revListFiltered(directory, spec, [...wants, '--not', ...haves]);
            if (spec === undefined) {
              assert.deepEqual(ids.sort(), together.sort());
              return;
            }
            // git forgets that an object was asked for by name when another want reaches it as well.
            const apart = wants.flatMap((want) =>
              revListFiltered(directory, spec, [want, '--not', ...haves]),
            );
            assert.deepEqual(without(together, ids), [], 'lacking');
            assert.deepEqual(without(ids, [...together, ...apart]), [], 'too much');
          },
        ),
        { numRuns: QUERIES },
      );
    }
  });
}

test('selectObjects() leaves out nothing the client lacks when clocks are wrong', async (context) => {
  for (let i = 0; i < HISTORIES; i++) {
    const directory = await scratchDirectory(context);
    const [plan] = fc.sample(anyHistory(40, 2000), 1);
    const history = buildHistory(directory, plan ?? []);
    const reader = readerOver(readObjectsOf(directory));
    await fc.assert(
      fc.asyncProperty(some(history.commits, 4, 1), some(history.commits, 3), async (wants, haves) => {
        const selection = await selectObjects(reader, { wants, haves, thin: true });
        checkTables(reader, selection);
        const selected = new Set(idsOf(selection));
        const had = new Set(haves.length === 0 ? [] : revList(directory, ...haves));
        for (const id of revList(directory, ...wants)) {
          assert.ok(selected.has(id) || had.has(id), `${id} is lacking`);
        }
        for (const id of reader.objects.keys()) {
          if (selection.receiverHas(hexToBytes(id), 0)) assert.ok(had.has(id), `${id} is not there`);
        }
      }),
      { numRuns: QUERIES },
    );
  }
});
