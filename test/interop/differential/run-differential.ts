/**
 * `npm run test:differential -- [--runs=<n>] [--seed=<n>]`: so many random requests, of seeds that are printed.
 *
 * @module
 */
import { parseArgs } from 'node:util';
import { compareFetches } from './compared-fetches.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});
console.log(`fetches: ${values.runs}, seed ${values.seed}`);
await compareFetches(Number(values.runs), Number(values.seed));
