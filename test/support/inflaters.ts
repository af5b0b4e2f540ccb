/**
 * Every inflater there is, by name, and what each makes of a stream.
 *
 * @module
 */
import { isGitError } from '../../src/core/errors.ts';
import { createWasmInflater } from '../../src/core/inflate/wasm-inflater.ts';
import { createNativeInflater } from '../../src/core/node/native-inflater.ts';
import { createPakoInflater } from '../../src/core/portable/inflater.ts';
import type { Inflater } from '../../src/core/runtime.ts';

/** All of them run on every Node that the tests run on. */
export const INFLATERS: readonly { readonly name: string; readonly create: () => Inflater }[] = [
  { name: 'native', create: () => there(createNativeInflater()) },
  { name: 'wasm', create: () => there(createWasmInflater()) },
  { name: 'pako', create: createPakoInflater },
];

export interface Verdict {
  /** `open`: it asks for more input. */
  readonly kind: 'ended' | 'open' | 'refused';
  /** Bytes taken and made; nothing of a stream that is refused. */
  readonly consumed: number;
  readonly output: Uint8Array;
}

export interface Steps {
  /** Bytes of input, and of room, that the next call gets; all there are if left out. */
  readonly input?: () => number;
  readonly room?: () => number;
}

/** Calls in a row that take and make nothing, of steps that may be empty, before a stream counts as open. */
const MOST_IDLE_CALLS = 40;

/** Inflate the stream that `input` begins with, to at most `room` bytes. */
export function inflateAll(inflater: Inflater, input: Uint8Array, room: number, steps: Steps = {}): Verdict {
  const output = new Uint8Array(room);
  let consumed = 0;
  let produced = 0;
  inflater.reset();
  try {
    for (let idleCalls = 0; !inflater.ended && idleCalls < MOST_IDLE_CALLS; ) {
      const inputEnd = Math.min(input.length, consumed + (steps.input?.() ?? input.length));
      const outputEnd = Math.min(room, produced + (steps.room?.() ?? room));
      inflater.inflate(input, consumed, inputEnd, output, produced, outputEnd);
      consumed += inflater.consumed;
      produced += inflater.produced;
      idleCalls = inflater.consumed + inflater.produced === 0 ? idleCalls + 1 : 0;
    }
  } catch (error) {
    if (!isGitError(error, 'PACK_CORRUPT')) throw error;
    return { kind: 'refused', consumed: 0, output: new Uint8Array(0) };
  }
  return { kind: inflater.ended ? 'ended' : 'open', consumed, output: output.subarray(0, produced) };
}

function there(inflater: Inflater | undefined): Inflater {
  if (inflater === undefined) throw new Error('This inflater is not to be had here');
  return inflater;
}
