/**
 * The collision-detecting SHA-1 of `assembly/`, on WebAssembly with SIMD.
 *
 * @module
 */
import {
  BLOCK_BYTES,
  type DetectingBatch,
  type DetectingHash,
  type DetectingSha1,
  ID_BYTES,
  USUAL_BATCHED_BYTES,
} from './detecting-sha1.ts';
import { disturbanceVectors, messageDifferences, STEPS } from './disturbance-vectors.ts';
import { WASM_MODULE } from './wasm-module.ts';

/** The module's exports: addresses and lengths in bytes. See `assembly/sha1/exports.ts`. */
interface Exports {
  inputStart(): number;
  stateStart(): number;
  differencesStart(): number;
  sameStateStepsStart(): number;
  jobsStart(): number;
  reset(): void;
  compress(blocks: number, count: number): number;
  pad(bytes: number, lengthBytes: number, totalBytes: number): number;
  finish(bytes: number, lengthBytes: number, totalBytes: number): number;
  hash(bytes: number, lengthBytes: number): number;
  hashMany(count: number, all: boolean): void;
}

/** An instance, its memory, and where in it the caller's part begins. */
interface Instance {
  readonly exports: Exports;
  readonly memory: Uint8Array;
  readonly words: Int32Array;
  readonly input: number;
}

const PAGE_BYTES = 64 * 1024;
/** What the module takes for its own tables, rounded up. */
const TABLE_PAGES = 1;
/** Messages are handed over in pieces: small enough to stay in the processor's cache. */
const PIECE_BYTES = 128 * 1024;
/** Padding, and the three blocks that may be read behind the last. */
const SLACK_BYTES = 5 * BLOCK_BYTES;
/** Copied byte by byte up to here: cheaper than a view. */
const SHORT_BYTES = 48;

/** Memory of a batch for messages; of one for large messages. */
const BATCH_BYTES = 4 * USUAL_BATCHED_BYTES;
const LARGE_BATCH_BYTES = 3 * BATCH_BYTES;
/** As in `assembly/sha1/layout.ts`. */
const MOST_JOBS = 512;
const JOB_WORDS = 8;
/** Five of the chaining value, one for the attacked blocks. */
const STATE_WORDS = 6;
const INITIAL_STATE = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0, 0);

/** @returns `undefined` where WebAssembly, its SIMD, or making code at run time are not to be had */
export function createWasmSha1(): DetectingSha1 | undefined {
  const module = compiledModule();
  if (module === undefined) return undefined;
  const single = instantiate(module, PIECE_BYTES + SLACK_BYTES);
  return {
    name: 'wasm',
    hashInto: (bytes, start, end, target, targetOffset) =>
      hashInto(single, bytes, start, end, target, targetOffset),
    createHash: () => new WasmHash(single),
    createBatch: (forLarge = false) => {
      const batchBytes = forLarge ? LARGE_BATCH_BYTES : BATCH_BYTES;
      return new WasmBatch(instantiate(module, batchBytes + SLACK_BYTES), batchBytes);
    },
  };
}

function compiledModule(): WebAssembly.Module | undefined {
  if (typeof WebAssembly === 'undefined') return undefined;
  const code = Uint8Array.from(atob(WASM_MODULE), (character) => character.charCodeAt(0));
  if (!WebAssembly.validate(code)) return undefined;
  try {
    return new WebAssembly.Module(code);
  } catch {
    return undefined; // valid, but some platforms allow no code that was not deployed
  }
}

function instantiate(module: WebAssembly.Module, inputBytes: number): Instance {
  const pages = TABLE_PAGES + Math.ceil(inputBytes / PAGE_BYTES);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  const exports = instance.exports as unknown as Exports;
  const words = new Int32Array(memory.buffer);
  const bytes = new Uint8Array(memory.buffer);
  for (const [number, vector] of disturbanceVectors().entries()) {
    words.set(messageDifferences(vector), exports.differencesStart() / 4 + number * STEPS);
    bytes[exports.sameStateStepsStart() + number] = vector.sameStateStep;
  }
  return { exports, memory: bytes, words, input: exports.inputStart() };
}

function hashInto(
  { exports, memory, input }: Instance,
  bytes: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  targetOffset: number,
): boolean {
  const length = end - start;
  let attacked: number;
  if (length <= PIECE_BYTES) {
    copyIn(memory, input, bytes, start, end);
    attacked = exports.hash(input, length);
  } else {
    exports.reset();
    attacked = 0;
    let at = start;
    for (; end - at > PIECE_BYTES; at += PIECE_BYTES) {
      copyIn(memory, input, bytes, at, at + PIECE_BYTES);
      attacked += exports.compress(input, PIECE_BYTES / BLOCK_BYTES);
    }
    copyIn(memory, input, bytes, at, end);
    attacked += exports.finish(input, end - at, length);
  }
  const id = exports.stateStart();
  for (let i = 0; i < ID_BYTES; i++) target[targetOffset + i] = memory[id + i] as number;
  return attacked > 0;
}

function copyIn(memory: Uint8Array, to: number, bytes: Uint8Array, start: number, end: number): void {
  if (end - start > SHORT_BYTES) memory.set(bytes.subarray(start, end), to);
  else for (let i = start; i < end; i++) memory[to + i - start] = bytes[i] as number;
}

/** The instance serves all of them in turns: each keeps its own chaining value between pieces. */
class WasmHash implements DetectingHash {
  isAttacked = false;
  readonly #instance: Instance;
  readonly #chaining = new Uint8Array(ID_BYTES);
  /** The bytes of a block that is not whole yet. */
  readonly #pending = new Uint8Array(BLOCK_BYTES);
  #pendingBytes = 0;
  #totalBytes = 0;

  constructor(instance: Instance) {
    this.#instance = instance;
    instance.exports.reset();
    this.#keepChaining();
  }

  update(bytes: Uint8Array): void {
    const { exports, memory, input } = this.#instance;
    this.#totalBytes += bytes.length;
    this.#restoreChaining();
    let at = 0;
    while (this.#pendingBytes + bytes.length - at >= BLOCK_BYTES) {
      memory.set(this.#pending.subarray(0, this.#pendingBytes), input);
      const room = PIECE_BYTES - this.#pendingBytes;
      const taken = Math.min(
        room,
        bytes.length - at - ((this.#pendingBytes + bytes.length - at) % BLOCK_BYTES),
      );
      memory.set(bytes.subarray(at, at + taken), input + this.#pendingBytes);
      if (exports.compress(input, (this.#pendingBytes + taken) / BLOCK_BYTES) > 0) this.isAttacked = true;
      this.#pendingBytes = 0;
      at += taken;
    }
    this.#keepChaining();
    this.#pending.set(bytes.subarray(at), this.#pendingBytes);
    this.#pendingBytes += bytes.length - at;
  }

  digest(): Uint8Array {
    const { exports, memory, input } = this.#instance;
    this.#restoreChaining();
    memory.set(this.#pending.subarray(0, this.#pendingBytes), input);
    if (exports.finish(input, this.#pendingBytes, this.#totalBytes) > 0) this.isAttacked = true;
    this.#keepChaining();
    return this.#chaining;
  }

  #keepChaining(): void {
    const { exports, memory } = this.#instance;
    const at = exports.stateStart();
    this.#chaining.set(memory.subarray(at, at + ID_BYTES));
  }

  #restoreChaining(): void {
    const { exports, memory } = this.#instance;
    memory.set(this.#chaining, exports.stateStart());
  }
}

/** Jobs are numbered as they are added; they are handed over sorted by length. */
class WasmBatch implements DetectingBatch {
  readonly mostBytes: number;
  readonly #instance: Instance;
  readonly #batchBytes: number;
  /** Where the jobs stand, in words. */
  readonly #jobs: number;
  readonly #keys = new Float64Array(MOST_JOBS);
  readonly #starts = new Int32Array(MOST_JOBS);
  /** Chaining value and attacked blocks, six words each: a message that was left over goes on from there. */
  readonly #states = new Int32Array(MOST_JOBS * STATE_WORDS);
  /** Blocks of each and its number, in one: so that to sort them is to sort by length. */
  readonly #lengths = new Float64Array(MOST_JOBS);
  #count = 0;
  #usedBytes = 0;

  constructor(instance: Instance, batchBytes: number) {
    this.#instance = instance;
    this.#batchBytes = batchBytes;
    // Two messages may be left over, and there has to be room for another.
    this.mostBytes = batchBytes / 4;
    this.#jobs = instance.exports.jobsStart() / 4;
  }

  add(bytes: Uint8Array, start: number, end: number, key: number): boolean {
    const length = end - start;
    if (this.#count === MOST_JOBS || length > this.mostBytes) return false;
    if (this.#usedBytes + length + 2 * BLOCK_BYTES > this.#batchBytes) return false;
    const { exports, memory, input } = this.#instance;
    const to = input + this.#usedBytes;
    copyIn(memory, to, bytes, start, end);
    this.#addJob(key, to, exports.pad(to, length, length), INITIAL_STATE, 0);
    return true;
  }

  flush(all: boolean, found: (key: number, ids: Uint8Array, at: number, isAttacked: boolean) => void): void {
    const count = this.#count;
    const { exports, memory, words } = this.#instance;
    const jobs = this.#jobs;
    const longestFirst = this.#lengths.subarray(0, count).sort().reverse();
    for (let i = 0; i < count; i++) {
      const length = longestFirst[i] as number;
      const number = length % MOST_JOBS;
      const job = jobs + i * JOB_WORDS;
      words[job] = this.#starts[number] as number;
      words[job + 1] = Math.floor(length / MOST_JOBS);
      for (let word = 0; word < STATE_WORDS; word++) {
        words[job + 2 + word] = this.#states[number * STATE_WORDS + word] as number;
      }
    }
    exports.hashMany(count, all);

    const left: number[] = [];
    const keys = longestFirst.map((length) => this.#keys[length % MOST_JOBS] as number);
    for (let i = 0; i < count; i++) {
      const job = jobs + i * JOB_WORDS;
      if (words[job + 1] === 0) found(keys[i] as number, memory, 4 * (job + 2), words[job + 7] !== 0);
      else left.push(i);
    }
    this.#count = 0;
    this.#usedBytes = 0;
    // In the order of their places, so that moving one down does not overwrite the next.
    left.sort((a, b) => (words[jobs + a * JOB_WORDS] as number) - (words[jobs + b * JOB_WORDS] as number));
    for (const i of left) {
      const job = jobs + i * JOB_WORDS;
      const start = words[job] as number;
      const blocks = words[job + 1] as number;
      const to = this.#instance.input + this.#usedBytes;
      memory.copyWithin(to, start, start + blocks * BLOCK_BYTES);
      this.#addJob(keys[i] as number, to, blocks, words, job + 2);
    }
  }

  #addJob(key: number, start: number, blocks: number, state: Int32Array, stateAt: number): void {
    const number = this.#count++;
    this.#keys[number] = key;
    this.#starts[number] = start;
    this.#lengths[number] = blocks * MOST_JOBS + number;
    for (let word = 0; word < STATE_WORDS; word++) {
      this.#states[number * STATE_WORDS + word] = state[stateAt + word] as number;
    }
    this.#usedBytes += blocks * BLOCK_BYTES;
  }
}
