/**
 * Inputs that are nearly right: bytes flipped, numbers at their borders, words of the grammar in wrong places, parts
 * left out, doubled, moved, or taken from elsewhere.
 *
 * @module
 */
import type { Random } from '../../fixtures/random.ts';
import { concatBytes, encodeLatin1 } from '../../src/core/bytes.ts';

/** Bytes of the longest input. */
export const MAX_INPUT_BYTES = 64 * 1024;

const BORDERS = [0, 1, 9, 10, 13, 16, 31, 32, 47, 64, 92, 127, 128, 0xbf, 0xc0, 0xed, 0xef, 0xfe, 0xff];
const MOST_STEPS = 6;
/** One in so many inputs is blown up: what is quadratic shows. */
const BLOW_UP = 200;

export function mutate(
  random: Random,
  input: Uint8Array,
  other: Uint8Array,
  words: readonly string[],
): Uint8Array {
  let bytes = input;
  const steps = 1 + random.below(MOST_STEPS);
  for (let step = 0; step < steps; step++) bytes = mutateOnce(random, bytes, other, words);
  if (random.below(BLOW_UP) === 0) bytes = blowUp(random, bytes);
  return bytes.length > MAX_INPUT_BYTES ? bytes.subarray(0, MAX_INPUT_BYTES) : bytes;
}

/** Any bytes at all. */
export function noise(random: Random): Uint8Array {
  return Uint8Array.from({ length: random.below(random.chance(0.9) ? 64 : 1024) }, () => random.below(256));
}

function mutateOnce(
  random: Random,
  bytes: Uint8Array,
  other: Uint8Array,
  words: readonly string[],
): Uint8Array {
  const at = random.below(bytes.length + 1);
  const length = random.below(Math.min(bytes.length - at, random.chance(0.8) ? 8 : 512) + 1);
  switch (random.below(words.length > 0 ? 10 : 8)) {
    case 0:
      return changed(bytes, at, (byte) => byte ^ (1 << random.below(8)));
    case 1:
      return changed(bytes, at, () => random.pick(BORDERS));
    case 2:
      return changed(bytes, at, () => random.below(256));
    case 3:
      return spliced(bytes, at, length, NOTHING); // taken out
    case 4:
      return bytes.subarray(0, at); // cut off
    case 5:
      return spliced(bytes, at, 0, bytes.subarray(at, at + length)); // doubled
    case 6:
      return withNumber(random, bytes, at);
    case 7: {
      const from = random.below(other.length + 1);
      return spliced(bytes, at, length, other.subarray(from, from + random.below(64)));
    }
    default:
      return spliced(bytes, at, random.chance(0.5) ? length : 0, encodeLatin1(random.pick(words)));
  }
}

const NOTHING = new Uint8Array(0);

function changed(bytes: Uint8Array, at: number, change: (byte: number) => number): Uint8Array {
  if (at >= bytes.length) return bytes;
  const copy = bytes.slice();
  copy[at] = change(copy[at] as number);
  return copy;
}

function spliced(bytes: Uint8Array, at: number, remove: number, insert: Uint8Array): Uint8Array {
  return concatBytes(bytes.subarray(0, at), insert, bytes.subarray(at + remove));
}

/** A 32-bit number where one may stand, at a border: what counts and offsets are checked for. */
function withNumber(random: Random, bytes: Uint8Array, at: number): Uint8Array {
  if (at + 4 > bytes.length) return bytes;
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  const old = view.getUint32(at);
  const borders = [0, 1, old + 1, old - 1, old * 2, 0x7fffffff, 0x80000000, 0xffffffff, bytes.length, at];
  view.setUint32(at, random.pick(borders));
  return copy;
}

function blowUp(random: Random, bytes: Uint8Array): Uint8Array {
  const at = random.below(bytes.length + 1);
  const part = bytes.subarray(at, at + 1 + random.below(32));
  if (part.length === 0) return bytes;
  const times = Math.floor((MAX_INPUT_BYTES - bytes.length) / part.length / (1 + random.below(8)));
  const many = new Uint8Array(Math.max(0, times) * part.length);
  for (let i = 0; i < many.length; i += part.length) many.set(part, i);
  return spliced(bytes, at, 0, many);
}
