/**
 * One pack on its way to several readers, each at its own pace: written once, by whoever is ahead.
 *
 * Nothing is kept that can be read again: what is copied from stored packs in long ranges is read from there by
 * everybody, and only the rest is put aside. For a repository that was repacked this is a header and a few objects.
 *
 * @module
 */
import { concatBytes } from '../../core/bytes.ts';
import { isGitError, throwIfAborted } from '../../core/errors.ts';
import type { RandomAccessFile } from '../../pack/stored-pack.ts';
import { Pace } from '../pace.ts';
import { packEndsEarly } from '../pack-writing/pack-errors.ts';
import { CHUNK_BYTES, newChunk } from '../pack-writing/pack-output.ts';
import { type PackWritingResult, writePack } from '../pack-writing/write-pack.ts';
import type { PlannedPack } from './planned-pack.ts';
import { type CreateSpool, SpooledBytes, type SpoolUsage } from './spool.ts';
import { untilAborted } from './until-aborted.ts';
import { type PackReading, type PackWriter, writeAlone } from './write-alone.ts';

/** Chunks written at a time, half a megabyte: readers wait for them together, and they are put aside in one piece. */
const STEP_CHUNKS = 8;
/** Chunks kept for readers that are about as far: two megabytes for as long as there are two readers. */
const RECENT_CHUNKS = 32;
const BYTES_A_WRITTEN_OFFSET = 8;
const BYTES_A_SPAN = 80;

export interface SharedPackOptions extends PackWriter {
  readonly createSpool: CreateSpool | undefined;
  readonly usage: SpoolUsage;
}

/** Bytes `[start, end)` of the pack lie in `file`, or among what was put aside, from `at` on. */
interface Span {
  readonly start: number;
  end: number;
  readonly file: RandomAccessFile | undefined;
  readonly at: number;
}

interface RecentChunk {
  readonly position: number;
  readonly chunk: Uint8Array;
}

type State =
  | 'writing'
  | 'complete'
  | 'failed'
  /** There was no room to put anything aside. */
  | 'unspooled';

export class SharedPack {
  readonly #planned: PlannedPack;
  readonly #options: SharedPackOptions;
  readonly #abort = new AbortController();
  readonly #source: AsyncGenerator<Uint8Array>;
  readonly #aside: SpooledBytes;
  /** What is copied from stored packs, in the order it is written; those before `#nextCopy` are passed. */
  readonly #copies: Span[] = [];
  #nextCopy = 0;
  /** Where the bytes written so far can be read, without a gap. */
  readonly #spans: Span[] = [];
  #asideBytes = 0;
  readonly #recent = new Array<RecentChunk | undefined>(RECENT_CHUNKS);
  #written = 0;
  #result: PackWritingResult | undefined;
  #state: State = 'writing';
  #failure: unknown;
  #step: Promise<void> | undefined;
  #isClosed = false;
  #readers = 0;

  constructor(planned: PlannedPack, options: SharedPackOptions) {
    const { runtime, limits, ofsDelta, createSpool, usage } = options;
    this.#planned = planned;
    this.#options = options;
    this.#aside = new SpooledBytes(createSpool, usage, limits);
    this.#source = writePack(planned.reader, planned.plan, {
      runtime,
      limits,
      ofsDelta,
      signal: this.#abort.signal,
      onCopy: (file, fileOffset, position, length) => this.#noteCopy(file, fileOffset, position, length),
      onResult: (result) => {
        this.#result = result;
      },
    });
  }

  /** How many read now. */
  get readers(): number {
    return this.#readers;
  }

  /** Nobody gets more of it than is written. */
  get isFailed(): boolean {
    return this.#state === 'failed';
  }

  /** Bytes of memory it holds. */
  get heldBytes(): number {
    const offsets = this.#state === 'writing' ? BYTES_A_WRITTEN_OFFSET * this.#planned.plan.slotCount : 0;
    return this.#aside.heldBytes + offsets + BYTES_A_SPAN * this.#spans.length;
  }

  /**
   * The whole pack, in chunks of at most 65515 bytes. Several readers may get the same one, which nobody writes to, but
   * for the five bytes in front of it: they are free for a packet's frame, the same for all.
   *
   * When nothing more can be put aside, each reader goes on with a pack of its own from where it is: the same plan
   * gives the same bytes.
   *
   * @throws {GitError} what writing a pack throws, to all readers; ABORTED to the one whose signal fired
   */
  async *read({ signal, onResult }: PackReading): AsyncGenerator<Uint8Array, undefined> {
    const pace = new Pace(signal);
    let at = 0;
    let span = 0;
    this.#readers++;
    try {
      while (this.#state !== 'unspooled') {
        throwIfAborted(signal);
        const hasEnded = this.#state !== 'writing';
        if (this.#written - at >= (hasEnded ? 1 : CHUNK_BYTES)) {
          while ((this.#spans[span] as Span).end <= at) span++;
          const chunk = this.#chunkAt(at, span);
          at += chunk.length;
          yield chunk;
          if (pace.isDue()) await pace.rest();
        } else if (!hasEnded) {
          await untilAborted(this.#advance(), signal);
        } else if (this.#state === 'failed') {
          throw this.#failure;
        } else {
          onResult(this.#result as PackWritingResult);
          return;
        }
      }
    } finally {
      this.#readers--;
      if (this.#readers < 2) this.#recent.fill(undefined);
    }
    yield* writeAlone(this.#planned, this.#options, { signal, onResult, skipBytes: at });
  }

  /** Nobody reads any more, and nobody will. What is put aside is gone at once, or when the step under way has ended. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#abort.abort();
    await this.#step;
    await this.#source.return(undefined);
    this.#aside.close();
  }

  /** Write on. One step at a time, for all that wait for it; never rejects. */
  #advance(): Promise<void> {
    this.#step ??= this.#writeStep().finally(() => {
      this.#step = undefined;
    });
    return this.#step;
  }

  async #writeStep(): Promise<void> {
    const aside: Uint8Array[] = [];
    let written = this.#written;
    let state: State = 'writing';
    try {
      for (let n = 0; n < STEP_CHUNKS && state === 'writing'; n++) {
        const { done, value } = await this.#source.next();
        if (done) {
          state = 'complete';
        } else {
          this.#take(value, written, aside);
          written += value.length;
        }
      }
    } catch (error) {
      state = 'failed';
      this.#failure = error;
    }
    try {
      if (aside.length > 0) await this.#aside.append(concatBytes(...aside));
      // What was written before a failure is sent, as by a single writer.
      this.#written = written;
    } catch (error) {
      state = isGitError(error, 'STORAGE_FAILED', 'LIMIT_EXCEEDED') ? 'unspooled' : 'failed';
      this.#failure = error;
      // A full disk is needed for other things than this.
      this.#aside.close();
      await this.#source.return(undefined);
    }
    this.#state = state;
  }

  #noteCopy(file: RandomAccessFile, fileOffset: number, position: number, length: number): void {
    const last = this.#copies.at(-1);
    const isNext =
      last?.end === position && last.file === file && last.at + last.end - last.start === fileOffset;
    if (isNext) last.end += length;
    else this.#copies.push({ start: position, end: position + length, file, at: fileOffset });
  }

  /** Note where the bytes of `chunk` can be read again; those that cannot go to `aside`. */
  #take(chunk: Uint8Array, position: number, aside: Uint8Array[]): void {
    const end = position + chunk.length;
    const copies = this.#copies;
    for (let at = position; at < end; ) {
      // The last one may still grow.
      while (this.#nextCopy < copies.length - 1 && (copies[this.#nextCopy] as Span).end <= at)
        this.#nextCopy++;
      const copy = copies[this.#nextCopy];
      let until = end;
      if (copy !== undefined && copy.start <= at && at < copy.end) {
        until = Math.min(end, copy.end);
        if (this.#spans.at(-1) !== copy) this.#spans.push(copy);
      } else {
        if (copy !== undefined && at < copy.start) until = Math.min(end, copy.start);
        aside.push(chunk.subarray(at - position, until - position));
        this.#extendAside(at, until);
      }
      at = until;
    }
  }

  #extendAside(start: number, end: number): void {
    const last = this.#spans.at(-1);
    if (last !== undefined && last.file === undefined) last.end = end;
    else this.#spans.push({ start, end, file: undefined, at: this.#asideBytes });
    this.#asideBytes += end - start;
  }
  /** The chunk that begins at `position`, a multiple of {@link CHUNK_BYTES}. */
  #chunkAt(position: number, span: number): Uint8Array {
    if (this.#readers < 2) return this.#readAt(position, span);
    const place = (position / CHUNK_BYTES) % RECENT_CHUNKS;
    const recent = this.#recent[place];
    if (recent?.position === position) return recent.chunk;
    const chunk = this.#readAt(position, span);
    if (chunk.length === CHUNK_BYTES) this.#recent[place] = { position, chunk };
    return chunk;
  }

  #readAt(position: number, firstSpan: number): Uint8Array {
    const chunk = newChunk(Math.min(CHUNK_BYTES, this.#written - position));
    for (let filled = 0, number = firstSpan; filled < chunk.length; number++) {
      const { start, end, file, at } = this.#spans[number] as Span;
      const from = position + filled;
      const length = Math.min(chunk.length - filled, end - from);
      if (file === undefined) this.#aside.readInto(at + from - start, chunk, filled, length);
      else if (file.readInto(at + from - start, chunk, filled, length) !== length) {
        throw packEndsEarly(file, at + end - start);
      }
      filled += length;
    }
    return chunk;
  }
}
