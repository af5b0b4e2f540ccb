/**
 * A planned pack as one client alone has it written.
 *
 * @module
 */
import type { Runtime } from '../../core/runtime.ts';
import { type PackWritingResult, writePack } from '../pack-writing/write-pack.ts';
import type { AnswerOptions } from './answer-key.ts';
import type { PlannedPack } from './planned-pack.ts';

export interface PackWriter extends AnswerOptions {
  readonly runtime: Runtime;
}

/**
 * Bytes of a pack: plain; or in frames, each of `HEADROOM_BYTES` that are free for a packet's head and `CHUNK_BYTES` of the
 * pack, fewer in the last. Several clients may hold one at the same time: all write the same heads, and nothing else.
 */
export type PackChunk = Uint8Array | { readonly frames: Uint8Array };

export interface PackReading {
  readonly signal: AbortSignal | undefined;
  /** Whether frames may come. They are for packets of the largest size: what several clients take is framed but once. */
  readonly framed?: boolean | undefined;
  /** Told once, when the whole pack but its trailer was written, or all of it. */
  readonly onResult: (result: PackWritingResult) => void;
}

/** As {@link writePack}, less its first `skipBytes`, which the client has: one plan gives the same bytes each time. */
export async function* writeAlone(
  { reader, plan }: PlannedPack,
  { runtime, limits, ofsDelta }: PackWriter,
  { signal, onResult, skipBytes = 0 }: PackReading & { readonly skipBytes?: number | undefined },
): AsyncGenerator<Uint8Array, undefined> {
  const pack = writePack(reader, plan, { runtime, limits, ofsDelta, signal, onResult });
  let left = skipBytes;
  for await (const chunk of pack) {
    if (left < chunk.length) yield left === 0 ? chunk : chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}
