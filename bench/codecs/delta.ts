import { editText } from '../../fixtures/file-content.ts';
import { Random } from '../../fixtures/random.ts';
import { applyDelta, type DeltaSizes, readDeltaSizes } from '../../src/pack/delta.ts';
import { createDelta, indexDeltaBase } from '../../src/pack/delta-create.ts';
import { type Case, sampleNoise, sampleText } from './case.ts';

export function deltaCases(): Case[] {
  return [1000, 10_000, 100_000, 1_000_000].flatMap((sizeBytes) => {
    const base = sampleText(sizeBytes);
    const edited = editText(new Random(2), Buffer.from(base).toString('latin1'));
    const target = new Uint8Array(Buffer.from(edited, 'latin1'));
    const other = sampleNoise(sizeBytes);
    const index = indexDeltaBase(base);
    const output = new Uint8Array(sizeBytes);
    const delta = output.slice(0, createDelta(index, target, output));
    const rebuilt = new Uint8Array(target.length);
    const sizes: DeltaSizes = { baseBytes: 0, targetBytes: 0, instructions: 0 };
    const items = Math.max(1, Math.floor(200_000 / sizeBytes));
    const common = { group: 'delta', items, bytes: items * sizeBytes };
    const times = (work: () => void) => () => {
      for (let i = 0; i < items; i++) work();
    };
    return [
      {
        ...common,
        name: `apply to ${sizeBytes} bytes`,
        run: times(() => {
          readDeltaSizes(delta, 0, delta.length, sizes);
          const { instructions } = sizes;
          applyDelta(base, 0, base.length, delta, instructions, delta.length, rebuilt, 0, rebuilt.length);
        }),
      },
      { ...common, name: `index a base of ${sizeBytes} bytes`, run: times(() => indexDeltaBase(base)) },
      {
        ...common,
        name: `create for an edit of ${sizeBytes} bytes`,
        run: times(() => createDelta(index, target, output)),
      },
      {
        ...common,
        name: `create in vain for ${sizeBytes} bytes of noise`,
        run: times(() => createDelta(index, other, output.subarray(0, sizeBytes / 2))),
      },
    ];
  });
}
