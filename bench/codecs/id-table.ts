import { SHA1 } from '../../src/core/object-id.ts';
import { IdTable } from '../../src/repository/id-table.ts';
import { type Case, sampleNoise } from './case.ts';

export function idTableCases(): Case[] {
  return [1000, 100_000].flatMap((count) => {
    const ids = sampleNoise(count * 20);
    const others = sampleNoise(count * 20, 2);
    const filled = fill(ids, count);
    const common = { group: 'id table', items: count, bytes: 0 };
    return [
      { ...common, name: `add ${count} ids`, run: () => void fill(ids, count) },
      { ...common, name: `find what is there, of ${count}`, run: () => findAll(filled, ids, count) },
      { ...common, name: `find what is not, of ${count}`, run: () => findAll(filled, others, count) },
    ];
  });
}

function fill(ids: Uint8Array, count: number): IdTable {
  const table = new IdTable(SHA1, count);
  for (let i = 0; i < count; i++) table.add(ids, 20 * i);
  return table;
}

function findAll(table: IdTable, ids: Uint8Array, count: number): void {
  for (let i = 0; i < count; i++) table.find(ids, 20 * i);
}
