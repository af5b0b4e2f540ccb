/**
 * SHA-1 with detection of collision attacks in plain JavaScript: for platforms that cannot run the one of `assembly/`,
 * and as what that is tested against. Written to be read.
 * Spec: FIPS 180-4, 6.1; Stevens and Shumow, "Speeding up detection of SHA-1 collision attacks using unavoidable
 * attack conditions" (USENIX Security 2017).
 *
 * @module
 */
import { BLOCK_BYTES, type DetectingHash, type DetectingSha1, ID_BYTES } from './detecting-sha1.ts';
import { type BitCondition, disturbanceVectors, messageDifferences, STEPS } from './disturbance-vectors.ts';

/** Five words. */
type State = readonly [number, number, number, number, number];

const INITIAL: State = [0x67452301, 0xefcdab89 | 0, 0x98badcfe | 0, 0x10325476, 0xc3d2e1f0 | 0];

interface Vector {
  readonly sameStateStep: number;
  readonly conditions: readonly BitCondition[];
  readonly differences: Int32Array;
}

let vectors: readonly Vector[] | undefined;

export interface PlainSha1Options {
  /**
   * Check a block against every vector, also those whose unavoidable conditions it breaks: thirty times as slow, and the
   * same answer. For tests.
   */
  readonly checkAll?: boolean | undefined;
}

export function createPlainSha1(options: PlainSha1Options = {}): DetectingSha1 {
  return {
    name: 'plain',
    hashInto(bytes, start, end, target, targetOffset) {
      const hash = new PlainHash(options);
      hash.update(bytes.subarray(start, end));
      target.set(hash.digest(), targetOffset);
      return hash.isAttacked;
    },
    createHash: () => new PlainHash(options),
  };
}

class PlainHash implements DetectingHash {
  isAttacked = false;
  readonly #checkAll: boolean;
  readonly #pending = new Uint8Array(BLOCK_BYTES);
  readonly #words = new Int32Array(STEPS);
  #pendingBytes = 0;
  #totalBytes = 0;
  #state = INITIAL;

  constructor({ checkAll = false }: PlainSha1Options) {
    this.#checkAll = checkAll;
  }

  update(bytes: Uint8Array): void {
    this.#totalBytes += bytes.length;
    for (let at = 0; at < bytes.length; ) {
      const taken = Math.min(BLOCK_BYTES - this.#pendingBytes, bytes.length - at);
      this.#pending.set(bytes.subarray(at, at + taken), this.#pendingBytes);
      this.#pendingBytes += taken;
      at += taken;
      if (this.#pendingBytes === BLOCK_BYTES) {
        this.#takeBlock();
        this.#pendingBytes = 0;
      }
    }
  }

  digest(): Uint8Array {
    const totalBytes = this.#totalBytes;
    const zeros = (2 * BLOCK_BYTES - 9 - (totalBytes % BLOCK_BYTES)) % BLOCK_BYTES;
    const padding = new Uint8Array(1 + zeros + 8);
    padding[0] = 0x80;
    const view = new DataView(padding.buffer);
    view.setUint32(1 + zeros, Math.floor(totalBytes / 2 ** 29));
    view.setUint32(1 + zeros + 4, (totalBytes * 8) % 2 ** 32);
    this.update(padding);

    const id = new Uint8Array(ID_BYTES);
    for (const [word, value] of this.#state.entries()) new DataView(id.buffer).setInt32(4 * word, value);
    return id;
  }

  #takeBlock(): void {
    const words = this.#words;
    const block = new DataView(this.#pending.buffer);
    for (let t = 0; t < 16; t++) words[t] = block.getInt32(4 * t);
    for (let t = 16; t < STEPS; t++) {
      words[t] = rotated(
        word(words, t - 3) ^ word(words, t - 8) ^ word(words, t - 14) ^ word(words, t - 16),
        1,
      );
    }
    const before = this.#state;
    const at58 = forwards(before, words, 0, 58);
    const at65 = forwards(at58, words, 58, 65);
    this.#state = sumOf(before, forwards(at65, words, 65, STEPS));
    for (const vector of (vectors ??= preparedVectors())) {
      if (!this.#checkAll && !vector.conditions.every((condition) => holds(condition, words))) continue;
      const same = vector.sameStateStep === 58 ? at58 : at65;
      if (isSame(chainingValueOfPartner(vector, words, same), this.#state)) this.isAttacked = true;
    }
  }
}

/**
 * The chaining value after a block's partner in an attack by `vector`: the message with the vector's differences that
 * comes through the state `same` too.
 */
function chainingValueOfPartner(
  { differences, sameStateStep }: Vector,
  words: Int32Array,
  same: State,
): State {
  const partner = words.map((value, t) => value ^ word(differences, t));
  return sumOf(backwards(same, partner, sameStateStep), forwards(same, partner, sameStateStep, STEPS));
}

function preparedVectors(): readonly Vector[] {
  return disturbanceVectors().map((vector) => ({ ...vector, differences: messageDifferences(vector) }));
}

function holds({ word: t, bit, otherWord, otherBit, areEqual }: BitCondition, words: Int32Array): boolean {
  const differ = ((word(words, t) >>> bit) ^ (word(words, otherWord) >>> otherBit)) & 1;
  return (differ === 0) === areEqual;
}

/** The state before step `end`, from that before step `start`. */
function forwards(state: State, words: Int32Array, start: number, end: number): State {
  let [a, b, c, d, e] = state;
  for (let t = start; t < end; t++) {
    const sum = (rotated(a, 5) + mixed(t, b, c, d) + e + word(words, t)) | 0;
    e = d;
    d = c;
    c = rotated(b, 30);
    b = a;
    a = sum;
  }
  return [a, b, c, d, e];
}

/** The state before step 0, from that before step `start`. */
function backwards(state: State, words: Int32Array, start: number): State {
  let [a, b, c, d, e] = state;
  for (let t = start - 1; t >= 0; t--) {
    const sum = a;
    a = b;
    b = rotated(c, 2);
    c = d;
    d = e;
    e = (sum - rotated(a, 5) - mixed(t, b, c, d) - word(words, t)) | 0;
  }
  return [a, b, c, d, e];
}

/** The function of step t, and its constant. */
function mixed(t: number, b: number, c: number, d: number): number {
  if (t < 20) return ((b & c) | (~b & d)) + 0x5a827999;
  if (t < 40) return (b ^ c ^ d) + 0x6ed9eba1;
  if (t < 60) return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
  return (b ^ c ^ d) + 0xca62c1d6;
}

function sumOf(a: State, b: State): State {
  return [(a[0] + b[0]) | 0, (a[1] + b[1]) | 0, (a[2] + b[2]) | 0, (a[3] + b[3]) | 0, (a[4] + b[4]) | 0];
}

function isSame(a: State, b: State): boolean {
  return a.every((value, i) => value === b[i]);
}

function rotated(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function word(words: Int32Array, t: number): number {
  return words[t] as number;
}
