import { Random } from '../../fixtures/random.ts';
import { Bitset } from '../../src/pack/bitset.ts';
import { toggleEwah } from '../../src/pack/ewah.ts';
import type { Case } from './case.ts';

/** Objects of a large repository. */
const BITS = 850_000;
const WORDS = Math.floor(BITS / 64);

/** As reachability bitmaps are: long runs, and words of both where commits come and go. Items are 64-bit words. */
export function bitmapCases(): Case[] {
  return [
    { name: 'runs', literalPercent: 2 },
    { name: 'runs and words', literalPercent: 30 },
    { name: 'words', literalPercent: 100 },
  ]
    .flatMap(({ name, literalPercent }): Case[] => {
      const ewah = encode(literalPercent);
      const bits = new Bitset(BITS);
      const common = { group: 'bitmap', items: WORDS };
      return [
        {
          ...common,
          name: `toggle EWAH: ${name}`,
          bytes: ewah.byteLength,
          run: () => toggleEwah(ewah, 0, bits),
        },
      ];
    })
    .concat(bitsetCases());
}

function bitsetCases(): Case[] {
  const a = new Bitset(BITS);
  const b = new Bitset(BITS);
  toggleEwah(encode(30), 0, a);
  toggleEwah(encode(30), 0, b);
  const common = { group: 'bitmap', items: WORDS, bytes: BITS / 8 };
  return [
    { ...common, name: 'or', run: () => a.or(b) },
    { ...common, name: 'andNot', run: () => b.clone().andNot(a) },
    { ...common, name: 'count', run: () => a.count() },
    { ...common, name: 'next, for each set bit', items: a.count(), run: () => visitAll(a) },
  ];
}

function visitAll(bits: Bitset): number {
  let sum = 0;
  for (let bit = bits.next(0); bit >= 0; bit = bits.next(bit + 1)) sum += bit;
  return sum;
}

/** Chunks of 1 to 40 words as they are, each behind a run that makes their share of all words this. */
function encode(literalPercent: number): DataView {
  const random = new Random(1);
  const view = new DataView(new ArrayBuffer(12 + 16 * WORDS));
  let at = 8;
  for (let word = 0; word < WORDS; ) {
    const literals = Math.min(WORDS - word, 1 + random.below(40));
    const spare = WORDS - word - literals;
    const run = Math.min(spare, Math.round((literals * (100 - literalPercent)) / literalPercent));
    view.setUint32(at, literals * 2);
    view.setUint32(at + 4, run * 2 + random.below(2));
    at += 8;
    for (let i = 0; i < 2 * literals; i++, at += 4) view.setUint32(at, random.below(0xffffffff));
    word += run + literals;
  }
  view.setUint32(0, BITS);
  view.setUint32(4, (at - 8) / 8);
  return new DataView(view.buffer, 0, at + 4);
}
