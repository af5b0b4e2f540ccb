/**
 * Every parser with a few thousand inputs, and with all that earlier campaigns left in `fixtures/fuzz`. The long
 * campaign is `npm run fuzz -- --inputs=1000000`.
 *
 * @module
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allParsers } from './all-parsers.ts';
import { replay, runCampaign } from './campaign.ts';
import { keepFailure, keptInputs } from './kept-inputs.ts';

/** The same ones each time, unless others are asked for, as in property-seed.ts. */
const SEED = process.env.PACKWIRE_SEED === 'random' ? Date.now() % 1_000_000 : 20260801;
/** A parser stops after so many inputs, or after so long. */
const INPUTS = 2000;
const SLICE_MS = 250;

for (const parser of await allParsers()) {
  test(`${parser.name}: nothing but values and GitErrors, in bounded time and memory`, async () => {
    for (const input of keptInputs(parser.name)) assert.equal(await replay(parser, input), undefined);
    const { failures } = await runCampaign(parser, { seed: SEED, inputs: INPUTS, sliceMs: SLICE_MS });
    for (const { input } of failures) keepFailure(parser.name, input);
    assert.deepEqual(
      failures.map(({ what }) => what),
      [],
      `seed ${SEED}; see fixtures/fuzz/${parser.name}`,
    );
  });
}
