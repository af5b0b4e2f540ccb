import { type Case, sampleNoise } from './case.ts';

const COPIES = 200;

/** Three ways to move bytes from one array to another: where does which one win? */
export function copyCases(): Case[] {
  return [8, 32, 48, 64, 128, 1024, 16_384].flatMap((sizeBytes) => {
    const from = sampleNoise(sizeBytes + 7);
    const to = new Uint8Array(sizeBytes + 7);
    const common = { group: 'copy', items: COPIES, bytes: COPIES * sizeBytes };
    return [
      {
        ...common,
        name: `${sizeBytes} bytes, loop`,
        run: () => {
          for (let i = 0; i < COPIES; i++) {
            const start = i & 7;
            for (let at = start, end = start + sizeBytes; at < end; at++) to[at] = from[at] as number;
          }
        },
      },
      {
        ...common,
        name: `${sizeBytes} bytes, set(subarray)`,
        run: () => {
          for (let i = 0; i < COPIES; i++) {
            const start = i & 7;
            to.set(from.subarray(start, start + sizeBytes), start);
          }
        },
      },
    ];
  });
}
