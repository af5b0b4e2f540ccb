/** Negotiations over random histories: every ACK, NAK and ready is git's. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { openRepository } from '../../src/repository/node/open-repository.ts';
import { type HistoryCommit, makeHistory } from '../support/made-history.ts';
import { packLines } from '../support/packets.ts';
import { ask, askGit, readAnswer } from '../support/served-repository.ts';

const root = mkdtempSync(join(tmpdir(), 'packwire-negotiation-'));
after(() => rmSync(root, { recursive: true, force: true }));

/** Two dozen commits, merges and several roots among them, whose clocks are sometimes wrong. */
const anyHistory: fc.Arbitrary<readonly HistoryCommit[]> = fc
  .array(
    fc.tuple(fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 2 }), fc.integer({ min: -150, max: 150 })),
    {
      minLength: 12,
      maxLength: 24,
    },
  )
  .map((commits) =>
    commits.map(([back, skew], i) => ({
      parents: [...new Set(back.map((distance) => i - distance))].filter((parent) => parent >= 0),
      time: 1000 + i * 60 + skew,
    })),
  );

/** What a client says, commits by their place: 0 is the first, beyond the last one that does not exist. */
interface Talk {
  readonly wants: readonly number[];
  readonly batches: readonly (readonly number[])[];
  readonly done: boolean;
}

const anyTalk: fc.Arbitrary<Talk> = fc.record({
  wants: fc.array(fc.nat({ max: 23 }), { minLength: 1, maxLength: 3 }),
  batches: fc.array(fc.array(fc.nat({ max: 30 }), { maxLength: 5 }), { minLength: 1, maxLength: 4 }),
  done: fc.boolean(),
});

const nameOf = (ids: readonly string[], place: number): string =>
  ids[place] ?? String(place).padStart(2, '0').padEnd(40, 'f');

for (const acks of ['', 'multi_ack', 'multi_ack_detailed', 'multi_ack_detailed no-done', 'version 2']) {
  test(`negotiation with ${acks || 'plain acks'} is git's`, async () => {
    await fc.assert(
      fc.asyncProperty(
        anyHistory,
        fc.array(anyTalk, { minLength: 4, maxLength: 4 }),
        async (history, talks) => {
          const directory = mkdtempSync(join(root, 'history-'));
          const ids = makeHistory(directory, history);
          await using repository = await openRepository(directory);
          for (const { wants, batches, done } of talks) {
            const wanted = wants.map((place) => `want ${ids[place % ids.length]}`);
            const had = batches.map((batch) => batch.map((place) => `have ${nameOf(ids, place)}`));
            const isV2 = acks === 'version 2';
            const lines = isV2
              ? ['command=fetch', 'object-format=sha1', '0001', 'no-progress', ...wanted, ...had.flat()]
              : [`${wanted[0]} side-band-64k no-progress ${acks}`, ...wanted.slice(1), '0000'];
            if (!isV2) for (const batch of had) lines.push(...batch, '0000');
            if (done || !isV2) lines.push('done');
            if (isV2) lines.push('0000');
            const question = {
              version: isV2 ? 2 : 0,
              mode: isV2 ? 'stateless' : 'stateful',
              request: packLines(lines),
            } as const;
            const ours = readAnswer(await ask(repository, question)).lines;
            const theirs = readAnswer(askGit(directory, question)).lines;
            // Before 2.52 git acknowledged in v2 as often as was said.
            const once = theirs.filter((line, at) => !line.startsWith('ACK') || theirs.indexOf(line) === at);
            assert.deepEqual(ours, isV2 ? once : theirs);
          }
        },
      ),
      { numRuns: 5 },
    );
  });
}

test('a wanted commit that is older than what the client has, by its clock, helps a younger one', async () => {
  const directory = mkdtempSync(join(root, 'skewed-'));
  const ids = makeHistory(directory, [
    { parents: [], time: 1240 },
    { parents: [0], time: 1239 },
    { parents: [1], time: 1480 },
  ]);
  await using repository = await openRepository(directory);
  const wants = [`want ${ids[2]}`, `want ${ids[1]}`];
  const request = packLines([
    'command=fetch',
    'object-format=sha1',
    '0001',
    ...wants,
    `have ${ids[0]}`,
    '0000',
  ]);
  const question = { version: 2, mode: 'stateless', request } as const;
  const ours = readAnswer(await ask(repository, question)).lines;
  assert.ok(ours.includes('ready'));
  assert.deepEqual(ours, readAnswer(askGit(directory, question)).lines);
});
