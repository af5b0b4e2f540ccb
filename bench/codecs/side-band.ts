import { encodeBand, multiplex } from '../../src/protocol/side-band.ts';
import { type Case, sampleNoise } from './case.ts';

const CHUNKS = 50;
const OVERHEAD_BYTES = 5;

/** Pack data on its way into band 1: what framing costs beside the bytes themselves. */
export function sideBandCases(): Case[] {
  return [1000, 65_515].flatMap((chunkBytes): Case[] => {
    const behindHeadroom = new Uint8Array(chunkBytes + OVERHEAD_BYTES).subarray(OVERHEAD_BYTES);
    behindHeadroom.set(sampleNoise(chunkBytes));
    const alone = behindHeadroom.slice();
    const common = { group: 'side-band', items: CHUNKS, bytes: CHUNKS * chunkBytes };
    const through = (chunk: Uint8Array) => async () => {
      const packets = multiplex(() => repeated(chunk), { keepaliveMs: 5000 });
      while ((await packets.next()).done !== true);
    };
    return [
      {
        ...common,
        name: `frame chunks of ${chunkBytes} bytes, copied`,
        run: () => {
          for (let i = 0; i < CHUNKS; i++) encodeBand(1, alone);
        },
      },
      { ...common, name: `multiplex chunks of ${chunkBytes} bytes, copied`, run: through(alone) },
      { ...common, name: `multiplex chunks of ${chunkBytes} bytes, in place`, run: through(behindHeadroom) },
    ];
  });
}

async function* repeated(chunk: Uint8Array): AsyncGenerator<Uint8Array, undefined> {
  for (let i = 0; i < CHUNKS; i++) yield chunk;
}
