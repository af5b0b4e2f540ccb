import { nodeRuntime } from '../../src/core/node/runtime.ts';
import { SHA1 } from '../../src/core/object-id.ts';
import { BLOB } from '../../src/core/object-kind.ts';
import { sortByIds } from '../../src/pack/id-order.ts';
import { encodePackIndex } from '../../src/pack/idx-format.ts';
import { parsePackIndex } from '../../src/pack/idx-reader.ts';
import { ObjectTable } from '../../src/pack/object-table.ts';
import { type Case, sampleNoise } from './case.ts';

const LOOK_UPS = 1000;
const ENTRY_BYTES = 300;

/** Looking up ids and offsets in the index of a pack, small and large. */
export function idxCases(): Case[] {
  return [1000, 500_000].flatMap((objects) => {
    const ids = sampleNoise(objects * 20);
    const others = sampleNoise(LOOK_UPS * 20, 2);
    const index = parsePackIndex(encodeIndex(ids, objects), {
      format: SHA1,
      packBytes: 12 + objects * ENTRY_BYTES + 20,
    });
    // Spread over the whole index, so that large ones miss the processor's caches as they do in real life.
    const stride = Math.max(1, Math.floor(objects / LOOK_UPS)) * 20;
    const common = { group: 'idx', items: LOOK_UPS, bytes: 0 };
    const times = (work: (i: number) => unknown) => () => {
      for (let i = 0; i < LOOK_UPS; i++) work(i);
    };
    index.entryEnd(12); // builds the reverse index
    return [
      {
        ...common,
        name: `find what is there, of ${objects}`,
        run: times((i) => index.rankOf(ids, i * stride)),
      },
      { ...common, name: `find what is not, of ${objects}`, run: times((i) => index.rankOf(others, i * 20)) },
      {
        ...common,
        name: `rank at an offset, of ${objects}`,
        run: times((i) => index.rankAtOffset(12 + ((i * 7919) % objects) * ENTRY_BYTES)),
      },
    ];
  });
}

function encodeIndex(ids: Uint8Array, objects: number): Uint8Array {
  const table = new ObjectTable(SHA1);
  const order = new Int32Array(objects);
  for (let i = 0; i < objects; i++) {
    table.beginRow(12 + i * ENTRY_BYTES, BLOB, objects);
    table.count++;
    order[i] = i;
  }
  table.columns.ids.set(ids);
  sortByIds(order, ids, SHA1.idBytes);
  return Buffer.concat([...encodePackIndex(table, order, new Uint8Array(20), nodeRuntime)]);
}
