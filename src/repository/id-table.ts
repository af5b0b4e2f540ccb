/**
 * A set of raw object ids that numbers them 0, 1, 2, … in the order they are added.
 *
 * Open addressing with linear probing in typed arrays: about `idBytes + 10` bytes an id, and nothing
 * allocated for one. The hash mixes eight bytes of the id with a number drawn for each table, so that
 * nobody can prepare objects that all fall into one run of slots.
 *
 * @module
 */
import { GitError } from '../core/errors.ts';
import { growBytes } from '../core/growing-bytes.ts';
import type { ObjectFormat } from '../core/object-id.ts';

const SMALLEST_SLOTS = 64;
/** Bits of a slot that hold a number plus one; the others hold a part of the hash, so that ids are seldom compared in vain. */
const NUMBER_BITS = 26;
const NUMBER_MASK = (1 << NUMBER_BITS) - 1;
const TAG_MASK = (1 << (32 - NUMBER_BITS)) - 1;
/** Slots in use before the table is doubled, in hundredths. */
const MOST_FULL_PERCENT = 60;

export class IdTable {
  /** Raw ids back to back; longer than `size * idBytes`. Replaced by a longer one as the table grows. */
  ids: Uint8Array;
  readonly idBytes: number;
  readonly #mostIds: number;
  readonly #seed = (Math.random() * 0x100000000) | 0;
  /** Number plus one, and above it a tag of the hash; 0 is free. */
  #slots: Int32Array;
  #shift: number;
  #size = 0;
  #sizeToGrowAt: number;

  /** @param mostIds a ceiling: adding one id more is LIMIT_EXCEEDED */
  constructor(format: ObjectFormat, mostIds: number) {
    this.idBytes = format.idBytes;
    this.#mostIds = Math.min(mostIds, NUMBER_MASK - 1);
    this.#slots = new Int32Array(SMALLEST_SLOTS);
    this.#shift = 32 - Math.log2(SMALLEST_SLOTS);
    this.#sizeToGrowAt = Math.min(this.#mostIds, Math.floor((SMALLEST_SLOTS * MOST_FULL_PERCENT) / 100));
    this.ids = new Uint8Array(this.#sizeToGrowAt * this.idBytes);
  }

  get size(): number {
    return this.#size;
  }

  /** The number of the id at `bytes[at]`, or -1. */
  find(bytes: Uint8Array, at: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    const hash = this.#hash(bytes, at);
    const tag = hash & TAG_MASK;
    for (let slot = hash >>> this.#shift; ; slot = (slot + 1) & mask) {
      const entry = slots[slot] as number;
      if (entry === 0) return -1;
      if (entry >>> NUMBER_BITS !== tag) continue;
      const number = (entry & NUMBER_MASK) - 1;
      if (this.#isAt(number, bytes, at)) return number;
    }
  }

  /**
   * The number of the id at `bytes[at]`, which is copied in when it is new: its number is then the size
   * before the call.
   *
   * @throws {GitError} LIMIT_EXCEEDED
   */
  add(bytes: Uint8Array, at: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    const hash = this.#hash(bytes, at);
    const tag = hash & TAG_MASK;
    let slot = hash >>> this.#shift;
    for (; ; slot = (slot + 1) & mask) {
      const entry = slots[slot] as number;
      if (entry === 0) break;
      if (entry >>> NUMBER_BITS !== tag) continue;
      const number = (entry & NUMBER_MASK) - 1;
      if (this.#isAt(number, bytes, at)) return number;
    }
    const number = this.#size;
    if (number >= this.#sizeToGrowAt) {
      this.#grow();
      return this.add(bytes, at);
    }
    slots[slot] = (tag << NUMBER_BITS) | (number + 1);
    const { ids, idBytes } = this;
    for (let i = 0, to = number * idBytes; i < idBytes; i++) ids[to + i] = bytes[at + i] as number;
    this.#size = number + 1;
    return number;
  }

  #hash(bytes: Uint8Array, at: number): number {
    const first =
      ((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number);
    const second =
      ((bytes[at + 4] as number) << 24) |
      ((bytes[at + 5] as number) << 16) |
      ((bytes[at + 6] as number) << 8) |
      (bytes[at + 7] as number);
    return (Math.imul(first ^ this.#seed, 0x9e3779b1) + second) | 0;
  }

  #isAt(number: number, bytes: Uint8Array, at: number): boolean {
    const { ids, idBytes } = this;
    const from = number * idBytes;
    for (let i = 0; i < idBytes; i++) if (ids[from + i] !== bytes[at + i]) return false;
    return true;
  }

  #grow(): void {
    if (this.#size >= this.#mostIds) {
      throw new GitError('LIMIT_EXCEEDED', `Cannot hold more than ${this.#mostIds} objects`, {
        limit: this.#mostIds,
      });
    }
    const slots = new Int32Array(this.#slots.length * 2);
    this.#slots = slots;
    this.#shift--;
    this.#sizeToGrowAt = Math.min(this.#mostIds, Math.floor((slots.length * MOST_FULL_PERCENT) / 100));
    const { idBytes } = this;
    const ids = growBytes(this.ids, this.#sizeToGrowAt * idBytes);
    this.ids = ids;
    const mask = slots.length - 1;
    for (let number = 0; number < this.#size; number++) {
      const hash = this.#hash(ids, number * idBytes);
      let slot = hash >>> this.#shift;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = ((hash & TAG_MASK) << NUMBER_BITS) | (number + 1);
    }
  }
}
