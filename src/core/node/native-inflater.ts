/**
 * Inflating with Node's zlib, one native stream reused for every entry.
 *
 * Node's public API makes a stream object per inflate (2.2 µs for a small object, `inflateSync`); the
 * binding under it can be reset and called again (0.3 µs). That binding is not documented, so it is used only
 * after {@link nativeInflaterWorks} has seen it inflate, report consumed bytes, notice the end and report errors.
 *
 * @module
 */
import zlib from 'node:zlib';
import { GitError } from '../errors.ts';
import type { Inflater } from '../runtime.ts';

/** What is used of Node's internal zlib binding (lib/zlib.js, src/node_zlib.cc). */
interface ZlibHandle {
  reset(): void;
  writeSync(
    flush: number,
    input: Uint8Array,
    inputOffset: number,
    inputLength: number,
    output: Uint8Array,
    outputOffset: number,
    outputLength: number,
  ): void;
  onerror: (message: string, errno: number, code: string) => void;
}

interface InflateInternals {
  readonly _handle?: ZlibHandle;
  /** After a write: output bytes left, input bytes left. */
  readonly _writeState?: Uint32Array;
  close(): void;
}

const NO_FLUSH = zlib.constants.Z_NO_FLUSH;

let works: boolean | undefined;

/** @returns `undefined` when this Node's binding fails the self-test */
export function createNativeInflater(): Inflater | undefined {
  works ??= nativeInflaterWorks();
  return works ? new NativeInflater() : undefined;
}

class NativeInflater implements Inflater {
  consumed = 0;
  produced = 0;
  ended = false;
  readonly #stream: InflateInternals;
  readonly #handle: ZlibHandle;
  readonly #writeState: Uint32Array;
  #failure: string | undefined;

  constructor() {
    this.#stream = zlib.createInflate() as unknown as InflateInternals;
    const { _handle: handle, _writeState: writeState } = this.#stream;
    if (handle === undefined || writeState === undefined) {
      throw new GitError('UNSUPPORTED', "Cannot reuse a zlib stream: Node's binding has another shape");
    }
    this.#handle = handle;
    this.#writeState = writeState;
    handle.onerror = (message) => {
      this.#failure = message;
    };
  }

  reset(): void {
    this.#failure = undefined;
    this.ended = false;
    this.#handle.reset();
  }

  inflate(
    input: Uint8Array,
    inputStart: number,
    inputEnd: number,
    output: Uint8Array,
    outputStart: number,
    outputEnd: number,
  ): void {
    const inputLength = inputEnd - inputStart;
    const outputLength = outputEnd - outputStart;
    this.#handle.writeSync(NO_FLUSH, input, inputStart, inputLength, output, outputStart, outputLength);
    if (this.#failure !== undefined) {
      throw new GitError('PACK_CORRUPT', `Cannot inflate: ${this.#failure}`);
    }
    const outputLeft = this.#writeState[0] as number;
    const inputLeft = this.#writeState[1] as number;
    this.consumed = inputLength - inputLeft;
    this.produced = outputLength - outputLeft;
    // zlib stops with both input and room left only at the end of a stream.
    this.ended = inputLeft > 0 && outputLeft > 0;
  }

  close(): void {
    this.#stream.close();
  }
}

/** Run the binding through what the pack parser relies on. */
function nativeInflaterWorks(): boolean {
  let inflater: NativeInflater;
  try {
    inflater = new NativeInflater();
  } catch (error) {
    if (error instanceof GitError) return false;
    throw error;
  }
  try {
    const text = new Uint8Array(3000).map((_, i) => (i * i) % 251);
    const first = zlib.deflateSync(text);
    const input = new Uint8Array(first.length + 20).fill(0x78);
    input.set(first);
    const output = new Uint8Array(text.length + 1);

    inflater.inflate(input, 0, input.length, output, 0, output.length);
    if (!inflater.ended || inflater.consumed !== first.length) return false;
    if (inflater.produced !== text.length || text.some((byte, i) => output[i] !== byte)) return false;

    inflater.reset();
    inflater.inflate(input, 0, 100, output, 0, output.length);
    if (inflater.ended || inflater.consumed !== 100) return false;
    const before = inflater.produced;
    inflater.inflate(input, 100, input.length, output, before, output.length);
    if (!inflater.ended || before + inflater.produced !== text.length) return false;

    return refuses(inflater, input.slice().fill(0xff, 2, 40)) && refuses(inflater, brokenChecksum(first));
  } finally {
    inflater.close();
  }
}

function brokenChecksum(stream: Uint8Array): Uint8Array {
  const broken = new Uint8Array(stream.length + 8);
  broken.set(stream);
  broken[stream.length - 1] = (broken[stream.length - 1] as number) ^ 1;
  return broken;
}

function refuses(inflater: Inflater, input: Uint8Array): boolean {
  try {
    inflater.reset();
    inflater.inflate(input, 0, input.length, new Uint8Array(4000), 0, 4000);
    return false;
  } catch (error) {
    return error instanceof GitError;
  }
}
