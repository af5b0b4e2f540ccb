/**
 * Inflating on any runtime: in WebAssembly, or with pako where there is none.
 *
 * pako's streaming classes hand out chunks of their own; its zlib port underneath works on the caller's
 * memory and counts what it took, which is what a pack needs.
 *
 * @module
 */
import {
  Z_BUF_ERROR,
  Z_NO_FLUSH,
  Z_OK,
  Z_STREAM_END,
  ZStream,
  zlibInflate,
  zlibInflateEnd,
  zlibInflateInit,
  zlibInflateReset,
} from 'pako';
import { GitError } from '../errors.ts';
import { createWasmInflater } from '../inflate/wasm-inflater.ts';
import type { Inflater } from '../runtime.ts';

/** The fastest inflater that needs nothing of the platform but, perhaps, WebAssembly. */
export function createPortableInflater(): Inflater {
  return createWasmInflater() ?? createPakoInflater();
}

/** An inflater that runs everywhere; some ten times slower than the others on small objects. */
export function createPakoInflater(): Inflater {
  return new PakoInflater();
}

class PakoInflater implements Inflater {
  consumed = 0;
  produced = 0;
  ended = false;
  readonly #stream = new ZStream();

  constructor() {
    zlibInflateInit(this.#stream);
  }

  reset(): void {
    zlibInflateReset(this.#stream);
    this.ended = false;
  }

  inflate(
    input: Uint8Array,
    inputStart: number,
    inputEnd: number,
    output: Uint8Array,
    outputStart: number,
    outputEnd: number,
  ): void {
    const stream = this.#stream;
    stream.input = input;
    stream.next_in = inputStart;
    stream.avail_in = inputEnd - inputStart;
    stream.output = output as Uint8Array<ArrayBuffer>;
    stream.next_out = outputStart;
    stream.avail_out = outputEnd - outputStart;

    const status = zlibInflate(stream, Z_NO_FLUSH);
    if (status !== Z_OK && status !== Z_STREAM_END && status !== Z_BUF_ERROR) {
      throw new GitError('PACK_CORRUPT', `Cannot inflate: ${stream.msg || 'not a zlib stream'}`);
    }
    this.consumed = stream.next_in - inputStart;
    this.produced = stream.next_out - outputStart;
    this.ended = status === Z_STREAM_END;
  }

  close(): void {
    zlibInflateEnd(this.#stream);
  }
}
