/**
 * What inflating the entries of real packs costs, by inflated size, with each inflater: nanoseconds an entry, the median
 * of rounds that take turns, and the sum over the whole pack.
 *
 *     node --import tsx bench/codecs/pack-entries.ts [--rounds=9] [--with=native,wasm] <pack>...
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import zlib from 'node:zlib';
import { createWasmInflater } from '../../src/core/inflate/wasm-inflater.ts';
import { createNativeInflater } from '../../src/core/node/native-inflater.ts';
import { createPakoInflater } from '../../src/core/portable/inflater.ts';
import type { Inflater } from '../../src/core/runtime.ts';
import { createEntryHeader, parseEntryHeader } from '../../src/pack/entry-header.ts';
import { PACK_HEADER_BYTES, parsePackHeader } from '../../src/pack/pack-header.ts';

/** Inflated sizes below which an entry is of a class. */
const CLASSES = [100, 500, 4096, 65_536, Number.POSITIVE_INFINITY];
/** Measured of each class, spread over the pack. */
const MOST_ENTRIES = 5000;
const MOST_BYTES = 16 * 1024 * 1024;
/** Offered at a time, as by a socket. */
const CHUNK_BYTES = 64 * 1024;
const ID_BYTES = 20;

interface Entries {
  readonly starts: number[];
  readonly sizes: number[];
  readonly deflatedSizes: number[];
}

type Inflate = (
  pack: Uint8Array,
  start: number,
  deflatedBytes: number,
  room: Uint8Array,
  size: number,
) => void;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '9' },
    with: { type: 'string', default: 'native,wasm,inflateSync,pako' },
  },
});

const ways: { readonly [name: string]: () => Inflate } = {
  native: () => reusing(createNativeInflater()),
  wasm: () => reusing(createWasmInflater()),
  inflateSync: () => (pack, start, deflatedBytes) => {
    zlib.inflateSync(pack.subarray(start, start + deflatedBytes), { info: true });
  },
  pako: () => reusing(createPakoInflater()),
};

for (const path of positionals) report(path, values.with.split(','), Number(values.rounds));

function report(path: string, names: readonly string[], rounds: number): void {
  const file = readFileSync(path);
  const pack = new Uint8Array(file.buffer, file.byteOffset, file.length);
  const entries = findEntries(pack);
  const classes = CLASSES.map((_, rank) => sample(entries, rank));
  console.log(`${basename(path)}: ${entries.starts.length} entries, Node ${process.version}`);
  console.log(
    `${''.padEnd(12)}${CLASSES.map((size) => `<${size}`.padStart(12)).join('')}${'whole, ms'.padStart(12)}`,
  );
  const inflates = names.map((name) => (ways[name] as () => Inflate)());
  const times = inflates.map(() => classes.map((): number[] => []));
  for (const [rank, { chosen }] of classes.entries()) {
    for (let round = -1; round < rounds; round++) {
      for (const [at, inflate] of inflates.entries()) {
        const nanoseconds = measure(pack, entries, chosen, inflate);
        if (round >= 0) times[at]?.[rank]?.push(nanoseconds);
      }
    }
  }
  for (const [at, name] of names.entries()) {
    const medians = (times[at] as number[][]).map(median);
    const whole = medians.reduce((sum, each, rank) => sum + each * (classes[rank]?.count as number), 0) / 1e6;
    console.log(
      `${name.padEnd(12)}${medians.map((each) => each.toFixed(0).padStart(12)).join('')}${whole.toFixed(0).padStart(12)}`,
    );
  }
}

function findEntries(pack: Uint8Array): Entries {
  const entries: Entries = { starts: [], sizes: [], deflatedSizes: [] };
  const header = createEntryHeader();
  const inflater = createPakoOrFaster();
  const room = new Uint8Array(CHUNK_BYTES);
  let at = PACK_HEADER_BYTES;
  for (let left = parsePackHeader(pack); left > 0; left--) {
    parseEntryHeader(pack, at, pack.length, ID_BYTES, header);
    at += header.headerBytes;
    entries.starts.push(at);
    entries.sizes.push(header.sizeBytes);
    inflater.reset();
    const start = at;
    while (!inflater.ended) {
      inflater.inflate(pack, at, Math.min(pack.length, at + CHUNK_BYTES), room, 0, room.length);
      at += inflater.consumed;
    }
    entries.deflatedSizes.push(at - start);
  }
  return entries;
}

function createPakoOrFaster(): Inflater {
  return createNativeInflater() ?? createPakoInflater();
}

function sample({ sizes }: Entries, rank: number): { readonly chosen: number[]; readonly count: number } {
  const least = rank === 0 ? 0 : (CLASSES[rank - 1] as number);
  const all = [...sizes.keys()].filter(
    (entry) => (sizes[entry] as number) >= least && (sizes[entry] as number) < (CLASSES[rank] as number),
  );
  const bytes = all.reduce((sum, entry) => sum + (sizes[entry] as number), 0);
  const step = Math.max(1, Math.ceil(all.length / MOST_ENTRIES), Math.ceil(bytes / MOST_BYTES));
  return { chosen: all.filter((_, number) => number % step === 0), count: all.length };
}

function measure(pack: Uint8Array, entries: Entries, chosen: readonly number[], inflate: Inflate): number {
  const { starts, sizes, deflatedSizes } = entries;
  const largest = chosen.reduce((most, entry) => Math.max(most, sizes[entry] as number), 0);
  const room = new Uint8Array(largest + 1);
  const begin = performance.now();
  for (const entry of chosen) {
    inflate(pack, starts[entry] as number, deflatedSizes[entry] as number, room, sizes[entry] as number);
  }
  return chosen.length === 0 ? 0 : ((performance.now() - begin) * 1e6) / chosen.length;
}

function reusing(inflater: Inflater | undefined): Inflate {
  if (inflater === undefined) throw new Error('An inflater is not to be had here');
  return (pack, start, _deflatedBytes, room, size) => {
    inflater.reset();
    let at = start;
    let to = 0;
    do {
      inflater.inflate(pack, at, Math.min(pack.length, at + CHUNK_BYTES), room, to, size + 1);
      at += inflater.consumed;
      to += inflater.produced;
    } while (!inflater.ended);
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
