/**
 * Writes the filter of unavoidable conditions in AssemblyScript, from the table of disturbance vectors.
 *
 * A condition costs five SIMD instructions for four blocks; the check that follows when a vector's conditions all hold
 * costs about as much as 400 of them. So each is worth its time as long as vectors enough still need ruling out.
 *
 * @module
 */
import { type BitCondition, disturbanceVectors } from '../src/core/sha1/disturbance-vectors.ts';

/** A condition that spares fewer checks a block than this is left out: measured with `npm run bench`, "sha1". */
const LEAST_CHECKS_SPARED = 0.0015;

interface Shared {
  readonly condition: BitCondition;
  /** All vectors that have it. */
  vectors: number[];
}

/** The source of the module `conditions`. */
export function writeConditions(): string {
  const lines = worthwhile().map(({ condition, vectors }) => {
    const { word, bit, otherWord, otherBit, areEqual } = condition;
    const mask = vectors.reduce((sum, vector) => sum | (1 << vector), 0);
    const what = areEqual ? 'ifDiffer' : 'ifSame';
    return `  out = ${what}(out, ${word}, ${bit}, ${otherWord}, ${otherBit}, ${mask});`;
  });
  return `
import { WORDS } from './layout';

/** In each lane the vectors its block could have been made with, as far as the conditions tell. */
export function survivingVectors(): v128 {
  let out = i32x4.splat(0);
${lines.join('\n')}
  return v128.not(out);
}

// @ts-ignore: decorator
@inline
function ifDiffer(out: v128, word: usize, bit: i32, otherWord: usize, otherBit: i32, vectors: i32): v128 {
  return v128.or(out, v128.and(spread(word, bit, otherWord, otherBit), i32x4.splat(vectors)));
}

// @ts-ignore: decorator
@inline
function ifSame(out: v128, word: usize, bit: i32, otherWord: usize, otherBit: i32, vectors: i32): v128 {
  return v128.or(out, v128.andnot(i32x4.splat(vectors), spread(word, bit, otherWord, otherBit)));
}

/** All bits of a lane set where the two bits differ. */
// @ts-ignore: decorator
@inline
function spread(word: usize, bit: i32, otherWord: usize, otherBit: i32): v128 {
  const one = v128.load(WORDS + word * 16);
  const other = v128.load(WORDS + otherWord * 16);
  if (otherBit > bit) {
    const sum = v128.xor(one, i32x4.shr_u(other, otherBit - bit));
    return i32x4.shr_s(i32x4.shl(sum, 31 - bit), 31);
  }
  const sum = v128.xor(otherBit == bit ? one : i32x4.shr_u(one, bit - otherBit), other);
  return i32x4.shr_s(i32x4.shl(sum, 31 - otherBit), 31);
}
`;
}

/** In an order in which each rules out as much as any that is left; without those that are not worth their time. */
function worthwhile(): Shared[] {
  const left = sharedConditions();
  const chosen: Shared[] = [];
  const likelihood = disturbanceVectors().map(() => 1);
  const spared = ({ vectors }: Shared) => vectors.reduce((sum, v) => sum + (likelihood[v] as number), 0) / 2;
  for (;;) {
    left.sort((a, b) => spared(b) - spared(a));
    const next = left.shift();
    if (next === undefined || spared(next) < LEAST_CHECKS_SPARED) return chosen;
    for (const vector of next.vectors) likelihood[vector] = (likelihood[vector] as number) / 2;
    chosen.push(next);
  }
}

function sharedConditions(): Shared[] {
  const shared = new Map<string, Shared>();
  for (const [vector, { conditions }] of disturbanceVectors().entries()) {
    for (const condition of conditions) {
      const key = JSON.stringify(condition);
      const known = shared.get(key);
      if (known === undefined) shared.set(key, { condition, vectors: [vector] });
      else known.vectors.push(vector);
    }
  }
  return [...shared.values()];
}
