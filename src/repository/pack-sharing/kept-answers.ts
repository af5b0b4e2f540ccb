/**
 * Small answers kept whole, for those who ask the same: a fleet of builders fetches the same commits one after another.
 *
 * What a request gets depends on the ids in it and not on the time: objects never change. So an answer stays right
 * whatever is pushed or repacked, and nothing is held open for it.
 *
 * @module
 */
import type { Progress, ProgressListener } from '../../core/byte-stream.ts';
import { throwIfAborted } from '../../core/errors.ts';
import type { Evictable, MemoryBudget } from '../../core/memory-budget.ts';
import type { ObjectId } from '../../core/object-id.ts';
import type { PackWritingResult } from '../pack-writing/write-pack.ts';
import { payloadsOf } from './frames.ts';
import type { PackChunk, PackReading } from './write-alone.ts';

/** Keys remembered of requests that were answered once: what is asked for a second time is kept from then on. */
const MOST_ASKED = 1024;
/** The object, its key, its place in the budget. */
const BASE_BYTES = 1024;

/** A pack as it was sent. */
export interface WrittenPack {
  /** See {@link PackChunk}. */
  readonly frames: readonly Uint8Array[];
  readonly result: PackWritingResult;
  /** The last report of each phase. */
  readonly phases: readonly Progress[];
  /** See AnswerSeat. */
  readonly leftOut: readonly ObjectId[];
}

class KeptAnswer implements Evictable {
  readonly written: WrittenPack;
  readonly bytes: number;
  readonly evict: () => void;

  constructor(written: WrittenPack, onEvict: () => void) {
    this.written = written;
    this.bytes = written.frames.reduce((sum, { length }) => sum + length, BASE_BYTES);
    this.evict = onEvict;
  }
}

/** Of one object database. */
export class KeptAnswers {
  readonly #memory: MemoryBudget;
  readonly #answers = new Map<string, KeptAnswer>();
  /** Asked for longest ago first. */
  readonly #asked = new Set<string>();

  constructor(memory: MemoryBudget) {
    this.#memory = memory;
  }

  find(key: string): WrittenPack | undefined {
    const answer = this.#answers.get(key);
    if (answer !== undefined) this.#memory.touch(answer);
    return answer?.written;
  }

  /** @returns whether it was asked for before, so that the answer is worth keeping */
  noteAsked(key: string): boolean {
    const wasAsked = this.#asked.delete(key);
    this.#asked.add(key);
    if (this.#asked.size > MOST_ASKED) {
      for (const oldest of this.#asked) {
        this.#asked.delete(oldest);
        break;
      }
    }
    return wasAsked;
  }

  /** @param written its bytes are shared from now on */
  keep(key: string, written: WrittenPack): void {
    this.#drop(key);
    const answer = new KeptAnswer(written, () => {
      if (this.#answers.get(key) === answer) this.#answers.delete(key);
    });
    this.#answers.set(key, answer);
    this.#memory.register(answer);
  }

  clear(): void {
    for (const key of [...this.#answers.keys()]) this.#drop(key);
    this.#asked.clear();
  }

  #drop(key: string): void {
    const answer = this.#answers.get(key);
    if (answer === undefined) return;
    this.#memory.release(answer);
    this.#answers.delete(key);
  }
}

/**
 * The kept pack, as it would be written anew.
 *
 * @throws {GitError} ABORTED
 */
export async function* readKept(
  { frames, result }: WrittenPack,
  { signal, framed, onResult }: PackReading,
): AsyncGenerator<PackChunk, undefined> {
  for (const block of frames) {
    throwIfAborted(signal);
    if (framed === true) yield { frames: block };
    else yield* payloadsOf(block);
  }
  onResult(result);
}

/** Tell the phases of what has been done before. */
export function reportAgain({ phases }: WrittenPack, onProgress: ProgressListener | undefined): void {
  for (const progress of phases) onProgress?.(progress);
}
