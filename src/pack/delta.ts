/**
 * Reading deltas: two sizes, then instructions that copy from a base or insert bytes.
 * Spec: gitformat-pack(5), "Deltified representation".
 *
 * @module
 */
import { GitError } from '../core/errors.ts';

/** Filled by {@link readDeltaSizes}. */
export interface DeltaSizes {
  baseBytes: number;
  targetBytes: number;
  /** Where the instructions begin. */
  instructions: number;
}

const COPY = 0x80;
/** A copy whose size is written as zero copies this much. */
const DEFAULT_COPY_BYTES = 0x10000;
const MAX_VARINT_BYTES = 10;
/** Below these a plain loop beats `copyWithin` (some 25 ns) and `set(subarray)` (some 60 ns). */
const LOOP_COPY_WITHIN_BYTES = 20;
const LOOP_COPY_BYTES = 48;

/**
 * The sizes that begin a delta at `delta[start, end)`. A prefix of the delta is enough when it holds both.
 *
 * @throws {GitError} PACK_CORRUPT when they are cut off or beyond 2^53 - 1
 */
export function readDeltaSizes(delta: Uint8Array, start: number, end: number, into: DeltaSizes): void {
  let at = start;
  let baseBytes = 0;
  let targetBytes = 0;
  for (let which = 0; which < 2; which++) {
    const first = at;
    let value = 0;
    let scale = 1;
    let byte: number;
    do {
      if (at >= end || at - first >= MAX_VARINT_BYTES) throw corrupt('its sizes are malformed');
      byte = delta[at++] as number;
      value += (byte & 0x7f) * scale;
      scale *= 128;
    } while (byte & 0x80);
    if (value > Number.MAX_SAFE_INTEGER) throw corrupt('its sizes are malformed');
    if (which === 0) baseBytes = value;
    else targetBytes = value;
  }
  into.baseBytes = baseBytes;
  into.targetBytes = targetBytes;
  into.instructions = at;
}

/**
 * Rebuild an object: run the instructions `delta[instructions, end)` over `base[baseStart, baseStart + baseBytes)`,
 * writing exactly `targetBytes` bytes at `target[targetStart]`. Base and target may lie in one array, apart: that is
 * the fastest.
 *
 * Never writes outside that range: every instruction is checked before it copies.
 *
 * @throws {GitError} PACK_CORRUPT when an instruction is invalid, reaches outside the base, or the result has another size
 */
export function applyDelta(
  base: Uint8Array,
  baseStart: number,
  baseBytes: number,
  delta: Uint8Array,
  instructions: number,
  end: number,
  target: Uint8Array,
  targetStart: number,
  targetBytes: number,
): void {
  let at = instructions;
  let to = targetStart;
  const targetEnd = targetStart + targetBytes;
  const inOneArray = base === target;
  const loopCopyBytes = inOneArray ? LOOP_COPY_WITHIN_BYTES : LOOP_COPY_BYTES;
  while (at < end) {
    const instruction = delta[at++] as number;
    if (instruction & COPY) {
      let from = 0;
      let size = 0;
      if (instruction & 0x01) from = delta[at++] as number;
      if (instruction & 0x02) from |= (delta[at++] as number) << 8;
      if (instruction & 0x04) from |= (delta[at++] as number) << 16;
      if (instruction & 0x08) from += (delta[at++] as number) * 0x1000000;
      if (instruction & 0x10) size = delta[at++] as number;
      if (instruction & 0x20) size |= (delta[at++] as number) << 8;
      if (instruction & 0x40) size |= (delta[at++] as number) << 16;
      if (size === 0) size = DEFAULT_COPY_BYTES;
      if (at > end) throw corrupt('it ends inside an instruction');
      if (from + size > baseBytes) throw corrupt('it copies from outside its base');
      if (size > targetEnd - to) throw corrupt('it makes more bytes than it declares');
      from += baseStart;
      if (size < loopCopyBytes) {
        for (const stop = to + size; to < stop; ) target[to++] = base[from++] as number;
      } else {
        if (inOneArray) target.copyWithin(to, from, from + size);
        else target.set(base.subarray(from, from + size), to);
        to += size;
      }
    } else if (instruction !== 0) {
      if (instruction > end - at) throw corrupt('it ends inside an instruction');
      if (instruction > targetEnd - to) throw corrupt('it makes more bytes than it declares');
      if (instruction < LOOP_COPY_BYTES) {
        for (const stop = to + instruction; to < stop; ) target[to++] = delta[at++] as number;
      } else {
        target.set(delta.subarray(at, at + instruction), to);
        to += instruction;
        at += instruction;
      }
    } else {
      throw corrupt('instruction 0 is reserved');
    }
  }
  if (to !== targetEnd) throw corrupt('it makes fewer bytes than it declares');
}

function corrupt(why: string): GitError {
  return new GitError('PACK_CORRUPT', `Cannot apply delta: ${why}`);
}
