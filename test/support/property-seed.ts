/**
 * Loaded before every test file: properties try the same inputs each time, so that a red run is red again.
 * `PACKWIRE_SEED=random npm run test:unit` looks for new ones; a number repeats such a run.
 *
 * @module
 */
import fc from 'fast-check';

const seed = process.env.PACKWIRE_SEED ?? '20260801';
if (seed !== 'random') fc.configureGlobal({ seed: Number(seed) });
