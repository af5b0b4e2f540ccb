import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { ObjectId } from '../../src/core/object-id.ts';
import { checkConnectivity } from '../../src/repository/connectivity.ts';
import { closureOf, linksOf } from '../support/closure.ts';
import { scratchDirectory } from '../support/git.ts';
import { readerOver, readObjectsOf } from '../support/object-reader.ts';
import { anyHistory, buildHistory } from '../support/random-history.ts';

const NONE: ReadonlySet<ObjectId> = new Set();

for (const [clocks, skew, commitCount] of [
  ['right', 0, 40],
  ['wrong', 3000, 40],
  ['right, and history is long', 0, 700],
] as const) {
  test(`checkConnectivity() finds what is missing when clocks are ${clocks}`, async (context) => {
    const [plan] = fc.sample(anyHistory(commitCount, skew), 1);
    const history = buildHistory(await scratchDirectory(context), plan ?? []);
    const objects = readObjectsOf(history.directory);
    const tips = fc.constantFrom(...history.commits, ...history.tags);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(tips, fc.constantFrom(...objects.keys())), { minLength: 1, maxLength: 3 }),
        fc.array(tips, { maxLength: 3 }),
        fc.nat(),
        async (newTips, trusted, pick) => {
          const reached = [...closureOf(objects, newTips)];
          const removed = reached[pick % reached.length] as ObjectId;
          const reader = readerOver(new Map(objects));
          assert.deepEqual(await checkConnectivity(reader, newTips, trusted), { ok: true }, 'before');

          const isTrusted = closureOf(objects, trusted).has(removed);
          reader.objects.delete(removed);
          const result = await checkConnectivity(reader, newTips, trusted);
          if (result.ok) {
            assert.ok(isTrusted, `${removed} is not missed`);
            return;
          }
          assert.equal(result.missing, removed);
          assert.equal(result.missingKind, missedKind(objects, removed, newTips));
          const referrer = objects.get(result.referredBy);
          assert.ok(referrer !== undefined);
          assert.ok(
            result.referredBy === removed || linksOf(result.referredBy, referrer, NONE).includes(removed),
            'what is named as the referrer refers to it',
          );
        },
      ),
      { numRuns: commitCount > 100 ? 20 : 150 },
    );
  });
}

/** A tip that is missing is taken for a commit: nothing says what it was. */
function missedKind(
  objects: ReadonlyMap<ObjectId, { readonly kind: string }>,
  id: ObjectId,
  tips: readonly ObjectId[],
): string | undefined {
  return tips.includes(id) ? 'commit' : objects.get(id)?.kind;
}

test('checkConnectivity() trusts refs, not objects that happen to be there', async (context) => {
  const plan = Array.from({ length: 4 }, (_, content) => ({
    parents: [1],
    skew: 0,
    changes: [{ path: 'f', content }],
    gitlink: true,
    tagged: false,
  }));
  const { directory, commits } = buildHistory(await scratchDirectory(context), plan);
  const [first = '', second = '', third = '', fourth = ''] = commits;
  const reader = readerOver(readObjectsOf(directory));
  reader.objects.delete(second);
  // third is there, left over from something; only no ref reaches it.
  const broken = { ok: false, missing: second, missingKind: 'commit', referredBy: third } as const;
  assert.deepEqual(await checkConnectivity(reader, [fourth], [first]), broken);
  assert.deepEqual(await checkConnectivity(reader, [fourth], []), broken);
  assert.deepEqual(await checkConnectivity(reader, [fourth], [third]), { ok: true });
  assert.deepEqual(await checkConnectivity(reader, [third], [third]), { ok: true });
  assert.deepEqual(await checkConnectivity(reader, [fourth], [first], { shallow: new Set([third]) }), {
    ok: true,
  });
  assert.deepEqual(await checkConnectivity(reader, [second], [first]), {
    ok: false,
    missing: second,
    missingKind: 'commit',
    referredBy: second,
  });
  assert.deepEqual(await checkConnectivity(reader, [], [first]), { ok: true });
});

test('checkConnectivity() does not read a thousand refs for a push of one commit', async (context) => {
  const [plan] = fc.sample(anyHistory(60), 1);
  const chain = (plan ?? []).map((commit) => ({ ...commit, parents: [1], changes: [], gitlink: false }));
  const { directory, commits } = buildHistory(await scratchDirectory(context), chain);
  const reader = readerOver(readObjectsOf(directory));
  const tip = commits.at(-1) as ObjectId;
  assert.deepEqual(await checkConnectivity(reader, [tip], commits.slice(0, -1)), { ok: true });
  assert.ok(reader.reads.length <= 3, `read ${reader.reads.length} objects`);
});

test('checkConnectivity() stops when nobody waits any more', async (context) => {
  const [plan] = fc.sample(anyHistory(30), 1);
  const { directory, commits } = buildHistory(await scratchDirectory(context), plan ?? []);
  const reader = readerOver(readObjectsOf(directory));
  const now = performance.now.bind(performance);
  let clock = 0;
  context.mock.method(performance, 'now', () => now() + 100 * clock++); // every unit of work takes long
  await assert.rejects(checkConnectivity(reader, commits, [], { signal: AbortSignal.abort() }), {
    code: 'ABORTED',
  });
});
