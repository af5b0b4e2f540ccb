/**
 * The campaign of one parser in a thread of its own: one that hangs, or needs too much memory, can be ended from outside.
 *
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads';
import { allParsers } from './all-parsers.ts';
import { runCampaign } from './campaign.ts';
import type { WorkerTask } from './fuzz.ts';
import { keptInputs } from './kept-inputs.ts';
import { MAX_INPUT_BYTES } from './mutate.ts';

const { name, seed, inputs, shared } = workerData as WorkerTask;
const header = new Int32Array(shared, 0, 2); // how many inputs were begun, and the length of the last
const last = new Uint8Array(shared, 8, MAX_INPUT_BYTES);

const parser = (await allParsers()).find((candidate) => candidate.name === name);
if (parser === undefined) throw new Error(`There is no parser ${name}`);
Error.stackTraceLimit = 0; // a refusal costs half as much without, and nearly all inputs are refused
const result = await runCampaign(parser, {
  seed,
  inputs,
  corpus: keptInputs(name),
  onInput(input) {
    last.set(input.subarray(0, MAX_INPUT_BYTES));
    header[1] = Math.min(input.length, MAX_INPUT_BYTES);
    Atomics.add(header, 0, 1);
  },
});
parentPort?.postMessage(result);
