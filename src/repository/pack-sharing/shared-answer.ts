/**
 * One answer and all who take it: chosen and planned once, however many wait for it, and whoever came first may leave.
 *
 * @module
 */
import type { Progress, ProgressListener } from '../../core/byte-stream.ts';
import type { Evictable, MemoryBudget } from '../../core/memory-budget.ts';
import type { ObjectId } from '../../core/object-id.ts';
import type { PackWritingResult } from '../pack-writing/write-pack.ts';
import { FrameRecorder } from './frames.ts';
import type { WrittenPack } from './kept-answers.ts';
import { type PlannedPack, type PlanningContext, planBytes } from './planned-pack.ts';
import { SharedPack, type SharedPackOptions } from './shared-pack.ts';
import { MOST_HELD_BYTES } from './spool.ts';
import { bytesToPutAside } from './spool-need.ts';
import { untilAborted } from './until-aborted.ts';
import { type PackChunk, type PackReading, writeAlone } from './write-alone.ts';

/** What an answer holds besides its tables: a snapshot of the packs, an entry here and there. */
const BASE_BYTES = 64 * 1024;
/** Longer packs are not kept whole: a part of what a process keeps warm in all. */
const MOST_WHOLE_BYTES = 8 * 1024 * 1024;

export interface SharedAnswerOptions extends SharedPackOptions {
  /** Milliseconds for which an answer that nobody takes any more is kept. */
  readonly keptMs: number;
  readonly keptFromObjects: number;
  /** Counts what is kept so. */
  readonly memory: MemoryBudget;
  /** Told of the whole pack, once somebody has taken it alone and it is small. */
  readonly onWritten?: ((written: WrittenPack) => void) | undefined;
  /** No one else may join: called once, when the answer is gone or going. */
  readonly onRetire: () => void;
}

/** One client's part in an answer. Dispose it when the client has it all, or goes away. */
export interface AnswerSeat extends Disposable {
  /**
   * Of the request's `leaveOut`, what is not in the pack though it was selected: known before the pack begins.
   *
   * @throws {GitError} what choosing and planning throw; ABORTED
   */
  leftOut(signal: AbortSignal | undefined): Promise<readonly ObjectId[]>;
  /** Everything; called once. @throws {GitError} what choosing, planning and writing throw; ABORTED */
  pack(reading: PackReading): AsyncGenerator<PackChunk, undefined>;
}

export class SharedAnswer implements Evictable {
  readonly #options: SharedAnswerOptions;
  readonly #abort = new AbortController();
  readonly #planned: Promise<PlannedPack>;
  readonly #seats = new Set<ProgressListener>();
  /** The last report of each phase, for those who come later. */
  readonly #phases = new Map<string, Progress>();
  #ready: PlannedPack | undefined;
  #pack: SharedPack | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;
  #isRetired = false;

  /** @param choose begun at once; ended by its signal when the last seat is left before it is done */
  constructor(choose: (context: PlanningContext) => Promise<PlannedPack>, options: SharedAnswerOptions) {
    this.#options = options;
    const onProgress = (progress: Progress): void => this.#report(progress);
    this.#planned = choose({ onProgress, signal: this.#abort.signal });
    this.#planned.then(
      (planned) => this.#onReady(planned),
      () => this.#retire(), // each seat gets the error where it waits
    );
  }

  /** What it keeps warm. */
  get bytes(): number {
    const planned = this.#ready === undefined ? 0 : planBytes(this.#ready.plan);
    return BASE_BYTES + planned + (this.#pack?.heldBytes ?? 0);
  }

  get isInUse(): boolean {
    return this.#seats.size > 0;
  }

  evict(): void {
    if (!this.isInUse) this.#retire();
  }

  /** Take part. Not once it is retired. */
  join(onProgress: ProgressListener | undefined): AnswerSeat {
    clearTimeout(this.#timer);
    this.#options.memory.release(this);
    const seat: ProgressListener = (progress) => onProgress?.(progress);
    for (const progress of this.#phases.values()) seat(progress);
    this.#seats.add(seat);
    return {
      leftOut: async (signal) => (await untilAborted(this.#planned, signal)).leftOut,
      pack: (reading) => this.#packFor(reading),
      [Symbol.dispose]: () => this.#leave(seat),
    };
  }

  /** Nobody else joins; it is gone when the last one has left. */
  close(): void {
    this.#isClosed = true;
    this.#options.onRetire();
    if (!this.isInUse) this.#retire();
  }

  async *#packFor(reading: PackReading): AsyncGenerator<PackChunk, undefined> {
    const planned = await untilAborted(this.#planned, reading.signal);
    const pack = this.#sharedPack(planned);
    try {
      yield* pack?.read(reading) ?? this.#writeAlone(planned, reading);
    } finally {
      if (pack?.isFailed)
        this.close(); // the next one may find the disk well again
      else if (pack !== undefined && pack === this.#pack && pack.readers === 0) this.#letRest();
    }
  }

  #writeAlone(planned: PlannedPack, reading: PackReading): AsyncGenerator<PackChunk, undefined> {
    const { onWritten, keptFromObjects } = this.#options;
    if (onWritten === undefined || planned.plan.count >= keptFromObjects) {
      return writeAlone(planned, this.#options, reading);
    }
    return this.#writeAndKeep(planned, reading, onWritten);
  }

  async *#writeAndKeep(
    planned: PlannedPack,
    reading: PackReading,
    onWritten: (written: WrittenPack) => void,
  ): AsyncGenerator<PackChunk, undefined> {
    const recorder = new FrameRecorder(MOST_WHOLE_BYTES);
    let result: PackWritingResult | undefined;
    const onResult = (told: PackWritingResult): void => {
      result = told;
      reading.onResult(told);
    };
    for await (const chunk of writeAlone(planned, this.#options, { ...reading, onResult })) {
      recorder.add(chunk);
      yield chunk;
    }
    const frames = recorder.finish();
    if (frames !== undefined && result !== undefined) {
      const { leftOut } = planned;
      onWritten({ frames, result, leftOut, phases: [...this.#phases.values()] });
    }
  }

  /** @returns `undefined` when a client had better write for itself: it is alone, or there is too much to put aside */
  #sharedPack(planned: PlannedPack): SharedPack | undefined {
    if (this.#pack !== undefined || this.#seats.size < 2) return this.#pack;
    const { createSpool, limits } = this.#options;
    const mostBytes = createSpool === undefined ? MOST_HELD_BYTES : limits.maxPackSpoolBytes;
    if (bytesToPutAside(planned) <= mostBytes) this.#pack = new SharedPack(planned, this.#options);
    return this.#pack;
  }

  #report(progress: Progress): void {
    this.#phases.set(progress.title, progress);
    for (const seat of this.#seats) seat(progress);
  }

  #onReady(planned: PlannedPack): void {
    this.#ready = planned;
    if (this.#isRetired) planned.reader.release();
  }

  #leave(seat: ProgressListener): void {
    if (!this.#seats.delete(seat) || this.#seats.size > 0) return;
    const count = this.#ready?.plan.count ?? -1;
    if (!this.#isClosed && count >= this.#options.keptFromObjects) this.#letRest();
    else this.#retire();
  }

  /** Keep what nobody takes now for a while. */
  #letRest(): void {
    const { keptMs, memory } = this.#options;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#endRest(), keptMs);
    // A process that is done does not wait for this.
    (this.#timer as { unref?(): void }).unref?.();
    if (!this.isInUse) memory.register(this);
  }

  #endRest(): void {
    if (!this.isInUse) {
      this.#retire();
    } else if (this.#pack?.readers === 0) {
      // Who is left writes for itself, maybe for hours.
      void this.#pack.close();
      this.#pack = undefined;
    }
  }

  /** Give everything back. Nobody has a seat, or all are about to get an error. */
  #retire(): void {
    if (this.#isRetired) return;
    this.#isRetired = true;
    clearTimeout(this.#timer);
    this.#options.memory.release(this);
    this.#options.onRetire();
    this.#abort.abort();
    void this.#giveBack();
  }

  async #giveBack(): Promise<void> {
    await this.#pack?.close();
    this.#ready?.reader.release();
  }
}
