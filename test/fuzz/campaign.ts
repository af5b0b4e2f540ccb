/**
 * One campaign: so many inputs through one parser, each held to a ceiling of time and of memory.
 *
 * An input that is told apart by a new kind of answer (another error, in other words) is kept, and mutated further.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import v8 from 'node:v8';
import { Random } from '../../fixtures/random.ts';
import { isGitError } from '../../src/core/errors.ts';
import type { FuzzedParser } from './fuzzed-parser.ts';
import { mutate, noise } from './mutate.ts';

/**
 * Milliseconds one input of at most 64 KiB may take; of three tries the fastest counts. On a busy machine a campaign of low
 * priority waits longer than that for the processor: so the time it had of it must be too long as well.
 */
export const MAX_INPUT_MS = 250;
/** Milliseconds of which no more is asked: whoever waits so long waits for something else. */
const MAX_WAIT_MS = 10 * MAX_INPUT_MS;
/** Bytes one input may leave behind on and beside the heap before anything is collected. */
export const MAX_INPUT_MEMORY_BYTES = 64 * 1024 * 1024;
/** Inputs of other answers than those before, kept for one parser; and how long they may be to be written down. */
const MOST_KEPT = 512;

const NOTHING = new Uint8Array(0);

export interface CampaignOptions {
  readonly seed: number;
  readonly inputs: number;
  /** Ends the campaign earlier. */
  readonly sliceMs?: number;
  /** Earlier inputs, beside those the parser brings. */
  readonly corpus?: readonly Uint8Array[];
  /** Told of each input before it is read: for who must end a parser that hangs. */
  readonly onInput?: (bytes: Uint8Array) => void;
}

export interface FuzzFailure {
  readonly input: Uint8Array;
  /** What happened, in a line. */
  readonly what: string;
}

export interface CampaignResult {
  readonly inputs: number;
  readonly values: number;
  readonly errors: number;
  /** Kinds of answers: the values as one, and each sentence of an error. */
  readonly answers: number;
  readonly slowestMs: number;
  readonly failures: readonly FuzzFailure[];
  /** Inputs with answers of their own. */
  readonly kept: readonly Uint8Array[];
}

/** A campaign ends with so many failures. */
const MOST_FAILURES = 20;

export async function runCampaign(parser: FuzzedParser, options: CampaignOptions): Promise<CampaignResult> {
  const base = numberOf(`${options.seed}/${parser.name}`);
  const corpus = [...parser.corpus, ...(options.corpus ?? [])];
  const kept: Uint8Array[] = [];
  const answers = new Set<string>();
  const failures: FuzzFailure[] = [];
  const told = new Set<string>();
  let values = 0;
  let errors = 0;
  let slowestMs = 0;
  let done = 0;
  const end = performance.now() + (options.sliceMs ?? Number.POSITIVE_INFINITY);
  for (; done < options.inputs && failures.length < MOST_FAILURES; done++) {
    if (done % 16 === 15 && performance.now() > end) break;
    const random = new Random(base + Math.imul(done, 0x9e3779b1));
    const input =
      done < corpus.length ? (corpus[done] as Uint8Array) : makeInput(random, parser, corpus, kept);
    options.onInput?.(input);
    // What is closed is given back only in a round of the event loop.
    if (done % 1024 === 1023) await new Promise(setImmediate);
    const reading = read(parser, input);
    const { error, ms, failure } = reading instanceof Promise ? await reading : reading;
    if (error === undefined) values++;
    else errors++;
    slowestMs = Math.max(slowestMs, ms);
    if (failure !== undefined && !told.has(kindOf(failure))) {
      told.add(kindOf(failure));
      failures.push({ input, what: failure });
    }
    const answer = error === undefined ? '' : kindOf(`${error.code} ${error.message}`);
    if (!answers.has(answer) && kept.length < MOST_KEPT) {
      answers.add(answer);
      kept.push(input.slice());
    }
  }
  return { inputs: done, values, errors, answers: answers.size, slowestMs, failures, kept };
}

/** Read one input. @returns what was wrong with how it was read; `undefined` when nothing was */
export async function replay(parser: FuzzedParser, input: Uint8Array): Promise<string | undefined> {
  return (await read(parser, input)).failure;
}

function makeInput(
  random: Random,
  parser: FuzzedParser,
  corpus: readonly Uint8Array[],
  kept: readonly Uint8Array[],
): Uint8Array {
  if (random.below(64) === 0) return noise(random);
  const choose = (): Uint8Array => {
    const { generate } = parser;
    if (generate !== undefined && (corpus.length === 0 || random.chance(0.5))) return generate(random);
    const pool = kept.length > 0 && random.chance(0.3) ? kept : corpus;
    return pool.length === 0 ? NOTHING : random.pick(pool);
  };
  const chosen = choose();
  const mutated = random.chance(0.15) ? chosen : mutate(random, chosen, choose(), parser.words ?? []);
  return parser.seal === undefined || random.chance(0.2) ? mutated : parser.seal(mutated);
}

interface Reading {
  readonly error?: { readonly code: string; readonly message: string } | undefined;
  readonly ms: number;
  readonly failure?: string | undefined;
}

/** Synchronous where the parser is: a promise an input would cost more than most inputs. */
function read(parser: FuzzedParser, input: Uint8Array): Reading | Promise<Reading> {
  const bytesBefore = heldBytes();
  const start = performance.now();
  try {
    const result = parser.read(input);
    if (!(result instanceof Promise)) return judged(parser, input, start, bytesBefore);
    return result.then(
      () => judged(parser, input, start, bytesBefore),
      (error: unknown) => judgedError(parser, input, start, bytesBefore, error),
    );
  } catch (error) {
    return judgedError(parser, input, start, bytesBefore, error);
  }
}

function judgedError(
  parser: FuzzedParser,
  input: Uint8Array,
  start: number,
  bytesBefore: number,
  error: unknown,
): Reading | Promise<Reading> {
  if (isGitError(error)) return judged(parser, input, start, bytesBefore, error);
  const what =
    error instanceof Error ? (error.stack ?? error.message).split('\n').slice(0, 3) : [String(error)];
  return { ms: performance.now() - start, failure: what.map((line) => line.trim()).join(' ') };
}

function judged(
  parser: FuzzedParser,
  input: Uint8Array,
  start: number,
  bytesBefore: number,
  error?: Reading['error'],
): Reading | Promise<Reading> {
  const ms = performance.now() - start;
  const bytes = heldBytes() - bytesBefore;
  if (bytes > MAX_INPUT_MEMORY_BYTES) {
    return { error, ms, failure: `memory: ${Math.round(bytes / 1024 / 1024)} MiB for ${input.length} bytes` };
  }
  return ms > MAX_INPUT_MS ? timeAgain(parser, input, ms, error) : { error, ms };
}

/** Another process may have had the processor. */
async function timeAgain(
  parser: FuzzedParser,
  input: Uint8Array,
  firstMs: number,
  error: Reading['error'],
): Promise<Reading> {
  let fastestMs = firstMs;
  let leastCpuMs = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 2; attempt++) {
    const cpuBefore = process.cpuUsage();
    const start = performance.now();
    try {
      await parser.read(input);
    } catch (again) {
      if (!isGitError(again)) throw again;
    }
    fastestMs = Math.min(fastestMs, performance.now() - start);
    const { user, system } = process.cpuUsage(cpuBefore);
    leastCpuMs = Math.min(leastCpuMs, (user + system) / 1000);
  }
  const isTooLong = fastestMs > MAX_INPUT_MS && (leastCpuMs > MAX_INPUT_MS || fastestMs > MAX_WAIT_MS);
  if (!isTooLong) return { error, ms: fastestMs };
  return { error, ms: fastestMs, failure: `time: ${Math.round(fastestMs)} ms for ${input.length} bytes` };
}

function heldBytes(): number {
  const { used_heap_size, external_memory } = v8.getHeapStatistics();
  return used_heap_size + external_memory;
}

/** A message without what is quoted in it, and without numbers. */
function kindOf(message: string): string {
  return message
    .slice(0, 400)
    .replace(/'.*'/s, "''")
    .replace(/[0-9a-f]{7,}|\d+/g, '#')
    .slice(0, 100);
}

function numberOf(text: string): number {
  return createHash('sha256').update(text).digest().readInt32LE(0);
}
