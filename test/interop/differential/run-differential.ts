/**
 * `npm run test:differential -- [--runs=<n>] [--seed=<n>] [--only=fetches|pushes]`: so many random requests of each kind,
 * of seeds that are printed. The judge is the git that is found first on the PATH.
 *
 * @module
 */
import { parseArgs } from 'node:util';
import { compareFetches } from './compared-fetches.ts';
import { comparePushes } from './compared-pushes.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    only: { type: 'string' },
  },
});
for (const [kind, compare] of [
  ['fetches', compareFetches],
  ['pushes', comparePushes],
] as const) {
  if ((values.only ?? kind) !== kind) continue;
  console.log(`${kind}: ${values.runs}, seed ${values.seed}`);
  await compare(Number(values.runs), Number(values.seed));
}
