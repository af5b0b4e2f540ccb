/**
 * Reading a pack's index: .idx version 1 and 2, kept as the bytes of the file and read in place.
 * Spec: gitformat-pack(5), "Original (version 1) pack-*.idx files" and "Version 2 pack-*.idx files".
 *
 * @module
 */
import { readUint32 } from '../core/bytes.ts';
import { GitError } from '../core/errors.ts';
import type { ObjectFormat } from '../core/object-id.ts';
import { FANOUT_BYTES, readFanout } from './fanout.ts';
import { PACK_HEADER_BYTES } from './pack-header.ts';
import type { PackIndex } from './pack-index.ts';
import { buildReverseIndex, parseReverseIndex, type ReverseIndex } from './reverse-index.ts';

export interface PackIndexOptions {
  readonly format: ObjectFormat;
  /** Size of the pack in bytes, its trailer included: where the last entry ends. */
  readonly packBytes: number;
  /**
   * The bytes of the .rev file, asked for when an offset is first looked up. `undefined` when there is
   * none; one that does not fit the index is passed over.
   */
  readonly loadReverseIndex?: (() => Uint8Array | undefined) | undefined;
}

const V2_SIGNATURE = 0xff744f63;
const V2_HEADER_BYTES = 8;
const LARGE = 0x80000000;

/**
 * An index over the bytes of an .idx file, which it keeps.
 *
 * The file's own checksum is not computed: like git, we trust a local index and find a lying one when the
 * entry it points at does not parse.
 *
 * @throws {GitError} PACK_CORRUPT when the bytes are no index of a known version or of another size than they declare
 */
export function parsePackIndex(bytes: Uint8Array, options: PackIndexOptions): PackIndex {
  if (bytes.length >= V2_HEADER_BYTES && readUint32(bytes, 0) === V2_SIGNATURE) {
    const version = readUint32(bytes, 4);
    if (version !== 2) throw corrupt(`version ${version} is not known`);
    return new IdxReader(bytes, options, 2);
  }
  return new IdxReader(bytes, options, 1);
}

class IdxReader implements PackIndex {
  readonly format: ObjectFormat;
  readonly objectCount: number;
  readonly packChecksum: Uint8Array;
  readonly #bytes: Uint8Array;
  readonly #idBytes: number;
  /** `#fanout[b]` counts the ids whose first byte is below `b`. */
  readonly #fanout: Uint32Array;
  /** Where the id of rank 0 lies, and how far the next one is. */
  readonly #idsAt: number;
  readonly #idStride: number;
  readonly #crcsAt: number;
  readonly #offsetsAt: number;
  readonly #offsetStride: number;
  readonly #largeOffsetsAt: number;
  readonly #largeOffsetCount: number;
  /** Where the trailer of the pack starts. */
  readonly #entriesEnd: number;
  readonly #loadReverseIndex: (() => Uint8Array | undefined) | undefined;
  #reverse: ReverseIndex | undefined;
  /** Position in pack order of the last entry looked up: a reader in pack order asks for the next one. */
  #lastPosition = 0;

  constructor(bytes: Uint8Array, options: PackIndexOptions, version: 1 | 2) {
    const { format, packBytes } = options;
    const idBytes = format.idBytes;
    const fanoutAt = version === 2 ? V2_HEADER_BYTES : 0;
    if (bytes.length < fanoutAt + FANOUT_BYTES + 2 * idBytes) throw corrupt('it is cut off');
    const fanout = readFanout(bytes, fanoutAt);
    if (fanout === undefined) throw corrupt('its fan-out table descends');
    const count = fanout[256] as number;
    const tablesAt = fanoutAt + FANOUT_BYTES;
    const rest = bytes.length - tablesAt - 2 * idBytes;

    this.format = format;
    this.objectCount = count;
    this.#bytes = bytes;
    this.#idBytes = idBytes;
    this.#fanout = fanout;
    if (version === 2) {
      const spare = rest - count * (idBytes + 8);
      if (spare < 0 || spare % 8 !== 0 || spare / 8 > count) {
        throw corrupt(`${count} objects do not make ${bytes.length} bytes`);
      }
      this.#idsAt = tablesAt;
      this.#idStride = idBytes;
      this.#crcsAt = tablesAt + count * idBytes;
      this.#offsetsAt = this.#crcsAt + 4 * count;
      this.#offsetStride = 4;
      this.#largeOffsetsAt = this.#offsetsAt + 4 * count;
      this.#largeOffsetCount = spare / 8;
    } else {
      if (rest !== count * (4 + idBytes)) throw corrupt(`${count} objects do not make ${bytes.length} bytes`);
      this.#idsAt = tablesAt + 4;
      this.#idStride = 4 + idBytes;
      this.#crcsAt = -1;
      this.#offsetsAt = tablesAt;
      this.#offsetStride = 4 + idBytes;
      this.#largeOffsetsAt = 0;
      this.#largeOffsetCount = -1;
    }
    this.packChecksum = bytes.subarray(bytes.length - 2 * idBytes, bytes.length - idBytes);
    this.#entriesEnd = packBytes - idBytes;
    this.#loadReverseIndex = options.loadReverseIndex;
  }

  rankOf(ids: Uint8Array, at: number): number {
    const bytes = this.#bytes;
    const first = ids[at] as number;
    let low = this.#fanout[first] as number;
    let high = this.#fanout[first + 1] as number;
    const idsAt = this.#idsAt;
    const stride = this.#idStride;
    const idBytes = this.#idBytes;
    // As in chunk-file.ts: a function for both costs each look-up 3 to 6 % (npm run bench -- --only=idx).
    while (low < high) {
      const middle = (low + high) >>> 1;
      const candidate = idsAt + middle * stride;
      let i = 1; // the fan-out settled byte 0
      while (i < idBytes && bytes[candidate + i] === ids[at + i]) i++;
      if (i === idBytes) return middle;
      if ((bytes[candidate + i] as number) < (ids[at + i] as number)) low = middle + 1;
      else high = middle;
    }
    return -1;
  }

  copyId(rank: number, target: Uint8Array, targetOffset: number): void {
    const bytes = this.#bytes;
    const from = this.#idsAt + rank * this.#idStride;
    for (let i = 0; i < this.#idBytes; i++) target[targetOffset + i] = bytes[from + i] as number;
  }

  lowerBound(prefix: Uint8Array): number {
    const length = Math.min(prefix.length, this.#idBytes);
    if (length === 0) return 0;
    let low = this.#fanout[prefix[0] as number] as number;
    let high = this.#fanout[(prefix[0] as number) + 1] as number;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const candidate = this.#idsAt + middle * this.#idStride;
      let i = 1;
      while (i < length && this.#bytes[candidate + i] === prefix[i]) i++;
      if (i < length && (this.#bytes[candidate + i] as number) < (prefix[i] as number)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  offsetOf(rank: number): number {
    const short = readUint32(this.#bytes, this.#offsetsAt + rank * this.#offsetStride);
    if (short < LARGE || this.#largeOffsetCount < 0) return short;
    const row = short - LARGE;
    if (row >= this.#largeOffsetCount) throw corrupt('it names a 64-bit offset it does not have');
    const at = this.#largeOffsetsAt + 8 * row;
    const offset = readUint32(this.#bytes, at) * 0x100000000 + readUint32(this.#bytes, at + 4);
    if (offset > Number.MAX_SAFE_INTEGER) throw corrupt('an offset is beyond 2^53 - 1');
    return offset;
  }

  crcOf(rank: number): number | undefined {
    return this.#crcsAt < 0 ? undefined : readUint32(this.#bytes, this.#crcsAt + 4 * rank);
  }

  rankAtOffset(offset: number): number {
    const reverse = (this.#reverse ??= this.#makeReverseIndex());
    const position = this.#positionOf(reverse, offset);
    return position < 0 ? -1 : (reverse.ranks[position] as number);
  }

  entryEnd(offset: number): number {
    const reverse = (this.#reverse ??= this.#makeReverseIndex());
    const position = this.#positionOf(reverse, offset);
    if (position < 0) throw corrupt(`no entry starts at ${offset}`, { offset });
    return position + 1 < reverse.offsets.length
      ? (reverse.offsets[position + 1] as number)
      : this.#entriesEnd;
  }

  entryAt(offset: number): number {
    return this.#positionOf((this.#reverse ??= this.#makeReverseIndex()), offset);
  }

  entryStart(entry: number): number {
    const { offsets } = (this.#reverse ??= this.#makeReverseIndex());
    return entry < offsets.length ? (offsets[entry] as number) : this.#entriesEnd;
  }

  /** The position in pack order of the entry that starts at `offset`, or -1. */
  #positionOf(reverse: ReverseIndex, offset: number): number {
    const { offsets } = reverse;
    const last = this.#lastPosition;
    if (offsets[last] === offset) return last;
    if (offsets[last + 1] === offset) return (this.#lastPosition = last + 1);
    let low = 0;
    let high = offsets.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((offsets[middle] as number) < offset) low = middle + 1;
      else high = middle;
    }
    if (offsets[low] !== offset) return -1;
    this.#lastPosition = low;
    return low;
  }

  #makeReverseIndex(): ReverseIndex {
    const count = this.objectCount;
    const wide = this.#entriesEnd > 0xffffffff;
    const offsets = wide ? new Float64Array(count) : new Uint32Array(count);
    for (let rank = 0; rank < count; rank++) {
      const offset = this.offsetOf(rank);
      if (offset < PACK_HEADER_BYTES || offset >= this.#entriesEnd) {
        throw corrupt(`offset ${offset} lies outside the pack`, { offset });
      }
      offsets[rank] = offset;
    }
    const stored = this.#loadReverseIndex?.();
    const parsed = stored && parseReverseIndex(stored, this.format, this.packChecksum, offsets);
    return parsed ?? buildReverseIndex(offsets);
  }
}

function corrupt(why: string, detail: Readonly<Record<string, number>> = {}): GitError {
  return new GitError('PACK_CORRUPT', `Cannot read pack index: ${why}`, detail);
}
