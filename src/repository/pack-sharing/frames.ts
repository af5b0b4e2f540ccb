/**
 * Packs in frames: pieces of the size that the largest packets carry, with room for a packet's head before each.
 *
 * @module
 */
import { CHUNK_BYTES, HEADROOM_BYTES, newChunk } from '../pack-writing/pack-output.ts';

/** Frames handed out at a time: a hundred clones spend half as much time on four together as on one by one. */
const FRAMES_A_CHUNK = 4;
/** Bytes of the pack in what is handed out at a time. */
export const FRAMED_BYTES = FRAMES_A_CHUNK * CHUNK_BYTES;
const FRAME_BYTES = HEADROOM_BYTES + CHUNK_BYTES;

/** Copies what a writer yields into frames, all of the full size but the last. */
export class FrameRecorder {
  readonly #mostBytes: number;
  #blocks: Uint8Array[] = [];
  #length = 0;

  /** @param mostBytes when the pack turns out to be longer nothing of it is kept */
  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  add(chunk: Uint8Array): void {
    if (this.#length + chunk.length > this.#mostBytes) {
      this.#length = Number.POSITIVE_INFINITY;
      this.#blocks = [];
      return;
    }
    for (let from = 0; from < chunk.length; ) {
      const at = this.#length % FRAMED_BYTES;
      if (at === 0) this.#blocks.push(new Uint8Array(FRAMES_A_CHUNK * FRAME_BYTES));
      const inFrame = at % CHUNK_BYTES;
      const count = Math.min(chunk.length - from, CHUNK_BYTES - inFrame);
      const to = Math.floor(at / CHUNK_BYTES) * FRAME_BYTES + HEADROOM_BYTES + inFrame;
      this.#blocks.at(-1)?.set(chunk.subarray(from, from + count), to);
      this.#length += count;
      from += count;
    }
  }

  /** What was added, in arrays to be handed out one after another; `undefined` when it was too much. */
  finish(): Uint8Array[] | undefined {
    if (!Number.isFinite(this.#length)) return undefined;
    const last = this.#blocks.pop();
    if (last === undefined) return [];
    const rest = this.#length - this.#blocks.length * FRAMED_BYTES;
    const bytes = rest + HEADROOM_BYTES * Math.ceil(rest / CHUNK_BYTES);
    return [...this.#blocks, last.slice(0, bytes)];
  }
}

/** The payloads of frames, copied: each belongs to its receiver. */
export function* payloadsOf(frames: Uint8Array): Generator<Uint8Array, undefined> {
  for (let at = 0; at < frames.length; at += FRAME_BYTES) {
    const payload = frames.subarray(at + HEADROOM_BYTES, at + FRAME_BYTES);
    const chunk = newChunk(payload.length);
    chunk.set(payload);
    yield chunk;
  }
}
