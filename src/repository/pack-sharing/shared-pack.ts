/**
 * One pack on its way to several readers, each at its own pace: written once, by whoever is ahead.
 *
 * Nothing is kept that can be read again: what is copied from stored packs in long ranges is read from there by
 * everybody, and only the rest is put aside. For a repository that was repacked this is a header and a few objects.
 *
 * @module
 */
import { joinBytes } from '../../core/bytes.ts';
import { isGitError, throwIfAborted } from '../../core/errors.ts';
import { Pace } from '../../core/pace.ts';
import { CHUNK_BYTES, HEADROOM_BYTES, newChunk } from '../pack-writing/pack-output.ts';
import { type PackWritingResult, writePack } from '../pack-writing/write-pack.ts';
import { FRAMED_BYTES } from './frames.ts';
import type { PlannedPack } from './planned-pack.ts';
import { type CreateSpool, SpooledBytes, type SpoolUsage } from './spool.ts';
import { type PackChunk, type PackReading, type PackWriter, writeAlone } from './write-alone.ts';
import { WrittenSpans } from './written-spans.ts';

/** Chunks written at a time, half a megabyte: readers wait for them together, and they are put aside in one piece. */
const STEP_CHUNKS = 8;
/** Chunks of frames kept for readers that are about as far: two megabytes for as long as there are two readers. */
const RECENT_CHUNKS = 8;
const BYTES_A_WRITTEN_OFFSET = 8;

export interface SharedPackOptions extends PackWriter {
  readonly createSpool: CreateSpool | undefined;
  readonly usage: SpoolUsage;
}

interface RecentChunk {
  readonly position: number;
  readonly frames: Uint8Array;
}

type State =
  | 'writing'
  | 'complete'
  | 'failed'
  /** There was no room to put anything aside. */
  | 'unspooled';

/** A reader that waits for more, or for its signal. */
class Waiting {
  #wake: (() => void) | undefined;

  begin(among: Set<Waiting>, start: () => void): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      among.add(this);
      start();
    });
  }

  end(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}

export class SharedPack {
  readonly #planned: PlannedPack;
  readonly #options: SharedPackOptions;
  readonly #abort = new AbortController();
  readonly #source: AsyncGenerator<Uint8Array>;
  readonly #aside: SpooledBytes;
  /** One for all readers: among a hundred, each would find that it has been long since it rested. */
  readonly #pace = new Pace(undefined);
  readonly #spans = new WrittenSpans();
  readonly #recent = new Array<RecentChunk | undefined>(RECENT_CHUNKS);
  #written = 0;
  #result: PackWritingResult | undefined;
  #state: State = 'writing';
  #failure: unknown;
  #step: Promise<void> | undefined;
  /** Readers at the end of what is written. */
  readonly #waiting = new Set<Waiting>();
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
      onCopy: (...copy) => this.#spans.noteCopy(...copy),
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
    return this.#aside.heldBytes + offsets + this.#spans.heldBytes;
  }

  /**
   * The whole pack.
   *
   * When nothing more can be put aside, each reader goes on with a pack of its own from where it is: the same plan
   * gives the same bytes.
   *
   * @throws {GitError} what writing a pack throws, to all readers; ABORTED to the one whose signal fired
   */
  async *read({ signal, framed, onResult }: PackReading): AsyncGenerator<PackChunk, undefined> {
    const readBytes = framed === true ? FRAMED_BYTES : CHUNK_BYTES;
    let at = 0;
    let span = 0;
    // One listener for the whole pack: readers wait thousands of times.
    const waiting = new Waiting();
    const wake = (): void => waiting.end();
    signal?.addEventListener('abort', wake);
    this.#readers++;
    try {
      while (this.#state !== 'unspooled') {
        throwIfAborted(signal);
        const hasEnded = this.#state !== 'writing';
        if (this.#written - at >= (hasEnded ? 1 : readBytes)) {
          span = this.#spans.spanAt(at, span);
          const length = Math.min(readBytes, this.#written - at);
          const chunk = framed === true ? this.#framesAt(at, length, span) : this.#plainAt(at, length, span);
          at += length;
          yield chunk;
          if (this.#pace.isDue()) await this.#pace.rest();
        } else if (!hasEnded) {
          await waiting.begin(this.#waiting, () => this.#advance());
        } else if (this.#state === 'failed') {
          throw this.#failure;
        } else {
          onResult(this.#result as PackWritingResult);
          return;
        }
      }
    } finally {
      signal?.removeEventListener('abort', wake);
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

  /** Write on, unless somebody does: all who wait are woken when it is done. */
  #advance(): void {
    this.#step ??= this.#writeStep().finally(() => {
      this.#step = undefined;
      const woken = [...this.#waiting];
      this.#waiting.clear();
      for (const reader of woken) reader.end();
    });
  }

  /** Never rejects. */
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
          this.#spans.add(value, written, aside);
          written += value.length;
        }
      }
    } catch (error) {
      state = 'failed';
      this.#failure = error;
    }
    try {
      if (aside.length > 0) await this.#aside.append(joinBytes(aside));
      // What was written before a failure is sent, as by a single writer.
      this.#written = written;
    } catch (error) {
      state = isGitError(error, 'STORAGE_FAILED', 'LIMIT_EXCEEDED') ? 'unspooled' : 'failed';
      this.#failure = error;
      this.#written = 0; // nothing of it can be read any more
      // A full disk is needed for other things than this.
      this.#aside.close();
    }
    this.#state = state;
    if (state !== 'writing') await this.#source.return(undefined);
  }

  #plainAt(position: number, length: number, span: number): Uint8Array {
    const chunk = newChunk(length);
    this.#spans.readInto(this.#aside, position, chunk, 0, length, span);
    return chunk;
  }

  /** @param position a multiple of {@link FRAMED_BYTES} */
  #framesAt(position: number, length: number, span: number): PackChunk {
    const place = (position / FRAMED_BYTES) % RECENT_CHUNKS;
    const recent = this.#recent[place];
    if (recent?.position === position && length === FRAMED_BYTES) return recent;

    const frames = new Uint8Array(length + HEADROOM_BYTES * Math.ceil(length / CHUNK_BYTES));
    let from = span;
    for (let done = 0, at = 0; done < length; done += CHUNK_BYTES) {
      const payloadBytes = Math.min(CHUNK_BYTES, length - done);
      from = this.#spans.readInto(
        this.#aside,
        position + done,
        frames,
        at + HEADROOM_BYTES,
        payloadBytes,
        from,
      );
      at += HEADROOM_BYTES + payloadBytes;
    }
    const chunk = { position, frames };
    if (this.#readers > 1 && length === FRAMED_BYTES) this.#recent[place] = chunk;
    return chunk;
  }
}
