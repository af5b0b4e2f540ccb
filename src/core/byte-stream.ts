/**
 * The currency between floors: a pull-based sequence of chunks.
 *
 * Nothing is produced until it is asked for, so backpressure is inherent. A yielded chunk belongs to
 * its receiver unless the producer documents it as a view.
 *
 * @module
 */
import { turns } from './turns.ts';

export type ByteStream = AsyncIterable<Uint8Array>;

/** What an async entry point takes so that its caller can end the work. */
export interface Cancellable {
  readonly signal?: AbortSignal | undefined;
}

/** Called with the name of a phase and how far it has come; `total` is absent while unknown. */
export type ProgressListener = (progress: Progress) => void;

export interface Progress {
  /** As git prints it, without the colon: `Counting objects`, `Resolving deltas`, … */
  readonly title: string;
  readonly done: number;
  readonly total?: number | undefined;
  /** Bytes so far, for phases that git prints with a throughput. */
  readonly bytes?: number | undefined;
  /** True on the last report of a phase. */
  readonly finished: boolean;
}

/** One chunk, or none when it is empty. */
export async function* streamOf(...chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array, undefined> {
  for (const chunk of chunks) if (chunk.length > 0) yield chunk;
}

/**
 * Let timers, sockets and other requests run. Long synchronous loops await this every few
 * milliseconds of work, never once an item.
 *
 * @param turnsTaken how often the same work has come back from here: work that has only begun goes first
 */
export function yieldToOthers(turnsTaken = 0): Promise<void> {
  return turns.wait(turnsTaken);
}
