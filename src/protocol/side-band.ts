/**
 * Side-band: pack data, progress and errors in one stream of packets.
 * Spec: gitprotocol-pack(5), "Packfile Data"; gitprotocol-capabilities(5), "side-band, side-band-64k".
 *
 * @module
 */
import { concatBytes, encodeText } from '../core/bytes.ts';
import { GitError } from '../core/errors.ts';
import { encodeLength, MAX_PACKET_BYTES } from './pkt-line.ts';

/** Pack data, progress text, fatal error. */
export type Band = 1 | 2 | 3;

/** Largest packet of plain `side-band`, length digits and band byte included. */
export const SMALL_BAND_PACKET_BYTES = 1000;

const OVERHEAD_BYTES = 5; // four length digits and the band

/** `payload` on `band`, in as many packets of at most `maxPacketBytes` as it takes, in one array. */
export function encodeBand(
  band: Band,
  payload: Uint8Array | string,
  maxPacketBytes: number = MAX_PACKET_BYTES,
): Uint8Array {
  const bytes = typeof payload === 'string' ? encodeText(payload) : payload;
  const room = maxPacketBytes - OVERHEAD_BYTES;
  const packets = Math.ceil(bytes.length / room);
  const encoded = new Uint8Array(bytes.length + packets * OVERHEAD_BYTES);
  let offset = 0;
  for (let start = 0; start < bytes.length; start += room) {
    const part = bytes.subarray(start, start + room);
    encoded.set(encodeLength(part.length + OVERHEAD_BYTES), offset);
    encoded[offset + 4] = band;
    encoded.set(part, offset + OVERHEAD_BYTES);
    offset += part.length + OVERHEAD_BYTES;
  }
  return encoded;
}

/**
 * As {@link encodeBand} for band 1, without moving `payload` if it can be helped: when it lies five bytes or more
 * behind the start of its buffer, those in front of it must be free to be written to.
 */
function encodePackData(payload: Uint8Array, maxPacketBytes: number): Uint8Array {
  const length = payload.length + OVERHEAD_BYTES;
  if (payload.byteOffset < OVERHEAD_BYTES || length > maxPacketBytes) {
    return encodeBand(1, payload, maxPacketBytes);
  }
  const packet = new Uint8Array(payload.buffer, payload.byteOffset - OVERHEAD_BYTES, length);
  packet.set(encodeLength(length));
  packet[OVERHEAD_BYTES - 1] = 1;
  return packet;
}

/** Make the packets of band 1 that `frames` has room for: five bytes before each payload of the largest size. */
function fillFrames(frames: Uint8Array): Uint8Array {
  for (let at = 0; at < frames.length; at += MAX_PACKET_BYTES) {
    const length = Math.min(MAX_PACKET_BYTES, frames.length - at);
    frames.set(encodeLength(length), at);
    frames[at + OVERHEAD_BYTES - 1] = 1;
  }
  return frames;
}

/** Bytes for band 1: to be put into packets; or {@link fillFrames}, if packets of the largest size may be sent. */
export type BandOneChunk = Uint8Array | { readonly frames: Uint8Array };

/** Where work that has side-band output says things while it goes on. */
export interface BandTwo {
  /**
   * Text for the user's terminal, sent as it is: end lines with `\n`, or `\r` for a line to be overwritten.
   * Never blocks; text that the client is too slow to read is held up to a bound, and beyond it dropped.
   */
  write(text: string): void;
}

export interface MultiplexOptions {
  readonly maxPacketBytes?: number | undefined;
  /** Milliseconds of silence before {@link keepalive} is sent. 0 sends none. */
  readonly keepaliveMs: number;
  /** `0005\x01`, or what the protocol in use wants. */
  readonly keepalive?: Uint8Array | undefined;
  /** Ends the work; what is thrown then is the work's own error. */
  readonly signal?: AbortSignal | undefined;
}

/** A packet that says nothing but that somebody is there. */
export function encodeEmptyBand(band: Band): Uint8Array {
  return concatBytes(encodeText('0005'), Uint8Array.of(band));
}

const EMPTY_BAND_ONE: Uint8Array = encodeEmptyBand(1);

/** Characters of progress kept for a client that does not read. */
const MAX_QUEUED_TEXT = 64 * 1024;

/**
 * Run `work`; its chunks become band 1, what it writes to {@link BandTwo} becomes band 2, at once and ahead of
 * band 1, and silence is filled with keepalives. Errors of `work` pass through, after the text written before
 * them: the caller says what the client sees.
 *
 * Chunks of `work` belong to it no more; one that lies five bytes or more behind the start of its buffer
 * is framed where it is, and those five are overwritten.
 *
 * The signal given to `work` fires with `options.signal`, and when the consumer stops reading: work between
 * two chunks must watch it, because `return` reaches a generator only where it yields.
 */
export async function* multiplex(
  work: (bandTwo: BandTwo, signal: AbortSignal) => AsyncIterable<BandOneChunk>,
  options: MultiplexOptions,
): AsyncGenerator<Uint8Array, undefined> {
  const { maxPacketBytes = MAX_PACKET_BYTES, keepaliveMs, keepalive = EMPTY_BAND_ONE } = options;
  const stop = new AbortController();
  const forwardAbort = () => stop.abort(options.signal?.reason);
  if (options.signal?.aborted) forwardAbort();
  options.signal?.addEventListener('abort', forwardAbort, { once: true });

  const inbox = new Inbox(keepaliveMs);
  const iterator = work(inbox, stop.signal)[Symbol.asyncIterator]();
  let done = false;
  try {
    inbox.awaitStep(iterator);
    while (!done) {
      const event = await inbox.next();
      const text = inbox.takeText();
      if (text !== '') yield encodeBand(2, text, maxPacketBytes);
      if (event === 'silence') {
        yield keepalive;
      } else if (event !== 'text') {
        if ('error' in event) {
          done = true;
          throw event.error;
        }
        if (event.done) {
          done = true;
        } else {
          inbox.awaitStep(iterator);
          const { value } = event;
          if (!(value instanceof Uint8Array)) yield fillFrames(value.frames);
          else if (value.length > 0) yield encodePackData(value, maxPacketBytes);
        }
      }
    }
  } finally {
    inbox.close();
    options.signal?.removeEventListener('abort', forwardAbort);
    if (!done) {
      stop.abort(new GitError('ABORTED', 'Stopped: nobody reads the answer any more'));
      await iterator.return?.();
    }
  }
}

type Step = IteratorResult<BandOneChunk> | { readonly error: unknown };
type Event = Step | 'text' | 'silence';

/**
 * What comes next: a step of the work, text, or nothing for too long. One timer runs across many chunks: to set one for
 * each of a hundred thousand chunks costs more than framing them.
 */
class Inbox implements BandTwo {
  readonly #keepaliveMs: number;
  #text = '';
  #step: Step | undefined;
  #wake: (() => void) | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #waitsSinceMs = 0;

  constructor(keepaliveMs: number) {
    this.#keepaliveMs = keepaliveMs;
  }

  write(text: string): void {
    this.#text += text.slice(0, MAX_QUEUED_TEXT - this.#text.length);
    this.#wake?.();
  }

  takeText(): string {
    const text = this.#text;
    this.#text = '';
    return text;
  }

  /** A failure is a value here, so that one that comes while nobody waits is not an unhandled rejection. */
  awaitStep(iterator: AsyncIterator<BandOneChunk>): void {
    const arrive = (step: Step): void => {
      this.#step = step;
      this.#wake?.();
    };
    iterator.next().then(arrive, (error: unknown) => arrive({ error }));
  }

  /** The step if there is one, as text is taken with it anyway. */
  async next(): Promise<Event> {
    if (this.#step === undefined && this.#text === '') await this.#arrival();
    const step = this.#step;
    this.#step = undefined;
    if (step !== undefined) return step;
    return this.#text === '' ? 'silence' : 'text';
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #arrival(): Promise<void> {
    this.#waitsSinceMs = performance.now();
    if (this.#keepaliveMs > 0) this.#timer ??= setTimeout(() => this.#onTimer(), this.#keepaliveMs);
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }

  /** Silence counts from when it was last waited for, while somebody waits. */
  #onTimer(): void {
    this.#timer = undefined;
    if (this.#wake === undefined) return;
    const leftMs = this.#waitsSinceMs + this.#keepaliveMs - performance.now();
    if (leftMs > 0) this.#timer = setTimeout(() => this.#onTimer(), Math.ceil(leftMs));
    else this.#wake();
  }
}
