/**
 * `npm run fuzz -- [--inputs=<n>] [--seed=<n>] [--only=<parser>,…] [--keep]`: each parser with so many inputs, one parser
 * after another. Inputs that fail are written to `fixtures/fuzz/<parser>/`, where `npm test` tries them for ever;
 * `--keep` writes those that are answered in a way of their own, for later campaigns to begin with.
 *
 * @module
 */
import { parseArgs } from 'node:util';
import { startWorker } from '../../src/pack/node/start-worker.ts';
import { allParsers } from './all-parsers.ts';
import type { CampaignResult } from './campaign.ts';
import { keepCorpus, keepFailure } from './kept-inputs.ts';
import { MAX_INPUT_BYTES } from './mutate.ts';

export interface WorkerTask {
  readonly name: string;
  readonly seed: number;
  readonly inputs: number;
  readonly shared: SharedArrayBuffer;
}

/** One input may take so long before its parser is taken for hanging. */
const HANG_MS = 60_000;
/** MiB of the heap a parser's thread gets. */
const MAX_HEAP_MIB = 512;
/** MiB beside it for what is young: a limited heap gets little, and collecting then takes longer than parsing. */
const YOUNG_HEAP_MIB = 64;

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    only: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
});
const seed = Number(values.seed);
const names = values.only?.split(',') ?? (await allParsers()).map(({ name }) => name);
const line = (cells: readonly (string | number)[]): void => {
  const [name = '', ...rest] = cells;
  console.log(`${String(name).padEnd(18)}${rest.map((cell) => String(cell).padStart(11)).join('')}`);
};

console.log(`seed ${seed}`);
line(['parser', 'inputs', 'values', 'errors', 'answers', 'slowest ms', 'seconds', 'failures']);
let failures = 0;
for (const name of names) {
  const start = performance.now();
  const result = await campaign(name);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const { inputs, values: read, errors, answers, slowestMs } = result;
  line([name, inputs, read, errors, answers, slowestMs.toFixed(1), seconds, result.failures.length]);
  for (const { input, what } of result.failures) console.log(`  ${keepFailure(name, input)}: ${what}`);
  failures += result.failures.length;
  if (values.keep) keepCorpus(name, result.kept);
}
process.exitCode = failures === 0 ? 0 : 1;

function campaign(name: string): Promise<CampaignResult> {
  const shared = new SharedArrayBuffer(8 + MAX_INPUT_BYTES);
  const header = new Int32Array(shared, 0, 2);
  const task: WorkerTask = { name, seed, inputs: Number(values.inputs), shared };
  return new Promise((resolve) => {
    const worker = startWorker(import.meta.url, 'fuzz-worker', {
      workerData: task,
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MIB, maxYoungGenerationSizeMb: YOUNG_HEAP_MIB },
    });
    let begun = -1;
    const watch = setInterval(() => {
      if (begun === header[0]) finish({ what: `it hung for ${HANG_MS} ms` });
      begun = header[0] as number;
    }, HANG_MS);
    const finish = (outcome: CampaignResult | { readonly what: string }): void => {
      clearInterval(watch);
      void worker.terminate();
      resolve('what' in outcome ? ended(outcome.what) : outcome);
    };
    const ended = (what: string): CampaignResult => {
      const input = new Uint8Array(shared, 8, header[1]).slice();
      const none = { values: 0, errors: 0, answers: 0, slowestMs: 0, kept: [] };
      return { ...none, inputs: header[0] as number, failures: [{ input, what }] };
    };
    worker.once('message', (result: CampaignResult) => finish(result));
    worker.once('error', (error) => finish({ what: error.message }));
  });
}
