/**
 * Side-band: pack data, progress and errors in one stream of packets.
 * Spec: gitprotocol-pack(5), "Packfile Data"; gitprotocol-capabilities(5), "side-band, side-band-64k".
 *
 * @module
 */
import type { ByteStream } from '../core/byte-stream.ts';
import { concatBytes, encodeText } from '../core/bytes.ts';
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
}

const EMPTY_BAND_ONE: Uint8Array = concatBytes(encodeText('0005'), Uint8Array.of(1));

/** Characters of progress kept for a client that does not read. */
const MAX_QUEUED_TEXT = 64 * 1024;

/**
 * Run `work`; its chunks become band 1, what it writes to {@link BandTwo} becomes band 2, at once and ahead of
 * band 1, and silence is filled with keepalives. Errors of `work` pass through: the caller says what
 * the client sees. When the consumer stops reading, `work` is told to return.
 */
export async function* multiplex(
  work: (bandTwo: BandTwo) => ByteStream,
  options: MultiplexOptions,
): AsyncGenerator<Uint8Array, undefined> {
  const { maxPacketBytes = MAX_PACKET_BYTES, keepaliveMs, keepalive = EMPTY_BAND_ONE } = options;
  const texts = new TextQueue();
  const iterator = work(texts)[Symbol.asyncIterator]();
  let step = iterator.next();
  let done = false;
  try {
    while (!done) {
      const event = await firstOf(step, texts, keepaliveMs);
      const text = texts.take();
      if (text !== '') yield encodeBand(2, text, maxPacketBytes);
      if (event === 'silence') {
        yield keepalive;
      } else if (event !== 'text') {
        if (event.done) {
          done = true;
        } else {
          step = iterator.next();
          // Unobserved until the next round: a failure meanwhile must not count as unhandled.
          step.catch(() => undefined);
          if (event.value.length > 0) yield encodeBand(1, event.value, maxPacketBytes);
        }
      }
    }
  } finally {
    if (!done) await iterator.return?.();
  }
}

type Event = IteratorResult<Uint8Array> | 'text' | 'silence';

async function firstOf(
  step: Promise<IteratorResult<Uint8Array>>,
  texts: TextQueue,
  keepaliveMs: number,
): Promise<Event> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const events: Promise<Event>[] = [step, texts.arrival()];
  if (keepaliveMs > 0) {
    events.push(
      new Promise((resolve) => {
        timer = setTimeout(resolve, keepaliveMs, 'silence');
      }),
    );
  }
  try {
    return await Promise.race(events);
  } finally {
    clearTimeout(timer);
    texts.forget();
  }
}

class TextQueue implements BandTwo {
  #text = '';
  #wake: (() => void) | undefined;

  write(text: string): void {
    if (this.#text.length + text.length <= MAX_QUEUED_TEXT) this.#text += text;
    this.#wake?.();
  }

  take(): string {
    const text = this.#text;
    this.#text = '';
    return text;
  }

  arrival(): Promise<'text'> {
    if (this.#text !== '') return Promise.resolve('text');
    return new Promise((resolve) => {
      this.#wake = () => resolve('text');
    });
  }

  forget(): void {
    this.#wake = undefined;
  }
}
