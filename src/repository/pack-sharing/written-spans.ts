/**
 * Where the bytes of a pack that is being written can be read again: in stored packs, or among what was put aside.
 *
 * @module
 */
import type { RandomAccessFile } from '../../pack/stored-pack.ts';
import { packEndsEarly } from '../pack-writing/pack-errors.ts';
import type { SpooledBytes } from './spool.ts';

/** Bytes `[start, end)` of the pack lie in `file`, or among what was put aside, from `at` on. */
interface Span {
  readonly start: number;
  end: number;
  readonly file: RandomAccessFile | undefined;
  readonly at: number;
}

const BYTES_A_SPAN = 80;

export class WrittenSpans {
  /** What is copied from stored packs, in the order it is written; those before `#nextCopy` are passed. */
  readonly #copies: Span[] = [];
  #nextCopy = 0;
  /** Where everything that was added lies, without a gap. */
  readonly #spans: Span[] = [];
  #asideBytes = 0;

  get heldBytes(): number {
    return BYTES_A_SPAN * (this.#spans.length + this.#copies.length);
  }

  /** As a {@link CopyListener}: what is told comes before the chunk that holds it is added. */
  noteCopy(file: RandomAccessFile, fileOffset: number, position: number, length: number): void {
    const last = this.#copies.at(-1);
    const isNext =
      last?.end === position && last.file === file && last.at + last.end - last.start === fileOffset;
    if (isNext) last.end += length;
    else this.#copies.push({ start: position, end: position + length, file, at: fileOffset });
  }

  /**
   * Note where the bytes of `chunk`, which come next in the pack, can be read again. Those that cannot go to `aside`, to
   * be put aside in that order.
   */
  add(chunk: Uint8Array, position: number, aside: Uint8Array[]): void {
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

  /**
   * @param first a span that is not behind `position`
   * @returns the number of the span that holds `position`, which was added
   */
  spanAt(position: number, first: number): number {
    let number = first;
    while ((this.#spans[number] as Span).end <= position) number++;
    return number;
  }

  /**
   * Copy `length` bytes at `position`, which were added and put aside.
   *
   * @param first a span that is not behind `position`
   * @returns the span of the last byte
   * @throws {GitError} STORAGE_FAILED; PACK_CORRUPT when a stored pack has become shorter
   */
  readInto(
    aside: SpooledBytes,
    position: number,
    target: Uint8Array,
    targetOffset: number,
    length: number,
    first: number,
  ): number {
    let number = first;
    for (let filled = 0; filled < length; ) {
      number = this.spanAt(position + filled, number);
      const { start, end, file, at } = this.#spans[number] as Span;
      const from = position + filled;
      const count = Math.min(length - filled, end - from);
      const place = at + from - start;
      if (file === undefined) aside.readInto(place, target, targetOffset + filled, count);
      else if (file.readInto(place, target, targetOffset + filled, count) !== count) {
        throw packEndsEarly(file, place + count);
      }
      filled += count;
    }
    return number;
  }

  #extendAside(start: number, end: number): void {
    const last = this.#spans.at(-1);
    if (last !== undefined && last.file === undefined) last.end = end;
    else this.#spans.push({ start, end, file: undefined, at: this.#asideBytes });
    this.#asideBytes += end - start;
  }
}
