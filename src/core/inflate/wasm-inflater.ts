/**
 * The inflater of `assembly/inflate`, on WebAssembly with SIMD: any runtime that has it, no undocumented interface.
 *
 * What an instance works on lies in its own memory, so the bytes of a stream are copied in and out. For small streams
 * that is most of what crossing costs ("inflate" in `npm run bench`), hence the care below.
 *
 * @module
 */
import { GitError } from '../errors.ts';
import type { Inflater } from '../runtime.ts';
import { WASM_MODULE } from './wasm-module.ts';

/** See `assembly/inflate/exports.ts`. */
interface Exports {
  inputStart(): number;
  inputBytes(): number;
  outputStart(): number;
  reportStart(): number;
  run(begin: boolean, length: number, room: number): number;
}

/** The module's layout needs 144 KB. */
const MEMORY_PAGES = 3;

// What run() returns: `assembly/inflate/outcome.ts`.
const MORE_INPUT = 1;
const ENDED = 2;
const FAILURES = [
  'incorrect stream header',
  'a preset dictionary is needed',
  'invalid block',
  'invalid code lengths',
  'invalid code',
  'invalid distance too far back',
  'incorrect checksum',
];

/** Deflating adds hardly more than this to what does not get smaller, and the module looks some bytes ahead. */
const INPUT_MARGIN_BYTES = 40;
/** Up to so many bytes, copying word by word is cheaper than a view of the bytes to copy. */
const WORDWISE_BYTES = 160;
/** An inflater remembers the last arrays it was given, if they are no larger. */
const REMEMBERED_BYTES = 1024 * 1024;

/** Instances that wait for their next use: making one takes some 100 microseconds. */
const MOST_IDLE = 4;
const idle: Instance[] = [];

let compiled: WebAssembly.Module | undefined;
let isCompiled = false;

/** @returns `undefined` where WebAssembly, its SIMD, or making code at run time are not to be had */
export function createWasmInflater(): Inflater | undefined {
  if (!isCompiled) compiled = compileModule();
  isCompiled = true;
  if (compiled === undefined) return undefined;
  const instance = idle.pop() ?? instantiate(compiled);
  return instance && new WasmInflater(instance);
}

function compileModule(): WebAssembly.Module | undefined {
  if (typeof WebAssembly === 'undefined') return undefined;
  const text = atob(WASM_MODULE);
  const code = new Uint8Array(text.length);
  for (let i = 0; i < code.length; i++) code[i] = text.charCodeAt(i);
  try {
    return new WebAssembly.Module(code);
  } catch {
    return undefined; // no SIMD; or the platform allows no code that was not deployed
  }
}

interface Instance {
  readonly run: Exports['run'];
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly report: Uint32Array;
  readonly inputStart: number;
  readonly inputBytes: number;
  readonly outputStart: number;
}

function instantiate(module: WebAssembly.Module): Instance | undefined {
  let memory: WebAssembly.Memory;
  try {
    memory = new WebAssembly.Memory({ initial: MEMORY_PAGES, maximum: MEMORY_PAGES });
  } catch (error) {
    if (error instanceof RangeError) return undefined; // engines reserve far more address space than memory
    throw error;
  }
  const exports = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Exports;
  return {
    run: exports.run,
    bytes: new Uint8Array(memory.buffer),
    view: new DataView(memory.buffer),
    report: new Uint32Array(memory.buffer, exports.reportStart(), 4),
    inputStart: exports.inputStart(),
    inputBytes: exports.inputBytes(),
    outputStart: exports.outputStart(),
  };
}

class WasmInflater implements Inflater {
  consumed = 0;
  produced = 0;
  ended = false;

  readonly #instance: Instance;
  #run: Exports['run'];
  #begins = true;
  #outcome = MORE_INPUT;
  /** Bytes of input that the instance keeps until those after them come. */
  #left = 0;
  /** Output that the instance holds and that there was no room for yet. */
  #pending = 0;
  #pendingEnd = 0;
  readonly #inputs = new LastArray();
  readonly #outputs = new LastArray();

  constructor(instance: Instance) {
    this.#instance = instance;
    this.#run = instance.run;
  }

  reset(): void {
    this.ended = false;
    this.#begins = true;
    this.#outcome = MORE_INPUT;
    this.#left = 0;
    this.#pending = 0;
    this.#pendingEnd = 0;
  }

  inflate(
    input: Uint8Array,
    inputStart: number,
    inputEnd: number,
    output: Uint8Array,
    outputStart: number,
    outputEnd: number,
  ): void {
    const { report } = this.#instance;
    let at = inputStart;
    let to = outputStart;
    for (;;) {
      if (this.#pending < this.#pendingEnd) {
        const length = Math.min(this.#pendingEnd - this.#pending, outputEnd - to);
        this.#copyOut(output, to, length);
        to += length;
        if (this.#pending < this.#pendingEnd) break;
      }
      if (this.#outcome === ENDED) {
        this.ended = true;
        break;
      }
      if (this.#outcome === MORE_INPUT && at === inputEnd) break;

      const room = outputEnd - to;
      const left = this.#left;
      const length = Math.min(inputEnd - at, room + INPUT_MARGIN_BYTES, this.#instance.inputBytes - left);
      this.#copyIn(input, at, length);
      const outcome = this.#run(this.#begins, left + length, room);
      this.#begins = false;
      if (outcome > ENDED) {
        throw new GitError('PACK_CORRUPT', `Cannot inflate: ${FAILURES[outcome - ENDED - 1]}`);
      }
      this.#outcome = outcome;
      // What is left in the instance counts as consumed.
      at += outcome === MORE_INPUT ? length : (report[0] as number) - left;
      this.#left = report[1] as number;
      this.#pending = report[2] as number;
      this.#pendingEnd = report[3] as number;
    }
    this.consumed = at - inputStart;
    this.produced = to - outputStart;
  }

  close(): void {
    if (this.#run !== refuse && idle.length < MOST_IDLE) idle.push(this.#instance);
    this.#run = refuse;
    this.#inputs.forget();
    this.#outputs.forget();
  }

  #copyIn(input: Uint8Array, at: number, length: number): void {
    const { bytes, view, inputStart } = this.#instance;
    const to = inputStart + this.#left;
    const source = length <= WORDWISE_BYTES ? this.#inputs.view(input) : undefined;
    if (source === undefined) bytes.set(input.subarray(at, at + length), to);
    else copyWords(source, at, view, to, length);
  }

  #copyOut(output: Uint8Array, to: number, length: number): void {
    const { bytes, view, outputStart } = this.#instance;
    const at = outputStart + this.#pending;
    this.#pending += length;
    const target = length <= WORDWISE_BYTES ? this.#outputs.view(output) : undefined;
    if (target === undefined) output.set(bytes.subarray(at, at + length), to);
    else copyWords(view, at, target, to, length);
  }
}

/** A view of an array that is used again and again. */
class LastArray {
  #array: Uint8Array | undefined;
  #view: DataView | undefined;

  /** @returns `undefined` when the last array was another: a view of one that is used once does not pay */
  view(array: Uint8Array): DataView | undefined {
    if (array === this.#array) {
      this.#view ??= new DataView(array.buffer, array.byteOffset, array.length);
      return this.#view;
    }
    this.#array = array.buffer.byteLength <= REMEMBERED_BYTES ? array : undefined;
    this.#view = undefined;
    return undefined;
  }

  forget(): void {
    this.#array = undefined;
    this.#view = undefined;
  }
}

/** `length` bytes, sixteen at a time as long as there are as many. */
function copyWords(source: DataView, from: number, target: DataView, to: number, length: number): void {
  let i = 0;
  for (; i + 16 <= length; i += 16) {
    target.setUint32(to + i, source.getUint32(from + i, true), true);
    target.setUint32(to + i + 4, source.getUint32(from + i + 4, true), true);
    target.setUint32(to + i + 8, source.getUint32(from + i + 8, true), true);
    target.setUint32(to + i + 12, source.getUint32(from + i + 12, true), true);
  }
  for (; i + 4 <= length; i += 4) target.setUint32(to + i, source.getUint32(from + i, true), true);
  for (; i < length; i++) target.setUint8(to + i, source.getUint8(from + i));
}

function refuse(): never {
  throw new GitError('UNSUPPORTED', 'Cannot inflate: the inflater is closed');
}
