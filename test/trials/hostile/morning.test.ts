/** A morning of a few tenths of a second: whether the trial itself works. `npm run trial:hostile` is the real one. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { git, scratchDirectory } from '../../support/git.ts';
import { makePushHistory } from '../../support/push-history.ts';
import { DEFAULT_BOUNDS } from '../support/bounds.ts';
import { SOURCE_COMMAND } from '../support/packwire-process.ts';
import { runMorning } from './morning.ts';
import { pushFlood } from './push-flood.ts';
import { formatRow } from './report.ts';
import type { Scenario } from './scenario.ts';
import { slowHeads } from './slow-heads.ts';

/** Nothing here is about time. */
const BOUNDS = { ...DEFAULT_BOUNDS, healthMs: Number.POSITIVE_INFINITY, settledMs: 100, restMs: 100 };

const breaking: Scenario = {
  name: 'breaking',
  does: 'says that something broke',
  holds: 'nothing',
  on: 'shared',
  run: async () => ({ figure: '', broken: ['it broke'] }),
};

test('a short morning is lived through, and what breaks is told', async (t) => {
  const scratch = await scratchDirectory(t);
  const { directory } = makePushHistory(scratch);
  git(scratch, 'clone', '-q', '--bare', directory, 'small.git');
  const rows = await runMorning(
    {
      scratch: await scratchDirectory(t),
      repositories: [join(scratch, 'small.git')],
      seconds: 0.2,
      clients: 4,
      command: SOURCE_COMMAND,
      bounds: BOUNDS,
      keepOpenMs: 100,
      times: 2,
    },
    [slowHeads, pushFlood, breaking],
  );
  const told = rows.map(({ name, broken }) => [name, broken]);
  const once = [
    ['slow heads', []],
    ['push flood', []],
    ['breaking', ['it broke']],
  ];
  assert.deepEqual(told, [...once, ...once, ['the end', []]]);
  assert.match(formatRow(rows[2] as (typeof rows)[number]), /NO[\s\S]*! it broke/);
});
