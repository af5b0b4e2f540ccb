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

export interface PackReading {
  readonly signal: AbortSignal | undefined;
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
