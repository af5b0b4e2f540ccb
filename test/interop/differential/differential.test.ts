/**
 * The same random requests for git's servers and for packwire. More of them: `npm run test:differential -- --runs=1000`.
 */
import { test } from 'node:test';
import { compareFetches } from './compared-fetches.ts';
import { comparePushes } from './compared-pushes.ts';

const SEED = Number(process.env.PACKWIRE_SEED ?? '20260801') || Date.now();

test('git and packwire answer the same fetches alike', () => compareFetches(40, SEED));

test('git and packwire take the same pushes alike', () => comparePushes(24, SEED));
