/**
 * Making deltas: which stretches of a target can be copied from a base, and the rest as it is.
 * Spec: gitformat-pack(5), "Deltified representation".
 *
 * The base is cut into blocks of 16 bytes; a rolling hash walks over every position of the target and looks
 * for a block that begins there. A match is verified, then grown in both directions.
 *
 * @module
 */

/** The blocks of one base, by hash. Bases and targets stay below 2^31 bytes. */
export interface DeltaIndex {
  readonly base: Uint8Array;
  /** One bit for each value of a hash's upper bits, sixteen a block: set where some block has it. */
  readonly filter: Uint8Array;
  /** What to shift a hash by to get its bit in the filter. */
  readonly filterShift: number;
  /** First block of each bucket, -1 for none. */
  readonly heads: Int32Array;
  /** The next block of the same bucket. */
  readonly next: Int32Array;
  /** The hash of each block. */
  readonly hashes: Int32Array;
  /** A bucket is these upper bits of a hash. */
  readonly shift: number;
}

const BLOCK_BYTES = 16;
/** Candidates looked at for one position; git too gives up on blocks that repeat without end. */
const MOST_CANDIDATES = 32;
/** A match this long is taken without looking for a better one. git: 4096. */
const LONG_ENOUGH_BYTES = 4096;
/** git splits copies here (its version 2 packs allow more, but readers were written for this). */
const MOST_COPIED_BYTES = 0x10000;
const MOST_INSERTED_BYTES = 127;
/** One opcode, four bytes of offset, two of size. */
const MOST_COPY_INSTRUCTION_BYTES = 7;

/** Of positions in bytes that have nothing in common, the filter lets one in 16 through ("create in vain" in npm run bench). */
const FILTER_BITS_A_BLOCK = 4;

const MULTIPLIER = 0x9e3779b1 | 0;
/** What a byte has grown to in the hash when it leaves the block: byte * MULTIPLIER^16. */
const LEAVING = leavingTerms();

/** Bytes of memory {@link indexDeltaBase} takes for a base of this size, the base itself not counted. */
export function deltaIndexBytes(baseBytes: number): number {
  return (baseBytes / BLOCK_BYTES) * 20;
}

/** Prepare `base` for {@link createDelta}. Keeps `base`: it must not change while the index is used. */
export function indexDeltaBase(base: Uint8Array): DeltaIndex {
  const blockCount = Math.floor(base.length / BLOCK_BYTES);
  const bits = Math.max(1, 32 - Math.clz32(blockCount));
  const shift = 32 - bits;
  const filterShift = Math.max(0, shift - FILTER_BITS_A_BLOCK);
  const filter = new Uint8Array(2 ** Math.max(0, 29 - filterShift));
  const heads = new Int32Array(1 << bits).fill(-1);
  const next = new Int32Array(blockCount);
  const hashes = new Int32Array(blockCount);

  // From the end, so that a bucket begins with its earliest block: the one with most base after it.
  for (let block = blockCount - 1; block >= 0; block--) {
    const hash = hashBlock(base, block * BLOCK_BYTES);
    const bucket = hash >>> shift;
    hashes[block] = hash;
    const bit = hash >>> filterShift;
    filter[bit >>> 3]! |= 1 << (bit & 7);
    const head = heads[bucket] as number;
    // In a run of equal blocks only the first is worth finding.
    next[block] = head === block + 1 && hashes[head] === hash ? (next[head] as number) : head;
    heads[bucket] = block;
  }
  return { base, filter, filterShift, heads, next, hashes, shift };
}

/**
 * Write to `output` the delta that makes `target` out of the indexed base. An empty target makes a delta so short
 * that git refuses it: do not ask for one.
 *
 * @returns bytes written, or -1 when the delta does not fit: `output.length` is the largest delta of use
 */
export function createDelta(index: DeltaIndex, target: Uint8Array, output: Uint8Array): number {
  const { base, filter, filterShift, heads, next, hashes, shift } = index;
  const limit = output.length;
  if (limit < 2 * varintBytes(Math.max(base.length, target.length))) return -1;
  let at = writeVarint(output, writeVarint(output, 0, base.length), target.length);

  const lastBlockStart = target.length - BLOCK_BYTES;
  let inserted = 0; // target bytes up to here are described
  let position = 0;
  let hash = lastBlockStart >= 0 ? hashBlock(target, 0) : 0;

  while (position <= lastBlockStart) {
    let bestFrom = 0;
    let bestBytes = 0;
    let candidates = 0;
    const bit = hash >>> filterShift;
    let block = (filter[bit >>> 3] as number) & (1 << (bit & 7)) ? (heads[hash >>> shift] as number) : -1;
    for (; block >= 0 && candidates < MOST_CANDIDATES; block = next[block] as number) {
      if (hashes[block] !== hash) continue;
      candidates++;
      const from = block * BLOCK_BYTES;
      const most = Math.min(base.length - from, target.length - position);
      if (most <= bestBytes) continue;
      let matched = 0;
      while (matched < most && base[from + matched] === target[position + matched]) matched++;
      if (matched > bestBytes) {
        bestBytes = matched;
        bestFrom = from;
        if (matched >= LONG_ENOUGH_BYTES) break;
      }
    }

    if (bestBytes < BLOCK_BYTES) {
      // Nothing here: this byte will be inserted, unless the next match grows back over it, which it does by
      // less than a block. Give up as soon as what must be inserted cannot fit.
      if (at + position - inserted - BLOCK_BYTES >= limit) return -1;
      hash =
        (Math.imul(hash, MULTIPLIER) +
          (target[position + BLOCK_BYTES] as number) -
          (LEAVING[target[position] as number] as number)) |
        0;
      position++;
      continue;
    }

    let start = position;
    while (start > inserted && bestFrom > 0 && base[bestFrom - 1] === target[start - 1]) {
      start--;
      bestFrom--;
    }
    position += bestBytes;
    at = writeInserts(target, inserted, start, output, at);
    if (at < 0) return -1;
    at = writeCopies(bestFrom, position - start, output, at);
    if (at < 0) return -1;
    inserted = position;
    if (position <= lastBlockStart) hash = hashBlock(target, position);
  }
  return writeInserts(target, inserted, target.length, output, at);
}

/** @returns the new end of `output`, or -1 when it does not fit */
function writeInserts(
  target: Uint8Array,
  start: number,
  end: number,
  output: Uint8Array,
  outputStart: number,
): number {
  let at = outputStart;
  for (let from = start; from < end; ) {
    const size = Math.min(end - from, MOST_INSERTED_BYTES);
    if (at + 1 + size > output.length) return -1;
    output[at++] = size;
    for (const stop = from + size; from < stop; ) output[at++] = target[from++] as number;
  }
  return at;
}

/** @returns the new end of `output`, or -1 when it may not fit */
function writeCopies(start: number, length: number, output: Uint8Array, outputStart: number): number {
  let at = outputStart;
  let from = start;
  for (let left = length; left > 0; ) {
    if (at + MOST_COPY_INSTRUCTION_BYTES > output.length) return -1;
    const size = Math.min(left, MOST_COPIED_BYTES);
    const opcodeAt = at++;
    let opcode = 0x80;
    if (from & 0xff) {
      output[at++] = from;
      opcode |= 0x01;
    }
    if (from & 0xff00) {
      output[at++] = from >>> 8;
      opcode |= 0x02;
    }
    if (from & 0xff0000) {
      output[at++] = from >>> 16;
      opcode |= 0x04;
    }
    if (from & 0xff000000) {
      output[at++] = from >>> 24;
      opcode |= 0x08;
    }
    // A size of 0x10000 is written as no size at all.
    if (size & 0xff) {
      output[at++] = size;
      opcode |= 0x10;
    }
    if (size & 0xff00) {
      output[at++] = size >>> 8;
      opcode |= 0x20;
    }
    output[opcodeAt] = opcode;
    from += size;
    left -= size;
  }
  return at;
}

function hashBlock(bytes: Uint8Array, start: number): number {
  let hash = 0;
  for (let i = start, end = start + BLOCK_BYTES; i < end; i++) {
    hash = (Math.imul(hash, MULTIPLIER) + (bytes[i] as number)) | 0;
  }
  return hash;
}

function leavingTerms(): Int32Array {
  let power = 1;
  for (let i = 0; i < BLOCK_BYTES; i++) power = Math.imul(power, MULTIPLIER);
  return Int32Array.from({ length: 256 }, (_, byte) => Math.imul(byte, power));
}

function varintBytes(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) length++;
  return length;
}

function writeVarint(output: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) output[at++] = (rest % 128) | 0x80;
  output[at++] = rest;
  return at;
}
